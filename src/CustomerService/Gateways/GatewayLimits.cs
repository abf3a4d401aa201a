using System.ComponentModel.DataAnnotations;

namespace Orderwright.CustomerService.Gateways;

/// <summary>
/// Limits of the calls to payment gateways. Settings: <c>ORDERWRIGHT_GATEWAY_{NAME}</c>, such as
/// <c>ORDERWRIGHT_GATEWAY_DEADLINE=00:00:03</c>.
/// </summary>
public sealed class GatewayLimits
{
    /// <summary>How long one call or look-up may take; then it is in doubt. Default 5 s.</summary>
    public TimeSpan Deadline { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long an attempt belongs to the process that took it. Longer than the deadline; default 15 s.</summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Calls at once per provider. They hold no thread and no transaction. Default 1,000.</summary>
    [Range(1, 100_000)]
    public int MaxInFlight { get; set; } = 1_000;

    /// <summary>Calls waiting in memory per provider; further ones wait in their rows. Default 10,000.</summary>
    [Range(1, 1_000_000)]
    public int MaxWaiting { get; set; } = 10_000;

    /// <summary>How often one key is sent while the gateway says that it is not available. Default 8.</summary>
    [Range(1, 100)]
    public int MaxAttempts { get; set; } = 8;

    /// <summary>The first pause before a repetition; it doubles up to <see cref="LongestBackoff"/>. Default 500 ms.</summary>
    public TimeSpan Backoff { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Default 30 s.</summary>
    public TimeSpan LongestBackoff { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often an action of the customer is looked up, in case its webhook got lost. Default 15 s.</summary>
    public TimeSpan PollEvery { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a failed capture or refund is answered from memory before being asked again tries again.</summary>
    public TimeSpan TryAgainAfter { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Pauses between the look-ups of an attempt in doubt, after the first one, which comes at once. Past the last,
    /// only a webhook or a person settles it.
    /// </summary>
    public static readonly IReadOnlyList<TimeSpan> LookUpAfter =
        [TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(5), TimeSpan.FromHours(1)];
}
