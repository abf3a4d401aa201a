namespace Orderwright.Simulation;

/// <summary>
/// Time as one process sees it: the pump's, and how far its clock is wrong. Its timers do not mind a wrong clock, as those
/// of an operating system do not.
/// </summary>
/// <param name="pump">The true time.</param>
/// <param name="lane">Whose timers these are.</param>
/// <param name="skew">How far the clock is ahead.</param>
/// <param name="pollPause">How long a job's loop rests; asked each time.</param>
public sealed class HostTime(Pump pump, Lane lane, Func<TimeSpan> skew, Func<TimeSpan> pollPause) : TimeProvider
{
    /// <summary>
    /// The interval that the simulated jobs are given: a number that nobody else waits for, by which their timers are
    /// known. How long they really rest is the world's to say, so that a dull hour costs little.
    /// </summary>
    public static readonly TimeSpan PollMark = TimeSpan.FromMilliseconds(1_007);

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

    /// <summary>Whoever rests between two looks looks again within this time.</summary>
    public void Hurry(Func<TimeSpan> within)
    {
        foreach (var timer in polls.ToArray()) timer.Set(within());
    }

    TimeSpan PollPause() => pollPause();

    Pump.Event After(TimeSpan pause, Action alarm) => pump.After(pause, () => lane.Ring(alarm));

    sealed class Timer(HostTime time, TimerCallback callback, object? state) : ITimer
    {
        Pump.Event? coming;
        bool isPoll;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (period != Timeout.InfiniteTimeSpan && period != TimeSpan.Zero)
                throw new NotSupportedException("Nobody here uses a timer that repeats itself.");
            CallOff();
            if (dueTime == Timeout.InfiniteTimeSpan) return true;
            isPoll = dueTime == PollMark;
            if (isPoll) time.polls.Add(this);
            Set(isPoll ? time.PollPause() : dueTime);
            return true;
        }

        public void Set(TimeSpan pause)
        {
            if (coming is not null) coming.IsOff = true;
            coming = time.After(pause, Fire);
        }

        public void Dispose() => CallOff();

        public ValueTask DisposeAsync()
        {
            CallOff();
            return ValueTask.CompletedTask;
        }

        void Fire()
        {
            if (coming is null) return;
            CallOff();
            callback(state);
        }

        void CallOff()
        {
            if (coming is null) return;
            coming.IsOff = true;
            coming = null;
            if (isPoll) time.polls.Remove(this);
        }
    }

}
