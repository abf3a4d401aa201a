using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.StockService;

namespace Orderwright.Conformance.Stock;

/// <summary>Handlers and SQL of stock-service, on every engine.</summary>
public abstract class StockSuite(StorageEngine engine)
{
    [Fact]
    public async Task Exactly_50_of_500_buyers_get_50_units()
    {
        await using var stock = await StockOnEngine.StartAsync(engine);
        await stock.SupplyAsync("MUG", 50);
        var served = new List<Guid>();
        foreach (var buyers in Enumerable.Range(0, 500).Select(_ => stock.NewOrder()).Chunk(64))
        {
            var answers = await stock.HandleAsync(
                [.. buyers.Select(buyer => (buyer, (IMessageBody)StockOnEngine.Want("MUG", 1)))]);
            served.AddRange(buyers.Where((_, i) => answers[i].Outcome == StepOutcome.Completed));
            Assert.All(answers, answer => Assert.True(
                answer.Outcome == StepOutcome.Completed || answer.Code == ReasonCodes.OutOfStock));
        }
        Assert.Equal(50, served.Count);
        foreach (var buyer in served)
            Assert.Equal(StepOutcome.Completed, (await stock.HandleAsync(buyer, new CommitStock())).Outcome);
        var level = await stock.LevelAsync("MUG");
        Assert.Equal((50, 50, 0), (level.OnHand, level.Allocated, level.Reserved));
        await stock.AssertConsistentAsync();
    }

    [Fact]
    public async Task Two_instances_selling_the_same_sku_never_oversell()
    {
        await using var one = await StockOnEngine.StartAsync(engine);
        await using var two = one.Another();
        await one.SupplyAsync("MUG", 50);
        await one.SupplyAsync("PEN", 1_000);
        var buyers = Enumerable.Range(0, 400).Select(_ => one.NewOrder()).ToArray();
        // Half of the orders list the SKUs in reverse, and every order reaches both instances.
        var outcomes = await Task.WhenAll(new[] { one, two }.Select((stock, n) => Task.Run(async () =>
        {
            var answered = new Dictionary<Guid, StepOutcome>();
            foreach (var batch in (n == 0 ? buyers : buyers.Reverse()).Chunk(20))
            {
                var answers = await stock.HandleAsync([.. batch.Select(
                    buyer => (buyer, (IMessageBody)Both(Array.IndexOf(buyers, buyer) % 2 == 0)))]);
                for (var i = 0; i < batch.Length; i++) answered.Add(batch[i], answers[i].Outcome);
                await stock.HandleAsync([.. batch.Where((_, i) => answers[i].Outcome == StepOutcome.Completed)
                    .Select(buyer => (buyer, (IMessageBody)new CommitStock()))]);
            }
            return answered;
        })));
        Assert.Equal(50, outcomes[0].Values.Count(outcome => outcome == StepOutcome.Completed));
        Assert.All(buyers, buyer => Assert.Equal(outcomes[0][buyer], outcomes[1][buyer]));
        Assert.Equal(50, (await one.LevelAsync("MUG")).Allocated);
        await one.AssertConsistentAsync();

        static ReserveStock Both(bool mugFirst) => StockOnEngine.Want("MUG", 1) with
        {
            Lines = mugFirst
                ? [new(1, "MUG", 1, null), new(2, "PEN", 1, null)]
                : [new(1, "PEN", 1, null), new(2, "MUG", 1, null)],
        };
    }

    [Fact]
    public async Task Shipped_goods_are_deducted_once_and_recorded_in_the_ledger()
    {
        await using var stock = await StockOnEngine.StartAsync(engine);
        await stock.SupplyAsync("MUG", 9);
        var buyer = stock.NewOrder();
        await stock.HandleAsync(buyer, StockOnEngine.Want("MUG", 5));
        await stock.HandleAsync(buyer, new CommitStock());
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

        // Another order ships in part; closing makes the rest available again.
        var other = stock.NewOrder();
        await stock.HandleAsync(other, StockOnEngine.Want("MUG", 3));
        await stock.HandleAsync(other, new CommitStock());
        var rest = new ReleaseUnshipped([new(1, "MUG", 2)]);
        Assert.Equal([1, 0, 0], await stock.ShipAsync(
            (other, new ShipGoods(1, [new(1, "MUG", 1)])), (other, rest), (other, rest)));
        Assert.Equal([0], await stock.ShipAsync((other, rest)));
        level = await stock.LevelAsync("MUG");
        Assert.Equal((3, 0), (level.OnHand, level.Allocated));
    }

