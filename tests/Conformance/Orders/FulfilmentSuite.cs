using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.OrderService.Fulfilments;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Runtime.Transport;

namespace Orderwright.Conformance.Orders;

/// <summary>Fulfilments over HTTP and by messages, on every engine.</summary>
public abstract class FulfilmentSuite(StorageEngine engine) : IAsyncLifetime
{
    static readonly TimeSpan Patience = Waiting.HangLimit;

    OrderServer server = null!;

    public async ValueTask InitializeAsync() =>
        server = await OrderServer.OpenAsync(engine, settings: [("CaptureChannels", "slow=fulfilment")]);

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    async Task<Guid> ConfirmedAsync()
    {
        var placed = await server.PlaceAsync(
            """{"customerId":"17850","currency":"GBP","lines":[{"sku":"85123A","quantity":6,"unitPrice":255}]}""");
        await server.DeliverAsync((placed.Id, Outcomes.Paid));
        await server.UntilAsync(placed.Id, "confirmed", "paid");
        return placed.Id;
    }

    Task<Reply> ShipAsync(Guid id, string json, params string[] headers) =>
        server.SendAsync(HttpMethod.Post, $"/api/v1/orders/{id}/fulfilments", json, headers);

    [Fact]
    public async Task An_order_ships_in_parts_and_commands_to_stock_are_resent_until_confirmed()
    {
        await using var stock = await server.OpenInboxAsync(ServiceNames.Stock);
        var id = await ConfirmedAsync();
        var part = await ShipAsync(
            id,
            """
            {"lines":[{"line":1,"quantity":1},{"line":1,"quantity":1}],"tracking":{"carrier":"Royal Mail","number":"AB1"}}
            """);
        Assert.Equal(201, part.Status);
        Assert.Equal($"/api/v1/orders/{id}/fulfilments/{part.Id}", part.Location);
        Assert.Equal(
            ("1", "510", "Royal Mail", "2"),
            (part["number"], part["value"], part.Json["tracking"]!["carrier"]!.ToString(),
                part.Json["lines"]![0]!["quantity"]!.ToString()));
        var order = await server.GetAsync($"/api/v1/orders/{id}");
        Assert.Equal(("partially_fulfilled", "3", "confirmed"), (order["fulfilmentStatus"], order["version"], order["status"]));
        Assert.Equal(part.Body, (await server.GetAsync(part.Location!)).Body);

        var rest = await ShipAsync(id, "{}");
        Assert.Equal((201, "2", "1020"), (rest.Status, rest["number"], rest["value"]));
        var list = (await server.GetAsync($"/api/v1/orders/{id}/fulfilments")).Json["items"]!.AsArray();
        Assert.Equal([part.Id, rest.Id], list.Select(fulfilment => fulfilment!["id"]!.GetValue<Guid>()));
        Assert.Equal("fulfilled", (await server.GetAsync($"/api/v1/orders/{id}"))["fulfilmentStatus"]);
        Assert.Equal(
            ["placed", "confirmed", "shipped", "shipped"],
            (await server.GetAsync($"/api/v1/orders/{id}/events")).Json["items"]!.AsArray().Select(e => (string?)e!["type"]));

        // The first command is confirmed, the other resent.
        using var patience = new CancellationTokenSource(Patience);
        var received = new List<Message>();
        while (received.Count < 2) received.AddRange(await TakeAsync());
        Assert.Equal([1, 2], received.Select(message => ((ShipGoods)message.Body).Fulfilment));
        Assert.Equal([new OrderLine(1, "85123A", 2)], ((ShipGoods)received[0].Body).Lines);
        await server.DeliverAsync((id, new GoodsShipped(1)), (id, new GoodsShipped(1)));
        server.Time.Advance(TimeSpan.FromSeconds(6));
        List<Message> again = [];
        while (!again.Exists(message => message.Body is ShipGoods { Fulfilment: 2 })) again.AddRange(await TakeAsync());
        Assert.Equal(2, again.Find(message => message.Body is ShipGoods { Fulfilment: 2 })!.Attempt);
        await server.DeliverAsync((id, new GoodsShipped(2)));
        while (await server.CountAsync("fulfilment_work") > 0)
            await Task.Delay(20, patience.Token);

        async Task<IEnumerable<Message>> TakeAsync()
        {
            var deliveries = await stock.ReceiveAsync(10, patience.Token);
            await stock.AcknowledgeAsync(deliveries, default);
            return deliveries.SelectMany(delivery => delivery.Messages).Where(message => message.OrderId == id);
        }
    }

