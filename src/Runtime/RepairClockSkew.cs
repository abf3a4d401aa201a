using Orderwright.Runtime.Database;

namespace Orderwright.Runtime;

/// <summary>
/// Brings forward what a clock that was ahead has put off until long after it was set right again. Whoever sees that its own
/// clock was set back knows when; what others have left behind shows by lying further ahead than any timer is ever set.
/// </summary>
public static class RepairClockSkew
{
    /// <summary>Of most that is asked or looked up again.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(10);

    static readonly TimeSpan Margin = TimeSpan.FromMinutes(1);
    static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    /// <param name="wall">By which the timers were set.</param>
    /// <param name="timers">
    /// Statements that set what is due after <c>@too_far</c> to <c>@now</c>, and the longest pause of what they are for.
    /// </param>
    public static TimedJob Job(WallClock wall, params IReadOnlyList<(SqlQuery BringForward, TimeSpan LongestPause)> timers)
    {
        var minded = 0;
        return new("mind-the-clock", LookEvery, async (work, _) =>
        {
            var setBacks = wall.SetBacks;
            // However many there were, nobody is left after one statement. What is due within the margin is only asked when
            // it would be: it may be another process that is at it.
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
