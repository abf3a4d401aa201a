using System.Diagnostics;

namespace Orderwright.Simulation;

/// <summary>What many runs came to.</summary>
public sealed class Tally
{
    public long Runs { get; private set; }

    public SortedDictionary<string, long> Ends { get; } = new(StringComparer.Ordinal);

    public SortedDictionary<string, long> Struck { get; } = new(StringComparer.Ordinal);

    /// <summary>Seeds that failed, smallest first.</summary>
    public SortedDictionary<long, Outcome> Failed { get; } = [];

    public void Add(long seed, Outcome outcome)
    {
        Runs++;
        foreach (var (end, count) in outcome.Ends) Ends[end] = Ends.GetValueOrDefault(end) + count;
        foreach (var (kind, count) in outcome.Struck) Struck[kind] = Struck.GetValueOrDefault(kind) + count;
        if (outcome.Findings.Count > 0) Failed.Add(seed, outcome);
    }
}

/// <summary>Runs many seeds, each world in one thread, as many worlds at a time as there are processors.</summary>
public static class Sweep
{
    /// <param name="from">The first seed.</param>
    /// <param name="to">The last one.</param>
    /// <param name="limit">Begins no further run after this time.</param>
    /// <param name="plant">Makes a bug for each run; null for none.</param>
    /// <param name="isEnough">Begins no further run after one that failed like this; null: goes on.</param>
    /// <param name="onRun">Told after each run; by any thread, one at a time.</param>
    public static async Task<Tally> RunAsync(
        long from, long to, TimeSpan limit, Func<Plant>? plant = null, Func<Outcome, bool>? isEnough = null,
        Action<Tally>? onRun = null)
    {
        var tally = new Tally();
        var next = from - 1;
        var watch = Stopwatch.StartNew();
        var gate = new Lock();
        var isOver = false;
        await Task.WhenAll(Enumerable.Range(0, Environment.ProcessorCount).Select(_ => Task.Factory.StartNew(
            Work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        return tally;

        void Work()
        {
            using var arena = Arena.Open();
            while (watch.Elapsed < limit && !Volatile.Read(ref isOver) && Interlocked.Increment(ref next) is var seed
                && seed <= to)
            {
                var outcome = new World(Plan.Of(seed), arena, plant?.Invoke()).Run();
                lock (gate)
                {
                    tally.Add(seed, outcome);
                    isOver |= outcome.Findings.Count > 0 && isEnough?.Invoke(outcome) == true;
                    onRun?.Invoke(tally);
                }
            }
        }
    }
}
