namespace Orderwright.Simulation;

/// <summary>
/// The ordered work queue of a process. Every task started or awaited by the process runs here and nowhere else.
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

    /// <summary>True while the process is suspended.</summary>
    public bool IsSuspended => isHeld;

    /// <summary>Runs <paramref name="work"/> and all continuations on this lane.</summary>
    public Task Start(Func<Task> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, this).Unwrap();

    /// <inheritdoc cref="Start(Func{Task})"/>
    public Task<T> Start<T>(Func<Task<T>> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, this).Unwrap();

    /// <summary>Delivers an expired timer; deferred while the process is suspended.</summary>
    public void Fire(Action alarm)
    {
        if (isHeld) held.Add(alarm);
        else if (!isOver) alarm();
    }

    /// <summary>Suspends (SIGSTOP) or resumes (SIGCONT) the process.</summary>
    public void Suspend(bool stopped)
    {
        isHeld = stopped;
        if (stopped) return;
        MarkReady();
        Action[] alarms = [.. held];
        held.Clear();
        foreach (var alarm in alarms) alarm();
    }

    /// <summary>OrderCounts the process: queued work and later alarms are dropped.</summary>
    public void End()
    {
        isOver = true;
        isHeld = false;
        waiting.Clear();
        held.Clear();
    }

    /// <summary>False when no work is left for now.</summary>
    internal bool RunTurn()
    {
        if (!isHeld && waiting.TryDequeue(out var task)) TryExecuteTask(task);
        isReady = !isHeld && waiting.Count > 0;
        return isReady;
    }

    protected override void QueueTask(Task task)
    {
        // A continuation escaped to the thread pool; the run could not be repeated.
        if (Environment.CurrentManagedThreadId != thread)
            throw new InvalidOperationException("Another thread interferes with the simulation.");
        if (isOver) return;
        waiting.Enqueue(task);
        MarkReady();
    }

    // No task runs inside another: each continuation is a turn of its own.
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

    protected override IEnumerable<Task> GetScheduledTasks() => waiting;

    void MarkReady()
    {
        if (isReady || isHeld || waiting.Count == 0) return;
        isReady = true;
        pump.Ready(this);
    }
}
