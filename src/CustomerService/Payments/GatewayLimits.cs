using System.ComponentModel.DataAnnotations;

namespace Orderwright.CustomerService.Payments;

/// <summary>
/// Limits for requests to payment gateways. Settings: <c>ORDERWRIGHT_{NAME}</c>, for example
/// <c>ORDERWRIGHT_GATEWAY_DEADLINE=3s</c>.
/// </summary>
public sealed class GatewayLimits
{
    /// <summary>Time limit of a request or look-up; then the attempt is in doubt. 100 ms to 60 s; default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:01:00")]
    public TimeSpan GatewayDeadline { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Concurrent requests per provider. Requests occupy no thread and no transaction. Default 1,000.</summary>
    [Range(1, 100_000)]
    public int GatewayMaxInFlight { get; set; } = 1_000;

    /// <summary>Requests queued in memory per provider; further requests wait in the database. Default 10,000.</summary>
    [Range(1, 1_000_000)]
    public int GatewayMaxWaiting { get; set; } = 10_000;

    /// <summary>Maximum number of sends per key while the gateway reports being unavailable. Default 8.</summary>
    [Range(1, 100)]
    public int GatewayMaxAttempts { get; set; } = 8;

    /// <summary>
    /// First pause before a retry; doubles up to <see cref="LongestBackoff"/>. 10 ms to 30 s; default 500 ms.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:00:30")]
    public TimeSpan GatewayBackoff { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Failures within about ten seconds to open the circuit breaker, if at least half of all requests failed.
    /// Orders wait while the breaker is open. Default 20.
    /// </summary>
    [Range(1, 100_000)]
    public int GatewayBreakAfter { get; set; } = 20;

    /// <summary>Retry budget, as a percentage of first requests. 0 to 1,000; default 20.</summary>
    [Range(0, 1_000)]
    public int GatewayRetryBudget { get; set; } = 20;

    /// <summary>
    /// Interval of look-ups while the customer completes 3-D Secure, in case the webhook is lost. 1 s to 1 h; default 15 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan GatewayPollEvery { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Time before an authorization expires when the payment is flagged. 1 min to 30 d; default 24 h.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "30.00:00:00")]
    public TimeSpan GatewayHoldWarning { get; set; } = TimeSpan.FromHours(24);

    /// <summary>Time for which an attempt belongs to a process: a request, a look-up and a margin.</summary>
    public TimeSpan Lease => 2 * GatewayDeadline + TimeSpan.FromSeconds(5);

    public static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(30);

    /// <summary>Pause before a failed refund, or a failed capture for shipped goods, is tried again on request.</summary>
    public static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(30);

    /// <summary>Pause after a declined capture for shipped goods. Operators see the payment in the meantime.</summary>
    public static readonly TimeSpan TakeAgainAfter = TimeSpan.FromHours(1);

    /// <summary>
    /// Pauses between look-ups of an attempt in doubt when the gateway answers inconclusively. The first look-up is
    /// immediate; after the last one a person has to find out.
    /// </summary>
    public static readonly IReadOnlyList<TimeSpan> LookUpPauses =
        [TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(5), TimeSpan.FromHours(1)];

    /// <summary>Total time for look-ups before a person has to decide.</summary>
    public static readonly TimeSpan LookUpFor = LookUpPauses.Aggregate((sum, pause) => sum + pause);

    /// <summary>Pause after an unanswered look-up, short enough for orders to recover within a minute after an outage.</summary>
    public static readonly TimeSpan UnansweredPause = TimeSpan.FromSeconds(30);

    /// <summary>Time to wait for a webhook when the gateway offers no look-ups.</summary>
    public static readonly TimeSpan WaitForWebhook = TimeSpan.FromMinutes(5);
}
