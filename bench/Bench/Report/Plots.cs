namespace Orderwright.Bench;

/// <summary>The plots: throughput, latency, and CPU time by process.</summary>
static class Plots
{
    static readonly string[] Percentiles = ["p1", "p10", "p25", "p50", "p75", "p90", "p95", "p99", "p99.9"];

    public static IEnumerable<(string Name, string Title, string Svg)> Of(Report report)
    {
        var saturated = SeriesOf(report, "a", "c", "e", "f", "g").Where(entry => entry.Series.Rate == 0).ToList();
        if (saturated.Count > 0)
        {
            yield return (
                "throughput.svg", "Orders per second to their end",
                Svg.Bars("Orders per second to their end, saturated", [.. saturated.Select(
                    entry => (entry.Name, entry.Series.OrdersPerSecond))]));
            yield return (
                "cpu.svg", "CPU-seconds per 1,000 orders by process",
                Svg.StackedBars("CPU-seconds per 1,000 orders by process", [.. saturated.Select(
                    entry => (entry.Name, entry.Series.CpuBy))]));
        }
        var timed = SeriesOf(report, "b", "c").Where(entry => entry.Series.Rate > 0).ToList();
        if (timed.Count > 0)
            yield return (
                "latency.svg", "Milliseconds from POST to confirmed, by percentile",
                Svg.Lines("Milliseconds from POST to confirmed, by percentile", Percentiles, [.. timed.Select(entry => (
                    entry.Name,
                    (IReadOnlyList<double>)[.. Percentiles.Select(p => entry.Series.Milliseconds(p)!.Median)]))]));
    }

    static IEnumerable<(string Name, Series Series)> SeriesOf(Report report, params string[] letters) =>
        from letter in letters
        from entry in report.Cases
        where entry.Letter == letter
        from series in entry.Measured.Series
        select ($"({letter}) {series.Variant}", series);
}
