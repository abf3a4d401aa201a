using Orderwright.CustomerService.Payments;


namespace Orderwright.CustomerService.Calling;

/// <summary>
/// Keeps a provider that fails from being asked by everybody who waits for it, and repetitions from becoming a storm. It
/// opens when too many calls fail, lets one through from time to time, and closes with the first that is answered. Beside
/// it stands a budget: each first request allows for a share of a repetition. Both are this process's own view.
/// </summary>
public sealed class Breaker(GatewayLimits limits)
{
    public static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(15);
    static readonly TimeSpan Span = TimeSpan.FromSeconds(5);
    static readonly TimeSpan NoBudgetPause = TimeSpan.FromSeconds(2);

    // Repetitions that are allowed for without any first request, at once and per second: a shop with few orders.
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

    /// <summary>Null when the gateway may be asked now; else why not, and when it may be worth trying.</summary>
    /// <param name="isRepetition">
    /// This very request was sent before. A look-up is none, and earns its share: what a process that died had in hand is
    /// looked up and sent again, and would else wait for hours.
    /// </param>
    /// <param name="now">The moment of asking.</param>
    public (string Why, TimeSpan After)? Refuses(bool isRepetition, DateTimeOffset now)
    {
        lock (gate)
        {
            if (openUntil is { } until)
            {
                // Further ahead than any pause: the clock was set back since.
                if (now < until && until - now <= LongestPause)
                    return ("The gateway fails; it is let alone for a while.", Least(until - now));
                // One goes through; the others wait for what becomes of it.
                (openUntil, probing) = (now + pause, true);
                return null;
            }
            Refill(now);
            if (!isRepetition)
                budget = Math.Min(budget + limits.GatewayRetryBudget / 100.0, Math.Max(Reserve, 10 * limits.GatewayRetryBudget));
            else if (budget < 1)
                return ("Too many requests are repetitions; this one waits.", NoBudgetPause);
            else
                budget--;
            return null;
        }
    }

    /// <summary>True when this closes it, or opens it.</summary>
    /// <param name="isAnswered">The gateway said something that it means.</param>
    /// <param name="now">When the call ended.</param>
    public bool Tell(bool isAnswered, DateTimeOffset now)
    {
        lock (gate)
        {
            if (openUntil is not null)
            {
                if (!isAnswered)
                {
                    // Others that were under way when it opened say nothing new.
                    if (!probing) return false;
                    pause = 2 * pause < LongestPause ? 2 * pause : LongestPause;
                    (openUntil, probing) = (now + pause, false);
                    return false;
                }
                (openUntil, probing, pause, last, current) = (null, false, FirstPause, default, default);
                return true;
            }
            Turn(now);
            current = (current.Failed + (isAnswered ? 0 : 1), current.All + 1);
            var (failed, all) = (last.Failed + current.Failed, last.All + current.All);
            if (failed < limits.GatewayBreakAfter || 2 * failed < all) return false;
            openUntil = now + pause;
            return true;
        }
    }

    void Turn(DateTimeOffset now)
    {
        // Also where the clock was set back.
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

    static TimeSpan Least(TimeSpan wait) => wait > TimeSpan.FromSeconds(1) ? wait : TimeSpan.FromSeconds(1);
}
