using Orderwright.Contracts;
using Orderwright.StockService;

namespace Orderwright.Chaos.Rounds;

/// <summary>
/// Five hundred buyers compete for fifty units per round: two instances of stock-service receive requests for the same
/// goods in many concurrent batches. Twenty rounds run side by side, so that batches also collide on several SKUs.
/// </summary>
static class HotSku
{
    const int Buyers = 500, OnHand = 50, SideBySide = 20, BatchSize = 500;

    public static Trial Trial { get; } = new("hot-sku", "of 500 buyers for 50 units, exactly 50 succeed", RunAsync);

    static async Task<string> RunAsync(TrialGround ground)
    {
        var address = await ground.NewDatabaseAsync("hot_sku");
        var clock = new ManualClock();
        await using var first = new ServiceInstance(new StockModule(), address, clock);
        await using var other = new ServiceInstance(new StockModule(), address, clock);
        await first.MigrateAsync();
        await first.ExecuteAsync(
            $"""
            INSERT INTO products (sku, name, unit_price, currency, version, created_at, updated_at)
            SELECT 'HOT-' || i, 'Hot', 100, 'EUR', 1, now(), now() FROM generate_series(0, {SideBySide - 1}) i
            """);
        var dice = new Random(ground.Seed);
        for (var done = 0; done < ground.Rounds; done += SideBySide)
        {
            await first.ExecuteAsync("TRUNCATE levels, reservations, holds, movements");
            await first.ExecuteAsync(
                "INSERT INTO levels (sku, on_hand, allocated, reserved, version) " +
                $"SELECT 'HOT-' || i, {OnHand}, 0, 0, 1 FROM generate_series(0, {SideBySide - 1}) i");
            var asks = Enumerable.Range(0, Buyers * SideBySide).Select(i => TrialMessages.That(
                Guid.CreateVersion7(),
                new ReserveStock("EUR", [new(1, $"HOT-{i % SideBySide}", 1)], false),
                StepNames.ReserveStock, 1, clock.GetUtcNow())).ToArray();
            dice.Shuffle(asks);
            var answers = await TrialMessages.AllAtOnceAsync(asks, BatchSize, first, other);
            var got = answers.Where(answer => ((StepAnswered)answer.Body).Outcome == StepOutcome.Completed)
                .Select(answer => answer.OrderId).ToList();
            var commits = got.Select(
                order => TrialMessages.That(order, new CommitStock(), StepNames.CommitStock, 1, clock.GetUtcNow()));
            var committed = await TrialMessages.AllAtOnceAsync([.. commits], BatchSize / 4, first, other);

            TrialGround.Check(answers.Count == asks.Length, $"{asks.Length} requests got {answers.Count} replies");
            TrialGround.Check(
                committed.Count == got.Count
                    && committed.All(answer => ((StepAnswered)answer.Body).Outcome == StepOutcome.Completed),
                "a hold could not be committed");
            foreach (var (sku, onHand, allocated, reserved) in await first.QueryAsync(
                "SELECT sku, on_hand, allocated, reserved FROM levels", 
                row => (row.Text("sku"), row.BigInt("on_hand"), row.BigInt("allocated"), row.BigInt("reserved"))))
                TrialGround.Check(
                    (onHand, allocated, reserved) == (OnHand, OnHand, 0),
                    $"{sku}: on hand {onHand}, allocated {allocated}, reserved {reserved}");
            TrialGround.Check(got.Count == OnHand * SideBySide, $"{got.Count} were sold of {OnHand * SideBySide}");
            ground.Progress(done + SideBySide);
        }
        return $"{Buyers} buyers each, {OnHand} sold in every round";
    }
}