    [Fact]
    public async Task A_command_that_stays_unanswered_becomes_one_dead_letter_and_is_resent_ever_more_rarely()
    {
        await using var stock = await server.OpenInboxAsync(ServiceNames.Stock);
        var id = await ConfirmedAsync();
        Assert.Equal(201, (await ShipAsync(id, "{}")).Status);
        await ExecuteAsync($"UPDATE fulfilment_work SET attempts = {ResendFulfilments.PromptAttempts}");
        var later = ResendFulfilments.PauseAfter(ResendFulfilments.PromptAttempts + 1);
        server.Time.Advance(TimeSpan.FromMinutes(1));
        await Waiting.UntilAsync(async () => await server.CountAsync("dead_letters WHERE failures = 1") == 1);
        server.Time.Advance(later);
        await Waiting.UntilAsync(async () => await server.CountAsync("dead_letters WHERE failures = 2") == 1);
        Assert.Equal(1, await server.CountAsync("dead_letters"));
        Assert.Equal(
            1,
            await server.CountAsync(
                "dead_letters WHERE reason = 'Fulfilment 1 of the order is not confirmed by stock-service.'"));

        Task<int> ExecuteAsync(string sql) =>
            server.Database.WriteAsync(tx => tx.ExecuteAsync(new SqlQuery("test", sql), SqlArgs.None), default);
    }

    [Fact]
    public async Task After_a_long_silence_one_command_is_probed_and_its_answer_makes_the_others_due()
    {
        await using var stock = await server.OpenInboxAsync(ServiceNames.Stock);
        using var patience = new CancellationTokenSource(Patience);
        Guid[] ids = [await ConfirmedAsync(), await ConfirmedAsync(), await ConfirmedAsync()];
        foreach (var id in ids) Assert.Equal(201, (await ShipAsync(id, "{}")).Status);
        const int Rare = ResendFulfilments.PromptAttempts + 8;
        Assert.Equal(TimeSpan.FromHours(1), ResendFulfilments.PauseAfter(Rare + 1));
        await server.Database.WriteAsync(
            tx => tx.ExecuteAsync(new SqlQuery("test", $"UPDATE fulfilment_work SET attempts = {Rare}"), SqlArgs.None), default);
        server.Time.Advance(TimeSpan.FromSeconds(29));
        await TakeUntilAsync(command => command.Attempt == Rare + 1, ids.Length);

        server.Time.Advance(TimeSpan.FromSeconds(31));
        var probe = Assert.Single(await TakeUntilAsync(command => command.Attempt == Rare + 2, 1));
        await server.DeliverAsync((probe.OrderId, new GoodsShipped(1)));
        await Waiting.UntilAsync(async () => await server.CountAsync("fulfilment_work") == 2);
        server.Time.Advance(TimeSpan.FromSeconds(2));
        var others = await TakeUntilAsync(command => command.Attempt == Rare + 2, 2);
        Assert.Equal(ids.Except([probe.OrderId]).Order(), others.Select(command => command.OrderId).Order());

        async Task<List<Message>> TakeUntilAsync(Predicate<Message> isIt, int count)
        {
            var taken = new List<Message>();
            while (taken.Count < count)
            {
                var deliveries = await stock.ReceiveAsync(10, patience.Token);
                await stock.AcknowledgeAsync(deliveries, default);
                taken.AddRange(deliveries.SelectMany(delivery => delivery.Messages)
                    .Where(message => message.Body is ShipGoods && isIt(message)));
            }
            return taken;
        }
    }

