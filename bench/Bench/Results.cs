using Orderwright.Load;

namespace Orderwright.Bench;

/// <summary>One load on one house.</summary>
/// <param name="Load">What the client saw.</param>
/// <param name="CpuSeconds">Of each process and the client, while the load ran.</param>
/// <param name="OthersCpu">The share of the machine that others used or its host took: above a few percent the run was disturbed.</param>
/// <param name="WalBytes">What PostgreSQL wrote to its log; null for SQLite.</param>
sealed record Run(PlaceResult Load, IReadOnlyDictionary<string, double> CpuSeconds, double OthersCpu, long? WalBytes)
{
    public double OrdersPerSecond => Load.Orders / Load.Seconds;

    public double CpuPer1000 => CpuSeconds.Values.Sum() / Load.Orders * 1_000;

    /// <summary>Cores busy on average.</summary>
    public double Cores => CpuSeconds.Values.Sum() / Load.Seconds;
}

/// <summary>The runs of one side of a comparison.</summary>
sealed record Series(string Variant, IReadOnlyList<Run> Runs)
{
    public Spread Of(Func<Run, double> figure) => Spread.Of(Runs.Select(figure));

    /// <summary>CPU seconds for 1,000 orders by process, medians.</summary>
    public IReadOnlyDictionary<string, double> CpuBy => Runs.SelectMany(run => run.CpuSeconds.Keys).Distinct().ToDictionary(
        name => name, name => Of(run => run.CpuSeconds.GetValueOrDefault(name) / run.Load.Orders * 1_000).Median);

    /// <summary>Null where the load did not measure it.</summary>
    public Spread? Milliseconds(string percentile) =>
        Runs.All(run => run.Load.Milliseconds.ContainsKey(percentile))
            ? Of(run => run.Load.Milliseconds[percentile])
            : null;
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
