using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.OrderService;
using Orderwright.OrderService.Events;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Http;
using Orderwright.Runtime.Transport;

namespace Orderwright.Conformance.Orders;

/// <summary>
/// Safeguards against lost, duplicated and too many orders: the resend sweep, admission, lost commit replies.
/// </summary>
public abstract class OrderSweepSuite(StorageEngine engine)
{
    const string Mug = """{"customerId":"17850","currency":"GBP","lines":[{"sku":"85123A","quantity":6,"unitPrice":255}]}""";

    [Fact]
    public async Task Unsettled_orders_are_resent_and_settled_ones_are_not()
    {
        await using var server = await OrderServer.OpenAsync(engine);
        var (waits, cancelled) = (await PlacedAsync(), await PlacedAsync());
        var (authorized, done) = (await PlacedAsync(), await PlacedAsync());
        await server.SendAsync(HttpMethod.Post, $"/api/v1/orders/{cancelled}/cancel", """{"reason":"fraud"}""");
        await server.DeliverAsync((authorized, Outcomes.Authorized), (done, Outcomes.Paid));
        await server.UntilAsync(done, "confirmed");
        foreach (var id in new[] { waits, cancelled, authorized, done }) await server.NextAsync<OrderPlaced>(id);
        await server.NextAsync<CancelRequested>(cancelled);

        server.Time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(2, (await server.NextAsync<OrderPlaced>(waits)).Attempt);
        Assert.Equal("fraud", ((CancelRequested)(await server.NextAsync<CancelRequested>(cancelled)).Body).Reason);
        Assert.Equal(2, (await server.NextAsync<OrderPlaced>(authorized)).Attempt);
        Assert.Equal(3, await server.CountAsync("unsettled_orders WHERE attempts = 2"));

        server.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(3, (await server.NextAsync<OrderPlaced>(waits)).Attempt);
        Assert.Equal(3, await server.CountAsync("unsettled_orders"));

        async Task<Guid> PlacedAsync() => (await server.PlaceAsync(Mug)).Id;
    }

    [Fact]
    public async Task An_attempt_scheduled_by_a_clock_ahead_is_brought_forward()
    {
        await using var server = await OrderServer.OpenAsync(engine);
        server.Time.Advance(TimeSpan.FromHours(2));
        var waits = (await server.PlaceAsync(Mug)).Id;
        await server.NextAsync<OrderPlaced>(waits);
        server.Time.Advance(TimeSpan.FromHours(-2));
        Assert.Equal(2, (await server.NextAsync<OrderPlaced>(waits)).Attempt);
    }

    [Fact]
    public async Task An_attempt_scheduled_by_a_process_that_ended_before_the_clock_was_set_back_is_brought_forward()
    {
        var address = await engine.NewAddressAsync();
        Guid waits;
        await using (var ahead = await OrderServer.OpenAsync(engine, address))
        {
            ahead.Time.Advance(TimeSpan.FromMinutes(9));
            waits = (await ahead.PlaceAsync(Mug)).Id;
            await ahead.NextAsync<OrderPlaced>(waits);
        }
        await using var right = await OrderServer.OpenAsync(engine, address);
        Assert.InRange((await right.NextAsync<OrderPlaced>(waits)).Attempt, 2, 3);
    }

    [Fact]
    public async Task Past_the_limit_an_order_is_refused_until_one_is_settled()
    {
        await using var server = await OrderServer.OpenAsync(engine, options: new RuntimeOptions { MaxOrdersInFlight = 2 });
        var first = await server.PlaceAsync(Mug);
        Assert.Equal(202, (await server.PlaceAsync(Mug)).Status);
        Assert.Equal((503, "overloaded"), ((await server.PlaceAsync(Mug)).Status, (await server.PlaceAsync(Mug))["code"]));
        await server.DeliverAsync((first.Id, Outcomes.Rejected));
        await server.UntilAsync(first.Id, "rejected");
        Assert.Equal(202, (await server.PlaceAsync(Mug)).Status);
        Assert.Equal(3, await server.CountAsync("orders"));
    }

