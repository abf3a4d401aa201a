using System.Diagnostics.Metrics;
using Orderwright.Http;

namespace Orderwright.Hosting;

/// <summary>Instruments of a host. The tag <c>code</c> is bounded by the problem codes of refused requests.</summary>
static class Metrics
{
    static readonly Meter Meter = new(Runtime.Metrics.SourceName);

    static readonly Counter<long> Refusals = Meter.CreateCounter<long>(
        "orderwright.requests.refused", "{request}",
        "Requests refused before their endpoint: malformed, without a valid key, without the scope, over a limit.");

    /// <summary>Shows every refusal of keys and budgets from the start.</summary>
    public static void Begin()
    {
        foreach (var code in new[]
        {
            ProblemCodes.KeyRequired, ProblemCodes.KeyUnknown, ProblemCodes.KeyExpired, ProblemCodes.KeyRevoked,
            ProblemCodes.MissingScope, ProblemCodes.Denied, ProblemCodes.RateLimited, ProblemCodes.UnreadableBody,
            ProblemCodes.AmbiguousLength,
        })
            Refusals.Add(0, new KeyValuePair<string, object?>("code", code));
    }

    public static void Refused(string code) => Refusals.Add(1, new KeyValuePair<string, object?>("code", code));
}
