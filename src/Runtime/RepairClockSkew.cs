using Orderwright.Runtime.Database;

namespace Orderwright.Runtime;

/// <summary>
/// Brings timers forward after the clock was ahead. An instance that detects a jump back of the clock acts
/// at once. Timers of other instances are recognized by lying further ahead than any timer is ever set.
/// </summary>
public static class RepairClockSkew
{
    /// <summary>Longest pause of most commands and look-ups.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(10);

    static readonly TimeSpan Margin = TimeSpan.FromMinutes(1);
    static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    /// <param name="wall">Clock by which the timers were set.</param>
    /// <param name="timers">
    /// Statements that set timers due after <c>@too_far</c> to <c>@now</c>, with the longest pause of each kind of timer.
    /// </param>
    public static TimedJob Job(WallClock wall, params IReadOnlyList<(SqlQuery BringForward, TimeSpan LongestPause)> timers)
    {
        var minded = 0;
        return new("repair-clock-skew", LookEvery, async (work, _) =>
        {
            var setBacks = wall.SetBacks;
            // A single statement catches all timers, however many. Timers due within the margin stay unchanged: another process
            // may be at work there.
            foreach (var (bringForward, longestPause) in timers)
            {
                var tooFar = work.Now + Margin + (setBacks > minded ? TimeSpan.Zero : longestPause);
                await work.ExecuteAsync(bringForward, SqlArgs.With("now", work.Now).And("too_far", tooFar));
            }
            work.AfterCommit(() => minded = setBacks);
            return 0;
        });
    }
}
