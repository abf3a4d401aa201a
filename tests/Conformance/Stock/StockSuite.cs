using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.StockService;

namespace Orderwright.Conformance.Stock;

/// <summary>stock-service's handlers and SQL, on every engine.</summary>
public abstract class StockSuite(StorageEngine engine)
{
    static readonly TimeSpan PastItsEnd = StockOnEngine.HoldTime + ExpireHolds.Grace;

    [Fact]
    public async Task Of_500_buyers_of_50_units_exactly_50_are_served()
    {
        await using var stock = await StockOnEngine.StartAsync(engine);
        await stock.SupplyAsync("MUG", 50);
        var served = new List<Guid>();
        foreach (var buyers in Enumerable.Range(0, 500).Select(_ => stock.NewOrder()).Chunk(64))
        {
            var answers = await stock.TellAsync(
                [.. buyers.Select(buyer => (buyer, (IMessageBody)stock.Want("MUG", 1)))]);
            served.AddRange(buyers.Where((_, i) => answers[i].Outcome == StepOutcome.Completed));
            Assert.All(answers, answer => Assert.True(
                answer.Outcome == StepOutcome.Completed || answer.Code == ReasonCodes.OutOfStock));
        }
        Assert.Equal(50, served.Count);
        foreach (var buyer in served)
            Assert.Equal(StepOutcome.Completed, (await stock.TellAsync(buyer, new CommitStock())).Outcome);
        var level = await stock.LevelAsync("MUG");
        Assert.Equal((50, 50, 0), (level.OnHand, level.Allocated, level.Reserved));
        await stock.AssertWholeAsync();
    }

    [Fact]
    public async Task Two_instances_that_sell_the_same_sku_sell_no_more_than_there_is()
    {
        await using var one = await StockOnEngine.StartAsync(engine);
        await using var two = one.Another();
        await one.SupplyAsync("MUG", 50);
        await one.SupplyAsync("PEN", 1_000);
        var buyers = Enumerable.Range(0, 400).Select(_ => one.NewOrder()).ToArray();
        // Half of the orders name the SKUs the other way round, and every order reaches both instances.
        var outcomes = await Task.WhenAll(new[] { one, two }.Select((stock, n) => Task.Run(async () =>
        {
            var answered = new Dictionary<Guid, StepOutcome>();
            foreach (var batch in (n == 0 ? buyers : buyers.Reverse()).Chunk(20))
            {
                var answers = await stock.TellAsync([.. batch.Select(
                    buyer => (buyer, (IMessageBody)Both(stock, Array.IndexOf(buyers, buyer) % 2 == 0)))]);
                for (var i = 0; i < batch.Length; i++) answered.Add(batch[i], answers[i].Outcome);
                await stock.TellAsync([.. batch.Where((_, i) => answers[i].Outcome == StepOutcome.Completed)
                    .Select(buyer => (buyer, (IMessageBody)new CommitStock()))]);
            }
            return answered;
        })));
        Assert.Equal(50, outcomes[0].Values.Count(outcome => outcome == StepOutcome.Completed));
        Assert.All(buyers, buyer => Assert.Equal(outcomes[0][buyer], outcomes[1][buyer]));
        Assert.Equal(50, (await one.LevelAsync("MUG")).Allocated);
        await one.AssertWholeAsync();

        static ReserveStock Both(StockOnEngine stock, bool mugFirst) => stock.Want("MUG", 1) with
        {
            Lines = mugFirst
                ? [new(1, "MUG", 1, null), new(2, "PEN", 1, null)]
                : [new(1, "PEN", 1, null), new(2, "MUG", 1, null)],
        };
    }