    [Fact]
    public async Task An_invalid_fulfilment_is_refused_and_changes_nothing()
    {
        var id = await ConfirmedAsync();
        var placed = await server.PlaceAsync(
            """{"customerId":"17850","currency":"GBP","lines":[{"sku":"85123A","quantity":6,"unitPrice":255}]}""");
        Assert.Equal((409, "not_fulfillable"), Code(await ShipAsync(placed.Id, "{}")));
        Assert.Equal((409, "exceeds_ordered"), Code(await ShipAsync(id, """{"lines":[{"line":1,"quantity":7}]}""")));
        Assert.Equal((400, "invalid_request"), Code(await ShipAsync(id, """{"lines":[{"line":2,"quantity":1}]}""")));
        Assert.Equal((400, "invalid_request"), Code(await ShipAsync(id, """{"lines":[]}""")));
        Assert.Equal((400, "invalid_request"), Code(await ShipAsync(id, """{"lines":[{"line":1,"quantity":0}]}""")));
        Assert.Equal((400, "invalid_request"), Code(await ShipAsync(id, """{"lines":[{"line":1,"quantity":"1"}]}""")));
        Assert.Equal((400, "invalid_request"), Code(await ShipAsync(id, """{"tracking":{"carrier":"","number":"1"}}""")));
        Assert.Equal((404, "not_found"), Code(await ShipAsync(id, "{}", "X-Channel", "other")));
        Assert.Equal((404, "not_found"), Code(await ShipAsync(Guid.CreateVersion7(), "{}")));
        Assert.Equal(
            404, (await server.GetAsync($"/api/v1/orders/{id}/fulfilments", "X-Channel", "other")).Status);
        Assert.Equal("2", (await server.GetAsync($"/api/v1/orders/{id}"))["version"]);
        Assert.Equal(0, await server.CountAsync("fulfilments"));

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
        Assert.Equal(1, await server.CountAsync("fulfilments"));
    }

