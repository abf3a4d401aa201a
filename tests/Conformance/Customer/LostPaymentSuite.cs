using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Providers.Sandbox;
using Orderwright.Runtime.Database;

namespace Orderwright.Conformance.Customer;

/// <summary>
/// Payments that customer-service lost with its database while the gateway still has the charge, on both engines: an undo asks
/// the gateway, and an operator takes the charge of a confirmed order over.
/// </summary>
public abstract class LostPaymentSuite(StorageEngine engine)
{
    static readonly PaymentTerms Card = new("17850", "GBP", new PaymentMethod("sandbox", SandboxTokens.Visa), 1_530);

    static UndoPayment Undo(string provider = "sandbox", string? token = SandboxTokens.Visa, long? amount = 1_530) =>
        new("cancelled", Terms: new PaymentTerms("17850", "GBP", new PaymentMethod(provider, token), amount));

    // As in a database restored to a moment before the order. With the journal kept, only the row was lost.
    static async Task LoseAsync(CustomerServer server, Guid order, bool alsoJournal)
    {
        foreach (var table in new[] { "payments", "payment_attempts" })
            await server.ExecuteAsync($"DELETE FROM {table} WHERE order_id = @id", SqlArgs.With("id", order));
        if (!alsoJournal) return;
        foreach (var statement in server.Database.Engine == "postgres"
            ? ["DROP TRIGGER journal_append_only ON journal", "GRANT ALL ON journal TO CURRENT_USER"]
            : new[] { "DROP TRIGGER journal_not_updated", "DROP TRIGGER journal_not_deleted" })
            await server.ExecuteAsync(statement, SqlArgs.None);
        await server.ExecuteAsync("DELETE FROM journal WHERE order_id = @id", SqlArgs.With("id", order));
    }

    static async Task<Guid> PaidAsync(CustomerServer server, bool capture = true, TimeSpan ahead = default)
    {
        var order = Guid.CreateVersion7(server.Clock.GetUtcNow() + ahead);
        await server.AskAsync(order, CustomerServer.Pay("sandbox", SandboxTokens.Visa));
        if (capture) Assert.Equal(StepOutcome.Completed, (await server.AskAsync(order, new CapturePayment())).Outcome);
        return order;
    }

    static Task<List<(string, long)>> JournalAsync(CustomerServer server) => server.QueryAsync(
        "SELECT kind, amount FROM journal ORDER BY kind, running_total", row => (row.Text("kind"), row.BigInt("amount")));

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task An_undo_of_an_unknown_payment_returns_what_the_gateway_has(bool captured, bool alsoJournal)
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.AddCustomerAsync();
        var order = await PaidAsync(server, captured);
        await LoseAsync(server, order, alsoJournal);

        var answer = await server.AskAsync(order, Undo());

