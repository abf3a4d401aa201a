namespace Orderwright.Bench.Cases;

/// <summary>Orders at fixed moments: latency from the due time, and the CPU time of a mostly idle machine.</summary>
static class FixedRate
{
    /// <param name="P50AtMost">Limit of the light load's median, in ms.</param>
    /// <param name="AtMost">Limit of the light load's p99, in ms.</param>
    /// <param name="CoresAtMost">Limit of the heavier load.</param>
    public sealed record Targets(double? P50AtMost = null, double? AtMost = null, double? CoresAtMost = null);

    public static async Task<Measured> DistributedAsync(Session session, CancellationToken cancel)
    {
        await using var stack = await session.OpenAsync(new StackKind("distributed"), cancel);
        var (series, figures) = await MeasureAsync(session, stack, "distributed", new(8, 20, 1), cancel);
        return new(series, figures, await session.VerifyAsync(stack, cancel));
    }

    public static async Task<(IReadOnlyList<Series>, IReadOnlyList<Figure>)> MeasureAsync(
        Session session, Stack stack, string name, Targets targets, CancellationToken cancel)
    {
        var series = await session.CompareAsync(
            [Session.AtRate(stack, "100 orders/s", 100), Session.AtRate(stack, "1,000 orders/s", 1_000)],
            session.Options.FewRepeats, cancel);
        return (
            series,
            [
                new($"{name} at 100/s, p50 to confirmed", series[0].Milliseconds("p50")!, "ms", AtMost: targets.P50AtMost),
                new($"{name} at 100/s, p99 to confirmed", series[0].Milliseconds("p99")!, "ms", AtMost: targets.AtMost),
                new($"{name} at 1,000/s, p99 to confirmed", series[1].Milliseconds("p99")!, "ms"),
                new($"{name} at 1,000/s, CPU", series[1].Cores, "cores", AtMost: targets.CoresAtMost),
            ]);
    }
}
