namespace Orderwright.Conformance;

/// <summary>
/// Time of tests whose subject depends on the distance of two moments: the machine's time at the start of the run, carried on by
/// the monotonic clock. A jump of the machine's clock moves no instance; timers run in real time.
/// </summary>
public class SteadyTime : TimeProvider
{
    static readonly (DateTimeOffset Time, long Timestamp) Start = (System.GetUtcNow(), System.GetTimestamp());

    public static readonly SteadyTime Shared = new();

    public override DateTimeOffset GetUtcNow() => Start.Time + System.GetElapsedTime(Start.Timestamp);
}
