using Orderwright.Bench.Cases;
using Orderwright.Load;

namespace Orderwright.Bench;

/// <summary>All that was measured, as it stands in the JSON.</summary>
sealed record Report(Setup Setup, IReadOnlyList<CaseResult> Cases);

/// <param name="Letter">Of the case.</param>
/// <param name="Title">What was measured.</param>
/// <param name="Measured">What came out.</param>
sealed record CaseResult(string Letter, string Title, Measured Measured);

/// <summary>One number that matters, and where the product wants it to be.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Value">In <paramref name="Unit"/>.</param>
/// <param name="Unit">As it is written after the number.</param>
/// <param name="AtLeast">The target, where more is better.</param>
/// <param name="AtMost">The target, where less is better.</param>
sealed record Figure(string Name, Spread Value, string Unit, double? AtLeast = null, double? AtMost = null)
{
    /// <summary>Null without a target. The median counts.</summary>
    public bool? Met => AtLeast is null && AtMost is null
        ? null
        : Value.Median >= (AtLeast ?? double.MinValue) && Value.Median <= (AtMost ?? double.MaxValue);
}

/// <summary>The runs of one side of a comparison.</summary>
/// <param name="Variant">Its name.</param>
/// <param name="Runs">1 or more.</param>
/// <param name="Rate">Orders a second that were due; 0: as many as went through.</param>
sealed record Series(string Variant, IReadOnlyList<Run> Runs, double Rate = 0)
{
    public Spread OrdersPerSecond => Of(run => run.OrdersPerSecond);

    public Spread CpuPer1000 => Of(run => run.CpuPer1000);

    public Spread Cores => Of(run => run.Cores);

    /// <summary>CPU seconds for 1,000 orders by process, medians.</summary>
    public IReadOnlyDictionary<string, double> CpuBy => Runs.SelectMany(run => run.CpuSeconds.Keys).Distinct().ToDictionary(
        name => name, name => Of(run => run.CpuSeconds.GetValueOrDefault(name) / run.Load.Requests * 1_000).Median);

    public Spread Of(Func<Run, double> figure) => Spread.Of(Runs.Select(figure));

    /// <summary>Null where the load did not measure it.</summary>
    public Spread? Milliseconds(string percentile) =>
        Runs.All(run => run.Load.Milliseconds.ContainsKey(percentile))
            ? Of(run => run.Load.Milliseconds[percentile])
            : null;

    /// <summary>This one's figure by another one's, by the medians; the range pairs their extremes.</summary>
    public Spread Against(Series other, Func<Series, Spread> figure)
    {
        var (own, others) = (figure(this), figure(other));
        return new(own.Median / others.Median, own.Lowest / others.Highest, own.Highest / others.Lowest);
    }
}

/// <summary>One load on one house.</summary>
/// <param name="Load">What the client saw.</param>
/// <param name="CpuSeconds">Of each process and the client, while the load ran.</param>
/// <param name="OthersCpu">
/// The share of the machine that others used, or its host took: above a few percent the run was disturbed.
/// </param>
/// <param name="WalBytes">What PostgreSQL wrote to its log; null for SQLite.</param>
/// <param name="Reads">What a reader beside it saw.</param>
sealed record Run(
    LoadResult Load, IReadOnlyDictionary<string, double> CpuSeconds, double OthersCpu, long? WalBytes,
    LoadResult? Reads = null)
{
    public double OrdersPerSecond => Load.Requests / Load.Seconds;

    public double CpuPer1000 => CpuSeconds.Values.Sum() / Load.Requests * 1_000;

    /// <summary>Busy on average.</summary>
    public double Cores => CpuSeconds.Values.Sum() / Load.Seconds;
}

/// <summary>The middle of repeated measurements, and how far they lie apart.</summary>
sealed record Spread(double Median, double Lowest, double Highest)
{
    public static Spread Of(IEnumerable<double> figures)
    {
        var sorted = figures.Order().ToArray();
        var middle = sorted.Length / 2;
        return new Spread(
            sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2, sorted[0], sorted[^1]);
    }
}
