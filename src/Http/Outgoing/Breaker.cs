namespace Orderwright.Http.Outgoing;

/// <summary>
/// Circuit breaker and retry budget of another party's server, per process. The breaker opens when too many requests fail, lets a
/// single request through from time to time, and closes with the first answer. Each first request adds a share of a
/// repetition to the budget.
/// </summary>
/// <param name="breakAfter">
/// Failures within about ten seconds that open the breaker, if at least half of all requests failed.
/// </param>
/// <param name="retryBudget">Repetitions, as a percentage of first requests.</param>
public sealed class Breaker(int breakAfter, int retryBudget)
{
    public static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(15);
    static readonly TimeSpan Span = TimeSpan.FromSeconds(5);
    static readonly TimeSpan NoBudgetPause = TimeSpan.FromSeconds(2);

    // Repetitions allowed without first requests, at once and per second, for shops with few orders.
    const double Reserve = 10;
    const double ReservePerSecond = 0.2;

    readonly Lock gate = new();
    (int Failed, int All) last;
    (int Failed, int All) current;
    DateTimeOffset spanEnds;
    DateTimeOffset? openUntil;
    bool probing;
    TimeSpan pause = FirstPause;
    double budget = Reserve;
    DateTimeOffset budgetAt;

    public bool IsOpen
    {
        get
        {
            lock (gate) return openUntil is not null;
        }
    }

    /// <summary>Returns null when a request may be sent now, else the reason and the pause before the next try.</summary>
    /// <param name="isRepetition">
    /// True when the same request was sent before. Look-ups count as first requests and add to the budget; otherwise the
    /// requests of a crashed process, looked up and sent again, would wait for hours.
    /// </param>
    /// <param name="now">Current time.</param>
    public (string Why, TimeSpan After)? Refuses(bool isRepetition, DateTimeOffset now)
    {
        lock (gate)
        {
            if (openUntil is { } until)
            {
                // Further ahead than any pause: the clock was set back.
                if (now < until && until - now <= LongestPause)
                    return ("The server is failing; requests are paused.", AtLeastOneSecond(until - now));
                // A single request goes through; the others wait for the result.
                (openUntil, probing) = (now + pause, true);
                return null;
            }
            Refill(now);
            if (!isRepetition)
                budget = Math.Min(budget + retryBudget / 100.0, Math.Max(Reserve, 10 * retryBudget));
            else if (budget < 1)
                return ("The retry budget is used up.", NoBudgetPause);
            else
                budget--;
            return null;
        }
    }

    /// <summary>Records the end of a request; returns true when the breaker opens or closes.</summary>
    /// <param name="isAnswered">True when the server gave a meaningful answer.</param>
    /// <param name="now">End of the request.</param>
    public bool Record(bool isAnswered, DateTimeOffset now)
    {
        lock (gate)
        {
            if (openUntil is not null)
            {
                if (!isAnswered)
                {
                    // Failures of requests sent before the breaker opened add no information.
                    if (!probing) return false;
                    pause = 2 * pause < LongestPause ? 2 * pause : LongestPause;
                    (openUntil, probing) = (now + pause, false);
                    return false;
                }
                (openUntil, probing, pause, last, current) = (null, false, FirstPause, default, default);
                return true;
            }
            Rotate(now);
            current = (current.Failed + (isAnswered ? 0 : 1), current.All + 1);
            var (failed, all) = (last.Failed + current.Failed, last.All + current.All);
            if (failed < breakAfter || 2 * failed < all) return false;
            openUntil = now + pause;
            return true;
        }
    }

    // Two spans of five seconds are counted. A clock set back starts a new span.
    void Rotate(DateTimeOffset now)
    {
        if (now < spanEnds && now >= spanEnds - Span) return;
        last = now < spanEnds + Span && now >= spanEnds ? current : default;
        (current, spanEnds) = (default, now + Span);
    }

    void Refill(DateTimeOffset now)
    {
        var seconds = (now - budgetAt).TotalSeconds;
        budgetAt = now;
        if (budget < Reserve && seconds > 0) budget = Math.Min(Reserve, budget + ReservePerSecond * seconds);
    }

    static TimeSpan AtLeastOneSecond(TimeSpan wait) => wait > TimeSpan.FromSeconds(1) ? wait : TimeSpan.FromSeconds(1);
}
