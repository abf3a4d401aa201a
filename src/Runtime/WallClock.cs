namespace Orderwright.Runtime;

/// <summary>
/// Clock of stored times; also detects jumps back. All timers are set from this clock, so an advance of the clock,
/// however brief, is detected by the next reading, provided the clock was read in between.
/// </summary>
public sealed class WallClock(TimeProvider time)
{
    /// <summary>
    /// Smallest backward jump that counts; after smaller jumps, delayed work simply waits longer.
    /// </summary>
    public static readonly TimeSpan SmallestJump = TimeSpan.FromSeconds(5);

    readonly Lock gate = new();
    (DateTimeOffset Shown, long Timestamp)? last;
    int setBacks;

    /// <summary>Number of times the clock was found to be set back.</summary>
    public int SetBacks => Volatile.Read(ref setBacks);

    public DateTimeOffset Now()
    {
        lock (gate)
        {
            var (shown, timestamp) = (time.Now(), time.GetTimestamp());
            if (last is { } before
                && shown + SmallestJump < before.Shown + time.GetElapsedTime(before.Timestamp, timestamp))
                setBacks++;
            last = (shown, timestamp);
            return shown;
        }
    }
}
