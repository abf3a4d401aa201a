namespace Orderwright.Simulation;

/// <summary>
/// The time as seen by a process: the pump's time plus the skew of the host clock. As in an operating system, timers do
/// not depend on the wall clock.
/// </summary>
/// <param name="pump">Source of the true time.</param>
/// <param name="lane">Lane that runs the timers' callbacks.</param>
/// <param name="skew">Distance of the host clock ahead of the true time.</param>
/// <param name="pollPause">Pause between two polls of a job, evaluated for each poll.</param>
/// <param name="leastPause">Shortest pause of a loop at present; null for any.</param>
public sealed class HostTime(
    Pump pump, Lane lane, Func<TimeSpan> skew, Func<TimeSpan> pollPause, Func<TimeSpan>? leastPause = null) : TimeProvider
{
    /// <summary>
    /// Interval that marks the timers of simulated jobs: no other timer uses this value. The world decides how long those
    /// timers really wait, so that idle hours cost little.
    /// </summary>
    public static readonly TimeSpan PollMarker = TimeSpan.FromMilliseconds(1_007);

    // Loops of the services that look every five seconds or more rarely; nothing else waits for so long while nothing happens.
    static readonly TimeSpan ShortestLook = TimeSpan.FromSeconds(5);

    readonly List<Timer> polls = [];

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => pump.Now + skew();

    public override long GetTimestamp() => pump.Now.UtcTicks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Brings every pending poll forward to the given pause.</summary>
    public void PollSoon(Func<TimeSpan> within)
    {
        foreach (var timer in polls.ToArray()) timer.Set(within());
    }

    TimeSpan PollPause() => pollPause();

    TimeSpan Stretched(TimeSpan pause) =>
        pause >= ShortestLook && leastPause?.Invoke() is { } least && least > pause ? least : pause;

    Pump.Event After(TimeSpan pause, Action alarm) => pump.After(pause, () => lane.Fire(alarm));

    sealed class Timer(HostTime time, TimerCallback callback, object? state) : ITimer
    {
        Pump.Event? pending;
        bool isPoll;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (period != Timeout.InfiniteTimeSpan && period != TimeSpan.Zero)
                throw new NotSupportedException("Repeating timers are not simulated.");
            Cancel();
            if (dueTime == Timeout.InfiniteTimeSpan) return true;
            isPoll = dueTime == PollMarker;
            if (isPoll) time.polls.Add(this);
            Set(isPoll ? time.PollPause() : time.Stretched(dueTime));
            return true;
        }

        public void Set(TimeSpan pause)
        {
            if (pending is not null) pending.IsCancelled = true;
            pending = time.After(pause, Fire);
        }

        public void Dispose() => Cancel();

        public ValueTask DisposeAsync()
        {
            Cancel();
            return ValueTask.CompletedTask;
        }

        void Fire()
        {
            if (pending is null) return;
            Cancel();
            callback(state);
        }

        void Cancel()
        {
            if (pending is null) return;
            pending.IsCancelled = true;
            pending = null;
            if (isPoll) time.polls.Remove(this);
        }
    }

}
