using Orderwright.Contracts;
using Orderwright.StockService;

namespace Orderwright.Chaos.Rounds;

/// <summary>
/// Both instances expire holds at the moment of their commit, while other buyers wait for the same goods. A round is one
/// hold; waves of rounds run side by side.
/// </summary>
static class ExpiryAgainstCommit
{
    const int Wave = 200, OnHand = 8, Skus = Wave / OnHand;

    public static Trial Trial { get; } = new(
        "expiry", "an expired hold that is being committed is either sold, once, or lost, as its reply tells", RunAsync);

    static async Task<string> RunAsync(TrialGround ground)
    {
        var address = await ground.NewDatabaseAsync("expiry");
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
        var (sold, lost, snatched) = (0, 0, 0);
        for (var done = 0; done < ground.Rounds; done += Wave)
        {
            await first.ExecuteAsync("TRUNCATE levels, reservations, holds, movements");
            await first.ExecuteAsync(
                "INSERT INTO levels (sku, on_hand, allocated, reserved, version) " +
                $"SELECT 'SKU-' || i, {OnHand}, 0, 0, 1 FROM generate_series(0, {Skus - 1}) i");
            var holders = Requests(Wave, clock, TimeSpan.FromMinutes(1));
            await first.HandleAsync(holders);
            clock.Advance(TimeSpan.FromMinutes(2));

            var commits = holders
                .Select(ask => TrialMessages.That(ask.OrderId, new CommitStock(), StepNames.CommitStock, 1, clock.GetUtcNow()))
                .ToArray();
            dice.Shuffle(commits);
            var snatchers = Requests(Wave / 2, clock, TimeSpan.FromMinutes(15));
            var sweeps = Enumerable.Range(0, 8).Select(i => Task.Run(
                () => (i % 2 == 0 ? first : other).RunJobAsync("expire-holds", most: 40)));
            var committing = TrialMessages.AllAtOnceAsync(commits, 10, first, other);
            var snatching = TrialMessages.AllAtOnceAsync(snatchers, 10, other, first);
            await Task.WhenAll(sweeps);
            var answers = (await committing).ToDictionary(answer => answer.OrderId, answer => (StepAnswered)answer.Body);
            await snatching;

            var states = (await first.QueryAsync(
                "SELECT order_id, state FROM reservations", row => (row.Uuid("order_id"), row.Text("state")))).ToDictionary();
            foreach (var holder in holders)
            {
                var (answer, state) = (answers[holder.OrderId], states[holder.OrderId]);
                var isSold = answer.Outcome == StepOutcome.Completed;
                TrialGround.Check(
                    isSold ? state == "committed" : answer.Code == ReasonCodes.HoldLost && state == "refused",
                    $"{holder.OrderId} was answered {answer.Outcome} {answer.Code}, and is {state}");
                if (isSold) sold++;
                else lost++;
            }
            snatched += snatchers.Count(ask => states[ask.OrderId] == "held");
            await CheckLevelsAsync(first);
            ground.Progress(done + Wave);
        }
        TrialGround.Check(sold > 0 && lost > 0, $"one side always won: {sold} sold, {lost} lost");
        return $"{sold:N0} committed, {lost:N0} lost to the {snatched:N0} faster buyers";
    }

    static Message[] Requests(int count, ManualClock clock, TimeSpan holdTime) =>
    [
        .. Enumerable.Range(0, count).Select(i => TrialMessages.That(
            Guid.CreateVersion7(),
            new ReserveStock("EUR", [new(1, $"SKU-{i % Skus}", 1)], false, clock.GetUtcNow() + holdTime),
            StepNames.ReserveStock, 1, clock.GetUtcNow())),
    ];

    static async Task CheckLevelsAsync(ServiceInstance stock)
    {
        foreach (var (sku, onHand, allocated, reserved, committed, held, moved) in await stock.QueryAsync(
            """
            SELECT l.sku, l.on_hand, l.allocated, l.reserved,
                (SELECT count(*) FROM reservations r WHERE r.state = 'committed' AND r.lines -> 0 ->> 1 = l.sku) AS committed,
                (SELECT count(*) FROM reservations r WHERE r.state = 'held' AND r.lines -> 0 ->> 1 = l.sku) AS held,
                (SELECT coalesce(sum(allocated_delta), 0)::bigint FROM movements m WHERE m.sku = l.sku) AS moved
            FROM levels l
            """,
            row => (row.Text("sku"), row.BigInt("on_hand"), row.BigInt("allocated"), row.BigInt("reserved"),
                row.BigInt("committed"), row.BigInt("held"), row.BigInt("moved"))))
            TrialGround.Check(
                allocated + reserved <= onHand && allocated == committed && reserved == held && moved == allocated,
                $"{sku}: on hand {onHand}, allocated {allocated} (rows {committed}, ledger {moved}), " +
                $"reserved {reserved} (rows {held})");
    }
}
