using Orderwright.Conformance.Storage;
using Orderwright.Contracts;

namespace Orderwright.Conformance.Orders;

/// <summary>Fulfilments over HTTP and by messages, on every engine.</summary>
public abstract class FulfilmentSuite(StorageEngine engine) : IAsyncLifetime
{
    static readonly TimeSpan Patience = Waiting.HangLimit;

    OrderHouse house = null!;

    public async ValueTask InitializeAsync() =>
        house = await OrderHouse.OpenAsync(engine, settings: [("CaptureMerchants", "slow=fulfilment")]);

    public async ValueTask DisposeAsync()
    {
        await house.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    async Task<Guid> ConfirmedAsync()
    {
        var placed = await house.PlaceAsync(
            """{"customerId":"17850","currency":"GBP","lines":[{"sku":"85123A","quantity":6,"unitPrice":255}]}""");
        await house.TellAsync((placed.Id, Told.Paid));
        await house.UntilAsync(placed.Id, "confirmed", "paid");
        return placed.Id;
    }

    Task<Reply> ShipAsync(Guid id, string json, params string[] headers) =>
        house.SendAsync(HttpMethod.Post, $"/api/v1/orders/{id}/fulfilments", json, headers);

    [Fact]
    public async Task An_order_is_shipped_in_parts_and_the_stock_is_asked_until_it_answers()
    {
        await using var stock = await house.ListenAsync(ServiceNames.Stock);
        var id = await ConfirmedAsync();
        var part = await ShipAsync(
            id, """{"lines":[{"line":1,"quantity":1},{"line":1,"quantity":1}],"tracking":{"carrier":"Royal Mail","number":"AB1"}}""");
        Assert.Equal(201, part.Status);
        Assert.Equal($"/api/v1/orders/{id}/fulfilments/{part.Id}", part.Location);
        Assert.Equal(
            ("1", "510", "Royal Mail", "2"),
            (part["number"], part["value"], part.Json["tracking"]!["carrier"]!.ToString(),
                part.Json["lines"]![0]!["quantity"]!.ToString()));
        var order = await house.GetAsync($"/api/v1/orders/{id}");
        Assert.Equal(("partially_fulfilled", "3", "confirmed"), (order["fulfilmentStatus"], order["version"], order["status"]));
        Assert.Equal(part.Body, (await house.GetAsync(part.Location!)).Body);

        var rest = await ShipAsync(id, "{}");
        Assert.Equal((201, "2", "1020"), (rest.Status, rest["number"], rest["value"]));
        var list = (await house.GetAsync($"/api/v1/orders/{id}/fulfilments")).Json["items"]!.AsArray();
        Assert.Equal([part.Id, rest.Id], list.Select(one => one!["id"]!.GetValue<Guid>()));
        Assert.Equal("fulfilled", (await house.GetAsync($"/api/v1/orders/{id}"))["fulfilmentStatus"]);
        Assert.Equal(
            ["placed", "confirmed", "shipped", "shipped"],
            (await house.GetAsync($"/api/v1/orders/{id}/events")).Json["items"]!.AsArray().Select(told => (string?)told!["type"]));

        // The first of them is answered, the other asked about again.
        using var patience = new CancellationTokenSource(Patience);
        var asked = new List<Message>();
        while (asked.Count < 2) asked.AddRange(await TakeAsync());
        Assert.Equal([1, 2], asked.Select(one => ((ShipGoods)one.Body).Fulfilment));
        Assert.Equal([new OrderLine(1, "85123A", 2)], ((ShipGoods)asked[0].Body).Lines);
        await house.TellAsync((id, new GoodsShipped(1)), (id, new GoodsShipped(1)));
        house.Time.Advance(TimeSpan.FromSeconds(6));
        List<Message> again = [];
        while (!again.Exists(one => one.Body is ShipGoods { Fulfilment: 2 })) again.AddRange(await TakeAsync());
        Assert.Equal(2, again.Find(one => one.Body is ShipGoods { Fulfilment: 2 })!.Attempt);
        await house.TellAsync((id, new GoodsShipped(2)));
        while (await house.CountAsync("SELECT count(*) FROM fulfilment_work") > 0)
            await Task.Delay(20, patience.Token);

        async Task<IEnumerable<Message>> TakeAsync()
        {
            var deliveries = await stock.ReceiveAsync(10, patience.Token);
            await stock.AcknowledgeAsync(deliveries, default);
            return deliveries.SelectMany(delivery => delivery.Messages).Where(message => message.OrderId == id);
        }
    }

    [Fact]
    public async Task What_cannot_be_shipped_is_refused_and_changes_nothing()
    {
        var id = await ConfirmedAsync();
        var placed = await house.PlaceAsync(
            """{"customerId":"17850","currency":"GBP","lines":[{"sku":"85123A","quantity":6,"unitPrice":255}]}""");
        Assert.Equal((409, "not_fulfillable"), Code(await ShipAsync(placed.Id, "{}")));
        Assert.Equal((409, "exceeds_ordered"), Code(await ShipAsync(id, """{"lines":[{"line":1,"quantity":7}]}""")));
        Assert.Equal((400, "invalid_request"), Code(await ShipAsync(id, """{"lines":[{"line":2,"quantity":1}]}""")));
        Assert.Equal((400, "invalid_request"), Code(await ShipAsync(id, """{"lines":[]}""")));
        Assert.Equal((400, "invalid_request"), Code(await ShipAsync(id, """{"lines":[{"line":1,"quantity":0}]}""")));
        Assert.Equal((400, "invalid_request"), Code(await ShipAsync(id, """{"lines":[{"line":1,"quantity":"1"}]}""")));
        Assert.Equal((400, "invalid_request"), Code(await ShipAsync(id, """{"tracking":{"carrier":"","number":"1"}}""")));
        Assert.Equal((404, "not_found"), Code(await ShipAsync(id, "{}", "X-Merchant", "other")));
        Assert.Equal((404, "not_found"), Code(await ShipAsync(Guid.CreateVersion7(), "{}")));
        Assert.Equal(
            404, (await house.GetAsync($"/api/v1/orders/{id}/fulfilments", "X-Merchant", "other")).Status);
        Assert.Equal("2", (await house.GetAsync($"/api/v1/orders/{id}"))["version"]);
        Assert.Equal(0, await house.CountAsync("SELECT count(*) FROM fulfilments"));

        static (int, string?) Code(Reply reply) => (reply.Status, reply["code"]);
    }

    [Fact]
    public async Task The_same_key_ships_once()
    {
        var id = await ConfirmedAsync();
        const string Two = """{"lines":[{"line":1,"quantity":2}]}""";
        var replies = await Task.WhenAll(
            Enumerable.Range(0, 5).Select(_ => ShipAsync(id, Two, "Idempotency-Key", "parcel-1")));
        var first = await ShipAsync(id, Two, "Idempotency-Key", "parcel-1");
        Assert.Equal((201, "true"), (first.Status, first.Replayed));
        Assert.All(replies.Where(reply => reply.Status == 201), reply => Assert.Equal(first.Body, reply.Body));
        Assert.Equal(422, (await ShipAsync(id, "{}", "Idempotency-Key", "parcel-1")).Status);
        Assert.Equal(1, await house.CountAsync("SELECT count(*) FROM fulfilments"));
    }

    [Fact]
    public async Task Of_a_cancellation_and_a_fulfilment_that_come_at_once_exactly_one_wins()
    {
        for (var round = 0; round < 20; round++)
        {
            var id = await ConfirmedAsync();
            var ship = () => ShipAsync(id, "{}");
            var cancel = () => house.SendAsync(HttpMethod.Post, $"/api/v1/orders/{id}/cancel", """{"reason":"customer"}""");
            Task<Reply>[] both = round % 2 == 0 ? [ship(), cancel()] : [cancel(), ship()];
            await Task.WhenAll(both);
            var (shipped, cancelled) = round % 2 == 0 ? (await both[0], await both[1]) : (await both[1], await both[0]);
            var order = await house.GetAsync($"/api/v1/orders/{id}");
            if (shipped.Status == 201)
                Assert.Equal(
                    (409, "not_cancellable", "confirmed", "fulfilled"),
                    (cancelled.Status, cancelled["code"], order["status"], order["fulfilmentStatus"]));
            else
                Assert.Equal(
                    (202, "not_fulfillable", "cancel_pending", "unfulfilled"),
                    (cancelled.Status, shipped["code"], order["status"], order["fulfilmentStatus"]));
        }
    }

    [Fact]
    public async Task Those_who_ship_the_same_goods_at_once_ship_them_once()
    {
        var id = await ConfirmedAsync();
        var replies = await Task.WhenAll(
            Enumerable.Range(0, 10).Select(_ => ShipAsync(id, """{"lines":[{"line":1,"quantity":2}]}""")));
        Assert.Equal(3, replies.Count(reply => reply.Status == 201));
        Assert.All(replies.Where(reply => reply.Status != 201), reply => Assert.Equal("exceeds_ordered", reply["code"]));
        Assert.Equal("5", (await house.GetAsync($"/api/v1/orders/{id}"))["version"]);
    }

    [Fact]
    public async Task Of_a_merchant_that_is_paid_with_what_is_shipped_each_fulfilment_asks_for_what_is_due()
    {
        await using var customer = await house.ListenAsync(ServiceNames.Customer);
        string[] slow = ["X-Merchant", "slow"];
        var placed = await house.PlaceAsync(
            """{"customerId":"17850","currency":"GBP","lines":[{"sku":"85123A","quantity":6,"unitPrice":255}]}""", slow);
        var id = placed.Id;
        Assert.Equal("fulfilment", ((OrderPlaced)(await house.AskedAsync<OrderPlaced>(id)).Body).Capture);
        await house.TellAsync((id, Told.Authorized));
        while ((await house.GetAsync($"/api/v1/orders/{id}", slow))["status"] != "confirmed") await Task.Delay(20);
        // Nobody is asked for a capture any more.
        Assert.Equal(0, await house.CountAsync("SELECT count(*) FROM unsettled"));

        await ShipAsync(id, """{"lines":[{"line":1,"quantity":2}]}""", slow);
        await ShipAsync(id, """{"lines":[{"line":1,"quantity":1}]}""", slow);
        Assert.Equal([new TakeShipped(510, false), new TakeShipped(765, false)], await AskedAsync(2));
        // One answer may tell of both.
        await house.TellAsync((id, new PaymentMoved(new PaymentTotals(1_530, 765, 0, false), 5)));
        await UntilAsync("partially_paid", open: 0);
        await ShipAsync(id, """{"lines":[{"line":1,"quantity":1}]}""", slow);
        Assert.Equal([new TakeShipped(1_020, false)], await AskedAsync(1));
        // It is closed before that is taken: the rest is released after it.
        var done = await house.SendAsync(
            HttpMethod.Patch, $"/api/v1/orders/{id}", """{"status":"completed"}""", "X-Name", "operator", "X-Merchant", "slow");
        Assert.Equal(200, done.Status);
        Assert.Equal([new TakeShipped(1_020, true)], await AskedAsync(1));
        foreach (var pause in (int[])[6, 11, 21])
        {
            house.Time.Advance(TimeSpan.FromSeconds(pause));
            Assert.Equivalent((TakeShipped[])[new(1_020, false), new(1_020, true)], await AskedAsync(2), strict: true);
        }
        // The pause is half a minute by now. But a payment that moved is free for the rest, and asked for it at the next look.
        await house.TellAsync((id, new PaymentMoved(new PaymentTotals(1_530, 1_020, 0, false), 7)));
        Assert.Equal([new TakeShipped(1_020, true)], await AskedAsync(1, within: Patience / 2));
        await house.TellAsync((id, new PaymentMoved(new PaymentTotals(1_530, 1_020, 0, true), 9)));
        await UntilAsync("partially_paid", open: 0);

        async Task UntilAsync(string payment, int open)
        {
            using var patience = new CancellationTokenSource(Patience);
            while ((await house.GetAsync($"/api/v1/orders/{id}", slow))["paymentStatus"] != payment
                || await house.CountAsync("SELECT count(*) FROM fulfilment_work WHERE participant = 'customer-service'") != open)
                await Task.Delay(20, patience.Token);
        }

        async Task<List<TakeShipped>> AskedAsync(int count, TimeSpan? within = null)
        {
            using var patience = new CancellationTokenSource(within ?? Patience);
            var asked = new List<TakeShipped>();
            while (asked.Count < count)
            {
                var deliveries = await customer.ReceiveAsync(10, patience.Token);
                await customer.AcknowledgeAsync(deliveries, default);
                asked.AddRange(deliveries.SelectMany(delivery => delivery.Messages).Select(message => message.Body)
                    .OfType<TakeShipped>());
            }
            return asked;
        }
    }

    [Fact]
    public async Task Of_an_order_that_is_completed_short_the_stock_gets_the_rest_back()
    {
        await using var stock = await house.ListenAsync(ServiceNames.Stock);
        var (partly, unnoted) = (await ConfirmedAsync(), await ConfirmedAsync());
        await ShipAsync(partly, """{"lines":[{"line":1,"quantity":2}]}""");
        foreach (var id in new[] { unnoted, partly })
            await house.SendAsync(
                HttpMethod.Patch, $"/api/v1/orders/{id}", """{"status":"completed"}""", "X-Name", "operator");
        using var patience = new CancellationTokenSource(Patience);
        var asked = new List<Message>();
        while (!asked.Exists(one => one.Body is ReleaseUnshipped))
        {
            var deliveries = await stock.ReceiveAsync(10, patience.Token);
            await stock.AcknowledgeAsync(deliveries, default);
            asked.AddRange(deliveries.SelectMany(delivery => delivery.Messages));
        }
        await house.TellAsync((partly, new GoodsShipped(1)), (partly, new GoodsShipped(0)));
        while (await house.CountAsync("SELECT count(*) FROM fulfilment_work") > 0) await Task.Delay(20, patience.Token);
        Assert.Equal([new OrderLine(1, "85123A", 4)], asked.Select(one => one.Body).OfType<ReleaseUnshipped>().First().Lines);
        // Who notes nothing of what is shipped has shipped it.
        Assert.DoesNotContain(asked, one => one.OrderId == unnoted);
    }

    [Fact]
    public async Task What_was_fulfilled_can_be_completed()
    {
        var id = await ConfirmedAsync();
        await ShipAsync(id, "{}");
        var done = await house.SendAsync(
            HttpMethod.Patch, $"/api/v1/orders/{id}", """{"status":"completed"}""", "X-Name", "operator");
        Assert.Equal((200, "completed", "fulfilled"), (done.Status, done["status"], done["fulfilmentStatus"]));
        Assert.Equal("not_fulfillable", (await ShipAsync(id, "{}"))["code"]);
    }
}

public sealed class PostgresFulfilments(PostgresEngine engine) : FulfilmentSuite(engine), IClassFixture<PostgresEngine>;

public sealed class SqliteFulfilments(SqliteEngine engine) : FulfilmentSuite(engine), IClassFixture<SqliteEngine>;
