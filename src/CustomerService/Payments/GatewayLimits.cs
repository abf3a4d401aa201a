using System.ComponentModel.DataAnnotations;

namespace Orderwright.CustomerService.Payments;

/// <summary>
/// Limits of the calls to payment gateways. Settings: <c>ORDERWRIGHT_{NAME}</c>, such as
/// <c>ORDERWRIGHT_GATEWAY_DEADLINE=3s</c>.
/// </summary>
public sealed class GatewayLimits
{
    /// <summary>
    /// How long one call or look-up may take; then it is in doubt. 100 ms to 60 s; default 5 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:01:00")]
    public TimeSpan GatewayDeadline { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Calls at once per provider. They hold no thread and no transaction. Default 1,000.</summary>
    [Range(1, 100_000)]
    public int GatewayMaxInFlight { get; set; } = 1_000;

    /// <summary>
    /// Calls waiting in memory per provider; further ones wait in their rows. Default 10,000.
    /// </summary>
    [Range(1, 1_000_000)]
    public int GatewayMaxWaiting { get; set; } = 10_000;

    /// <summary>
    /// How often one key is sent while the gateway says that it is not available. Default 8.
    /// </summary>
    [Range(1, 100)]
    public int GatewayMaxAttempts { get; set; } = 8;

    /// <summary>
    /// The first pause before a repetition; it doubles up to <see cref="LongestBackoff"/>. 10 ms to 30 s;
    /// default 500 ms.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:00:30")]
    public TimeSpan GatewayBackoff { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Calls that fail within some ten seconds, and are half of all, before a provider is let alone for a while; its orders
    /// wait. Default 20.
    /// </summary>
    [Range(1, 100_000)]
    public int GatewayBreakAfter { get; set; } = 20;

    /// <summary>How many requests may be repetitions, in percent of the first ones. 0 to 1,000; default 20.</summary>
    [Range(0, 1_000)]
    public int GatewayRetryBudget { get; set; } = 20;

    /// <summary>
    /// How often an action of the customer is looked up, in case its webhook got lost. 1 s to 1 h; default 15
    /// s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan GatewayPollEvery { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// How long before a gateway stops holding the money of a payment it is said so. 1 min to 30 d; default 24 h.
    /// </summary>
    [Range(typeof(TimeSpan), "00:01:00", "30.00:00:00")]
    public TimeSpan GatewayHoldWarning { get; set; } = TimeSpan.FromHours(24);

    /// <summary>
    /// How long an attempt belongs to the process that took it: a call, its look-up, and some room.
    /// </summary>
    public TimeSpan Lease => 2 * GatewayDeadline + TimeSpan.FromSeconds(5);

    public static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a failed refund is answered from its row; asked again later, it is tried again. So is a capture for what was
    /// shipped that no gateway took.
    /// </summary>
    public static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a capture for what was shipped, that was declined, is left alone; then it is tried again. Until then an
    /// operator sees it.
    /// </summary>
    public static readonly TimeSpan TakeAgainAfter = TimeSpan.FromHours(1);

    /// <summary>
    /// The pauses between look-ups of an attempt in doubt, the first of which comes at once, when the gateway answers and
    /// cannot tell. After the last one a person has to find out.
    /// </summary>
    public static readonly IReadOnlyList<TimeSpan> LookUpPauses =
        [TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(5), TimeSpan.FromHours(1)];

    /// <summary>For how long it is looked up before that is a person's matter.</summary>
    public static readonly TimeSpan LookUpFor = LookUpPauses.Aggregate((sum, pause) => sum + pause);

    /// <summary>
    /// The pause after a look-up that got no answer: an outage of the gateway is over for its orders within a minute.
    /// </summary>
    public static readonly TimeSpan UnansweredPause = TimeSpan.FromSeconds(30);

    /// <summary>How long a webhook is waited for where the gateway cannot be asked.</summary>
    public static readonly TimeSpan WaitForWebhook = TimeSpan.FromMinutes(5);
}
