namespace Orderwright.Runtime;

/// <summary>
/// The time that is written down, and whether it was set back. Everything that is put off counts from what this said, so a
/// clock that was ahead, for however short a time, is noticed by who asks next, if anybody has asked it meanwhile.
/// </summary>
public sealed class WallClock(TimeProvider time)
{
    /// <summary>By less than this it is not worth anything: what was put off waits as much longer.</summary>
    public static readonly TimeSpan Least = TimeSpan.FromSeconds(5);

    readonly Lock gate = new();
    (DateTimeOffset Shown, long Timestamp)? last;
    int setBacks;

    /// <summary>How often it showed less than it did, and than has passed since.</summary>
    public int SetBacks => Volatile.Read(ref setBacks);

    public DateTimeOffset Now()
    {
        lock (gate)
        {
            var (shown, timestamp) = (time.Now(), time.GetTimestamp());
            if (last is { } before && shown + Least < before.Shown + time.GetElapsedTime(before.Timestamp, timestamp)) setBacks++;
            last = (shown, timestamp);
            return shown;
        }
    }
}
