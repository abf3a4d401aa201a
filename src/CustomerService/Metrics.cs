using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.CustomerService;

/// <summary>Instruments of customer-service. The tag <c>provider</c> is bounded by the configured providers.</summary>
static class Metrics
{
    static readonly Meter Meter = new(Runtime.Metrics.SourceName);
    static readonly ConcurrentDictionary<string, long> Differences = new();

    static Metrics() => Meter.CreateObservableGauge(
        "orderwright.reconciliation.differences",
        () => Differences.Select(pair => new Measurement<long>(
            pair.Value, new("service", ServiceNames.Customer), new("provider", pair.Key))),
        "{difference}", "Differences between our record and the gateway's, from the latest finished reconciliation.");

    static readonly Counter<long> Requests = Meter.CreateCounter<long>(
        "orderwright.gateway.requests", "{request}", "Requests to gateways, by provider, operation and result.");

    static readonly Histogram<double> Durations = Meter.CreateHistogram<double>(
        "orderwright.gateway.duration", "s", "Time until a gateway's answer, or until the request was given up, by provider.");

    /// <summary>Shows every series from the start.</summary>
    public static void Begin(IEnumerable<string> providers)
    {
        foreach (var provider in providers)
        {
            EmptySeries.Show(Durations, new KeyValuePair<string, object?>("provider", provider));
            foreach (var operation in (string[])
                [
                    GatewayOperations.Authorize, GatewayOperations.Capture, GatewayOperations.Void, GatewayOperations.Refund,
                    LookUp,
                ])
                foreach (var result in (string[])[Answered, Declined, Unavailable, Unknown])
                    Requests.Add(0, new("provider", provider), new("operation", operation), new("result", result));
        }
    }

    public const string LookUp = "look_up";
    public const string Answered = "answered";
    public const string Declined = "declined";
    public const string Unavailable = "unavailable";
    public const string Unknown = "unknown";

    /// <summary>Counts a request to a gateway.</summary>
    /// <param name="provider">Name of the provider.</param>
    /// <param name="operation">One of <see cref="Payments.GatewayOperations"/>, or <c>look_up</c>.</param>
    /// <param name="result">Kind of the result.</param>
    /// <param name="took">Time until the result.</param>
    public static void Asked(string provider, string operation, string result, TimeSpan took)
    {
        Requests.Add(1, new("provider", provider), new("operation", operation), new("result", result));
        Durations.Record(took.TotalSeconds, new KeyValuePair<string, object?>("provider", provider));
    }

    public static void Reconciled(string provider, long differences) => Differences[provider] = differences;
}
