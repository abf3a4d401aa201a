using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.OrderService;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Http;
using Orderwright.Runtime.Transport;

namespace Orderwright.Conformance.Orders;

/// <summary>
/// What keeps an order from being forgotten, doubled or let in too many: asking again, admission, lost
/// commits.
/// </summary>
public abstract class OrderSweepSuite(StorageEngine engine)
{
    const string Mug = """{"customerId":"17850","currency":"GBP","lines":[{"sku":"85123A","quantity":6,"unitPrice":255}]}""";

    [Fact]
    public async Task An_order_that_waits_is_asked_about_again_and_a_settled_one_is_not()
    {
        await using var house = await OrderHouse.OpenAsync(engine);
        var (waits, cancelled, authorized, done) = (await PlacedAsync(), await PlacedAsync(), await PlacedAsync(), await PlacedAsync());
        await house.SendAsync(HttpMethod.Post, $"/api/v1/orders/{cancelled}/cancel", """{"reason":"fraud"}""");
        await house.TellAsync((authorized, Told.Authorized), (done, Told.Paid));
        await house.UntilAsync(done, "confirmed");
        foreach (var id in new[] { waits, cancelled, authorized, done }) await house.AskedAsync<OrderPlaced>(id);
        await house.AskedAsync<CancelRequested>(cancelled);

        house.Time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(2, (await house.AskedAsync<OrderPlaced>(waits)).Attempt);
        Assert.Equal("fraud", ((CancelRequested)(await house.AskedAsync<CancelRequested>(cancelled)).Body).Reason);
        Assert.Equal(2, (await house.AskedAsync<OrderPlaced>(authorized)).Attempt);
        Assert.Equal(3, await house.CountAsync("SELECT count(*) FROM unsettled WHERE asked = 1"));

        house.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(3, (await house.AskedAsync<OrderPlaced>(waits)).Attempt);
        Assert.Equal(3, await house.CountAsync("SELECT count(*) FROM unsettled"));

        async Task<Guid> PlacedAsync() => (await house.PlaceAsync(Mug)).Id;
    }

    [Fact]
    public async Task What_a_clock_that_was_ahead_has_put_off_is_asked_once_it_is_set_right()
    {
        await using var house = await OrderHouse.OpenAsync(engine);
        house.Time.Advance(TimeSpan.FromHours(2));
        var waits = (await house.PlaceAsync(Mug)).Id;
        await house.AskedAsync<OrderPlaced>(waits);
        house.Time.Advance(TimeSpan.FromHours(-2));
        Assert.Equal(2, (await house.AskedAsync<OrderPlaced>(waits)).Attempt);
    }

    [Fact]
    public async Task Past_the_limit_an_order_is_refused_until_one_is_settled()
    {
        await using var house = await OrderHouse.OpenAsync(engine, options: new RuntimeOptions { MaxOrdersInFlight = 2 });
        var first = await house.PlaceAsync(Mug);
        Assert.Equal(202, (await house.PlaceAsync(Mug)).Status);
        Assert.Equal((503, "overloaded"), ((await house.PlaceAsync(Mug)).Status, (await house.PlaceAsync(Mug))["code"]));
        await house.TellAsync((first.Id, Told.Rejected));
        await house.UntilAsync(first.Id, "rejected");
        Assert.Equal(202, (await house.PlaceAsync(Mug)).Status);
        Assert.Equal(3, await house.CountAsync("SELECT count(*) FROM orders"));
    }

