namespace Orderwright.Runtime.Tests;

/// <summary>Time whose timers and timestamps run faster than the machine's, and which records the timers' due times.</summary>
sealed class FastTime(int factor) : TimeProvider
{
    readonly System.Collections.Concurrent.ConcurrentQueue<TimeSpan> due = new();

    public IReadOnlyCollection<TimeSpan> Due => due;

    public override long GetTimestamp() => base.GetTimestamp() * factor;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        due.Enqueue(dueTime);
        return base.CreateTimer(callback, state, dueTime > TimeSpan.Zero ? dueTime / factor : dueTime, period);
    }
}

/// <summary>Time whose timers fire on request only.</summary>
sealed class StoppedTime : TimeProvider
{
    readonly List<Action> waiting = [];

    /// <summary>Fires all timers.</summary>
    public void Pass()
    {
        Action[] due;
        lock (waiting)
        {
            due = [.. waiting];
            waiting.Clear();
        }
        foreach (var fire in due) fire();
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        lock (waiting) waiting.Add(() => callback(state));
        return new Stopped();
    }

    sealed class Stopped : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
