using System.Text.Json.Nodes;
using Orderwright.Conformance.Storage;
using Orderwright.Contracts;

namespace Orderwright.Conformance.Orders;

/// <summary>Life of an order in order-service, over HTTP and by messages, on every engine.</summary>
public abstract class OrderSuite(StorageEngine engine) : IAsyncLifetime
{
    const string Mug = """{"customerId":"17850","currency":"GBP","lines":[{"sku":"85123A","quantity":6,"unitPrice":255}]}""";

    OrderServer server = null!;

    public async ValueTask InitializeAsync() => server = await OrderServer.OpenAsync(engine);

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    async Task<Guid> PlacedAsync(string json = Mug) => (await server.PlaceAsync(json)).Id;

    async Task<JsonArray> TimelineAsync(Guid id) =>
        (await server.GetAsync($"/api/v1/orders/{id}/events")).Json["items"]!.AsArray();

    static string Referenced(string reference) => Mug.Replace(
        "{\"customerId", $"{{\"reference\":\"{reference}\",\"customerId", StringComparison.Ordinal);

    [Fact]
    public async Task An_order_is_accepted_read_back_and_sent_to_the_coordinator()
    {
        var placed = await server.PlaceAsync(
            """
            { "customerId": "17850", "currency": "GBP", "reference": "536365",
              "lines": [ { "sku": "85123A", "quantity": 6, "unitPrice": 255 } ],
              "adjustments": [ { "type": "shipping", "label": "Royal Mail", "amount": 499 } ],
              "payment": { "provider": "sandbox", "token": "tok_visa" }, "metadata": { "z": "1", "a": "é < & \u2028" } }
            """,
            "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        Assert.Equal((202, $"/api/v1/orders/{placed.Id}", "\"1\""), (placed.Status, placed.Location, placed.ETag));
        Assert.Equal(
            ("pending", "pending", "unfulfilled", "2029", "1", "536365"),
            (placed["status"], placed["paymentStatus"], placed["fulfilmentStatus"], placed["total"], placed["version"],
                placed["reference"]));
        Assert.Equal("1530", placed.Json["lines"]![0]!["total"]!.ToString());
        Assert.Equal(["z", "a"], placed.Json["metadata"]!.AsObject().Select(pair => pair.Key));
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", placed["createdAt"]);

        var read = await server.GetAsync(placed.Location!);
        Assert.Equal((200, placed.Body, placed.ETag), (read.Status, read.Body, read.ETag));

        var sent = await server.NextAsync<OrderPlaced>(placed.Id);
        var body = (OrderPlaced)sent.Body;
        Assert.Equal(
            ("17850", "GBP", 499L, new PaymentMethod("sandbox", "tok_visa"), false, 1),
            (body.CustomerId, body.Currency, body.AdjustmentsMinor, body.Payment, body.MaySetPrice, sent.Attempt));
        Assert.Equal(Outcomes.Lines, body.Lines);

