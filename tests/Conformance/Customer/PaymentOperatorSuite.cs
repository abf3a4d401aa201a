using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Providers.Sandbox;

namespace Orderwright.Conformance.Customer;

/// <summary>Captures, voids and refunds by operators, with notifications to order-service.</summary>
public abstract class PaymentOperatorSuite(StorageEngine engine)
{
    const string Some = """{"amount":500,"reason":"Broken in the post."}""";

    static async Task<Guid> PaidAsync(CustomerServer server, string provider, string? token = null, bool capture = true)
    {
        var order = Guid.CreateVersion7();
        Assert.Equal(StepOutcome.Completed, (await server.AskAsync(order, CustomerServer.Pay(provider, token))).Outcome);
        if (capture) Assert.Equal(StepOutcome.Completed, (await server.AskAsync(order, new CapturePayment())).Outcome);
        return order;
    }

    static Task StandsAsync(CustomerServer server, Guid order, string state, long refunded) =>
        CustomerServer.UntilAsync(async () =>
            await server.PaymentAsync(order) is var payment
            && ((string?)payment["state"], (long)payment["refunded"]!) == (state, refunded));

    [Fact]
    public async Task Store_credit_is_refunded_in_parts_once_per_key_and_never_beyond_the_captured_amount()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.AddCustomerAsync(credit: 2_000);
        var order = await PaidAsync(server, "balance");
        var refunded = await server.SendAsync("POST", $"payments/{order}/refunds", Some, key: "r-1");
        Assert.Equal((201, "settled", "Broken in the post."), (
            refunded.Status, (string?)refunded.Body!["refunds"]![0]!["state"], (string?)refunded.Body["refunds"]![0]!["reason"]));
        var again = await server.SendAsync("POST", $"payments/{order}/refunds", Some, key: "r-1");
        Assert.Equal(("true", refunded.Text), (again.Replayed, again.Text));
        Assert.Equal(970, await server.BalanceAsync());
        var above = await server.SendAsync("POST", $"payments/{order}/refunds", """{"amount":1031,"reason":"Too much."}""");
        Assert.Equal((409, "exceeds_captured"), (above.Status, above.Code));
        Assert.Equal(
            201, (await server.SendAsync("POST", $"payments/{order}/refunds", """{"amount":1030,"reason":"All."}""")).Status);
        Assert.Equal(2_000, await server.BalanceAsync());
        // The undo of the order process finds nothing left to return.
        Assert.Equal(1_530, (await server.AskAsync(order, new UndoPayment("cancelled"))).Payment!.RefundedMinor);
        Assert.Equal(2_000, await server.BalanceAsync());
        Assert.Equal(
            [("refund", order), ("refund", order)],
            await server.QueryAsync("SELECT action, order_id FROM operator_actions",
                row => (row.Text("action"), row.Uuid("order_id"))));
    }

    [Fact]
    public async Task A_card_is_refunded_in_part_and_the_undo_returns_the_rest()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.AddCustomerAsync();
        var order = await PaidAsync(server, "sandbox", SandboxTokens.Visa);
        var refunded = await server.SendAsync("POST", $"payments/{order}/refunds", Some);
        Assert.Equal((201, "pending"), (refunded.Status, (string?)refunded.Body!["refunds"]![0]!["state"]));
        await StandsAsync(server, order, "captured", 500);
        Assert.Equal([("captured", 1_530, 1_530, 500)], await server.ChargesAsync(order));
        Assert.Equal(1_530, (await server.AskAsync(order, new UndoPayment("cancelled"))).Payment!.RefundedMinor);
        Assert.Equal([("refunded", 1_530, 1_530, 1_530)], await server.ChargesAsync(order));
    }

    [Fact]
    public async Task An_operator_captures_held_money_and_a_failed_refund_changes_nothing()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.AddCustomerAsync();
        var taken = await PaidAsync(server, "sandbox", SandboxTokens.RefundFails, capture: false);
        Assert.Equal(409, (await server.SendAsync("POST", $"payments/{taken}/refunds", Some)).Status);
        Assert.Equal(200, (await server.SendAsync("POST", $"payments/{taken}/capture", "{}")).Status);
        await StandsAsync(server, taken, "captured", 0);
        Assert.Equal("not_voidable", (await server.SendAsync("POST", $"payments/{taken}/void", "{}")).Code);
        Assert.Equal(201, (await server.SendAsync("POST", $"payments/{taken}/refunds", Some)).Status);
        await CustomerServer.UntilAsync(async () =>
            (string?)(await server.PaymentAsync(taken))["refunds"]![0]!["state"] == "failed");
        await StandsAsync(server, taken, "captured", 0);

        // The order would stay confirmed but unpaid.
        var held = await PaidAsync(server, "sandbox", SandboxTokens.Visa, capture: false);
        var refused = await server.SendAsync("POST", $"payments/{held}/void", """{"reason":"Fraud."}""");
        Assert.Equal((409, "order_stands"), (refused.Status, refused.Code));
        Assert.Equal([("authorized", 1_530, 0, 0)], await server.ChargesAsync(held));
    }

    [Fact]
    public async Task Order_service_is_notified_until_it_acknowledges()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.AddCustomerAsync(credit: 2_000);
        await using var orders = await server.ListenAsync(ServiceNames.Order);
        var order = await PaidAsync(server, "balance");
        await server.SendAsync("POST", $"payments/{order}/refunds", Some);
        var first = await MovedAsync(orders, order);
        Assert.Equal(new PaymentTotals(1_530, 1_530, 500, false), first.Payment! with { Version = 0 });
        server.Clock.Forward(TimeSpan.FromSeconds(11));
        Assert.Equal(first, await MovedAsync(orders, order));
        await server.TellAsync(order, new PaymentNoted(first.Version));
        await CustomerServer.UntilAsync(async () =>
            (await server.QueryAsync("SELECT order_id FROM payment_notifications", row => row.Uuid("order_id"))).Count == 0);
    }

    [Fact]
    public async Task Order_service_is_notified_of_a_charge_that_arrives_after_its_order_came_to_nothing()
    {
        var gateway = new ScriptedGateway { Capabilities = new(true, LookUpByKey: false, true, true, true) };
        await using var server = await CustomerServer.StartAsync(engine, gateway);
        await server.AddCustomerAsync();
        await using var orders = await server.ListenAsync(ServiceNames.Order);
        var order = Guid.CreateVersion7();
        var pay = CustomerServer.Pay("scripted");
        await server.TellAsync(order, pay);
        Assert.Equal(StepOutcome.InDoubt, (await server.NextAsync(order)).Answer.Outcome);
        var abandoned = await server.AskAsync(
            order, pay with { Resolution = new(Guid.CreateVersion7(), Completed: false, "ann", "By phone.", null) });
        Assert.Equal(PaymentTotals.None, abandoned.Payment! with { Version = 0 });

        gateway.Hook(PaymentAttempt.KeyOf(order, "authorize", 1), new GatewayResult.Succeeded("ref-1"));
        gateway.Answer(PaymentAttempt.KeyOf(order, "void", 1), new GatewayResult.Succeeded("ref-1"));
        Assert.Equal(200, (await server.SendAsync("POST", "webhooks/scripted", "{}")).Status);
        // The two may arrive together.
        var moved = new List<PaymentMoved>();
        using var patience = new CancellationTokenSource(Waiting.HangLimit);
        while (moved.Count < 2)
        {
            var deliveries = await orders.ReceiveAsync(1, patience.Token);
            await orders.AcknowledgeAsync(deliveries, default);
            moved.AddRange(deliveries.SelectMany(delivery => delivery.Messages).Select(message => (PaymentMoved)message.Body));
        }
        Assert.Equal(
            [new PaymentTotals(1_530, 0, 0, false), new PaymentTotals(1_530, 0, 0, true)],
            moved.Select(change => change.Payment with { Version = 0 }));
    }

    [Fact]
    public async Task An_unknown_payment_cannot_be_refunded()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        var tombstone = Guid.CreateVersion7();
        await server.AskAsync(tombstone, new UndoPayment("cancelled"));
        foreach (var nobody in new[] { tombstone, Guid.CreateVersion7() })
            Assert.Equal(404, (await server.SendAsync("POST", $"payments/{nobody}/refunds", Some)).Status);
        foreach (var bad in new[]
        {
            """{"amount":0,"reason":"x"}""", """{"amount":-1,"reason":"x"}""", """{"amount":1,"reason":" "}""", "{}",
        })
            Assert.Equal(400, (await server.SendAsync("POST", $"payments/{tombstone}/refunds", bad)).Status);
    }

    static async Task<PaymentMoved> MovedAsync(Runtime.Transport.IInbox inbox, Guid order)
    {
        using var patience = new CancellationTokenSource(Waiting.HangLimit);
        var deliveries = await inbox.ReceiveAsync(1, patience.Token);
        await inbox.AcknowledgeAsync(deliveries, default);
        var message = Assert.Single(deliveries.SelectMany(delivery => delivery.Messages));
        Assert.Equal(order, message.OrderId);
        return (PaymentMoved)message.Body;
    }
}

public sealed class PaymentOperatorOnPostgresTests(PostgresEngine engine)
    : PaymentOperatorSuite(engine), IClassFixture<PostgresEngine>;

public sealed class PaymentOperatorOnSqliteTests(SqliteEngine engine)
    : PaymentOperatorSuite(engine), IClassFixture<SqliteEngine>;
