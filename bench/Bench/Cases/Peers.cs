using System.Globalization;
using Orderwright.Contracts;

namespace Orderwright.Bench.Cases;

/// <summary>
/// The same order process, with the same rows in substance, on libraries that send one message per order and hop, as their
/// documentation shows. <c>bench/Peers/README.md</c> lists the options of each.
/// </summary>
static class Peers
{
    const int FewInFlight = 64;
    const int MostInFlight = 2_000;
    const double LightRate = 50;

    static readonly StackKind Ours = new("orderwright");

    static readonly StackKind[] Others =
    [
        new("wolverine-durable", Peer: "wolverine-durable"),
        new("wolverine-inline", Peer: "wolverine-inline"),
        new("masstransit", Peer: "masstransit"),
    ];

    public static async Task<Measured> RunAsync(Session session, CancellationToken cancel)
    {
        await PeerPrograms.BuildAsync(cancel);
        var stacks = new List<Stack>();
        try
        {
            foreach (var kind in Others.Prepend(Ours)) stacks.Add(await session.OpenAsync(kind, cancel));
            var series = new List<Series>();
            var figures = new List<Figure>();
            // A quick run has fewer connections.
            var most = Math.Min(MostInFlight, session.Options.Connections * 4);
            foreach (var inFlight in new[] { FewInFlight, session.Options.Connections, most }.Distinct())
            {
                var compared = await CompareAsync(stack => InFlight(session, stack, inFlight));
                series.AddRange(compared);
                figures.AddRange(Faster(compared, inFlight));
            }
            var light = await CompareAsync(stack => Session.AtRate(stack, $"{stack.Kind.Name}, 50 orders/s", LightRate));
            series.AddRange(light);
            figures.AddRange(Cheaper(light));
            var verified = 0L;
            foreach (var stack in stacks) verified += await session.VerifyAsync(stack, cancel);
            for (var i = 0; i < stacks.Count; i++) figures.Add(await CrashAsync(session, stacks[i], series[i], cancel));
            return new(series, figures, verified);
        }
        finally
        {
            foreach (var stack in stacks) await stack.DisposeAsync();
        }

        Task<IReadOnlyList<Series>> CompareAsync(Func<Stack, Variant> variantOf) =>
            session.CompareAsync([.. stacks.Select(variantOf)], session.Options.FewRepeats, cancel);
    }

    // Every order waits for its decision, so that as many orders are in flight as there are connections, whatever a stack would
    // accept ahead of its work.
    static Variant InFlight(Session session, Stack stack, int orders)
    {
        var variant = session.Saturate(stack, string.Create(
            CultureInfo.InvariantCulture, $"{stack.Kind.Name}, {orders:N0} in flight"));
        return variant with { Load = variant.Load with { Connections = orders, WaitEvery = 1 } };
    }

    static IEnumerable<Figure> Faster(IReadOnlyList<Series> compared, int inFlight)
    {
        var others = compared.Skip(1).ToList();
        double? target = inFlight switch { FewInFlight => 10, MostInFlight => 30, _ => null };
        var best = others.MaxBy(series => series.OrdersPerSecond.Median)!;
        return others.Select(series => new Figure(
            $"orders/s against {series.Variant}", compared[0].Against(series, each => each.OrdersPerSecond), "×",
            AtLeast: series == best ? target : null));
    }

    static IEnumerable<Figure> Cheaper(IReadOnlyList<Series> compared)
    {
        var others = compared.Skip(1).ToList();
        var cheapest = others.MinBy(series => series.CpuPer1000.Median);
        var quickest = others.MinBy(series => series.Milliseconds("p50")!.Median);
        return others.SelectMany(series => (Figure[])
        [
            new(
                $"CPU per order against {series.Variant}", compared[0].Against(series, each => each.CpuPer1000), "×",
                AtMost: series == cheapest ? 0.5 : null),
            new(
                $"p50 to confirmed against {series.Variant}",
                compared[0].Against(series, each => each.Milliseconds("p50")!), "×",
                AtMost: series == quickest ? 0.6 : null),
        ]);
    }

    static async Task<Figure> CrashAsync(Session session, Stack stack, Series measured, CancellationToken cancel)
    {
        var length = session.Options.Length;
        var variant = InFlight(session, stack, FewInFlight);
        var orders = Math.Max(session.Options.FewestOrders, (int)(measured.OrdersPerSecond.Median * length.TotalSeconds * 2));
        var placed = 0;
        for (var kill = 0; kill < session.Options.FewRepeats; kill++)
        {
            var result = await session.CrashAsync(
                variant with { Load = variant.Load with { Orders = orders } }, length / 2, cancel);
            placed += result.Requests;
            session.Say($"  {stack.Kind.Name}, kill {kill + 1}: {result.Undecided} of {result.Requests} orders waited for 30 s");
        }
        // Orderwright has none, or does not verify.
        var stuck = stack.Kind.Peer is null ? 0 : await PeerCheck.SettleAsync(stack, cancel);
        if (stuck == 0) await session.VerifyAsync(stack, cancel);
        return new(
            FormattableString.Invariant(
                $"{stack.Kind.Name}, stuck after {session.Options.FewRepeats} kills of the coordinator, of {placed:N0} orders"),
            Spread.Of([stuck]), "orders");
    }
}