        var e = Assert.Single(await TimelineAsync(placed.Id))!;
        Assert.Equal(
            ("placed", "pending", "ann", "1"),
            ((string?)e["type"], (string?)e["status"], (string?)e["actor"], e["version"]!.ToString()));
    }

    [Fact]
    public async Task The_permission_to_set_prices_is_passed_on()
    {
        var placed = await server.PlaceAsync(Mug, "X-Name", "operator");
        Assert.True(((OrderPlaced)(await server.NextAsync<OrderPlaced>(placed.Id)).Body).MaySetPrice);
    }

    [Fact]
    public async Task Each_status_is_a_version_with_one_event_and_a_settled_order_leaves_the_sweep()
    {
        var id = await PlacedAsync();
        Assert.Equal(1, await server.CountAsync("unsettled_orders"));
        await server.DeliverAsync((id, Outcomes.Authorized));
        var confirmed = await server.UntilAsync(id, "confirmed");
        Assert.Equal(("authorized", "2", "\"2\""), (confirmed["paymentStatus"], confirmed["version"], confirmed.ETag));
        Assert.Equal(1, await server.CountAsync("unsettled_orders"));

        await server.DeliverAsync((id, Outcomes.Paid));
        var paid = await server.UntilAsync(id, "confirmed", "paid");
        Assert.Equal(("confirmed", "paid", "3"), (paid["status"], paid["paymentStatus"], paid["version"]));
        Assert.Equal(0, await server.CountAsync("unsettled_orders"));

        var timeline = await TimelineAsync(id);
        Assert.Equal(
            ["1 placed pending", "2 confirmed confirmed", "3 payment_updated confirmed"],
            timeline.Select(e => $"{e!["version"]} {e["type"]} {e["status"]}"));
        Assert.Equal(
            ("saga-coordinator", "0af7651916cd43dd8448eb211c80319c"),
            ((string?)timeline[1]!["actor"], (string?)timeline[1]!["traceId"]));
        var step = timeline[1]!["data"]!["steps"]![0]!;
        Assert.Equal(("reserve-stock", "1970-01-01T00:00:00.003Z"), ((string?)step["step"], (string?)step["answeredAt"]));
    }

    [Fact]
    public async Task A_payment_update_is_applied_once_the_order_is_decided()
    {
        await using var customer = await server.OpenInboxAsync(ServiceNames.Customer);
        var (id, marker) = (await PlacedAsync(), await PlacedAsync());
        var refunded = new PaymentMoved(new PaymentTotals(1_530, 1_530, 500, false), 4);
        await server.DeliverAsync((id, refunded));
        await server.DeliverAsync((marker, Outcomes.Paid));
        await server.UntilAsync(marker, "confirmed", "paid");
        await server.DeliverAsync((id, Outcomes.Paid));
        await server.UntilAsync(id, "confirmed", "paid");
        await server.DeliverAsync((id, refunded), (id, refunded), (id, Outcomes.Paid));
        var noted = await server.UntilAsync(id, "confirmed", "partially_refunded");
        Assert.Equal("3", noted["version"]);
        // The update before the decision got no acknowledgement.
        using var patience = new CancellationTokenSource(Waiting.HangLimit);
        var deliveries = await customer.ReceiveAsync(10, patience.Token);
        Assert.Equal(
            [(id, new PaymentNoted(4))],
            deliveries.SelectMany(delivery => delivery.Messages).Select(note => (note.OrderId, (PaymentNoted)note.Body)));
        await server.DeliverAsync((id, Outcomes.Paid), (marker, refunded));
        await server.UntilAsync(marker, "confirmed", "partially_refunded");
        Assert.Equal("partially_refunded", (await server.GetAsync($"/api/v1/orders/{id}"))["paymentStatus"]);
    }

    [Fact]
    public async Task An_order_shows_the_next_action_until_decided()
    {
        var id = await PlacedAsync();
        var until = new DateTimeOffset(2026, 1, 31, 10, 30, 0, TimeSpan.Zero);
        var waiting = new OrderWaiting(until, "https://bank.example/3ds/1");
        await server.DeliverAsync((id, waiting), (id, waiting));
        await server.UntilAsync(id, "pending");
        Reply order;
        do order = await server.GetAsync($"/api/v1/orders/{id}");
        while (order["version"] == "1");
        await server.DeliverAsync((id, waiting));
        Assert.Equal(
            ("redirect", "https://bank.example/3ds/1", "2026-01-31T10:30:00.000Z", "2"),
            (order.Json["nextAction"]!["type"]!.ToString(), order.Json["nextAction"]!["url"]!.ToString(),
                order.Json["nextAction"]!["expiresAt"]!.ToString(), order["version"]));
        await server.DeliverAsync((id, Outcomes.Paid));
        var confirmed = await server.UntilAsync(id, "confirmed", "paid");
        Assert.Equal((null, "3"), (confirmed.Json["nextAction"], confirmed["version"]));
        await server.DeliverAsync((id, waiting), (id, Outcomes.Paid));
        var timeline = await TimelineAsync(id);
        Assert.Equal(["placed", "action_required", "confirmed"], timeline.Select(e => (string?)e!["type"]));
        Assert.Equal("https://bank.example/3ds/1", timeline[1]!["data"]!["nextAction"]!["url"]!.ToString());
    }

    [Fact]
    public async Task Duplicate_late_and_out_of_order_outcomes_change_nothing()
    {
        var (one, two, marker) = (await PlacedAsync(), await PlacedAsync(), await PlacedAsync());
        await server.DeliverAsync(
            (one, Outcomes.Paid), (one, Outcomes.Authorized), (one, Outcomes.Paid), (two, Outcomes.Rejected));
        await server.UntilAsync(one, "confirmed", "paid");
        await server.DeliverAsync(
            (one, Outcomes.Authorized), (one, Outcomes.Rejected), (one, Outcomes.Expired), (two, Outcomes.Paid),
            (two, Outcomes.Rejected), (two, Outcomes.Cancelled), (Guid.CreateVersion7(), Outcomes.Paid));
        await server.DeliverAsync((marker, Outcomes.Rejected));
        await server.UntilAsync(marker, "rejected");
        Assert.Equal(["placed", "confirmed"], (await TimelineAsync(one)).Select(e => (string?)e!["type"]));
        Assert.Equal(["placed", "rejected"], (await TimelineAsync(two)).Select(e => (string?)e!["type"]));
        var rejected = await server.GetAsync($"/api/v1/orders/{two}");
        var reason = rejected.Json["reason"]!;
        Assert.Equal(("out_of_stock", "Out of stock."), ((string?)reason["code"], (string?)reason["message"]));
        Assert.Equal(0, await server.CountAsync("unsettled_orders"));
    }

    [Fact]
    public async Task Prices_are_filled_in_when_the_order_is_confirmed()
    {
        var placed = await server.PlaceAsync(
            """{"customerId":"17850","currency":"GBP","lines":[{"sku":"85123A","quantity":6}]}""");
        Assert.Null(placed["total"]);
        Assert.Null(placed.Json["lines"]![0]!["unitPrice"]);
        await server.DeliverAsync((placed.Id, Outcomes.Paid));
        var confirmed = await server.UntilAsync(placed.Id, "confirmed");
        Assert.Equal(("1530", "255"), (confirmed["total"], confirmed.Json["lines"]![0]!["unitPrice"]!.ToString()));
    }

    [Fact]
    public async Task A_cancellation_is_requested_once_and_ends_as_cancelled()
    {
        var id = await PlacedAsync();
        await server.DeliverAsync((id, Outcomes.Paid));
        await server.UntilAsync(id, "confirmed");
        Assert.Equal(404, (await CancelAsync(id, "X-Channel", "other")).Status);
        var cancelled = await CancelAsync(id);
        Assert.Equal((202, "cancel_pending", "3"), (cancelled.Status, cancelled["status"], cancelled["version"]));
        var request = (CancelRequested)(await server.NextAsync<CancelRequested>(id)).Body;
        Assert.Equal(("customer", Outcomes.Lines[0]), (request.Reason, request.Order.Lines[0]));

        var again = await CancelAsync(id);
        Assert.Equal((202, cancelled.Body), (again.Status, again.Body));
        await server.DeliverAsync((id, Outcomes.Authorized), (id, Outcomes.Cancelled));
        var ended = await server.UntilAsync(id, "cancelled");
        Assert.Equal(
            ("refunded", "cancelled", "4"),
            (ended["paymentStatus"], ended.Json["reason"]!["code"]!.ToString(), ended["version"]));
        Assert.Equal((202, ended.Body), ((await CancelAsync(id)).Status, (await CancelAsync(id)).Body));
        Assert.Equal(0, await server.CountAsync("unsettled_orders"));
    }

    [Theory]
    [InlineData("confirmed")]
    [InlineData("rejected")]
    [InlineData("expired")]
    public async Task A_cancellation_wins_over_an_outcome_in_transit(string outcome)
    {
        var id = await PlacedAsync();
        await CancelAsync(id);
        IMessageBody body = outcome switch
        {
            "confirmed" => Outcomes.Paid,
            "rejected" => Outcomes.Rejected,
            _ => Outcomes.Expired,
        };
        await server.DeliverAsync((id, body));
        if (outcome == "confirmed") await server.DeliverAsync((id, Outcomes.Cancelled));
        await server.UntilAsync(id, "cancelled");
        Assert.DoesNotContain(await TimelineAsync(id), e => (string?)e!["status"] == outcome);
    }

    [Fact]
    public async Task A_cancellation_can_be_previewed_and_an_operators_is_audited()
    {
        var id = await PlacedAsync();
        var preview = (await PreviewCancelAsync(id)).Json;
        Assert.Equal(("pending", "cancel_pending"), (
            (string)preview["before"]!["state"]!, (string)preview["after"]!["state"]!));
        Assert.Equal(
            [("orderwright.order.cancel-requested.v1", "saga-coordinator")],
            preview["messages"]!.AsArray().Select(message => ((string)message!["type"]!, (string)message["destination"]!)));
        Assert.Equal("pending", (await server.GetAsync($"/api/v1/orders/{id}"))["status"]);
        Assert.Equal(404, (await PreviewCancelAsync(Guid.CreateVersion7())).Status);

        await CancelAsync(id);
        Assert.Equal(0, await server.CountAsync("operator_actions"));
        Assert.Empty((await PreviewCancelAsync(id)).Json["messages"]!.AsArray());
        await CancelAsync(await PlacedAsync(), "X-Name", "operator");
        Assert.Equal(1, await server.CountAsync("operator_actions WHERE actor = 'operator'"));
    }

    [Fact]
    public async Task An_ended_order_cannot_be_cancelled()
    {
        var id = await PlacedAsync();
        await server.DeliverAsync((id, Outcomes.Rejected));
        await server.UntilAsync(id, "rejected");
        var refused = await CancelAsync(id);
        Assert.Equal((409, "not_cancellable"), (refused.Status, refused["code"]));
        var bad = await server.SendAsync(HttpMethod.Post, $"/api/v1/orders/{id}/cancel", """{"reason":"whim"}""");
        Assert.Equal((400, "/reason"), (bad.Status, (string?)bad.Json["errors"]![0]!["pointer"]));
    }

    [Fact]
    public async Task An_operator_completes_a_confirmed_order_in_the_given_version()
    {
        var id = await PlacedAsync();
        var early = await PatchAsync(id, "completed");
        Assert.Equal((409, "illegal_transition"), (early.Status, early["code"]));
        Assert.Empty(early.Json["allowed"]!.AsArray());
        await server.DeliverAsync((id, Outcomes.Paid));
        await server.UntilAsync(id, "confirmed");

        var other = await PatchAsync(id, "cancelled");
        Assert.Equal((409, "completed"), (other.Status, other.Json["allowed"]!.AsArray().Single()!.ToString()));
        var stale = await PatchAsync(id, "completed", "\"1\"");
        Assert.Equal((412, "version_mismatch"), (stale.Status, stale["code"]));
        Assert.Equal(400, (await PatchAsync(id, "shipped")).Status);
        Assert.Equal(404, (await server.SendAsync(
            HttpMethod.Patch, $"/api/v1/orders/{id}", """{"status":"completed"}""", "X-Channel", "other")).Status);
        var completed = await PatchAsync(id, "completed", "\"2\"");
        Assert.Equal((200, "completed", "\"3\""), (completed.Status, completed["status"], completed.ETag));
    }

    [Fact]
    public async Task A_reference_is_unique_per_channel()
    {
        var first = await server.PlaceAsync(Referenced("R-1"));
        var second = await server.PlaceAsync(Referenced("R-1"));
        Assert.Equal((409, "duplicate_reference", first.Id.ToString()), (second.Status, second["code"], second["orderId"]));
        Assert.Equal(202, (await server.PlaceAsync(Referenced("R-1"), "X-Channel", "other")).Status);

        // Sent concurrently, so that conflicting orders share transactions with each other and with valid orders.
        var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(n => server.PlaceAsync(
            (n % 3) switch { 0 => Mug, 1 => Referenced("R-1"), _ => Referenced($"S-{n % 6}") })));
        Assert.Equal(22, answers.Count(answer => answer.Status == 202));
        foreach (var group in answers.Where((_, n) => n % 3 == 2).Select((answer, n) => (answer, n % 2))
            .GroupBy(pair => pair.Item2))
        {
            var winner = Assert.Single(group, pair => pair.answer.Status == 202).answer;
            Assert.All(
                group.Where(pair => pair.answer.Status != 202),
                pair => Assert.Equal((409, winner.Id.ToString()), (pair.answer.Status, pair.answer["orderId"])));
        }
        Assert.Equal(24, await server.CountAsync("orders"));
        Assert.Equal(24, await server.CountAsync("order_events"));
        Assert.Equal(24, await server.CountAsync("unsettled_orders"));
    }

    [Theory]
    [InlineData("rejected")]
    [InlineData("expired")]
    [InlineData("cancelled")]
    public async Task An_order_that_came_to_nothing_frees_its_reference(string end)
    {
        var first = await server.PlaceAsync(Referenced("WEB-1"));
        Assert.Equal(409, (await server.PlaceAsync(Referenced("WEB-1"))).Status);
        if (end == "cancelled")
        {
            await server.DeliverAsync((first.Id, Outcomes.Paid));
            await server.UntilAsync(first.Id, "confirmed");
            await CancelAsync(first.Id);
            Assert.Equal((409, first.Id.ToString()), await server.PlaceAsync(Referenced("WEB-1")) is var refused
                ? (refused.Status, refused["orderId"]) : default);
        }
        await server.DeliverAsync((first.Id, end switch
        {
            "rejected" => Outcomes.Rejected,
            "expired" => Outcomes.Expired,
            _ => Outcomes.Cancelled,
        }));
        await server.UntilAsync(first.Id, end);

        var second = await server.PlaceAsync(Referenced("WEB-1"));
        Assert.Equal(202, second.Status);
        Assert.Equal((409, second.Id.ToString()), await server.PlaceAsync(Referenced("WEB-1")) is var taken
            ? (taken.Status, taken["orderId"]) : default);
        // Both are found, the one that has the reference first.
        Assert.Equal([second.Id, first.Id], await FoundAsync("reference=WEB-1"));
        Assert.Equal([first.Id], await FoundAsync($"reference=WEB-1&status={end}"));
        var page = await server.GetAsync("/api/v1/orders?reference=WEB-1&limit=1");
        Assert.Equal([first.Id], await FoundAsync($"reference=WEB-1&limit=1&cursor={page["nextCursor"]}"));
        // Late outcomes of the first order change nothing.
        await server.DeliverAsync((first.Id, Outcomes.Paid), (second.Id, Outcomes.Paid));
        await server.UntilAsync(second.Id, "confirmed");
        Assert.Equal(409, (await server.PlaceAsync(Referenced("WEB-1"))).Status);
    }

    [Fact]
    public async Task A_completed_order_keeps_its_reference()
    {
        var first = await server.PlaceAsync(Referenced("WEB-2"));
        await server.DeliverAsync((first.Id, Outcomes.Paid));
        await server.UntilAsync(first.Id, "confirmed");
        await PatchAsync(first.Id, "completed");
        Assert.Equal(409, (await server.PlaceAsync(Referenced("WEB-2"))).Status);
    }

    [Fact]
    public async Task References_that_look_alike_are_one_reference()
    {
        var first = await server.PlaceAsync(Referenced("Caf\\u00e9 1 "));
        Assert.Equal("Café 1", first["reference"]);
        foreach (var same in (string[])["Café 1", "Cafe\u0301 1", " Café 1", "Café 1\\t"])
            Assert.Equal((409, first.Id.ToString()), await server.PlaceAsync(Referenced(same)) is var taken
                ? (taken.Status, taken["orderId"]) : default);
        foreach (var filter in (string[])["Café 1", "Cafe\u0301 1", " Café 1 "])
            Assert.Equal([first.Id], await FoundAsync($"reference={Uri.EscapeDataString(filter)}"));
        foreach (var unseen in (string[])["Café\u200B 1", "Café\u00A01", "Café\u20661"])
            Assert.Equal(400, (await server.PlaceAsync(Referenced(unseen))).Status);
        Assert.Equal("invalid_text", (await server.PlaceAsync(Referenced("Café\u200B 1")))["code"]);
        var hidden = await server.GetAsync($"/api/v1/orders?reference={Uri.EscapeDataString("Café\u200B 1")}");
        var error = hidden.Json["errors"]![0]!;
        Assert.Equal((400, "reference invalid_text"), (hidden.Status, $"{error["parameter"]} {error["code"]}"));
    }

    [Theory]
    [InlineData("03/04/2026")]
    [InlineData("12:00")]
    [InlineData("2026-01-31")]
    [InlineData("2026-01-31T09:30:00")]
    public async Task A_time_that_is_not_of_rfc_3339_is_refused(string time)
    {
        foreach (var name in (string[])["createdAfter", "createdBefore"])
        {
            var refused = await server.GetAsync($"/api/v1/orders?{name}={Uri.EscapeDataString(time)}");
            Assert.Equal((400, "invalid_time"), (refused.Status, (string?)refused.Json["errors"]![0]!["code"]));
        }
    }

    [Theory]
    [InlineData("ann", -1, 403)]
    [InlineData("ann", 0, 202)]
    [InlineData("sales", -326, 202)]
    [InlineData("sales", -327, 403)]
    [InlineData("operator", -1_630, 202)]
    public async Task A_discount_needs_the_right_of_the_caller(string caller, int amount, int status)
    {
        var discounted = Mug.Replace(
            "{\"customerId",
            $$"""
            {"adjustments":[{"type":"fee","label":"Box","amount":100},{"type":"discount","label":"x","amount":{{amount}}}],
             "customerId
            """,
            StringComparison.Ordinal);
        var limit = caller switch
        {
            "ann" => 0,
            "sales" => 20,
            _ => 100,
        };
        var reply = await server.PlaceAsync(discounted, "X-Name", caller, "Idempotency-Key", "d1");
        Assert.Equal(status, reply.Status);
        if (status == 403) Assert.Equal("discount_not_allowed", reply["code"]);
        else Assert.Equal(1, await server.CountAsync($"orders WHERE discount_limit = {limit}"));
    }

    [Fact]
    public async Task A_limited_discount_needs_the_price_of_every_line()
    {
        var unpriced = """
            {"customerId":"17850","currency":"GBP",
             "lines":[{"sku":"85123A","quantity":6,"unitPrice":255},{"sku":"MUG","quantity":1}],
             "adjustments":[{"type":"discount","label":"x","amount":-1}]}
            """;
        Assert.Equal("discount_not_allowed", (await server.PlaceAsync(unpriced, "X-Name", "sales"))["code"]);
        Assert.Equal(202, (await server.PlaceAsync(unpriced, "X-Name", "operator")).Status);
    }

    async Task<Guid[]> FoundAsync(string query) =>
    [
        .. (await server.GetAsync($"/api/v1/orders?{query}")).Json["items"]!.AsArray()
            .Select(order => order!["id"]!.GetValue<Guid>()),
    ];

    [Fact]
    public async Task A_repeated_key_gets_the_same_bytes()
    {
        var first = await server.PlaceAsync(Mug, "Idempotency-Key", "k1");
        await server.DeliverAsync((first.Id, Outcomes.Paid));
        await server.UntilAsync(first.Id, "confirmed");
        var again = await server.PlaceAsync(Mug, "Idempotency-Key", "k1");
        Assert.Equal(
            first with { Replayed = "true" }, again);
        var reused = await server.PlaceAsync(Referenced("other"), "Idempotency-Key", "k1");
        Assert.Equal((422, "idempotency_key_reused"), (reused.Status, reused["code"]));
        Assert.Equal(202, (await server.PlaceAsync(Mug, "Idempotency-Key", "k1", "X-Name", "bob")).Status);
        Assert.Equal(2, await server.CountAsync("orders"));
    }

    [Fact]
    public async Task A_waiting_caller_gets_the_decided_order_and_so_does_a_retry()
    {
        var waiting = server.PlaceAsync(Referenced("W-1"), "Prefer", "wait=30", "Idempotency-Key", "w1");
        var id = await OnlyOrderAsync();
        await server.DeliverAsync((id, Outcomes.Paid));
        var decided = await waiting;
        Assert.Equal(
            (201, "confirmed", $"/api/v1/orders/{id}", "wait=30", "\"2\""),
            (decided.Status, decided["status"], decided.Location, decided.PreferenceApplied, decided.ETag));
        var again = await server.PlaceAsync(Referenced("W-1"), "Idempotency-Key", "w1");
        Assert.Equal((201, decided.Body, "true", "\"2\""), (again.Status, again.Body, again.Replayed, again.ETag));
    }

    [Fact]
    public async Task A_wait_that_times_out_returns_the_response_of_the_commit()
    {
        var waiting = server.PlaceAsync(Mug, "Prefer", "wait=1", "Idempotency-Key", "v1");
        await OnlyOrderAsync();
        var inFlight = await server.PlaceAsync(Mug, "Idempotency-Key", "v1");
        Assert.Equal((409, "idempotency_key_in_flight", "1"), (inFlight.Status, inFlight["code"], inFlight.RetryAfter));
        var undecided = await waiting;
        Assert.Equal((202, "pending", "wait=1"), (undecided.Status, undecided["status"], undecided.PreferenceApplied));
        Assert.Equal((202, undecided.Body), ((await server.PlaceAsync(Mug, "Idempotency-Key", "v1")).Status, undecided.Body));
    }

    async Task<Guid> OnlyOrderAsync()
    {
        await foreach (var e in server.StreamAsync("/api/v1/events?after=0")) return e["orderId"]!.GetValue<Guid>();
        throw new InvalidOperationException("The feed ended.");
    }

    Task<Reply> PreviewCancelAsync(Guid id) =>
        server.SendAsync(HttpMethod.Post, $"/api/v1/orders/{id}/cancel?preview=true", """{"reason":"customer"}""");

    Task<Reply> CancelAsync(Guid id, params string[] headers) =>
        server.SendAsync(HttpMethod.Post, $"/api/v1/orders/{id}/cancel", """{"reason":"customer"}""", headers);

    Task<Reply> PatchAsync(Guid id, string status, string? ifMatch = null) => server.SendAsync(
        HttpMethod.Patch, $"/api/v1/orders/{id}", $$"""{"status":"{{status}}"}""",
        ["X-Name", "operator", .. ifMatch is null ? Array.Empty<string>() : ["If-Match", ifMatch]]);
}

public sealed class PostgresOrders(PostgresEngine engine) : OrderSuite(engine), IClassFixture<PostgresEngine>;

public sealed class SqliteOrders(SqliteEngine engine) : OrderSuite(engine), IClassFixture<SqliteEngine>;