    [Fact]
    public async Task Goods_of_a_completed_order_are_consumed_once()
    {
        await using var stock = await StockOnEngine.StartAsync(engine);
        await stock.SupplyAsync("MUG", 10);
        var buyer = stock.NewOrder();
        await stock.HandleAsync(buyer, StockOnEngine.Want("MUG", 4));
        await stock.HandleAsync(buyer, new CommitStock());
        ConsumeUnshipped rest = new([new(1, "MUG", 4)]);
        Assert.Equal([0, 0], await stock.ShipAsync((buyer, rest), (buyer, rest)));
        Assert.Equal([0, 0], await stock.ShipAsync((buyer, rest), (buyer, new ReleaseUnshipped(rest.Lines))));
        var level = await stock.LevelAsync("MUG");
        Assert.Equal((6, 0, 0), (level.OnHand, level.Allocated, level.Reserved));
        Assert.Equal(
            [("counted", 10L, 0L), ("allocated", 0L, 4L), ("consumed", -4L, -4L)],
            (await stock.MovementsAsync()).OrderBy(moved => moved.Seq)
                .Select(moved => (moved.Kind, moved.OnHandDelta, moved.AllocatedDelta)));
    }

    [Fact]
    public async Task A_repeated_command_gets_the_same_reply_from_the_row()
    {
        await using var stock = await StockOnEngine.StartAsync(engine);
        await stock.SupplyAsync("MUG", 5);
        var (buyer, late) = (stock.NewOrder(), stock.NewOrder());
        var command = StockOnEngine.Want("MUG", 3) with { Lines = [new(1, "MUG", 1, null), new(2, "MUG", 2, 255)] };
        var first = await stock.HandleAsync(buyer, command);
        OrderLine[] priced = [new(1, "MUG", 1, 255), new(2, "MUG", 2, 255)];
        Assert.Equal(priced, first.Priced);
        var refused = await stock.HandleAsync(late, StockOnEngine.Want("MUG", 3));
        Assert.Equal("MUG: 3 wanted, 2 available.", refused.Message);

        await stock.ChangeAsync(new CatalogueChange.Put("MUG", "A more expensive mug", 300, "GBP", null));
        await stock.ChangeAsync(new CatalogueChange.Count("MUG", 100, null));
        var again = await stock.HandleAsync((buyer, command), (late, StockOnEngine.Want("MUG", 3)));
        Assert.Equal(priced, again[0].Priced);
        Assert.Equal(refused, again[1]);
        Assert.Equal(3, (await stock.LevelAsync("MUG")).Reserved);
        await stock.AssertConsistentAsync();
    }

