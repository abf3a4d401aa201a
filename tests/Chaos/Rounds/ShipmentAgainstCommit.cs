using Orderwright.Contracts;
using Orderwright.StockService;

namespace Orderwright.Chaos.Rounds;

/// <summary>
/// One instance commits goods at the moment at which the other books their shipment, which may overtake the commit. A round is
/// one order; waves of rounds run side by side.
/// </summary>
static class ShipmentAgainstCommit
{
    const int Wave = 200, OnHand = 8, Skus = Wave / OnHand;

    public static Trial Trial { get; } = new(
        "shipment", "goods that ship while they are being committed are sold once and shipped once", RunAsync);

    static async Task<string> RunAsync(TrialGround ground)
    {
        var address = await ground.NewDatabaseAsync("shipment");
        var clock = new ManualClock();
        await using var first = new ServiceInstance(new StockModule(), address, clock);
        await using var other = new ServiceInstance(new StockModule(), address, clock);
        await first.MigrateAsync();
        await first.ExecuteAsync(
            $"""
            INSERT INTO products (sku, name, unit_price, currency, version, created_at, updated_at)
            SELECT 'SKU-' || i, 'Thing', 100, 'EUR', 1, now(), now() FROM generate_series(0, {Skus - 1}) i
            """);
        var dice = new Random(ground.Seed);
        for (var done = 0; done < ground.Rounds; done += Wave)
        {
            await first.ExecuteAsync("TRUNCATE levels, reservations, holds, movements, shipments");
            await first.ExecuteAsync(
                "INSERT INTO levels (sku, on_hand, allocated, reserved, version) " +
                $"SELECT 'SKU-' || i, {OnHand}, 0, 0, 1 FROM generate_series(0, {Skus - 1}) i");
            var holders = Enumerable.Range(0, Wave).Select(i => TrialMessages.That(
                Guid.CreateVersion7(), new ReserveStock("EUR", [new(1, $"SKU-{i % Skus}", 1)], false),
                StepNames.ReserveStock, 1, clock.GetUtcNow())).ToArray();
            await first.HandleAsync(holders);
            var commits = holders
                .Select(ask => TrialMessages.That(ask.OrderId, new CommitStock(), StepNames.CommitStock, 1, clock.GetUtcNow()))
                .ToArray();
            var shipments = holders
                .Select((ask, i) => TrialMessages.That(
                    ask.OrderId, new ShipGoods(1, [new(1, $"SKU-{i % Skus}", 1)]), null, 1, clock.GetUtcNow()))
                .ToArray();
            dice.Shuffle(commits);
            dice.Shuffle(shipments);
            var committing = TrialMessages.AllAtOnceAsync(commits, 10, first, other);
            var shipping = TrialMessages.AllAtOnceAsync(shipments, 10, other, first);
            foreach (var answer in await committing)
                TrialGround.Check(
                    answer.Body is StepAnswered { Outcome: StepOutcome.Completed }, $"{answer.OrderId} was not committed");
            foreach (var answer in await shipping)
                TrialGround.Check(answer.Body is GoodsShipped { Fulfilment: 1 }, $"{answer.OrderId} was not shipped");
            var counts = await first.QueryAsync(
                """
                SELECT sum(on_hand + allocated + reserved)::bigint AS goods, (SELECT count(*) FROM holds) AS holds,
                    (SELECT count(*) FROM shipments) AS shipped,
                    (SELECT count(*) FROM movements WHERE kind = 'allocated') AS allocations,
                    (SELECT count(*) FROM reservations WHERE state <> 'committed') AS others
                FROM levels
                """,
                row => (row.BigInt("goods"), row.BigInt("holds"), row.BigInt("shipped"), row.BigInt("allocations"),
                    row.BigInt("others")));
            TrialGround.Check(
                counts is [(0, 0, Wave, Wave, 0)], $"goods left, holds, shipments, allocations, other states: {counts[0]}");
            ground.Progress(done + Wave);
        }
        return "sold once and shipped once";
    }
}
