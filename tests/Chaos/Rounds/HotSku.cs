using Orderwright.Contracts;
using Orderwright.StockService;

namespace Orderwright.Chaos.Rounds;

/// <summary>
/// Five hundred buyers for fifty, a round: two instances of stock-service are asked for the same goods in many batches
/// at once. Twenty rounds run side by side, so that batches also meet over several SKUs.
/// </summary>
static class HotSku
{
    const int Buyers = 500, OnHand = 50, SideBySide = 20, BatchSize = 500;

    public static Trial Trial { get; } = new("hot-sku", "of 500 buyers for 50, exactly 50 get one", RunAsync);

    static async Task<string> RunAsync(TrialGround ground)
    {
        var address = await ground.NewDatabaseAsync("hot_sku");
        var clock = new StandingClock();
        await using var one = new ServiceInstance(new StockModule(), address, clock);
        await using var other = new ServiceInstance(new StockModule(), address, clock);
        await one.MigrateAsync();
        await one.ExecuteAsync(
            $"""
            INSERT INTO products (sku, name, unit_price, currency, version, created_at, updated_at)
            SELECT 'HOT-' || i, 'Hot', 100, 'EUR', 1, now(), now() FROM generate_series(0, {SideBySide - 1}) i
            """);
        var dice = new Random(ground.Seed);
        for (var done = 0; done < ground.Rounds; done += SideBySide)
        {
            await one.ExecuteAsync("TRUNCATE levels, reservations, holds, movements");
            await one.ExecuteAsync(
                $"INSERT INTO levels (sku, on_hand, allocated, reserved, version) SELECT 'HOT-' || i, {OnHand}, 0, 0, 1 FROM generate_series(0, {SideBySide - 1}) i");
            var asks = Enumerable.Range(0, Buyers * SideBySide).Select(i => Say.That(
                Guid.CreateVersion7(),
                new ReserveStock("EUR", [new(1, $"HOT-{i % SideBySide}", 1)], false, clock.GetUtcNow().AddMinutes(15)),
                StepNames.ReserveStock, 1, clock.GetUtcNow())).ToArray();
            dice.Shuffle(asks);
            var answers = await Say.AllAtOnceAsync(asks, BatchSize, one, other);
            var got = answers.Where(answer => ((StepAnswered)answer.Body).Outcome == StepOutcome.Completed)
                .Select(answer => answer.OrderId).ToList();
            var commits = got.Select(order => Say.That(order, new CommitStock(), StepNames.CommitStock, 1, clock.GetUtcNow()));
            var committed = await Say.AllAtOnceAsync([.. commits], BatchSize / 4, one, other);

            TrialGround.Must(answers.Count == asks.Length, $"{asks.Length} asked, {answers.Count} were answered");
            TrialGround.Must(
                committed.Count == got.Count && committed.All(answer => ((StepAnswered)answer.Body).Outcome == StepOutcome.Completed),
                "a hold could not be committed");
            foreach (var (sku, onHand, allocated, reserved) in await one.QueryAsync(
                "SELECT sku, on_hand, allocated, reserved FROM levels", row => (row.Text(0), row.BigInt(1), row.BigInt(2), row.BigInt(3))))
                TrialGround.Must((onHand, allocated, reserved) == (OnHand, OnHand, 0), $"{sku}: on hand {onHand}, allocated {allocated}, reserved {reserved}");
            TrialGround.Must(got.Count == OnHand * SideBySide, $"{got.Count} were sold of {OnHand * SideBySide}");
            ground.Progress(done + SideBySide);
        }
        return $"{Buyers} buyers each, {OnHand} sold in every round";
    }
}