    [Fact]
    public async Task A_concurrent_cancellation_and_fulfilment_have_exactly_one_winner()
    {
        for (var round = 0; round < 20; round++)
        {
            var id = await ConfirmedAsync();
            var ship = () => ShipAsync(id, "{}");
            var cancel = () => server.SendAsync(HttpMethod.Post, $"/api/v1/orders/{id}/cancel", """{"reason":"customer"}""");
            Task<Reply>[] both = round % 2 == 0 ? [ship(), cancel()] : [cancel(), ship()];
            await Task.WhenAll(both);
            var (shipped, cancelled) = round % 2 == 0 ? (await both[0], await both[1]) : (await both[1], await both[0]);
            var order = await server.GetAsync($"/api/v1/orders/{id}");
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
    public async Task Concurrent_fulfilments_of_the_same_goods_ship_them_once()
    {
        var id = await ConfirmedAsync();
        var replies = await Task.WhenAll(
            Enumerable.Range(0, 10).Select(_ => ShipAsync(id, """{"lines":[{"line":1,"quantity":2}]}""")));
        Assert.Equal(3, replies.Count(reply => reply.Status == 201));
        Assert.All(replies.Where(reply => reply.Status != 201), reply => Assert.Equal("exceeds_ordered", reply["code"]));
        Assert.Equal("5", (await server.GetAsync($"/api/v1/orders/{id}"))["version"]);
    }

    [Fact]
    public async Task With_capture_on_fulfilment_each_fulfilment_requests_the_amount_due()
    {
        await using var customer = await server.OpenInboxAsync(ServiceNames.Customer);
        string[] slow = ["X-Channel", "slow"];
        var placed = await server.PlaceAsync(
            """{"customerId":"17850","currency":"GBP","lines":[{"sku":"85123A","quantity":6,"unitPrice":255}]}""", slow);
        var id = placed.Id;
        Assert.Equal("fulfilment", ((OrderPlaced)(await server.NextAsync<OrderPlaced>(id)).Body).Capture);
        await server.DeliverAsync((id, Outcomes.Authorized));
        while ((await server.GetAsync($"/api/v1/orders/{id}", slow))["status"] != "confirmed") await Task.Delay(20);
        // The order is settled: the coordinator does not capture.
        Assert.Equal(0, await server.CountAsync("unsettled_orders"));

        await ShipAsync(id, """{"lines":[{"line":1,"quantity":2}]}""", slow);
        await ShipAsync(id, """{"lines":[{"line":1,"quantity":1}]}""", slow);
        Assert.Equal([new TakeShipped(510, false), new TakeShipped(765, false)], await ReceivedAsync(2));
        // One update confirms both.
        await server.DeliverAsync((id, new PaymentMoved(new PaymentTotals(1_530, 765, 0, false), 5)));
        await UntilAsync("partially_paid", open: 0);
        await ShipAsync(id, """{"lines":[{"line":1,"quantity":1}]}""", slow);
        Assert.Equal([new TakeShipped(1_020, false)], await ReceivedAsync(1));
        // The order is closed before the capture: the rest of the authorization is released afterwards.
        var done = await server.SendAsync(
            HttpMethod.Patch, $"/api/v1/orders/{id}", """{"status":"completed"}""", "X-Name", "operator", "X-Channel", "slow");
        Assert.Equal(200, done.Status);
        Assert.Equal([new TakeShipped(1_020, true)], await ReceivedAsync(1));
        foreach (var pause in (int[])[6, 11, 21])
        {
            server.Time.Advance(TimeSpan.FromSeconds(pause));
            Assert.Equivalent((TakeShipped[])[new(1_020, false), new(1_020, true)], await ReceivedAsync(2), strict: true);
        }
        // The pause is 30 s by now, but a payment update makes the remaining work due at the next sweep.
        await server.DeliverAsync((id, new PaymentMoved(new PaymentTotals(1_530, 1_020, 0, false), 7)));
        Assert.Equal([new TakeShipped(1_020, true)], await ReceivedAsync(1, within: Patience / 2));
        await server.DeliverAsync((id, new PaymentMoved(new PaymentTotals(1_530, 1_020, 0, true), 9)));
        // The rest is released: nothing is left to pay.
        await UntilAsync("paid", open: 0);

        async Task UntilAsync(string payment, int open)
        {
            using var patience = new CancellationTokenSource(Patience);
            while ((await server.GetAsync($"/api/v1/orders/{id}", slow))["paymentStatus"] != payment
                || await server.CountAsync("fulfilment_work WHERE participant = 'customer-service'") != open)
                await Task.Delay(20, patience.Token);
        }

        async Task<List<TakeShipped>> ReceivedAsync(int count, TimeSpan? within = null)
        {
            using var patience = new CancellationTokenSource(within ?? Patience);
            var received = new List<TakeShipped>();
            while (received.Count < count)
            {
                var deliveries = await customer.ReceiveAsync(10, patience.Token);
                await customer.AcknowledgeAsync(deliveries, default);
                received.AddRange(deliveries.SelectMany(delivery => delivery.Messages).Select(message => message.Body)
                    .OfType<TakeShipped>());
            }
            return received;
        }
    }

    Task<Reply> CompleteAsync(Guid id, string more = "", string channel = "main") => server.SendAsync(
        HttpMethod.Patch, $"/api/v1/orders/{id}", $$"""{"status":"completed"{{more}}}""", "X-Name", "operator", "X-Channel",
        channel);

    // The next command to stock-service about the order that is of this type; others are acknowledged and dropped.
    static async Task<Message> NextAsync<T>(IInbox stock, Guid id, Func<Message, bool>? isWanted = null)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            var deliveries = await stock.ReceiveAsync(10, patience.Token);
            await stock.AcknowledgeAsync(deliveries, default);
            if (deliveries.SelectMany(delivery => delivery.Messages).FirstOrDefault(message =>
                message.OrderId == id && message.Body is T && isWanted?.Invoke(message) != false) is { } found)
                return found;
        }
    }

