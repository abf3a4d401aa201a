using System.Text.Json.Nodes;
using Orderwright.Conformance.Storage;
using Orderwright.Contracts;

namespace Orderwright.Conformance.Orders;

/// <summary>An order's life in order-service, over HTTP and by messages, on every engine.</summary>
public abstract class OrderSuite(StorageEngine engine) : IAsyncLifetime
{
    const string Mug = """{"customerId":"17850","currency":"GBP","lines":[{"sku":"85123A","quantity":6,"unitPrice":255}]}""";

    OrderHouse house = null!;

    public async ValueTask InitializeAsync() => house = await OrderHouse.OpenAsync(engine);

    public async ValueTask DisposeAsync()
    {
        await house.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    async Task<Guid> PlacedAsync(string json = Mug) => (await house.PlaceAsync(json)).Id;

    async Task<JsonArray> TimelineAsync(Guid id) => (await house.GetAsync($"/api/v1/orders/{id}/events")).Json["items"]!.AsArray();

    static string Referenced(string reference) => Mug.Replace("{\"customerId", $"{{\"reference\":\"{reference}\",\"customerId", StringComparison.Ordinal);

    [Fact]
    public async Task An_order_is_accepted_read_back_and_asked_about()
    {
        var placed = await house.PlaceAsync(
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
            (placed["status"], placed["paymentStatus"], placed["fulfilmentStatus"], placed["total"], placed["version"], placed["reference"]));
        Assert.Equal("1530", placed.Json["lines"]![0]!["total"]!.ToString());
        Assert.Equal(["z", "a"], placed.Json["metadata"]!.AsObject().Select(pair => pair.Key));
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", placed["createdAt"]);

        var read = await house.GetAsync(placed.Location!);
        Assert.Equal((200, placed.Body, placed.ETag), (read.Status, read.Body, read.ETag));

        var asked = await house.AskedAsync<OrderPlaced>(placed.Id);
        var body = (OrderPlaced)asked.Body;
        Assert.Equal(
            ("17850", "GBP", 499L, new PaymentMethod("sandbox", "tok_visa"), false, 1),
            (body.CustomerId, body.Currency, body.AdjustmentsMinor, body.Payment, body.MaySetPrice, asked.Attempt));
        Assert.Equal(Told.Lines, body.Lines);

        var told = Assert.Single(await TimelineAsync(placed.Id))!;
        Assert.Equal(("placed", "pending", "ann", "1"), ((string?)told["type"], (string?)told["status"], (string?)told["actor"], told["version"]!.ToString()));
    }

    [Fact]
    public async Task Who_may_set_prices_is_told_on()
    {
        var placed = await house.PlaceAsync(Mug, "X-Name", "operator");
        Assert.True(((OrderPlaced)(await house.AskedAsync<OrderPlaced>(placed.Id)).Body).MaySetPrice);
    }

    [Fact]
    public async Task Each_status_is_a_version_with_one_event_and_a_settled_order_waits_no_more()
    {
        var id = await PlacedAsync();
        Assert.Equal(1, await house.CountAsync("SELECT count(*) FROM unsettled"));
        await house.TellAsync((id, Told.Authorized));
        var confirmed = await house.UntilAsync(id, "confirmed");
        Assert.Equal(("authorized", "2", "\"2\""), (confirmed["paymentStatus"], confirmed["version"], confirmed.ETag));
        Assert.Equal(1, await house.CountAsync("SELECT count(*) FROM unsettled"));

        await house.TellAsync((id, Told.Paid));
        var paid = await house.UntilAsync(id, "confirmed", "paid");
        Assert.Equal(("confirmed", "paid", "3"), (paid["status"], paid["paymentStatus"], paid["version"]));
        Assert.Equal(0, await house.CountAsync("SELECT count(*) FROM unsettled"));

        var timeline = await TimelineAsync(id);
        Assert.Equal(
            ["1 placed pending", "2 confirmed confirmed", "3 payment_updated confirmed"],
            timeline.Select(told => $"{told!["version"]} {told["type"]} {told["status"]}"));
        Assert.Equal(("saga-coordinator", "0af7651916cd43dd8448eb211c80319c"), ((string?)timeline[1]!["actor"], (string?)timeline[1]!["traceId"]));
        var step = timeline[1]!["data"]!["steps"]![0]!;
        Assert.Equal(("reserve-stock", "1970-01-01T00:00:00.003Z"), ((string?)step["step"], (string?)step["answeredAt"]));
    }

    [Fact]
    public async Task A_payment_that_an_operator_moved_is_noted_once_the_order_is_decided()
    {
        await using var customer = await house.ListenAsync(ServiceNames.Customer);
        var (id, marker) = (await PlacedAsync(), await PlacedAsync());
        var refunded = new PaymentMoved(new PaymentTotals(1_530, 1_530, 500, false), 4);
        await house.TellAsync((id, refunded));
        await house.TellAsync((marker, Told.Paid));
        await house.UntilAsync(marker, "confirmed", "paid");
        await house.TellAsync((id, Told.Paid));
        await house.UntilAsync(id, "confirmed", "paid");
        await house.TellAsync((id, refunded), (id, refunded), (id, Told.Paid));
        var noted = await house.UntilAsync(id, "confirmed", "partially_refunded");
        Assert.Equal("3", noted["version"]);
        // What it was told before it was decided, it has not noted.
        using var patience = new CancellationTokenSource(Waiting.HangLimit);
        var deliveries = await customer.ReceiveAsync(10, patience.Token);
        Assert.Equal(
            [(id, new PaymentNoted(4))],
            deliveries.SelectMany(delivery => delivery.Messages).Select(note => (note.OrderId, (PaymentNoted)note.Body)));
        await house.TellAsync((id, Told.Paid), (marker, refunded));
        await house.UntilAsync(marker, "confirmed", "partially_refunded");
        Assert.Equal("partially_refunded", (await house.GetAsync($"/api/v1/orders/{id}"))["paymentStatus"]);
    }

    [Fact]
    public async Task An_order_shows_what_its_customer_has_to_do_until_it_is_decided()
    {
        var id = await PlacedAsync();
        var until = new DateTimeOffset(2026, 1, 31, 10, 30, 0, TimeSpan.Zero);
        var waiting = new OrderWaiting(until, "https://bank.example/3ds/1");
        await house.TellAsync((id, waiting), (id, waiting));
        await house.UntilAsync(id, "pending");
        Reply order;
        do order = await house.GetAsync($"/api/v1/orders/{id}");
        while (order["version"] == "1");
        await house.TellAsync((id, waiting));
        Assert.Equal(
            ("redirect", "https://bank.example/3ds/1", "2026-01-31T10:30:00.000Z", "2"),
            (order.Json["nextAction"]!["type"]!.ToString(), order.Json["nextAction"]!["url"]!.ToString(),
                order.Json["nextAction"]!["expiresAt"]!.ToString(), order["version"]));
        await house.TellAsync((id, Told.Paid));
        var confirmed = await house.UntilAsync(id, "confirmed", "paid");
        Assert.Equal((null, "3"), (confirmed.Json["nextAction"], confirmed["version"]));
        await house.TellAsync((id, waiting), (id, Told.Paid));
        var told = await TimelineAsync(id);
        Assert.Equal(["placed", "action_required", "confirmed"], told.Select(one => (string?)one!["type"]));
        Assert.Equal("https://bank.example/3ds/1", told[1]!["data"]!["nextAction"]!["url"]!.ToString());
    }

    [Fact]
    public async Task What_is_doubled_late_or_out_of_order_changes_nothing()
    {
        var (one, two, marker) = (await PlacedAsync(), await PlacedAsync(), await PlacedAsync());
        await house.TellAsync((one, Told.Paid), (one, Told.Authorized), (one, Told.Paid), (two, Told.Rejected));
        await house.UntilAsync(one, "confirmed", "paid");
        await house.TellAsync(
            (one, Told.Authorized), (one, Told.Rejected), (one, Told.Expired), (two, Told.Paid), (two, Told.Rejected),
            (two, Told.Cancelled), (Guid.CreateVersion7(), Told.Paid));
        await house.TellAsync((marker, Told.Rejected));
        await house.UntilAsync(marker, "rejected");
        Assert.Equal(["placed", "confirmed"], (await TimelineAsync(one)).Select(told => (string?)told!["type"]));
        Assert.Equal(["placed", "rejected"], (await TimelineAsync(two)).Select(told => (string?)told!["type"]));
        var rejected = await house.GetAsync($"/api/v1/orders/{two}");
        Assert.Equal(("out_of_stock", "Not there."), ((string?)rejected.Json["reason"]!["code"], (string?)rejected.Json["reason"]!["message"]));
        Assert.Equal(0, await house.CountAsync("SELECT count(*) FROM unsettled"));
    }

    [Fact]
    public async Task Prices_are_filled_in_when_the_order_is_confirmed()
    {
        var placed = await house.PlaceAsync(
            """{"customerId":"17850","currency":"GBP","lines":[{"sku":"85123A","quantity":6}]}""");
        Assert.Null(placed["total"]);
        Assert.Null(placed.Json["lines"]![0]!["unitPrice"]);
        await house.TellAsync((placed.Id, Told.Paid));
        var confirmed = await house.UntilAsync(placed.Id, "confirmed");
        Assert.Equal(("1530", "255"), (confirmed["total"], confirmed.Json["lines"]![0]!["unitPrice"]!.ToString()));
    }

    [Fact]
    public async Task A_cancellation_is_asked_for_once_and_ends_as_cancelled()
    {
        var id = await PlacedAsync();
        await house.TellAsync((id, Told.Paid));
        await house.UntilAsync(id, "confirmed");
        Assert.Equal(404, (await CancelAsync(id, "X-Merchant", "other")).Status);
        var cancelled = await CancelAsync(id);
        Assert.Equal((202, "cancel_pending", "3"), (cancelled.Status, cancelled["status"], cancelled["version"]));
        var asked = (CancelRequested)(await house.AskedAsync<CancelRequested>(id)).Body;
        Assert.Equal(("customer", Told.Lines[0]), (asked.Reason, asked.Order.Lines[0]));

        var again = await CancelAsync(id);
        Assert.Equal((202, cancelled.Body), (again.Status, again.Body));
        await house.TellAsync((id, Told.Authorized), (id, Told.Cancelled));
        var ended = await house.UntilAsync(id, "cancelled");
        Assert.Equal(("refunded", "cancelled", "4"), (ended["paymentStatus"], ended.Json["reason"]!["code"]!.ToString(), ended["version"]));
        Assert.Equal((202, ended.Body), ((await CancelAsync(id)).Status, (await CancelAsync(id)).Body));
        Assert.Equal(0, await house.CountAsync("SELECT count(*) FROM unsettled"));
    }

    [Theory]
    [InlineData("confirmed")]
    [InlineData("rejected")]
    [InlineData("expired")]
    public async Task A_cancellation_wins_over_an_outcome_that_was_on_its_way(string outcome)
    {
        var id = await PlacedAsync();
        await CancelAsync(id);
        IMessageBody body = outcome switch { "confirmed" => Told.Paid, "rejected" => Told.Rejected, _ => Told.Expired };
        await house.TellAsync((id, body));
        if (outcome == "confirmed") await house.TellAsync((id, Told.Cancelled));
        await house.UntilAsync(id, "cancelled");
        Assert.DoesNotContain(await TimelineAsync(id), told => (string?)told!["status"] == outcome);
    }

    [Fact]
    public async Task A_cancellation_is_previewed_and_that_of_an_operator_stands_in_the_audit()
    {
        var id = await PlacedAsync();
        var preview = (await PreviewCancelAsync(id)).Json;
        Assert.Equal(("pending", "cancel_pending"), (
            (string)preview["before"]!["state"]!, (string)preview["after"]!["state"]!));
        Assert.Equal(
            [("orderwright.order.cancel-requested.v1", "saga-coordinator")],
            preview["messages"]!.AsArray().Select(one => ((string)one!["type"]!, (string)one["destination"]!)));
        Assert.Equal("pending", (await house.GetAsync($"/api/v1/orders/{id}"))["status"]);
        Assert.Equal(404, (await PreviewCancelAsync(Guid.CreateVersion7())).Status);

        await CancelAsync(id);
        Assert.Equal(0, await house.CountAsync("SELECT count(*) FROM operator_actions"));
        Assert.Empty((await PreviewCancelAsync(id)).Json["messages"]!.AsArray());
        await CancelAsync(await PlacedAsync(), "X-Name", "operator");
        Assert.Equal(1, await house.CountAsync("SELECT count(*) FROM operator_actions WHERE actor = 'operator'"));
    }

    [Fact]
    public async Task What_is_over_cannot_be_cancelled()
    {
        var id = await PlacedAsync();
        await house.TellAsync((id, Told.Rejected));
        await house.UntilAsync(id, "rejected");
        var refused = await CancelAsync(id);
        Assert.Equal((409, "not_cancellable"), (refused.Status, refused["code"]));
        var bad = await house.SendAsync(HttpMethod.Post, $"/api/v1/orders/{id}/cancel", """{"reason":"whim"}""");
        Assert.Equal((400, "/reason"), (bad.Status, (string?)bad.Json["errors"]![0]!["pointer"]));
    }

    [Fact]
    public async Task An_operator_completes_a_confirmed_order_of_the_version_named()
    {
        var id = await PlacedAsync();
        var early = await PatchAsync(id, "completed");
        Assert.Equal((409, "illegal_transition"), (early.Status, early["code"]));
        Assert.Empty(early.Json["allowed"]!.AsArray());
        await house.TellAsync((id, Told.Paid));
        await house.UntilAsync(id, "confirmed");

        var other = await PatchAsync(id, "cancelled");
        Assert.Equal((409, "completed"), (other.Status, other.Json["allowed"]!.AsArray().Single()!.ToString()));
        Assert.Equal((412, "version_mismatch"), ((await PatchAsync(id, "completed", "\"1\"")).Status, (await PatchAsync(id, "completed", "\"1\""))["code"]));
        Assert.Equal(400, (await PatchAsync(id, "shipped")).Status);
        Assert.Equal(404, (await house.SendAsync(
            HttpMethod.Patch, $"/api/v1/orders/{id}", """{"status":"completed"}""", "X-Merchant", "other")).Status);
        var completed = await PatchAsync(id, "completed", "\"2\"");
        Assert.Equal((200, "completed", "\"3\""), (completed.Status, completed["status"], completed.ETag));
    }

    [Fact]
    public async Task A_reference_is_taken_once_per_merchant()
    {
        var first = await house.PlaceAsync(Referenced("R-1"));
        var second = await house.PlaceAsync(Referenced("R-1"));
        Assert.Equal((409, "duplicate_reference", first.Id.ToString()), (second.Status, second["code"], second["orderId"]));
        Assert.Equal(202, (await house.PlaceAsync(Referenced("R-1"), "X-Merchant", "other")).Status);

        // Together, so that many of them share a transaction, with each other and with orders that are fine.
        var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(n => house.PlaceAsync(
            (n % 3) switch { 0 => Mug, 1 => Referenced("R-1"), _ => Referenced($"S-{n % 6}") })));
        Assert.Equal(22, answers.Count(answer => answer.Status == 202));
        foreach (var group in answers.Where((_, n) => n % 3 == 2).Select((answer, n) => (answer, n % 2)).GroupBy(pair => pair.Item2))
        {
            var winner = Assert.Single(group, pair => pair.answer.Status == 202).answer;
            Assert.All(
                group.Where(pair => pair.answer.Status != 202),
                pair => Assert.Equal((409, winner.Id.ToString()), (pair.answer.Status, pair.answer["orderId"])));
        }
        Assert.Equal(24, await house.CountAsync("SELECT count(*) FROM orders"));
        Assert.Equal(24, await house.CountAsync("SELECT count(*) FROM order_events"));
        Assert.Equal(24, await house.CountAsync("SELECT count(*) FROM unsettled"));
    }

