using Orderwright.Runtime.Database;

namespace Orderwright.Runtime;

/// <summary>
/// Brings timers forward after the clock was ahead. An instance that detects a jump back of the clock acts
/// at once. Timers of other instances, and of a process that ended before the jump, are recognized by lying further ahead than a
/// timer of their kind is ever set.
/// </summary>
public static class RepairClockSkew
{
    /// <summary>Longest pause of most commands and look-ups.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Timers of instances with right clocks differ by less. With the longest prompt pause of 30 s, a timer set by a clock that
    /// was ahead delays no order by more than 45 s: within the minute in which orders recover.
    /// </summary>
    public static readonly TimeSpan Margin = TimeSpan.FromSeconds(15);

    static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    /// <param name="wall">Clock by which the timers were set.</param>
    /// <param name="timers">
    /// Statements that set timers due after <c>@too_far</c> to <c>@now</c>, with the longest pause of each kind of timer, and
    /// whether the timer is a lease, under which another process may be at work.
    /// </param>
    public static TimedJob Job(
        WallClock wall, params IReadOnlyList<(SqlQuery BringForward, TimeSpan LongestPause, bool IsLease)> timers)
    {
        var minded = 0;
        return new("repair-clock-skew", LookEvery, async (work, _) =>
        {
            var setBacks = wall.SetBacks;
            // A single statement catches all timers, however many.
            foreach (var (bringForward, longestPause, isLease) in timers)
            {
                var tooFar = work.Now + Margin + (setBacks > minded && !isLease ? TimeSpan.Zero : longestPause);
                await work.ExecuteAsync(bringForward, SqlArgs.With("now", work.Now).And("too_far", tooFar));
            }
            work.AfterCommit(() => minded = setBacks);
            return 0;
        });
    }
}
