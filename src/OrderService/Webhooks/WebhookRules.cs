using System.Buffers.Binary;
using Orderwright.Contracts;
using Orderwright.Http.Outgoing;

namespace Orderwright.OrderService.Webhooks;

/// <summary>Decisions about deliveries and endpoints. Pure.</summary>
public static class WebhookRules
{
    /// <summary>Event types that match every type.</summary>
    public const string AllTypes = "*";

    /// <summary>
    /// Time without a delivered event after which an endpoint is disabled; also the time over which a delivery is retried.
    /// </summary>
    public static readonly TimeSpan GiveUpAfter = TimeSpan.FromDays(3);

    /// <summary>Longest pause between two rounds of a failing endpoint.</summary>
    public static readonly TimeSpan LongestRoundPause = TimeSpan.FromMinutes(5);

    /// <summary>Longest pause that a receiver may request by <c>Retry-After</c>.</summary>
    public static readonly TimeSpan LongestRetryAfter = TimeSpan.FromHours(1);

    /// <summary>Longest pause between two attempts, with jitter.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromHours(32);

    // Three days in total.
    static readonly TimeSpan[] Pauses =
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15),
        TimeSpan.FromHours(1), TimeSpan.FromHours(3), TimeSpan.FromHours(6), TimeSpan.FromHours(12), TimeSpan.FromHours(24),
        TimeSpan.FromHours(26),
    ];

    /// <summary>Attempts of a delivery, the first included.</summary>
    public static int MostAttempts => Pauses.Length + 1;

    /// <summary>Value from 0 to 1 out of the random end of an id.</summary>
    public static double JitterOf(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes);
        return (double)BinaryPrimitives.ReadUInt32BigEndian(bytes[12..]) / uint.MaxValue;
    }

    public static bool Matches(WebhookEndpoint endpoint, string type) =>
        endpoint.Types is [AllTypes] || endpoint.Types.Contains(type);

    /// <summary>Delivery after an attempt: delivered, waiting for the next attempt, or failed after the last.</summary>
    /// <param name="delivery">Delivery before the attempt.</param>
    /// <param name="attempt">The attempt.</param>
    /// <param name="jitter">0 to 1; spreads the retries of many deliveries by ±20 %.</param>
    public static WebhookDelivery After(WebhookDelivery delivery, CallAttempt attempt, double jitter)
    {
        var attempts = delivery.Attempts + 1;
        if (attempt.Succeeded || attempts >= MostAttempts)
            return delivery with
            {
                State = attempt.Succeeded ? DeliveryStates.Delivered : DeliveryStates.Failed,
                Attempts = attempts,
                NextAttemptAt = null,
                Last = attempt,
            };
        var pause = Spread(Pauses[attempts - 1], jitter);
        if (attempt.RetryAfter is { } requested && requested > pause)
            pause = requested < LongestRetryAfter ? requested : LongestRetryAfter;
        return delivery with { Attempts = attempts, NextAttemptAt = attempt.At + pause, Last = attempt };
    }

    /// <summary>Endpoint after a round.</summary>
    /// <param name="endpoint">Endpoint before the round.</param>
    /// <param name="through">Position reached.</param>
    /// <param name="attempts">Attempts of the round, perhaps none.</param>
    /// <param name="jitter">0 to 1.</param>
    /// <param name="now">End of the round.</param>
    public static WebhookEndpoint After(
        WebhookEndpoint endpoint, long through, IReadOnlyCollection<CallAttempt> attempts, double jitter,
        DateTimeOffset now)
    {
        var progress = endpoint.Progress with { Position = through, NextRoundAt = now };
        if (attempts.Any(attempt => attempt.IsGone)) return Disabled(DisabledReasons.Gone);
        if (attempts.Count == 0) return endpoint with { Progress = progress };
        if (attempts.Any(attempt => attempt.Succeeded))
            return endpoint with { Progress = progress with { Failures = 0, FailingSince = null } };
        var since = endpoint.Progress.FailingSince ?? now;
        if (now - since >= GiveUpAfter) return Disabled(DisabledReasons.Unreachable);
        var failures = endpoint.Progress.Failures + 1;
        var seconds = Math.Min(Math.Pow(2, failures - 1), LongestRoundPause.TotalSeconds);
        return endpoint with
        {
            Progress = progress with
            {
                Failures = failures, FailingSince = since, NextRoundAt = now + Spread(TimeSpan.FromSeconds(seconds), jitter),
            },
        };

        WebhookEndpoint Disabled(string reason) => endpoint with
        {
            State = EndpointStates.Disabled, Reason = reason, Progress = progress,
        };
    }

    /// <summary>Endpoint enabled again: a new start for a receiver that failed.</summary>
    public static WebhookEndpoint Enabled(WebhookEndpoint endpoint, DateTimeOffset now) => endpoint with
    {
        State = EndpointStates.Active,
        Reason = null,
        Progress = endpoint.Progress with { Failures = 0, FailingSince = null, NextRoundAt = now },
    };

    static TimeSpan Spread(TimeSpan pause, double jitter) => pause * (0.8 + 0.4 * jitter);
}