    [Fact]
    public async Task The_same_key_gets_the_first_answer_again_byte_for_byte()
    {
        var first = await house.PlaceAsync(Mug, "Idempotency-Key", "k1");
        await house.TellAsync((first.Id, Told.Paid));
        await house.UntilAsync(first.Id, "confirmed");
        var again = await house.PlaceAsync(Mug, "Idempotency-Key", "k1");
        Assert.Equal(
            first with { Replayed = "true" }, again);
        var reused = await house.PlaceAsync(Referenced("other"), "Idempotency-Key", "k1");
        Assert.Equal((422, "idempotency_key_reused"), (reused.Status, reused["code"]));
        Assert.Equal(202, (await house.PlaceAsync(Mug, "Idempotency-Key", "k1", "X-Name", "bob")).Status);
        Assert.Equal(2, await house.CountAsync("SELECT count(*) FROM orders"));
    }

    [Fact]
    public async Task Who_waits_gets_the_decided_order_and_so_does_who_repeats_it()
    {
        var waiting = house.PlaceAsync(Referenced("W-1"), "Prefer", "wait=30", "Idempotency-Key", "w1");
        var id = await OnlyOrderAsync();
        await house.TellAsync((id, Told.Paid));
        var decided = await waiting;
        Assert.Equal(
            (201, "confirmed", $"/api/v1/orders/{id}", "wait=30", "\"2\""),
            (decided.Status, decided["status"], decided.Location, decided.PreferenceApplied, decided.ETag));
        var again = await house.PlaceAsync(Referenced("W-1"), "Idempotency-Key", "w1");
        Assert.Equal((201, decided.Body, "true", "\"2\""), (again.Status, again.Body, again.Replayed, again.ETag));
    }

