using Orderwright.Bench.Cases;
using Orderwright.Load;

namespace Orderwright.Bench;

/// <summary>All measurements, as stored in the JSON file.</summary>
sealed record Report(Setup Setup, IReadOnlyList<CaseResult> Cases);

/// <param name="Letter">Letter of the case.</param>
/// <param name="Title">Subject of the measurement.</param>
/// <param name="Measured">Result.</param>
sealed record CaseResult(string Letter, string Title, Measured Measured);

/// <summary>A key figure and its target.</summary>
/// <param name="Name">Name of the figure.</param>
/// <param name="Value">Value in <paramref name="Unit"/>.</param>
/// <param name="Unit">Unit as printed after the number.</param>
/// <param name="AtLeast">Target of a figure where more is better.</param>
/// <param name="AtMost">Target of a figure where less is better.</param>
sealed record Figure(string Name, Spread Value, string Unit, double? AtLeast = null, double? AtMost = null)
{
    /// <summary>True when the median meets the target; null without a target.</summary>
    public bool? Met => AtLeast is null && AtMost is null
        ? null
        : Value.Median >= (AtLeast ?? double.MinValue) && Value.Median <= (AtMost ?? double.MaxValue);
}

/// <summary>The runs of one variant.</summary>
/// <param name="Variant">Name of the variant.</param>
/// <param name="Runs">At least one run.</param>
/// <param name="Rate">Orders due per second; 0 for a saturated run.</param>
sealed record Series(string Variant, IReadOnlyList<Run> Runs, double Rate = 0)
{
    public Spread OrdersPerSecond => Of(run => run.OrdersPerSecond);

    public Spread CpuPer1000 => Of(run => run.CpuPer1000);

    public Spread Cores => Of(run => run.Cores);

    /// <summary>Median CPU seconds per 1,000 orders, by process.</summary>
    public IReadOnlyDictionary<string, double> CpuBy => Runs.SelectMany(run => run.CpuSeconds.Keys).Distinct().ToDictionary(
        name => name, name => Of(run => run.CpuSeconds.GetValueOrDefault(name) / run.Load.Requests * 1_000).Median);

    public Spread Of(Func<Run, double> figure) => Spread.Of(Runs.Select(figure));

    /// <summary>Latency by percentile; null where the load did not measure any.</summary>
    public Spread? Milliseconds(string percentile) =>
        Runs.All(run => run.Load.Milliseconds.ContainsKey(percentile))
            ? Of(run => run.Load.Milliseconds[percentile])
            : null;

    /// <summary>Ratio of this series' figure to another's: medians, with a range that pairs the extremes.</summary>
    public Spread Against(Series other, Func<Series, Spread> figure)
    {
        var (own, others) = (figure(this), figure(other));
        return new(own.Median / others.Median, own.Lowest / others.Highest, own.Highest / others.Lowest);
    }
}

/// <summary>A load on a stack.</summary>
/// <param name="Load">Measurements of the load client.</param>
/// <param name="CpuSeconds">CPU seconds of each process and of the client during the load.</param>
/// <param name="OthersCpu">
/// Share of the machine used by others or withheld by its host: above a few percent the run was disturbed.
/// </param>
/// <param name="WalBytes">Bytes that PostgreSQL wrote to its log; null for SQLite.</param>
/// <param name="Reads">Measurements of a concurrent reader.</param>
sealed record Run(
    LoadResult Load, IReadOnlyDictionary<string, double> CpuSeconds, double OthersCpu, long? WalBytes,
    LoadResult? Reads = null)
{
    public double OrdersPerSecond => Load.Requests / Load.Seconds;

    public double CpuPer1000 => CpuSeconds.Values.Sum() / Load.Requests * 1_000;

    /// <summary>Average number of busy cores.</summary>
    public double Cores => CpuSeconds.Values.Sum() / Load.Seconds;
}

/// <summary>Median and range of repeated measurements.</summary>
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