    [Fact]
    public async Task What_was_shipped_leaves_the_house_once_and_the_ledger_says_so()
    {
        await using var stock = await StockOnEngine.StartAsync(engine);
        await stock.SupplyAsync("MUG", 9);
        var buyer = stock.NewOrder();
        await stock.TellAsync(buyer, stock.Want("MUG", 5));
        await stock.TellAsync(buyer, new CommitStock());
        ShipGoods two = new(1, [new(1, "MUG", 2)]), three = new(2, [new(1, "MUG", 3)]);
        Assert.Equal([1, 1], await stock.ShipAsync((buyer, two), (buyer, two)));
        Assert.Equal([1, 2, 2], await stock.ShipAsync((buyer, two), (buyer, three), (buyer, three)));
        var level = await stock.LevelAsync("MUG");
        Assert.Equal((4, 0, 0), (level.OnHand, level.Allocated, level.Reserved));
        Assert.Equal(
            [("counted", 9L, 0L), ("allocated", 0L, 5L), ("shipped", -2L, -2L), ("shipped", -3L, -3L)],
            (await stock.MovementsAsync()).OrderBy(moved => moved.Seq)
                .Select(moved => (moved.Kind, moved.OnHandDelta, moved.AllocatedDelta)));
        Assert.Equal("committed", (await stock.ReservationsAsync())[buyer].State);

        // Of another order only some is shipped; the rest is available again when it is closed.
        var other = stock.NewOrder();
        await stock.TellAsync(other, stock.Want("MUG", 3));
        await stock.TellAsync(other, new CommitStock());
        var rest = new ReleaseUnshipped([new(1, "MUG", 2)]);
        Assert.Equal([1, 0, 0], await stock.ShipAsync(
            (other, new ShipGoods(1, [new(1, "MUG", 1)])), (other, rest), (other, rest)));
        Assert.Equal([0], await stock.ShipAsync((other, rest)));
        level = await stock.LevelAsync("MUG");
        Assert.Equal((3, 0), (level.OnHand, level.Allocated));
    }

    [Fact]
    public async Task The_same_command_gets_the_same_answer_from_the_row()
    {
        await using var stock = await StockOnEngine.StartAsync(engine);
        await stock.SupplyAsync("MUG", 5);
        var (buyer, late) = (stock.NewOrder(), stock.NewOrder());
        var command = stock.Want("MUG", 3) with { Lines = [new(1, "MUG", 1, null), new(2, "MUG", 2, 255)] };
        var first = await stock.TellAsync(buyer, command);
        OrderLine[] priced = [new(1, "MUG", 1, 255), new(2, "MUG", 2, 255)];
        Assert.Equal(priced, first.Priced);
        var refused = await stock.TellAsync(late, stock.Want("MUG", 3));
        Assert.Equal("MUG: 3 wanted, 2 available.", refused.Message);

        await stock.ChangeAsync(new CatalogueChange.Put("MUG", "A dearer mug", 300, "GBP", null));
        await stock.ChangeAsync(new CatalogueChange.Count("MUG", 100, null));
        var again = await stock.TellAsync((buyer, command), (late, stock.Want("MUG", 3)));
        Assert.Equal(priced, again[0].Priced);
        Assert.Equal(refused, again[1]);
        Assert.Equal(3, (await stock.LevelAsync("MUG")).Reserved);
        await stock.AssertWholeAsync();
    }

    [Fact]
    public async Task An_undo_before_its_do_refuses_the_late_do()
    {
        await using var stock = await StockOnEngine.StartAsync(engine);
        await stock.SupplyAsync("MUG", 5);
        var buyer = stock.NewOrder();
        Assert.Equal(
            new StepAnswered(Undo: true, StepOutcome.Completed), await stock.TellAsync(buyer, new ReleaseStock()));
        Assert.Equal(ReasonCodes.AlreadyUndone, (await stock.TellAsync(buyer, stock.Want("MUG", 1))).Code);
        Assert.Equal(ReasonCodes.AlreadyUndone, (await stock.TellAsync(buyer, new CommitStock())).Code);
        Assert.Equal(0, (await stock.LevelAsync("MUG")).Reserved);
        await stock.AssertWholeAsync();
    }

    [Fact]
    public async Task An_undo_that_races_its_do_on_another_instance_leaves_nothing_reserved()
    {
        await using var one = await StockOnEngine.StartAsync(engine);
        await using var two = one.Another();
        await one.SupplyAsync("MUG", 10);
        for (var round = 0; round < 50; round++)
        {
            var buyer = one.NewOrder();
            await Task.WhenAll(
                Task.Run(() => one.TellAsync(buyer, one.Want("MUG", 1))),
                Task.Run(() => two.TellAsync(buyer, new ReleaseStock())));
        }
        Assert.Equal(0, (await one.LevelAsync("MUG")).Reserved);
        Assert.All((await one.ReservationsAsync()).Values, row => Assert.Equal(ReservationStates.Released, row.State));
        await one.AssertWholeAsync();
    }

