namespace Orderwright.Bench.Cases;

/// <summary>Orders at fixed moments: how long each takes from when it was due, and what a quiet machine spends on them.</summary>
static class FixedRate
{
    /// <param name="P50AtMost">Of the light load, in ms.</param>
    /// <param name="AtMost">Likewise, for p99.</param>
    /// <param name="CoresAtMost">Of the heavier one.</param>
    public sealed record Targets(double? P50AtMost = null, double? AtMost = null, double? CoresAtMost = null);

    public static async Task<Measured> DistributedAsync(Session session, CancellationToken cancel)
    {
        await using var house = await session.OpenAsync(new HouseKind("distributed"), cancel);
        var (series, figures) = await MeasureAsync(session, house, "distributed", new(8, 20, 1), cancel);
        return new(series, figures, await session.VerifyAsync(house, cancel));
    }

    public static async Task<(IReadOnlyList<Series>, IReadOnlyList<Figure>)> MeasureAsync(
        Session session, House house, string name, Targets targets, CancellationToken cancel)
    {
        var series = await session.CompareAsync(
            [Session.AtRate(house, "100 orders/s", 100), Session.AtRate(house, "1,000 orders/s", 1_000)],
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
