using Orderwright.Contracts;
using Orderwright.StockService;

namespace Orderwright.Conformance.Stock;

/// <summary>
/// Seeded random load: a hundred orders over five SKUs, with commands at any time, duplicated, out of order, and undone before
/// being done, interleaved with counts and adjustments. The commands of an instance are drawn before the round starts.
/// </summary>
sealed class StockStorm(int seed)
{
    static readonly string[] Skus = ["A", "B", "C", "D", "E"];

    readonly Random random = new(seed);
    readonly Lock gate = new();
    readonly Guid[] orders =
        [.. Enumerable.Range(0, 100).Select(n => new Guid($"01980000-0000-7000-8000-{n:D12}"))];
    readonly Dictionary<Guid, ReserveStock> wanted = [];
    readonly List<(int Round, Guid Order, StepOutcome Outcome)> reserves = [];
    int rounds;

    public async Task SupplyAsync(StockOnEngine stock)
    {
        foreach (var sku in Skus) await stock.SupplyAsync(sku, 40);
        foreach (var order in orders)
            wanted[order] = new(
                "GBP",
                [.. Enumerable.Range(1, random.Next(1, 6)).Select(
                    line => new OrderLine(line, Skus[random.Next(Skus.Length)], random.Next(1, 9), null))],
                false);
    }

    /// <summary>
    /// Runs a batch on every instance at the same time, perhaps with counts and adjustments.
    /// </summary>
    public Task RunRoundAsync(params StockOnEngine[] instances)
    {
        rounds++;
        return Task.WhenAll(instances.Select(RunRoundAsync));
    }

    Task RunRoundAsync(StockOnEngine stock)
    {
        var batch = Enumerable.Range(0, random.Next(1, 40))
            .Select(_ => orders[random.Next(orders.Length)])
            .Select(order => (order, Command: CommandTo(order)))
            .ToArray();
        var changes = Enumerable.Range(0, random.Next(4)).Select(_ => Change()).ToArray();
        if (random.Next(4) == 0) stock.Clock.Advance(TimeSpan.FromMinutes(random.Next(1, 5)));
        var round = rounds;
        return Task.Run(async () =>
        {
            var changed = changes.Select(stock.ChangeAsync).ToArray();
            Record(round, batch, await stock.HandleAsync(batch));
            await Task.WhenAll(changed);
        });
    }

    /// <summary>
    /// Asserts that a completed reserve may later be refused, by an undo, but never the other way round.
    /// </summary>
    public void AssertRefusalsAreFinal()
    {
        foreach (var answers in reserves.GroupBy(answer => answer.Order))
        {
            var firstRefusal = answers.Where(answer => answer.Outcome == StepOutcome.Rejected)
                .Select(answer => answer.Round).DefaultIfEmpty(int.MaxValue).Min();
            // Within a round the order of two instances' replies is unknown.
            Assert.DoesNotContain(
                answers, answer => answer.Round > firstRefusal && answer.Outcome == StepOutcome.Completed);
        }
        Assert.Equal(
            [StepOutcome.Completed, StepOutcome.Rejected],
            reserves.Select(answer => answer.Outcome).Distinct().Order());
    }

    IMessageBody CommandTo(Guid order) => random.Next(10) switch
    {
        < 5 => wanted[order],
        < 8 => new CommitStock(),
        8 => new ReleaseStock(),
        _ => new CommitStock("GBP", [.. wanted[order].Lines.Select(line => line with { UnitPrice = 255 })]),
    };

    CatalogueChange Change()
    {
        var sku = Skus[random.Next(Skus.Length)];
        return random.Next(3) == 0
            ? new CatalogueChange.Count(sku, random.Next(80), null)
            : new CatalogueChange.Adjust(sku, random.Next(2) == 0 ? random.Next(1, 10) : -1, "other", null);
    }

    void Record(int round, (Guid Order, IMessageBody Command)[] batch, List<StepAnswered> answers)
    {
        lock (gate)
            foreach (var (command, answer) in batch.Zip(answers))
                if (command.Command is ReserveStock)
                    reserves.Add((round, command.Order, answer.Outcome));
    }
}