    [Fact]
    public async Task An_undo_before_its_do_refuses_the_late_do()
    {
        await using var stock = await StockOnEngine.StartAsync(engine);
        await stock.SupplyAsync("MUG", 5);
        var buyer = stock.NewOrder();
        Assert.Equal(
            new StepAnswered(Undo: true, StepOutcome.Completed), await stock.HandleAsync(buyer, new ReleaseStock()));
        Assert.Equal(ReasonCodes.AlreadyUndone, (await stock.HandleAsync(buyer, StockOnEngine.Want("MUG", 1))).Code);
        Assert.Equal(ReasonCodes.AlreadyUndone, (await stock.HandleAsync(buyer, new CommitStock())).Code);
        Assert.Equal(0, (await stock.LevelAsync("MUG")).Reserved);
        await stock.AssertConsistentAsync();
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
                Task.Run(() => one.HandleAsync(buyer, StockOnEngine.Want("MUG", 1))),
                Task.Run(() => two.HandleAsync(buyer, new ReleaseStock())));
        }
        Assert.Equal(0, (await one.LevelAsync("MUG")).Reserved);
        Assert.All((await one.ReservationsAsync()).Values, row => Assert.Equal(ReservationStates.Released, row.State));
        await one.AssertConsistentAsync();
    }

    [Fact]
    public async Task The_coordinator_is_asked_about_old_holds_a_bounded_number_at_a_time_and_again_after_the_last()
    {
        await using var stock = await StockOnEngine.StartAsync(engine);
        await stock.SupplyAsync("MUG", 10);
        var buyers = Enumerable.Range(1, 5).Select(n =>
        {
            stock.Clock.Advance(TimeSpan.FromMilliseconds(1));
            return stock.NewOrder();
        }).ToArray();
        await stock.HandleAsync([.. buyers.Select(buyer => (buyer, (IMessageBody)StockOnEngine.Want("MUG", 1)))]);
        await stock.HandleAsync((buyers[1], new CommitStock()), (buyers[3], new ReleaseStock()));
        Assert.Empty(await stock.AskAsync());

        stock.Clock.Advance(AskAboutHolds.After - TimeSpan.FromMilliseconds(1));
        Assert.Equal([buyers[0], buyers[2]], await stock.AskAsync());
        stock.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal([buyers[0], buyers[2]], await stock.AskAsync(most: 2));
        Assert.Equal([buyers[4]], await stock.AskAsync(most: 2));
        Assert.Equal([buyers[0], buyers[2]], await stock.AskAsync(most: 2));

        // Nothing ends a hold but its saga, however long it takes.
        stock.Clock.Advance(TimeSpan.FromDays(3));
        await stock.AskAsync();
        Assert.Equal(3, (await stock.LevelAsync("MUG")).Reserved);
        Assert.Equal(StepOutcome.Completed, (await stock.HandleAsync(buyers[0], new CommitStock())).Outcome);
        Assert.Equal([buyers[2], buyers[4]], await stock.AskAsync());
        await stock.AssertConsistentAsync();
    }

    [Fact]
    public async Task A_commit_takes_goods_again_that_were_lost_with_the_database_or_is_refused()
    {
        await using var stock = await StockOnEngine.StartAsync(engine);
        await stock.SupplyAsync("MUG", 5);
        var (lucky, unlucky) = (stock.NewOrder(), stock.NewOrder());
        Assert.Equal(ReasonCodes.NotReserved, (await stock.HandleAsync(lucky, new CommitStock())).Code);
        CommitStock again = new("GBP", [new(1, "MUG", 3, 255)]);
        var answers = await stock.HandleAsync((lucky, again), (unlucky, again));
        Assert.Equal(StepOutcome.Completed, answers[0].Outcome);
        Assert.Equal((StepOutcome.Rejected, ReasonCodes.OutOfStock), (answers[1].Outcome, answers[1].Code));
        await stock.ChangeAsync(new CatalogueChange.Adjust("MUG", 1, "received", null));
        Assert.Equal(StepOutcome.Completed, (await stock.HandleAsync(unlucky, again)).Outcome);
        Assert.Equal(6, (await stock.LevelAsync("MUG")).Allocated);
        await stock.AssertConsistentAsync();
    }

    [Fact]
    public async Task A_shipment_that_overtakes_the_commit_commits_the_goods()
    {
        await using var stock = await StockOnEngine.StartAsync(engine);
        await stock.SupplyAsync("MUG", 9);
        var buyer = stock.NewOrder();
        await stock.HandleAsync(buyer, StockOnEngine.Want("MUG", 5));
        Assert.Equal([1], await stock.ShipAsync((buyer, new ShipGoods(1, [new(1, "MUG", 2)]))));
        Assert.Equal(StepOutcome.Completed, (await stock.HandleAsync(buyer, new CommitStock())).Outcome);
        var level = await stock.LevelAsync("MUG");
        Assert.Equal((7, 3, 0), (level.OnHand, level.Allocated, level.Reserved));
        Assert.Equal("committed", (await stock.ReservationsAsync())[buyer].State);
        stock.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Empty(await stock.AskAsync());
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
        await stock.AssertConsistentAsync();
    }

    [Fact]
    public async Task Adjustments_return_their_seq_in_the_ledger()
    {
        await using var stock = await StockOnEngine.StartAsync(engine);
        await stock.SupplyAsync("MUG", 10);
        await stock.SupplyAsync("PEN", 10);
        var answers = await Task.WhenAll(Enumerable.Range(1, 40).Select(n => stock.ChangeAsync(
            new CatalogueChange.Adjust(n % 2 == 0 ? "MUG" : "PEN", n, "found", $"note {n}"))));
        var returned = answers.Select(answer => System.Text.Json.JsonSerializer.Deserialize(
            answer.Body.Span, StockJson.Default.StockMovement)!).ToArray();
        var stored = (await stock.MovementsAsync()).ToDictionary(movement => movement.Seq);
        Assert.Equal(40, returned.DistinctBy(movement => movement.Seq).Count());
        Assert.All(returned, movement => Assert.Equal(movement, stored[movement.Seq]));
        await stock.AssertConsistentAsync();
    }

    [Fact]
    public async Task A_product_is_removed_with_its_level_and_can_be_created_again()
    {
        await using var stock = await StockOnEngine.StartAsync(engine);
        await stock.SupplyAsync("MUG", 1);
        var buyer = stock.NewOrder();
        await stock.HandleAsync(buyer, StockOnEngine.Want("MUG", 1));
        Assert.Equal(409, (await stock.ChangeAsync(new CatalogueChange.Remove("MUG", null))).Status);
        await stock.HandleAsync(buyer, new ReleaseStock());
        await stock.ChangeAsync(new CatalogueChange.Count("MUG", 0, null));
        Assert.Equal(204, (await stock.ChangeAsync(new CatalogueChange.Remove("MUG", null))).Status);
        Assert.Equal(
            ReasonCodes.UnknownSku, (await stock.HandleAsync(stock.NewOrder(), StockOnEngine.Want("MUG", 1))).Code);
        await stock.SupplyAsync("MUG", 3);
        Assert.Equal(
            StepOutcome.Completed, (await stock.HandleAsync(stock.NewOrder(), StockOnEngine.Want("MUG", 1))).Outcome);
        await stock.AssertConsistentAsync();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task After_random_load_the_ledger_sums_to_the_levels(int seed)
    {
        await using var one = await StockOnEngine.StartAsync(engine);
        await using var two = one.Another();
        var storm = new StockStorm(seed);
        await storm.SupplyAsync(one);
        for (var round = 0; round < 25; round++)
        {
            await storm.RunRoundAsync(one, two);
            await one.AssertConsistentAsync();
        }
        storm.AssertRefusalsAreFinal();
    }
}

public sealed class StockOnPostgresTests(PostgresEngine engine) : StockSuite(engine), IClassFixture<PostgresEngine>;

public sealed class StockOnSqliteTests(SqliteEngine engine) : StockSuite(engine), IClassFixture<SqliteEngine>;