    [Fact]
    public async Task A_hold_ends_with_its_time_and_grace_unless_it_was_renewed()
    {
        await using var stock = await StockOnEngine.StartAsync(engine);
        await stock.SupplyAsync("MUG", 5);
        var (plain, renewed) = (stock.NewOrder(), stock.NewOrder());
        await stock.TellAsync((plain, stock.Want("MUG", 2)), (renewed, stock.Want("MUG", 3)));
        await stock.TellAsync((renewed, new RenewHold(stock.Clock.GetUtcNow() + 2 * StockOnEngine.HoldTime)));
        stock.Clock.Advance(PastItsEnd - TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, await stock.ExpireAsync());
        stock.Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, await stock.ExpireAsync());
        Assert.Equal(0, await stock.ExpireAsync());
        Assert.Equal(3, (await stock.LevelAsync("MUG")).Reserved);
        Assert.Equal("expired", (await stock.ReservationsAsync())[plain].State);
        await stock.AssertWholeAsync();
        stock.Clock.Advance(StockOnEngine.HoldTime);
        Assert.Equal(1, await stock.ExpireAsync());
        Assert.Equal(0, (await stock.LevelAsync("MUG")).Reserved);
        await stock.AssertWholeAsync();
    }

    [Fact]
    public async Task The_sweep_is_bounded_and_takes_the_oldest_first()
    {
        await using var stock = await StockOnEngine.StartAsync(engine);
        await stock.SupplyAsync("MUG", 10);
        var buyers = Enumerable.Range(1, 5).Select(_ => stock.NewOrder()).ToArray();
        await stock.TellAsync([.. buyers.Select((buyer, n) =>
            (buyer, (IMessageBody)stock.Want("MUG", 1, TimeSpan.FromMinutes(5 - n))))]);
        stock.Clock.Advance(PastItsEnd);
        Assert.Equal(2, await stock.ExpireAsync(most: 2));
        var reservations = await stock.ReservationsAsync();
        Assert.Equal(
            ["held", "held", "held", "expired", "expired"], buyers.Select(buyer => reservations[buyer].State));
        Assert.Equal(3, await stock.ExpireAsync(most: 4));
        await stock.AssertWholeAsync();
    }

    [Fact]
    public async Task A_commit_after_the_hold_expired_takes_the_goods_again_or_is_refused_for_good()
    {
        await using var stock = await StockOnEngine.StartAsync(engine);
        await stock.SupplyAsync("MUG", 5);
        var (lucky, unlucky) = (stock.NewOrder(), stock.NewOrder());
        await stock.TellAsync((lucky, stock.Want("MUG", 2)), (unlucky, stock.Want("MUG", 3)));
        stock.Clock.Advance(PastItsEnd);
        Assert.Equal(2, await stock.ExpireAsync());
        await stock.TellAsync(stock.NewOrder(), stock.Want("MUG", 1));
        Assert.Equal(StepOutcome.Completed, (await stock.TellAsync(lucky, new CommitStock())).Outcome);
        var refused = await stock.TellAsync(unlucky, new CommitStock());
        Assert.Equal((StepOutcome.Rejected, ReasonCodes.HoldLost), (refused.Outcome, refused.Code));
        await stock.ChangeAsync(new CatalogueChange.Adjust("MUG", 100, "received", null));
        Assert.Equal(refused, await stock.TellAsync(unlucky, new CommitStock()));
        await stock.AssertWholeAsync();
    }

    [Fact]
    public async Task When_expiry_races_commit_exactly_one_buyer_gets_the_last_unit()
    {
        await using var one = await StockOnEngine.StartAsync(engine);
        await using var two = one.Another();
        for (var round = 0; round < 100; round++)
        {
            var sku = $"LAST-{round}";
            await one.SupplyAsync(sku, 1);
            var (first, second) = (one.NewOrder(), one.NewOrder());
            await one.TellAsync(first, one.Want(sku, 1));
            one.Clock.Advance(PastItsEnd);
            var commit = Task.Run(() => one.TellAsync(first, new CommitStock()));
            var next = Task.Run(async () =>
            {
                await two.ExpireAsync();
                return await two.TellAsync(second, two.Want(sku, 1));
            });
            var (committed, reserved) = ((await commit).Outcome, (await next).Outcome);
            Assert.True(
                (committed == StepOutcome.Completed) != (reserved == StepOutcome.Completed),
                $"round {round}: commit {committed}, the other's reserve {reserved}");
            await one.TellAsync(second, new ReleaseStock());
        }
        await one.AssertWholeAsync();
    }

    [Fact]
    public async Task Products_and_counts_of_concurrent_requests_share_a_transaction()
    {
        await using var stock = await StockOnEngine.StartAsync(engine);
        var skus = Enumerable.Range(0, 300).Select(n => $"SKU-{n % 100}").ToArray();
        var answers = await Task.WhenAll(skus.Select(
            sku => stock.ChangeAsync(new CatalogueChange.Put(sku, "A thing", 100, "GBP", null))));
        Assert.Equal(100, answers.Count(answer => answer.Status == 201));
        Assert.Equal(200, answers.Count(answer => answer.Status == 200));
        await Task.WhenAll(skus.Select(
            sku => stock.ChangeAsync(new CatalogueChange.Adjust(sku, 2, "received", null))));
        var level = await stock.LevelAsync("SKU-7");
        Assert.Equal((6, 4), (level.OnHand, level.Version));
        await stock.AssertWholeAsync();
    }

    [Fact]
    public async Task Adjustments_answer_with_their_place_in_the_ledger()
    {
        await using var stock = await StockOnEngine.StartAsync(engine);
        await stock.SupplyAsync("MUG", 10);
        await stock.SupplyAsync("PEN", 10);
        var answers = await Task.WhenAll(Enumerable.Range(1, 40).Select(n => stock.ChangeAsync(
            new CatalogueChange.Adjust(n % 2 == 0 ? "MUG" : "PEN", n, "found", $"note {n}"))));
        var told = answers.Select(answer => System.Text.Json.JsonSerializer.Deserialize(
            answer.Body.Span, StockJson.Default.Movement)!).ToArray();
        var kept = (await stock.MovementsAsync()).ToDictionary(movement => movement.Seq);
        Assert.Equal(40, told.DistinctBy(movement => movement.Seq).Count());
        Assert.All(told, movement => Assert.Equal(movement, kept[movement.Seq]));
        await stock.AssertWholeAsync();
    }

    [Fact]
    public async Task A_product_goes_with_its_level_and_may_come_again()
    {
        await using var stock = await StockOnEngine.StartAsync(engine);
        await stock.SupplyAsync("MUG", 1);
        var buyer = stock.NewOrder();
        await stock.TellAsync(buyer, stock.Want("MUG", 1));
        Assert.Equal(409, (await stock.ChangeAsync(new CatalogueChange.Remove("MUG", null))).Status);
        await stock.TellAsync(buyer, new ReleaseStock());
        await stock.ChangeAsync(new CatalogueChange.Count("MUG", 0, null));
        Assert.Equal(204, (await stock.ChangeAsync(new CatalogueChange.Remove("MUG", null))).Status);
        Assert.Equal(
            ReasonCodes.UnknownSku, (await stock.TellAsync(stock.NewOrder(), stock.Want("MUG", 1))).Code);
        await stock.SupplyAsync("MUG", 3);
        Assert.Equal(
            StepOutcome.Completed, (await stock.TellAsync(stock.NewOrder(), stock.Want("MUG", 1))).Outcome);
        await stock.AssertWholeAsync();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task After_any_storm_the_ledger_sums_to_the_levels(int seed)
    {
        await using var one = await StockOnEngine.StartAsync(engine);
        await using var two = one.Another();
        var storm = new StockStorm(seed);
        await storm.SupplyAsync(one);
        for (var gust = 0; gust < 25; gust++)
        {
            await storm.BlowAsync(one, two);
            await one.AssertWholeAsync();
        }
        storm.AssertNoRefusalWasTakenBack();
    }
}

public sealed class StockOnPostgresTests(PostgresEngine engine) : StockSuite(engine), IClassFixture<PostgresEngine>;

public sealed class StockOnSqliteTests(SqliteEngine engine) : StockSuite(engine), IClassFixture<SqliteEngine>;
