using Orderwright.Runtime.Database;

namespace Orderwright.Runtime;

/// <summary>
/// Whether this process's clock was set back: it shows less than it did, and than has passed since. What was put off by it
/// while it was ahead lies too far in the future. Asked by one loop.
/// </summary>
public sealed class ClockSetBack(TimeProvider time)
{
    /// <summary>By less than this it is not worth anything: what is put off waits as much longer.</summary>
    public static readonly TimeSpan Least = TimeSpan.FromSeconds(5);

    (DateTimeOffset Shown, long Timestamp)? last;

    /// <summary>Since this was asked last.</summary>
    public bool Happened()
    {
        var (shown, timestamp) = (time.GetUtcNow(), time.GetTimestamp());
        var happened = last is { } before && shown + Least < before.Shown + time.GetElapsedTime(before.Timestamp, timestamp);
        last = (shown, timestamp);
        return happened;
    }
}

/// <summary>
/// Brings forward what a clock that was ahead has put off until long after it was set right again. Whoever sees that its own
/// clock was set back knows when; what others have left behind shows by lying further ahead than any timer is ever set.
/// </summary>
public static class MindTheClock
{
    /// <summary>Of most that is asked or looked up again.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(10);

    static readonly TimeSpan Margin = TimeSpan.FromMinutes(1);
    static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    /// <param name="time">Of the process.</param>
    /// <param name="timers">
    /// Statements that set what is due after <c>@too_far</c> to <c>@now</c>, and the longest pause of what they are for.
    /// </param>
    public static TimedJob Job(TimeProvider time, params IReadOnlyList<(SqlQuery BringForward, TimeSpan LongestPause)> timers)
    {
        var clock = new ClockSetBack(time);
        var setBack = false;
        return new("mind-the-clock", LookEvery, async (work, _) =>
        {
            setBack |= clock.Happened();
            // However many there were, nobody is left after one statement. What is due within the margin is only asked when
            // it would be: it may be another process that is at it.
            foreach (var (bringForward, longestPause) in timers)
                await work.ExecuteAsync(
                    bringForward,
                    SqlArgs.With("now", work.Now).And("too_far", work.Now + Margin + (setBack ? TimeSpan.Zero : longestPause)));
            work.AfterCommit(() => setBack = false);
            return 0;
        });
    }
}