        Assert.Equal((true, StepOutcome.Completed), (answer.Undo, answer.Outcome));
        Assert.Equal(
            captured ? new(1_530, 1_530, 1_530, false) : new PaymentTotals(1_530, 0, 0, true),
            answer.Payment! with { Version = 0 });
        Assert.Equal(
            [captured ? ("refunded", 1_530, 1_530, 1_530) : ("voided", 1_530, 0, 0)], await server.ChargesAsync(order));
        Assert.Equal(captured ? [("capture", 1_530), ("refund", 1_530)] : [], await JournalAsync(server));
        // Keys of the lost attempts are never used again: the gateway would repeat the old results.
        Assert.Equal(
            ["authorize:101", captured ? "refund:101" : "void:101"],
            await server.QueryAsync(
                "SELECT operation, number FROM payment_attempts ORDER BY operation",
                row => $"{row.Text("operation")}:{row.Int("number")}"));
        Assert.Equal(StepOutcome.Completed, (await server.AskAsync(order, Undo())).Outcome);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(-5)]
    public async Task The_charge_of_an_order_is_found_although_the_clock_of_its_id_was_wrong_by_days(int days)
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.AddCustomerAsync();
        var order = await PaidAsync(server, ahead: TimeSpan.FromDays(days));
        await LoseAsync(server, order, alsoJournal: true);

        var answer = await server.AskAsync(order, Undo());

        Assert.Equal(new PaymentTotals(1_530, 1_530, 1_530, false), answer.Payment! with { Version = 0 });
        Assert.Equal([("refunded", 1_530, 1_530, 1_530)], await server.ChargesAsync(order));
    }

    // The request of the refund was on its way while the database was restored to a moment before it.
    [Fact]
    public async Task A_result_whose_attempt_a_restore_has_lost_brings_the_payment_to_what_the_gateway_has()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.AddCustomerAsync();
        var order = await PaidAsync(server);
        await server.ExecuteAsync(
            "UPDATE sandbox_charges SET refunded = 530 WHERE order_id = @id", SqlArgs.With("id", order));
        await server.ExecuteAsync(
            "INSERT INTO parked_events (provider, event_id, order_id, operation, number, result, received_at) "
            + "VALUES ('sandbox', 'late', @id, 'refund', 1, '{}', @at)",
            SqlArgs.With("id", order).And("at", server.Clock.GetUtcNow() - TimeSpan.FromMinutes(1)));

        await using var other = await server.StartAnotherAsync();

        await CustomerServer.UntilAsync(async () => (long)(await server.PaymentAsync(order))["refunded"]! == 530);
        await CustomerServer.UntilAsync(async () =>
            (await server.QueryAsync("SELECT event_id FROM parked_events", row => row.Text("event_id"))).Count == 0);
        Assert.Equal([("capture", 1_530), ("refund", 530)], await JournalAsync(server));
        Assert.Equal(201, (await server.SendAsync(
            "POST", $"payments/{order}/refunds", """{"amount":200,"reason":"broken"}""")).Status);
        await CustomerServer.UntilAsync(async () => (long)(await server.PaymentAsync(order))["refunded"]! == 730);
        // The key of the lost request is never used again.
        Assert.Equal(
            [101],
            await server.QueryAsync(
                "SELECT number FROM payment_attempts WHERE operation = 'refund'", row => row.Int("number")));
    }

    [Fact]
    public async Task Only_what_was_not_refunded_before_is_returned()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.AddCustomerAsync();
        var order = await PaidAsync(server);
        Assert.Equal(201, (await server.SendAsync(
            "POST", $"payments/{order}/refunds", """{"amount":530,"reason":"broken"}""")).Status);
        await CustomerServer.UntilAsync(async () => (long)(await server.PaymentAsync(order))["refunded"]! == 530);
        await LoseAsync(server, order, alsoJournal: true);

        var answer = await server.AskAsync(order, Undo(amount: null));

        Assert.Equal(new PaymentTotals(1_530, 1_530, 1_530, false), answer.Payment! with { Version = 0 });
        Assert.Equal([("refunded", 1_530, 1_530, 1_530)], await server.ChargesAsync(order));
    }

    [Fact]
    public async Task A_gateway_without_the_charge_is_asked_twice_and_then_nothing_is_returned()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.AddCustomerAsync();
        var order = Guid.CreateVersion7(server.Clock.GetUtcNow());
        await server.TellAsync(order, Undo());
        var first = (await server.NextAsync(order)).Answer;
        Assert.Equal((true, StepOutcome.InDoubt), (first.Undo, first.Outcome));
        await CustomerServer.UntilAsync(async () =>
            (int)(await server.PaymentAsync(order))["attempts"]![0]!["lookUps"]! == 1);
        server.Clock.Forward(TimeSpan.FromSeconds(6));

        Assert.Equal(PaymentTotals.None, (await server.SettledAsync(order)).Payment! with { Version = 0 });
        Assert.Equal(
            ReasonCodes.AlreadyUndone, (await server.AskAsync(order, CustomerServer.Pay("sandbox", SandboxTokens.Visa))).Code);
        Assert.Empty(await server.ChargesAsync(order));
    }

    [Fact]
    public async Task A_gateway_that_cannot_tell_makes_an_incident()
    {
        var gateway = new ScriptedGateway { Capabilities = new(true, LookUpByKey: false, true, true, true) };
        await using var server = await CustomerServer.StartAsync(engine, gateway);
        await server.AddCustomerAsync();
        var order = Guid.CreateVersion7(server.Clock.GetUtcNow());
        await server.TellAsync(order, Undo("scripted", "tok"));
        Assert.Equal(ReasonCodes.InDoubt, (await server.NextAsync(order)).Answer.Code);
        await CustomerServer.UntilAsync(async () =>
            (int)(await server.PaymentAsync(order))["attempts"]![0]!["lookUps"]! == 1);
        server.Clock.Forward(TimeSpan.FromMinutes(6));
        var (_, answer) = await server.NextAsync(order);

        Assert.Equal((true, StepOutcome.InDoubt, ReasonCodes.CannotTell), (answer.Undo, answer.Outcome, answer.Code));
        Assert.Contains("No payment of this order is recorded here", answer.Message, StringComparison.Ordinal);
        Assert.Empty(gateway.Called);
    }

    [Fact]
    public async Task A_gateway_without_a_list_is_asked_by_the_key_of_the_lost_request()
    {
        var asked = new List<string>();
        var gateway = new ScriptedGateway
        {
            Finds = request =>
            {
                lock (asked) asked.Add(request.Key);
                return new GatewayResult.Succeeded("ref-1");
            },
        };
        await using var server = await CustomerServer.StartAsync(engine, gateway);
        await server.AddCustomerAsync();
        var order = Guid.CreateVersion7(server.Clock.GetUtcNow());
        var voiding = PaymentAttempt.KeyOf(order, GatewayOperations.Void, 101);
        gateway.Answer(voiding, new GatewayResult.Succeeded("void-1"));

        Assert.Equal(StepOutcome.Completed, (await server.AskAsync(order, Undo("scripted", "tok"))).Outcome);

        Assert.Equal([PaymentAttempt.KeyOf(order, GatewayOperations.Authorize, 1)], asked);
        Assert.Equal([voiding], gateway.Called);
    }

    [Fact]
    public async Task Shipped_goods_of_an_unknown_payment_are_refused_and_no_dead_letter()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await using var orders = await server.ListenAsync(ServiceNames.Order);
        var order = Guid.CreateVersion7();
        await server.TellAsync(order, new TakeShipped(500, Close: false));
        var message = (await orders.ReceiveAsync(1, default)).Single().Messages.Single();

        Assert.Equal(
            (order, ReasonCodes.UnknownPayment, null),
            (message.OrderId, ((FulfilmentRefused)message.Body).Code, ((FulfilmentRefused)message.Body).Fulfilment));
        Assert.Empty(await server.QueryAsync("SELECT reason FROM dead_letters", row => row.Text("reason")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_charge_of_a_confirmed_order_is_taken_over(bool alsoJournal)
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await using var orders = await OrderServiceStandIn.StartAsync(server);
        await server.AddCustomerAsync();
        var order = await PaidAsync(server);
        await LoseAsync(server, order, alsoJournal);
        orders.Orders[order] = new OrderTold(OrderStatuses.Confirmed, Card);

        var preview = await server.SendAsync("POST", $"payments/{order}/adopt?preview=true", """{"reason":"restored"}""");
        Assert.Equal(
            (200, true, "missing", "captured"),
            (preview.Status, (bool)preview.Body!["preview"]!, (string?)preview.Body["before"]!["state"],
                (string?)preview.Body["after"]!["state"]));
        Assert.Equal(404, (await server.GetAsync($"payments/{order}")).Status);

        var adopted = await server.SendAsync("POST", $"payments/{order}/adopt", """{"reason":"restored"}""");

        Assert.True(adopted.Status == 200, adopted.Text);
        var payment = await server.PaymentAsync(order);
        Assert.Equal(
            ("captured", "17850", "sandbox", 1_530, 1_530, 0),
            ((string?)payment["state"], (string?)payment["customerId"], (string?)payment["provider"],
                (long)payment["amount"]!, (long)payment["captured"]!, (long)payment["refunded"]!));
        Assert.Equal([("capture", 1_530)], await JournalAsync(server));
        Assert.Equal(
            [("adopt", "restored")],
            await server.QueryAsync(
                "SELECT action, reason FROM operator_actions", row => (row.Text("action"), row.Text("reason"))));
        var again = await server.SendAsync("POST", $"payments/{order}/adopt", """{"reason":"restored"}""");
        Assert.Equal((409, "payment_exists"), (again.Status, again.Code));
        // The payment works like any other.
        Assert.Equal(StepOutcome.Completed, (await server.AskAsync(order, new UndoPayment("cancelled"))).Outcome);
        Assert.Equal([("refunded", 1_530, 1_530, 1_530)], await server.ChargesAsync(order));
    }

    [Theory]
    [InlineData("cancelled", 1_530, "GBP", "order_not_standing")]
    [InlineData("pending", 1_530, "GBP", "order_not_standing")]
    [InlineData("confirmed", 1_529, "GBP", "charge_differs")]
    [InlineData("confirmed", 1_530, "EUR", "charge_differs")]
    public async Task A_charge_that_does_not_pay_a_standing_order_stays_where_it_is(
        string status, long total, string currency, string code)
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await using var orders = await OrderServiceStandIn.StartAsync(server);
        await server.AddCustomerAsync();
        var order = await PaidAsync(server);
        await LoseAsync(server, order, alsoJournal: true);
        orders.Orders[order] = new OrderTold(status, Card with { AmountMinor = total, Currency = currency });

        foreach (var query in new[] { "?preview=true", "" })
            Assert.Equal(code, (await server.SendAsync("POST", $"payments/{order}/adopt{query}", """{"reason":"r"}""")).Code);

        Assert.Equal(404, (await server.GetAsync($"payments/{order}")).Status);
        Assert.Empty(await JournalAsync(server));
    }

    [Fact]
    public async Task Without_an_order_or_a_charge_nothing_is_taken_over()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await using var orders = await OrderServiceStandIn.StartAsync(server);
        var order = Guid.CreateVersion7(server.Clock.GetUtcNow());
        Assert.Equal(404, (await server.SendAsync("POST", $"payments/{order}/adopt", """{"reason":"r"}""")).Status);
        orders.Orders[order] = new OrderTold(OrderStatuses.Confirmed, Card);
        Assert.Equal("no_charge", (await server.SendAsync("POST", $"payments/{order}/adopt", """{"reason":"r"}""")).Code);
        orders.Orders[order] = new OrderTold(OrderStatuses.Confirmed, Card with { Payment = new("balance") });
        Assert.Equal("no_charge_list", (await server.SendAsync("POST", $"payments/{order}/adopt", """{"reason":"r"}""")).Code);
    }

    [Fact]
    public async Task A_reconciliation_never_advises_to_return_the_money_of_an_order_that_stands()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await using var orders = await OrderServiceStandIn.StartAsync(server);
        await server.AddCustomerAsync();
        var statuses = new[] { OrderStatuses.Confirmed, OrderStatuses.Completed, OrderStatuses.Pending, OrderStatuses.Cancelled };
        var ids = new Dictionary<string, Guid>();
        foreach (var status in statuses) ids[status] = await PaidAsync(server);
        var unknown = await PaidAsync(server);
        foreach (var id in ids.Values.Append(unknown)) await LoseRowAsync(server, id);
        foreach (var (status, id) in ids) orders.Orders[id] = new OrderTold(status, Card);
        server.Clock.Forward(TimeSpan.FromMinutes(2));

        var begun = await server.SendAsync("POST", "reconciliations", """{"provider":"sandbox"}""");
        var run = $"reconciliations/{begun.Body!["id"]}";
        await CustomerServer.UntilAsync(async () => (await server.GetAsync(run)).Body!["finishedAt"] is not null);

        var repairs = (await server.GetAsync($"{run}/differences")).Body!["items"]!.AsArray()
            .ToDictionary(one => (Guid)one!["orderId"]!, one => (string)one!["repair"]!);
        foreach (var stands in new[] { OrderStatuses.Confirmed, OrderStatuses.Completed })
        {
            Assert.Contains($"POST /api/v1/payments/{ids[stands]}/adopt", repairs[ids[stands]], StringComparison.Ordinal);
            Assert.DoesNotContain("UPDATE sandbox_charges", repairs[ids[stands]], StringComparison.Ordinal);
        }
        Assert.StartsWith("None yet", repairs[ids[OrderStatuses.Pending]], StringComparison.Ordinal);
        Assert.Contains("refunded + 1530", repairs[ids[OrderStatuses.Cancelled]], StringComparison.Ordinal);
        Assert.Contains("restored from an old backup", repairs[unknown], StringComparison.Ordinal);

        static Task LoseRowAsync(CustomerServer server, Guid id) => LoseAsync(server, id, alsoJournal: false);
    }
}

public sealed class LostPaymentOnPostgresTests(PostgresEngine engine) : LostPaymentSuite(engine), IClassFixture<PostgresEngine>;

public sealed class LostPaymentOnSqliteTests(SqliteEngine engine) : LostPaymentSuite(engine), IClassFixture<SqliteEngine>;
