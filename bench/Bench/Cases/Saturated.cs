namespace Orderwright.Bench.Cases;

/// <summary>Saturation: orders per second to their end, and the cost of each.</summary>
static class Saturated
{
    static readonly StackKind Distributed = new("distributed");

    public static async Task<Measured> DistributedAsync(Session session, CancellationToken cancel)
    {
        await using var classic = await session.OpenAsync(Distributed with { Profiled = true }, cancel);
        await using var quorum = await session.OpenAsync(
            new StackKind("quorum", Settings: new Dictionary<string, string> { ["QUORUMQUEUES"] = "true" }), cancel);
        var plain = session.Saturate(classic, "classic queues");
        var series = await session.CompareAsync(
            [
                plain,
                session.Saturate(quorum, "quorum queues"),
                plain with { Name = "with reference and Idempotency-Key", Load = plain.Load with { Keyed = true } },
                plain with { Name = "64 in flight", Load = plain.Load with { Connections = 64, WaitEvery = 1 } },
            ],
            session.Options.Repeat, cancel);
        var profile = await session.ProfileAsync(plain, series[0], cancel);
        var verified = await session.VerifyAsync(classic, cancel) + await session.VerifyAsync(quorum, cancel);
        return new(
            series,
            [
                new("distributed, saturated", series[0].OrdersPerSecond, "orders/s", AtLeast: 10_000),
                new("CPU of all processes", series[0].CpuPer1000, "CPU-s per 1,000 orders", AtMost: 0.17),
                new("with quorum queues", series[1].OrdersPerSecond, "orders/s", AtLeast: 6_000),
                new("with reference and Idempotency-Key", series[2].OrdersPerSecond, "orders/s"),
                new("64 in flight", series[3].OrdersPerSecond, "orders/s"),
                new("64 in flight, p50 to confirmed", series[3].Milliseconds("p50")!, "ms"),
            ],
            verified, profile);
    }

    public static async Task<Measured> EmbeddedAsync(Session session, CancellationToken cancel)
    {
        await using var stack = await session.OpenAsync(new StackKind("embedded", Embedded: true), cancel);
        var saturated = await session.CompareAsync([session.Saturate(stack, "saturated")], session.Options.Repeat, cancel);
        var (open, figures) = await FixedRate.MeasureAsync(session, stack, "embedded", new(AtMost: 6), cancel);
        return new(
            [.. saturated, .. open],
            [
                new("embedded, saturated (SQLite FULL)", saturated[0].OrdersPerSecond, "orders/s", AtLeast: 15_000),
                new("embedded, CPU", saturated[0].CpuPer1000, "CPU-s per 1,000 orders"),
                .. figures,
            ],
            await session.VerifyAsync(stack, cancel));
    }

    // With one message per transaction, many orders in flight only make the coordinator resend; 64 suit it best.
    public static async Task<Measured> BatchLimitAsync(Session session, CancellationToken cancel)
    {
        await using var normal = await session.OpenAsync(Distributed, cancel);
        await using var single = await session.OpenAsync(
            new StackKind("batch-limit-1", Settings: new Dictionary<string, string> { ["MAXMESSAGES"] = "1" }), cancel);
        var limited = session.Saturate(single, "batch limit 1");
        var series = await session.CompareAsync(
            [
                session.Saturate(normal, "default"),
                limited with { Load = limited.Load with { Connections = 64, WaitEvery = 1 } },
            ],
            session.Options.FewRepeats, cancel);
        var verified = await session.VerifyAsync(normal, cancel) + await session.VerifyAsync(single, cancel);
        return new(
            series,
            [new("default against batch limit 1", series[0].Against(series[1], s => s.OrdersPerSecond), "×", AtLeast: 40)],
            verified);
    }

    public static async Task<Measured> OneSkuAsync(Session session, CancellationToken cancel)
    {
        await using var stack = await session.OpenAsync(Distributed, cancel);
        var spread = session.Saturate(stack, "spread");
        var series = await session.CompareAsync(
            [spread, spread with { Name = "one product", Load = spread.Load with { OneSku = true } }],
            session.Options.Repeat, cancel);
        return new(
            series,
            [new("one product against spread", series[1].Against(series[0], s => s.OrdersPerSecond), "×", AtLeast: 0.85)],
            await session.VerifyAsync(stack, cancel));
    }

    public static async Task<Measured> MillionAsync(Session session, CancellationToken cancel)
    {
        await using var full = await session.OpenAsync(new StackKind("full"), cancel);
        await FinishedOrders.FillAsync(session, full, session.Options.Finished, cancel);
        await using var empty = await session.OpenAsync(new StackKind("empty"), cancel);
        var name = FormattableString.Invariant($"{session.Options.Finished:N0} finished");
        var series = await session.CompareAsync(
            [session.Saturate(empty, "empty"), session.Saturate(full, name)], session.Options.Repeat, cancel);
        var verified = await session.VerifyAsync(empty, cancel) + await session.VerifyAsync(full, cancel);
        return new(
            series,
            [new($"{name} against empty", series[1].Against(series[0], s => s.OrdersPerSecond), "×", AtLeast: 0.95)],
            verified);
    }

    public static async Task<Measured> InstancesAsync(Session session, CancellationToken cancel)
    {
        await using var single = await session.OpenAsync(Distributed, cancel);
        await using var two = await session.OpenAsync(new StackKind("two", Instances: 2), cancel);
        await using var three = await session.OpenAsync(new StackKind("three", Instances: 3), cancel);
        var series = await session.CompareAsync(
            [
                session.Saturate(single, "one instance each"), session.Saturate(two, "two instances each"),
                session.Saturate(three, "three instances each"),
            ],
            session.Options.Repeat, cancel);
        var verified = await session.VerifyAsync(single, cancel) + await session.VerifyAsync(two, cancel)
            + await session.VerifyAsync(three, cancel);
        return new(
            series,
            [
                new(
                    "two instances of each against one", series[1].Against(series[0], s => s.OrdersPerSecond), "×",
                    AtLeast: 0.95),
                new(
                    "three instances of each against one", series[2].Against(series[0], s => s.OrdersPerSecond), "×",
                    AtLeast: 0.9),
            ],
            verified);
    }
}
