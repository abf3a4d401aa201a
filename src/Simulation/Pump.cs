namespace Orderwright.Simulation;

/// <summary>
/// Makes the world go on, in one thread: whatever can run does, one turn at a time and in an order that chance decides;
/// when nothing can, the clock jumps to what happens next.
/// </summary>
public sealed class Pump(Chance chance)
{
    // Far more turns than any moment needs: whoever takes that many would never let time go on.
    const int MostTurnsInOneMoment = 200_000;

    readonly PriorityQueue<Event, (long Ticks, long Number)> coming = new();
    readonly List<Lane> ready = [];
    long number;
    int turns;

    /// <summary>Something that is to happen; it may be called off.</summary>
    public sealed class Event(Action happen)
    {
        public bool IsOff { get; set; }

        public void Happen()
        {
            if (!IsOff) happen();
        }
    }

    /// <summary>The true time. What a process takes for the time may differ.</summary>
    public DateTimeOffset Now { get; private set; } = new(2026, 1, 5, 12, 0, 0, TimeSpan.Zero);

    public Event After(TimeSpan pause, Action happen)
    {
        var coming = new Event(happen);
        this.coming.Enqueue(coming, (Now.UtcTicks + Math.Max(0, pause.Ticks), ++number));
        return coming;
    }

    /// <summary>A lane whose turn may come.</summary>
    internal void Ready(Lane lane) => ready.Add(lane);

    /// <summary>Goes on until that time.</summary>
    public void RunUntil(DateTimeOffset end)
    {
        while (true)
        {
            while (ready.Count > 0) TakeATurn();
            turns = 0;
            if (!coming.TryPeek(out _, out var next) || next.Ticks > end.UtcTicks) break;
            if (next.Ticks > Now.UtcTicks) Now = new DateTimeOffset(next.Ticks, TimeSpan.Zero);
            coming.Dequeue().Happen();
        }
        Now = end;
    }

    void TakeATurn()
    {
        if (++turns > MostTurnsInOneMoment)
            throw new InvalidOperationException($"Time stands still at {Now:O}: somebody never ends.");
        var at = ready.Count == 1 ? 0 : chance.Next(ready.Count);
        var lane = ready[at];
        if (lane.TakeATurn()) return;
        ready[at] = ready[^1];
        ready.RemoveAt(ready.Count - 1);
    }
}
