namespace Orderwright.Simulation;

/// <summary>
/// Drives the world in one thread: runs every lane with work, turn by turn in random order; when no lane is ready,
/// advances the clock to the next event.
/// </summary>
public sealed class Pump(Chance chance)
{
    // Far more turns than any instant needs; beyond, a task must be looping.
    const int MaxTurnsPerInstant = 200_000;

    // A few thousand turns are usual. The limit ends a run whose tasks keep waking each other.
    const long MaxTurns = 50_000_000;

    readonly PriorityQueue<Event, (long Ticks, long Number)> upcoming = new();
    readonly List<Lane> ready = [];
    long number;
    int turnsInInstant;

    /// <summary>A scheduled, cancellable event.</summary>
    public sealed class Event(Action action)
    {
        public bool IsCancelled { get; set; }

        public void Run()
        {
            if (!IsCancelled) action();
        }
    }

    /// <summary>The true time. The clock of a process may differ.</summary>
    public DateTimeOffset Now { get; private set; } = new(2026, 1, 5, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Turns taken so far.</summary>
    public long Turns { get; private set; }

    public Event After(TimeSpan pause, Action action)
    {
        var upcoming = new Event(action);
        this.upcoming.Enqueue(upcoming, (Now.UtcTicks + Math.Max(0, pause.Ticks), ++number));
        return upcoming;
    }

    /// <summary>Registers a lane with work.</summary>
    internal void Ready(Lane lane) => ready.Add(lane);

    /// <summary>Advances to the given time.</summary>
    public void RunUntil(DateTimeOffset end)
    {
        while (true)
        {
            while (ready.Count > 0) RunTurn();
            turnsInInstant = 0;
            if (!upcoming.TryPeek(out _, out var next) || next.Ticks > end.UtcTicks) break;
            if (next.Ticks > Now.UtcTicks) Now = new DateTimeOffset(next.Ticks, TimeSpan.Zero);
            upcoming.Dequeue().Run();
        }
        Now = end;
    }

    void RunTurn()
    {
        if (++turnsInInstant > MaxTurnsPerInstant)
            throw new InvalidOperationException($"Time has stopped at {Now:O}: a task loops without waiting.");
        if (++Turns > MaxTurns)
            throw new InvalidOperationException($"The run has taken {MaxTurns:N0} turns by {Now:O} and does not end.");
        var at = ready.Count == 1 ? 0 : chance.Next(ready.Count);
        var lane = ready[at];
        if (lane.RunTurn()) return;
        ready[at] = ready[^1];
        ready.RemoveAt(ready.Count - 1);
    }
}