    [Fact]
    public async Task The_backlog_of_an_outage_has_a_limit_of_its_own()
    {
        await using var server = await OrderServer.OpenAsync(
            engine, options: new RuntimeOptions { MaxOrdersInFlight = 2, MaxUnsettledOrders = 4 });
        List<Guid> old = [];
        foreach (var _ in Enumerable.Range(0, 2))
        {
            foreach (var __ in Enumerable.Range(0, 2)) old.Add((await server.PlaceAsync(Mug)).Id);
            Assert.Equal(503, (await server.PlaceAsync(Mug)).Status);
            // Without replies: past three attempts an order frees its slot, because the coordinator is unavailable.
            foreach (var attempt in Enumerable.Range(1, 4))
            {
                Assert.Equal(attempt, (await server.NextAsync<OrderPlaced>(old[^1])).Attempt);
                server.Time.Advance(TimeSpan.FromSeconds(31));
            }
            Assert.Equal(5, (await server.NextAsync<OrderPlaced>(old[^1])).Attempt);
        }
        Assert.Equal((503, "overloaded"), ((await server.PlaceAsync(Mug)).Status, (await server.PlaceAsync(Mug))["code"]));

        await server.DeliverAsync((old[0], Outcomes.Rejected));
        await server.UntilAsync(old[0], "rejected");
        server.Time.Advance(TimeSpan.FromSeconds(2));
        while ((await server.PlaceAsync(Mug)).Status != 202) server.Time.Advance(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_refused_order_takes_no_slot()
    {
        await using var server = await OrderServer.OpenAsync(engine, options: new RuntimeOptions { MaxOrdersInFlight = 2 });
        var referenced = Mug.Replace("{\"customerId", "{\"reference\":\"R\",\"customerId", StringComparison.Ordinal);
        await server.PlaceAsync(referenced);
        for (var i = 0; i < 3; i++) Assert.Equal(409, (await server.PlaceAsync(referenced)).Status);
        Assert.Equal(202, (await server.PlaceAsync(Mug)).Status);
    }

    [Fact]
    public async Task A_decision_of_another_instance_reaches_a_caller_waiting_here()
    {
        var address = await engine.NewAddressAsync();
        await using var here = await OrderServer.OpenAsync(engine, address);
        await using var there = await OrderServer.OpenAsync(engine, address);
        var waiting = here.PlaceAsync(Mug, "Prefer", "wait=30");
        await foreach (var e in here.StreamAsync("/api/v1/events?after=0"))
        {
            await there.DeliverAsync(((Guid)e["orderId"]!, Outcomes.Paid));
            break;
        }
        var decided = await waiting;
        Assert.Equal((201, "confirmed"), (decided.Status, decided["status"]));
    }

    [Fact]
    public async Task A_batch_with_a_durable_commit_and_a_lost_reply_places_nothing_twice()
    {
        await using var server = await OrderServer.OpenAsync(engine);
        var options = new RuntimeOptions();
        var sql = new SqlCatalog(typeof(OrderModule).Assembly, engine.Name);
        await using var transport = new InProcessTransport(options, server.Time);
        var feed = new EventFeed(server.Database, sql, options, server.Time, NullLogger<EventFeed>.Instance);
        var handler = new PlaceOrders(new OrderStore(sql), new RowCache<Order>(10), feed);
        var now = server.Time.Now();
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
        Assert.Equal(
            first.Select(answer => (answer.Status, answer.Location)), again.Select(answer => (answer.Status, answer.Location)));
        foreach (var table in new[] { "orders", "order_events", "unsettled_orders" })
            Assert.Equal(4, await server.CountAsync(table));

        Task<IReadOnlyList<Answer>> RunAsync() => server.Database.WriteAsync(
            transaction => handler.HandleAsync(batch, new Work(ServiceNames.Order, transaction, now, new IdSource())), default);
    }

    [Fact]
    public void Both_engines_have_the_same_statements() =>
        Assert.Empty(SqlSiblings.Differences(typeof(OrderModule).Assembly));
}

public sealed class PostgresOrderSweep(PostgresEngine engine) : OrderSweepSuite(engine), IClassFixture<PostgresEngine>;

public sealed class SqliteOrderSweep(SqliteEngine engine) : OrderSweepSuite(engine), IClassFixture<SqliteEngine>;
