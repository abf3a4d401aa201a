namespace Orderwright.Simulation;

/// <summary>The totals of many runs.</summary>
public sealed class Tally
{
    public long Runs { get; private set; }

    public SortedDictionary<string, long> OrderCounts { get; } = new(StringComparer.Ordinal);

    public SortedDictionary<string, long> FaultCounts { get; } = new(StringComparer.Ordinal);

    /// <summary>Failed seeds, smallest first.</summary>
    public SortedDictionary<long, Outcome> Failed { get; } = [];

    public void Add(long seed, Outcome outcome)
    {
        Runs++;
        foreach (var (end, count) in outcome.OrderCounts) OrderCounts[end] = OrderCounts.GetValueOrDefault(end) + count;
        foreach (var (kind, count) in outcome.FaultCounts) FaultCounts[kind] = FaultCounts.GetValueOrDefault(kind) + count;
        if (outcome.Findings.Count > 0) Failed.Add(seed, outcome);
    }
}

/// <summary>Runs many seeds, one world per thread and one thread per processor.</summary>
public static class Sweep
{
    // A run takes milliseconds. An hour spent on one seed means a blocked thread, which the pump's step limit cannot see. At the
    // lowest priority on an overloaded machine, ten minutes have passed within a run.
    static readonly TimeSpan HangLimit = TimeSpan.FromHours(1);
    static readonly TimeSpan HangCheck = TimeSpan.FromSeconds(10);

    /// <param name="from">First seed.</param>
    /// <param name="to">Last seed.</param>
    /// <param name="createBug">Creates the bug to inject into each run; null for none.</param>
    /// <param name="isEnough">Ends the sweep after a failed run that matches; null runs every seed.</param>
    /// <param name="onRun">Called after each run by any thread, never concurrently.</param>
    /// <param name="restores">True to restore a database in every run.</param>
    /// <param name="process">Process file; null for the built-in process.</param>
    /// <param name="stop">Starts no further run once cancelled.</param>
    /// <exception cref="TimeoutException">A run hangs; the message names its seed.</exception>
    public static async Task<Tally> RunAsync(
        long from, long to, Func<PlantedBug>? createBug = null, Func<Outcome, bool>? isEnough = null,
        Action<Tally>? onRun = null, bool restores = false, string? process = null,
        CancellationToken stop = default)
    {
        var tally = new Tally();
        var next = from - 1;
        var gate = new Lock();
        var isOver = false;
        var running = new (long Seed, long Since)[Environment.ProcessorCount];
        var workers = Task.WhenAll(Enumerable.Range(0, running.Length).Select(worker => Task.Factory.StartNew(
            () => Work(worker), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        while (await Task.WhenAny(workers, Task.Delay(HangCheck, TimeProvider.System, CancellationToken.None)) != workers)
            FindHang();
        await workers;
        return tally;

        void Work(int worker)
        {
            using var arena = Arena.Open();
            while (!stop.IsCancellationRequested && !Volatile.Read(ref isOver) && Interlocked.Increment(ref next) is var seed
                && seed <= to)
            {
                lock (gate) running[worker] = (seed, TimeProvider.System.GetTimestamp());
                var outcome = new World(Plan.Of(seed, restores), arena, createBug?.Invoke(), process: process).Run();
                lock (gate)
                {
                    running[worker] = default;
                    tally.Add(seed, outcome);
                    isOver |= outcome.Findings.Count > 0 && isEnough?.Invoke(outcome) == true;
                    onRun?.Invoke(tally);
                }
            }
        }

        void FindHang()
        {
            lock (gate)
                foreach (var (seed, since) in running)
                    if (since > 0 && TimeProvider.System.GetElapsedTime(since) > HangLimit)
                        throw new TimeoutException($"Seed {seed} has not ended within {HangLimit.TotalMinutes:0} minutes.");
        }
    }
}