    [Fact]
    public async Task What_an_outage_leaves_unsettled_has_a_limit_of_its_own()
    {
        await using var house = await OrderHouse.OpenAsync(
            engine, options: new RuntimeOptions { MaxOrdersInFlight = 2, MaxUnsettledOrders = 4 });
        List<Guid> old = [];
        foreach (var _ in Enumerable.Range(0, 2))
        {
            foreach (var __ in Enumerable.Range(0, 2)) old.Add((await house.PlaceAsync(Mug)).Id);
            Assert.Equal(503, (await house.PlaceAsync(Mug)).Status);
            // Nobody answers: asked three times, they no longer take up room, as they wait for somebody who is away.
            foreach (var attempt in Enumerable.Range(1, 4))
            {
                Assert.Equal(attempt, (await house.AskedAsync<OrderPlaced>(old[^1])).Attempt);
                house.Time.Advance(TimeSpan.FromSeconds(31));
            }
            Assert.Equal(5, (await house.AskedAsync<OrderPlaced>(old[^1])).Attempt);
        }
        Assert.Equal((503, "overloaded"), ((await house.PlaceAsync(Mug)).Status, (await house.PlaceAsync(Mug))["code"]));

        await house.TellAsync((old[0], Told.Rejected));
        await house.UntilAsync(old[0], "rejected");
        house.Time.Advance(TimeSpan.FromSeconds(2));
        while ((await house.PlaceAsync(Mug)).Status != 202) house.Time.Advance(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_refused_order_takes_no_place()
    {
        await using var house = await OrderHouse.OpenAsync(engine, options: new RuntimeOptions { MaxOrdersInFlight = 2 });
        var referenced = Mug.Replace("{\"customerId", "{\"reference\":\"R\",\"customerId", StringComparison.Ordinal);
        await house.PlaceAsync(referenced);
        for (var i = 0; i < 3; i++) Assert.Equal(409, (await house.PlaceAsync(referenced)).Status);
        Assert.Equal(202, (await house.PlaceAsync(Mug)).Status);
    }

    [Fact]
    public async Task A_decision_of_another_instance_reaches_who_waits_here()
    {
        var address = await engine.NewAddressAsync();
        await using var here = await OrderHouse.OpenAsync(engine, address);
        await using var there = await OrderHouse.OpenAsync(engine, address);
        var waiting = here.PlaceAsync(Mug, "Prefer", "wait=30");
        await foreach (var told in here.StreamAsync("/api/v1/events?after=0"))
        {
            await there.TellAsync(((Guid)told["orderId"]!, Told.Paid));
            break;
        }
        var decided = await waiting;
        Assert.Equal((201, "confirmed"), (decided.Status, decided["status"]));
    }

    [Fact]
    public async Task A_batch_whose_commit_was_durable_although_its_answer_got_lost_places_nothing_twice()
    {
        await using var house = await OrderHouse.OpenAsync(engine);
        var options = new RuntimeOptions();
        var sql = new SqlCatalog(typeof(OrderModule).Assembly, engine.Name);
        await using var transport = new InProcessTransport(options, house.Time);
        var feed = new EventFeed(house.Database, sql, house.Time, NullLogger<EventFeed>.Instance);
        var handler = new PlaceOrders(new OrderStore(sql), new RowCache<Order>(10), feed);
        var now = house.Time.Now();
        List<Command<PlaceOrder>> batch = [.. Enumerable.Range(0, 5).Select(n => new Command<PlaceOrder>(
            PlaceOrder.Of(
                Order.Place(
                    new OrderRequest("17850", "GBP", [new LineRequest("MUG", 1, 255)], n == 4 ? "R-3" : $"R-{n}"),
                    Guid.CreateVersion7(now), "main", false, now),
                new Moment(now, "ann", null), null),
            Caller.Local, null, []))];

        var first = await RunAsync();
        Assert.Equal([202, 202, 202, 202, 409], first.Select(answer => answer.Status));
        var again = await RunAsync();
        Assert.Equal(first.Select(answer => (answer.Status, answer.Location)), again.Select(answer => (answer.Status, answer.Location)));
        foreach (var table in new[] { "orders", "order_events", "unsettled" })
            Assert.Equal(4, await house.CountAsync($"SELECT count(*) FROM {table}"));

        Task<IReadOnlyList<Answer>> RunAsync() => house.Database.WriteAsync(
            transaction => handler.HandleAsync(batch, new Work(ServiceNames.Order, transaction, now, new IdSource())), default);
    }

    [Fact]
    public void Both_engines_are_asked_the_same() =>
        Assert.Empty(SqlSiblings.Differences(typeof(OrderModule).Assembly));
}

public sealed class PostgresOrderSweep(PostgresEngine engine) : OrderSweepSuite(engine), IClassFixture<PostgresEngine>;

public sealed class SqliteOrderSweep(SqliteEngine engine) : OrderSweepSuite(engine), IClassFixture<SqliteEngine>;
