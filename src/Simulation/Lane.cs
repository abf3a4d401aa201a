namespace Orderwright.Simulation;

/// <summary>
/// What one process still has to do, in order: everything that it starts or awaits comes back here, and nowhere else.
/// </summary>
public sealed class Lane(Pump pump) : TaskScheduler
{
    readonly int thread = Environment.CurrentManagedThreadId;
    readonly Queue<Task> waiting = new();
    readonly List<Action> held = [];
    bool isReady;
    bool isHeld;
    bool isOver;

    public override int MaximumConcurrencyLevel => 1;

    /// <summary>Runs <paramref name="work"/> here, and all that it awaits.</summary>
    public Task Start(Func<Task> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, this).Unwrap();

    /// <inheritdoc cref="Start(Func{Task})"/>
    public Task<T> Start<T>(Func<Task<T>> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, this).Unwrap();

    /// <summary>From outside: a timer that has run out. While the process is stopped, it waits.</summary>
    public void Ring(Action alarm)
    {
        if (isHeld) held.Add(alarm);
        else if (!isOver) alarm();
    }

    /// <summary>The process is stopped (SIGSTOP), or goes on (SIGCONT).</summary>
    public void Hold(bool stopped)
    {
        isHeld = stopped;
        if (stopped) return;
        MarkReady();
        Action[] alarms = [.. held];
        held.Clear();
        foreach (var alarm in alarms) alarm();
    }

    /// <summary>The process is dead: whatever it had still to do, or will be called for, is never done.</summary>
    public void End()
    {
        isOver = true;
        isHeld = false;
        waiting.Clear();
        held.Clear();
    }

    /// <summary>False when there is nothing left to do for now.</summary>
    internal bool TakeATurn()
    {
        if (!isHeld && waiting.TryDequeue(out var task)) TryExecuteTask(task);
        isReady = !isHeld && waiting.Count > 0;
        return isReady;
    }

    protected override void QueueTask(Task task)
    {
        // Somebody waited in a way that leaves for the thread pool; a run could then not be repeated.
        if (Environment.CurrentManagedThreadId != thread)
            throw new InvalidOperationException("Another thread interferes with the simulation.");
        if (isOver) return;
        waiting.Enqueue(task);
        MarkReady();
    }

    // Nothing runs inside of something else: each continuation is a turn of its own.
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

    protected override IEnumerable<Task> GetScheduledTasks() => waiting;

    void MarkReady()
    {
        if (isReady || isHeld || waiting.Count == 0) return;
        isReady = true;
        pump.Ready(this);
    }
}
