using Orderwright.Contracts;

namespace Orderwright.Bench.Cases;

/// <summary>A few orders per second, paid by store credit or by card, and none at all.</summary>
static class LightLoad
{
    static readonly TimeSpan IdleLength = TimeSpan.FromSeconds(20);

    public static async Task<Measured> RunAsync(Session session, CancellationToken cancel)
    {
        await using var stack = await session.OpenAsync(new StackKind("distributed"), cancel);
        var series = await session.CompareAsync(
            [
                Session.AtRate(stack, "50 orders/s", 50), Session.AtRate(stack, "100 orders/s", 100),
                ByCard(stack, "50 orders/s by card", 50), ByCard(stack, "100 orders/s by card", 100),
            ],
            session.Options.FewRepeats, cancel);
        var idle = await IdleAsync(session, stack, cancel);
        return new(
            series,
            [
                .. series.SelectMany(each => (Figure[])
                [
                    new($"{each.Variant}, CPU per order", each.CpuPer1000, "ms"),
                    new($"{each.Variant}, p50 to confirmed", each.Milliseconds("p50")!, "ms"),
                ]),
                .. idle,
            ],
            await session.VerifyAsync(stack, cancel));
    }

    static Variant ByCard(Stack stack, string name, double rate)
    {
        var variant = Session.AtRate(stack, name, rate);
        return variant with { Load = variant.Load with { ByCard = true } };
    }

    static async Task<List<Figure>> IdleAsync(Session session, Stack stack, CancellationToken cancel)
    {
        var runs = new List<IReadOnlyDictionary<string, double>>();
        for (var i = 0; i < session.Options.FewRepeats; i++)
        {
            await Session.UntilQuietAsync(cancel);
            var (_, cpu, _) = await Session.MeterAsync(stack.Processes, async () =>
            {
                await Task.Delay(IdleLength, cancel);
                return true;
            });
            runs.Add(cpu);
            session.Say($"  idle, {i + 1}: {cpu.Values.Sum() / IdleLength.TotalSeconds:F4} cores");
        }
        return
        [
            new(
                "idle, all processes", Spread.Of(runs.Select(run => run.Values.Sum() / IdleLength.TotalSeconds)), "cores",
                AtMost: 0.03),
            .. runs[0].Keys.Select(name => new Figure(
                $"idle, {name}", Spread.Of(runs.Select(run => run[name] / IdleLength.TotalSeconds)), "cores")),
        ];
    }
}