    async Task UntilClosedAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        while (await server.CountAsync("fulfilment_work") > 0) await Task.Delay(20, patience.Token);
    }

    [Fact]
    public async Task Completing_consumes_what_was_not_noted_as_shipped_and_repeats_it_until_confirmed()
    {
        await using var stock = await server.OpenInboxAsync(ServiceNames.Stock);
        var (unreported, partly) = (await ConfirmedAsync(), await ConfirmedAsync());
        await ShipAsync(partly, """{"lines":[{"line":1,"quantity":2}]}""");
        Assert.Equal((200, "completed", "unfulfilled"), await CompleteAsync(unreported) is var done
            ? (done.Status, done["status"], done["fulfilmentStatus"]) : default);
        var first = await NextAsync<ConsumeUnshipped>(stock, unreported);
        Assert.Equal([new OrderLine(1, "85123A", 6)], ((ConsumeUnshipped)first.Body).Lines);

        // The first command, or its reply, is lost.
        server.Time.Advance(TimeSpan.FromSeconds(6));
        var again = await NextAsync<ConsumeUnshipped>(stock, unreported, message => message.Attempt > 1);
        Assert.Equal([new OrderLine(1, "85123A", 6)], ((ConsumeUnshipped)again.Body).Lines);
        await server.DeliverAsync((unreported, new GoodsShipped(0)));

        await CompleteAsync(partly);
        Assert.Equal(
            [new OrderLine(1, "85123A", 4)], ((ConsumeUnshipped)(await NextAsync<ConsumeUnshipped>(stock, partly)).Body).Lines);
        await server.DeliverAsync((partly, new GoodsShipped(1)), (partly, new GoodsShipped(0)));
        await UntilClosedAsync();
        Assert.Equal(2, await server.CountAsync("operator_actions WHERE action = 'complete' AND reason LIKE '%consumed%'"));
        var events = (await server.GetAsync($"/api/v1/orders/{unreported}/events")).Json["items"]!.AsArray();
        Assert.Equal("consumed", (string?)events[^1]!["data"]!["goods"]);
        // Nothing is left to end.
        Assert.Equal("illegal_transition", (await CompleteAsync(unreported, ""","goods":"release" """))["code"]);
    }

    [Fact]
    public async Task Completing_releases_the_rest_on_request_and_where_nobody_paid_for_it()
    {
        await using var stock = await server.OpenInboxAsync(ServiceNames.Stock);
        var (wanted, refunded) = (await ConfirmedAsync(), await ConfirmedAsync());
        await ShipAsync(wanted, """{"lines":[{"line":1,"quantity":2}]}""");
        Assert.Equal(200, (await CompleteAsync(wanted, ""","goods":"release" """)).Status);
        Assert.Equal(
            [new OrderLine(1, "85123A", 4)], ((ReleaseUnshipped)(await NextAsync<ReleaseUnshipped>(stock, wanted)).Body).Lines);

        await RefundAsync(refunded, 1_530);
        Assert.Equal((409, "refunded"), Code(await CompleteAsync(refunded, ""","goods":"consume" """)));
        Assert.Equal(200, (await CompleteAsync(refunded)).Status);
        await NextAsync<ReleaseUnshipped>(stock, refunded);

        var forced = await ConfirmedAsync();
        await RefundAsync(forced, 1_530);
        Assert.Equal(200, (await CompleteAsync(forced, ""","goods":"consume","force":true""")).Status);
        await NextAsync<ConsumeUnshipped>(stock, forced);
        Assert.Equal(400, (await CompleteAsync(await ConfirmedAsync(), ""","goods":"keep" """)).Status);
    }

    [Fact]
    public async Task Goods_that_release_0_1_0_left_allocated_are_ended_by_naming_their_end()
    {
        await using var stock = await server.OpenInboxAsync(ServiceNames.Stock);
        var id = await ConfirmedAsync();
        await CompleteAsync(id);
        await server.DeliverAsync((id, new GoodsShipped(0)));
        await UntilClosedAsync();
        var sql = new SqlQuery("older", "UPDATE orders SET goods = NULL");
        await server.Database.WriteAsync(async transaction => await transaction.ExecuteAsync(sql, SqlArgs.None), default);

        Assert.Equal("illegal_transition", (await CompleteAsync(id))["code"]);
        var repaired = await CompleteAsync(id, ""","goods":"release" """);
        Assert.Equal((200, "completed", "3"), (repaired.Status, repaired["status"], repaired["version"]));
        await NextAsync<ReleaseUnshipped>(stock, id);
        await server.DeliverAsync((id, new GoodsShipped(0)));
        await UntilClosedAsync();
        Assert.Equal("illegal_transition", (await CompleteAsync(id, ""","goods":"release" """))["code"]);
    }

    async Task RefundAsync(Guid id, long amount)
    {
        var status = amount == 1_530 ? "refunded" : "partially_refunded";
        await server.DeliverAsync((id, new PaymentMoved(new PaymentTotals(1_530, 1_530, amount, false), 7)));
        using var patience = new CancellationTokenSource(Patience);
        while ((await server.GetAsync($"/api/v1/orders/{id}"))["paymentStatus"] != status) await Task.Delay(20, patience.Token);
    }

    static (int, string?) Code(Reply reply) => (reply.Status, reply["code"]);

    [Fact]
    public async Task A_refunded_order_ships_only_when_an_operator_forces_it()
    {
        var id = await ConfirmedAsync();
        await RefundAsync(id, 1_530);
        Assert.Equal((409, "refunded"), Code(await ShipAsync(id, "{}")));
        Assert.Equal((409, "refunded"), Code(await ShipAsync(id, """{"lines":[{"line":1,"quantity":1}]}""")));
        Assert.Equal((403, "missing_scope"), Code(await ShipAsync(id, """{"force":true}""")));
        Assert.Equal(0, await server.CountAsync("fulfilments"));
        Assert.Equal(201, (await ShipAsync(id, """{"force":true}""", "X-Name", "operator")).Status);
        Assert.Equal(1, await server.CountAsync("operator_actions WHERE action = 'ship' AND actor = 'operator'"));
    }

    [Fact]
    public async Task After_a_partial_refund_the_shipped_lines_have_to_be_named()
    {
        var id = await ConfirmedAsync();
        await RefundAsync(id, 255);
        Assert.Equal((409, "refunded"), Code(await ShipAsync(id, "{}")));
        Assert.Equal(201, (await ShipAsync(id, """{"lines":[{"line":1,"quantity":5}]}""")).Status);
        Assert.Equal((409, "refunded"), Code(await ShipAsync(id, "{}")));
        Assert.Equal(201, (await ShipAsync(id, """{"lines":[{"line":1,"quantity":1}]}""")).Status);
    }

    [Fact]
    public async Task A_refund_between_two_captures_leaves_the_order_with_the_status_of_its_payment()
    {
        string[] slow = ["X-Channel", "slow"];
        var placed = await server.PlaceAsync(
            """{"customerId":"17850","currency":"GBP","lines":[{"sku":"85123A","quantity":6,"unitPrice":255}]}""", slow);
        await server.DeliverAsync((placed.Id, Outcomes.Authorized));
        await UntilAsync("authorized");
        await ShipAsync(placed.Id, """{"lines":[{"line":1,"quantity":3}]}""", slow);
        await MoveAsync(765, 0, 4, "partially_paid");
        await MoveAsync(765, 765, 6, "partially_refunded");
        Assert.Equal(201, (await ShipAsync(placed.Id, "{}", slow)).Status);
        await MoveAsync(1_530, 765, 8, "partially_refunded");
        // A notification that was overtaken, and the one of a later refund.
        await MoveAsync(765, 765, 6, "partially_refunded");
        await MoveAsync(1_530, 1_530, 10, "refunded");
        await MoveAsync(1_530, 765, 8, "refunded");
        Assert.Equal(1, await server.CountAsync("orders WHERE payment_version = 10 AND secured_minor = 0"));

        async Task MoveAsync(long captured, long refunded, long version, string status)
        {
            await server.DeliverAsync(
                (placed.Id, new PaymentMoved(new PaymentTotals(1_530, captured, refunded, false), version)));
            await UntilAsync(status);
        }

        async Task UntilAsync(string status)
        {
            using var patience = new CancellationTokenSource(Patience);
            while ((await server.GetAsync($"/api/v1/orders/{placed.Id}", slow))["paymentStatus"] != status)
                await Task.Delay(20, patience.Token);
        }
    }

    [Fact]
    public async Task A_shipment_that_stock_service_cannot_book_is_shown_and_asked_for_once_an_hour()
    {
        await using var stock = await server.OpenInboxAsync(ServiceNames.Stock);
        var id = await ConfirmedAsync();
        var shipped = await ShipAsync(id, "{}");
        Assert.Null(shipped.Json["attention"]);
        await TakeAsync();
        await server.DeliverAsync(
            ServiceNames.Stock, id, new FulfilmentRefused(ReasonCodes.NotAllocated, "Its reservation is missing.", 1));
        using var patience = new CancellationTokenSource(Patience);
        while ((await server.GetAsync(shipped.Location!)).Json["attention"] is null) await Task.Delay(20, patience.Token);

        Assert.Equal("stock-service: not_allocated: Its reservation is missing.",
            (string?)(await server.GetAsync($"/api/v1/orders/{id}/fulfilments")).Json["items"]![0]!["attention"]);
        server.Time.Advance(TimeSpan.FromMinutes(58));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => TakeAsync(TimeSpan.FromSeconds(2)));
        server.Time.Advance(TimeSpan.FromMinutes(3));
        Assert.Equal(1, ((ShipGoods)(await TakeAsync()).Body).Fulfilment);

        await server.DeliverAsync(ServiceNames.Stock, id, new GoodsShipped(1));
        while (await server.CountAsync("fulfilment_work") > 0) await Task.Delay(20, patience.Token);
        Assert.Null((await server.GetAsync(shipped.Location!)).Json["attention"]);

        async Task<Message> TakeAsync(TimeSpan? within = null)
        {
            using var limit = new CancellationTokenSource(within ?? Patience);
            while (true)
            {
                var deliveries = await stock.ReceiveAsync(10, limit.Token);
                await stock.AcknowledgeAsync(deliveries, default);
                if (deliveries.SelectMany(delivery => delivery.Messages).LastOrDefault() is { } message) return message;
            }
        }
    }

    [Fact]
    public async Task A_fulfilled_order_can_be_completed()
    {
        var id = await ConfirmedAsync();
        await ShipAsync(id, "{}");
        var done = await server.SendAsync(
            HttpMethod.Patch, $"/api/v1/orders/{id}", """{"status":"completed"}""", "X-Name", "operator");
        Assert.Equal((200, "completed", "fulfilled"), (done.Status, done["status"], done["fulfilmentStatus"]));
        Assert.Equal("not_fulfillable", (await ShipAsync(id, "{}"))["code"]);
    }
}

public sealed class PostgresFulfilments(PostgresEngine engine) : FulfilmentSuite(engine), IClassFixture<PostgresEngine>;

public sealed class SqliteFulfilments(SqliteEngine engine) : FulfilmentSuite(engine), IClassFixture<SqliteEngine>;
