using Orderwright.Contracts;
using Orderwright.Load;

namespace Orderwright.Bench.Cases;

/// <summary>The cost and latency of reads under a saturating load.</summary>
static class Reads
{
    const double OrdersRate = 1_000;
    const double ListsRate = 50;

    public static async Task<Measured> RunAsync(Session session, CancellationToken cancel)
    {
        await using var stack = await session.OpenAsync(new StackKind("distributed"), cancel);
        var alone = session.Saturate(stack, "no reads");
        var read = new ReadCommand { Urls = stack.UrlsOf(ServiceNames.Order), Connections = 64, Rate = OrdersRate };
        var series = await session.CompareAsync(
            [
                alone,
                alone with { Name = "with 1,000 reads/s of single orders", Reads = read },
                alone with { Name = "with 50 reads/s of the list", Reads = read with { Lists = true, Rate = ListsRate } },
            ],
            session.Options.FewRepeats, cancel);
        return new(
            series,
            [
                .. FiguresOf("single orders", series[1], series[0]),
                .. FiguresOf("pages of the list (50 orders)", series[2], series[0]),
            ],
            await session.VerifyAsync(stack, cancel));
    }

    static IEnumerable<Figure> FiguresOf(string subject, Series with, Series alone) =>
    [
        new($"reads of {subject}", with.Of(run => run.Reads!.Requests / run.Reads.Seconds), "reads/s"),
        new($"reads of {subject}, p99", with.Of(run => run.Reads!.Milliseconds["p99"]), "ms"),
        new($"orders during reads of {subject} against no reads", with.Against(alone, series => series.OrdersPerSecond), "×"),
    ];
}