    [Fact]
    public async Task Who_waits_in_vain_gets_what_the_commit_said()
    {
        var waiting = house.PlaceAsync(Mug, "Prefer", "wait=1", "Idempotency-Key", "v1");
        await OnlyOrderAsync();
        var inFlight = await house.PlaceAsync(Mug, "Idempotency-Key", "v1");
        Assert.Equal((409, "idempotency_key_in_flight"), (inFlight.Status, inFlight["code"]));
        var undecided = await waiting;
        Assert.Equal((202, "pending", "wait=1"), (undecided.Status, undecided["status"], undecided.PreferenceApplied));
        Assert.Equal((202, undecided.Body), ((await house.PlaceAsync(Mug, "Idempotency-Key", "v1")).Status, undecided.Body));
    }

    async Task<Guid> OnlyOrderAsync()
    {
        await foreach (var told in house.StreamAsync("/api/v1/events?after=0")) return told["orderId"]!.GetValue<Guid>();
        throw new InvalidOperationException("The feed ended.");
    }

    Task<Reply> PreviewCancelAsync(Guid id) =>
        house.SendAsync(HttpMethod.Post, $"/api/v1/orders/{id}/cancel?preview=true", """{"reason":"customer"}""");

    Task<Reply> CancelAsync(Guid id, params string[] headers) =>
        house.SendAsync(HttpMethod.Post, $"/api/v1/orders/{id}/cancel", """{"reason":"customer"}""", headers);

    Task<Reply> PatchAsync(Guid id, string status, string? ifMatch = null) => house.SendAsync(
        HttpMethod.Patch, $"/api/v1/orders/{id}", $$"""{"status":"{{status}}"}""",
        ["X-Name", "operator", .. ifMatch is null ? Array.Empty<string>() : ["If-Match", ifMatch]]);
}

public sealed class PostgresOrders(PostgresEngine engine) : OrderSuite(engine), IClassFixture<PostgresEngine>;

public sealed class SqliteOrders(SqliteEngine engine) : OrderSuite(engine), IClassFixture<SqliteEngine>;
