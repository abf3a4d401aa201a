using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.CustomerService.Providers.Sandbox;

namespace Orderwright.Conformance.Customer;

/// <summary>Payments from store credit and through the sandbox, by token, on every engine.</summary>
public abstract class PaymentSuite(StorageEngine engine)
{
    static readonly PaymentTotals Held = new(1_530, 0, 0, false);
    static readonly PaymentTotals Taken = new(1_530, 1_530, 0, false);
    static readonly PaymentTotals Returned = new(1_530, 1_530, 1_530, false);
    static readonly PaymentTotals Released = new(1_530, 0, 0, true);

    static void Is(StepOutcome outcome, string? code, PaymentTotals position, StepAnswered answer) =>
        Assert.Equal((outcome, code, position), (answer.Outcome, answer.Code, answer.Payment! with { Version = 0 }));

    async Task<(CustomerServer Server, Guid Order, StepAnswered Answer)> PayAsync(string token)
    {
        var server = await CustomerServer.StartAsync(engine);
        await server.AddCustomerAsync();
        var order = Guid.CreateVersion7();
        return (server, order, await server.AskAsync(order, CustomerServer.Pay("sandbox", token)));
    }

    [Fact]
    public async Task Store_credit_is_captured_and_returned()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.AddCustomerAsync(credit: 2_000);
        var (first, second, free) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        var pay = CustomerServer.Pay("balance");
        Is(StepOutcome.Completed, null, Taken, await server.AskAsync(first, pay));
        Assert.Equal(470, await server.BalanceAsync());
        Is(StepOutcome.Rejected, ReasonCodes.InsufficientFunds, PaymentTotals.None, await server.AskAsync(second, pay));
        Is(StepOutcome.Completed, null, PaymentTotals.None, await server.AskAsync(free, pay with { AmountMinor = 0 }));
        Is(StepOutcome.Completed, null, Taken, await server.AskAsync(first, new CapturePayment()));
        Is(StepOutcome.Completed, null, Taken, await server.AskAsync(first, pay));
        Is(StepOutcome.Completed, null, Returned, await server.AskAsync(first, new UndoPayment("cancelled")));
        Is(StepOutcome.Completed, null, Returned, await server.AskAsync(first, new UndoPayment("cancelled")));
        Is(StepOutcome.Rejected, ReasonCodes.AlreadyUndone, Returned, await server.AskAsync(first, pay));
        Assert.Equal(2_000, await server.BalanceAsync());
        var unknown = CustomerServer.Pay("balance", customer: "nobody");
        Is(
            StepOutcome.Rejected,
            ReasonCodes.UnknownCustomer,
            PaymentTotals.None,
            await server.AskAsync(Guid.CreateVersion7(), unknown));
        var elsewhere = CustomerServer.Pay("paypal");
        Is(
            StepOutcome.Rejected,
            ReasonCodes.UnknownProvider,
            PaymentTotals.None,
            await server.AskAsync(Guid.CreateVersion7(), elsewhere));
    }

    [Fact]
    public async Task One_batch_decides_in_order_of_arrival()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.AddCustomerAsync("ann", 3_000);
        await server.AddCustomerAsync("bob", 1_530);
        var orders = Enumerable.Range(0, 5).Select(_ => Guid.CreateVersion7()).ToArray();
        await server.TellAsync(
        [
            (orders[0], CustomerServer.Pay("balance", amount: 2_000, customer: "ann")),
            (orders[1], CustomerServer.Pay("balance", amount: 2_000, customer: "ann")),
            (orders[2], CustomerServer.Pay("balance", customer: "bob")),
            (orders[0], new UndoPayment("cancelled")),
            (orders[3], CustomerServer.Pay("balance", amount: 3_000, customer: "ann")),
            (orders[4], new UndoPayment("cancelled")),
            (orders[4], CustomerServer.Pay("balance", amount: 1, customer: "ann")),
            (orders[2], CustomerServer.Pay("balance", customer: "bob")),
        ]);
        Assert.Equal(StepOutcome.Completed, (await server.SettledAsync(orders[0])).Outcome);
        Assert.Equal(ReasonCodes.InsufficientFunds, (await server.SettledAsync(orders[1])).Code);
        Assert.Equal(Taken, (await server.SettledAsync(orders[2])).Payment! with { Version = 0 });
        Assert.True((await server.SettledAsync(orders[0])).Undo);
        Assert.Equal(StepOutcome.Completed, (await server.SettledAsync(orders[3])).Outcome);
        Assert.True((await server.SettledAsync(orders[4])).Undo);
        Assert.Equal(ReasonCodes.AlreadyUndone, (await server.SettledAsync(orders[4])).Code);
        Assert.Equal(Taken, (await server.SettledAsync(orders[2])).Payment! with { Version = 0 });
        Assert.Equal((0, 0), (await server.BalanceAsync("ann"), await server.BalanceAsync("bob")));
    }

    [Fact]
    public async Task A_good_card_is_authorized_captured_and_refunded()
    {
        var (server, order, held) = await PayAsync(SandboxTokens.Visa);
        await using var _ = server;
        Is(StepOutcome.Completed, null, Held, held);
        Assert.Equal([("authorized", 1_530, 0, 0)], await server.ChargesAsync(order));
        Is(StepOutcome.Completed, null, Taken, await server.AskAsync(order, new CapturePayment()));
        await server.TellAsync(order, new UndoPayment("cancelled"), StepNames.CapturePayment);
        var (step, undone) = await server.NextAsync(order);
        Assert.Equal((StepNames.CapturePayment, true), (step, undone.Undo));
        Is(StepOutcome.Completed, null, Returned, undone);
        Is(StepOutcome.Completed, null, Returned, await server.AskAsync(order, new UndoPayment("cancelled")));
        Assert.Equal([("refunded", 1_530, 1_530, 1_530)], await server.ChargesAsync(order));

        var payment = await server.PaymentAsync(order);
        Assert.Equal(("refunded", "refunded"), ((string?)payment["state"], (string?)payment["status"]));
        Assert.Equal(
            [$"{order}:authorize:1", $"{order}:capture:1", $"{order}:refund:1"],
            payment["attempts"]!.AsArray().Select(attempt => (string?)attempt!["key"]));
        Assert.Equal(1_530, (long)Assert.Single(payment["captures"]!.AsArray())!["amount"]!);
        Assert.Equal(1_530, (long)Assert.Single(payment["refunds"]!.AsArray())!["amount"]!);
        Assert.DoesNotContain("tok_", payment.ToJsonString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SandboxTokens.Declined, ReasonCodes.PaymentDeclined)]
    [InlineData(SandboxTokens.InsufficientFunds, ReasonCodes.InsufficientFunds)]
    [InlineData("tok_of_nobody", ReasonCodes.PaymentDeclined)]
    public async Task A_bad_card_is_declined(string token, string code)
    {
        var (server, order, declined) = await PayAsync(token);
        await using var _ = server;
        Is(StepOutcome.Rejected, code, PaymentTotals.None, declined);
        Assert.Equal(declined, await server.AskAsync(order, CustomerServer.Pay("sandbox", token)));
        Is(StepOutcome.Completed, null, PaymentTotals.None, await server.AskAsync(order, new UndoPayment("rejected")));
        Assert.Equal([("declined", 0, 0, 0)], await server.ChargesAsync(order));
    }

    [Theory]
    [InlineData(SandboxTokens.Slow)]
    [InlineData(SandboxTokens.Error)]
    [InlineData(SandboxTokens.TimeoutBeforeCharge)]
    [InlineData(SandboxTokens.TimeoutAfterCharge)]
    public async Task A_misbehaving_gateway_charges_once(string token)
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.AddCustomerAsync();
        var order = Guid.CreateVersion7();
        var pay = CustomerServer.Pay("sandbox", token);
        for (var i = 0; i < 3; i++) await server.TellAsync(order, pay);
        var answers = new List<StepAnswered>();
        do answers.Add((await server.NextAsync(order)).Answer);
        while (answers[^1].Outcome is StepOutcome.InDoubt or StepOutcome.Retry);
        Is(StepOutcome.Completed, null, Held, answers[^1]);
        if (token is SandboxTokens.TimeoutAfterCharge or SandboxTokens.TimeoutBeforeCharge)
            Assert.Contains(answers, answer => answer is { Outcome: StepOutcome.InDoubt, Code: ReasonCodes.InDoubt });
        Is(StepOutcome.Completed, null, Held, await server.AskAsync(order, pay));
        Is(StepOutcome.Completed, null, Taken, await server.AskAsync(order, new CapturePayment()));
        Assert.Equal([("captured", 1_530, 1_530, 0)], await server.ChargesAsync(order));
        var attempts = (await server.PaymentAsync(order))["attempts"]!.AsArray();
        Assert.Equal(["authorize", "capture"], attempts.Select(attempt => (string?)attempt!["operation"]));
        if (token is SandboxTokens.Error or SandboxTokens.TimeoutBeforeCharge) Assert.True((int)attempts[0]!["sent"]! >= 2);
    }

    [Fact]
    public async Task A_failed_refund_is_reported_every_time()
    {
        var (server, order, held) = await PayAsync(SandboxTokens.RefundFails);
        await using var _ = server;
        Is(StepOutcome.Completed, null, Held, held);
        Is(StepOutcome.Completed, null, Taken, await server.AskAsync(order, new CapturePayment()));
        for (var i = 0; i < 2; i++)
        {
            var failed = await server.AskAsync(order, new UndoPayment("cancelled"));
            Is(StepOutcome.Rejected, ReasonCodes.RefundFailed, Taken, failed);
            Assert.True(failed.Undo);
        }
        server.Clock.Forward(TimeSpan.FromSeconds(31));
        Is(StepOutcome.Rejected, ReasonCodes.RefundFailed, Taken, await server.AskAsync(order, new UndoPayment("cancelled")));
        var payment = await server.PaymentAsync(order);
        Assert.Equal("undo_failed", (string?)payment["state"]);
        Assert.Equal(2, payment["attempts"]!.AsArray().Count(attempt => (string?)attempt!["operation"] == "refund"));
        Assert.Equal([("captured", 1_530, 1_530, 0)], await server.ChargesAsync(order));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_action_is_awaited_and_settled_by_its_webhook(bool approve)
    {
        var (server, order, waiting) = await PayAsync(SandboxTokens.RequiresAction);
        await using var _ = server;
        Is(StepOutcome.Waiting, null, PaymentTotals.None, waiting);
        Assert.Equal($"/api/v1/sandbox/actions/{order}", waiting.Action);
        Assert.Equal(waiting, await server.AskAsync(order, CustomerServer.Pay("sandbox", SandboxTokens.RequiresAction)));

        var acted = await server.SendAsync(
            "POST", $"sandbox/actions/{order}", $$"""{"approve":{{(approve ? "true" : "false")}}}""");
        Assert.Equal((200, approve ? "authorized" : "declined"), (acted.Status, (string?)acted.Body!["state"]));
        var settled = await server.SettledAsync(order);
        if (approve) Is(StepOutcome.Completed, null, Held, settled);
        else Is(StepOutcome.Rejected, ReasonCodes.PaymentDeclined, PaymentTotals.None, settled);
        var again = await server.SendAsync("POST", $"sandbox/actions/{order}", """{"approve":true}""");
        Assert.Equal((409, "not_waiting"), (again.Status, again.Code));
        Assert.Equal(
            404, (await server.SendAsync("POST", $"sandbox/actions/{Guid.CreateVersion7()}", """{"approve":true}""")).Status);
        Assert.Null((string?)(await server.PaymentAsync(order))["action"]);
    }

    [Fact]
    public async Task An_action_with_a_lost_webhook_is_found_by_polling()
    {
        var (server, order, _) = await PayAsync(SandboxTokens.RequiresAction);
        await using var __ = server;
        await server.ExecuteAsync("UPDATE sandbox_charges SET state = 'authorized', authorized = amount", new());
        server.Clock.Forward(TimeSpan.FromSeconds(16));
        Is(StepOutcome.Completed, null, Held, await server.SettledAsync(order));
    }

    [Fact]
    public async Task An_action_not_taken_is_closed_at_the_gateway()
    {
        var (server, order, _) = await PayAsync(SandboxTokens.RequiresAction);
        await using var __ = server;
        Is(StepOutcome.Completed, null, new(0, 0, 0, true), await server.AskAsync(order, new UndoPayment("expired")));
        Assert.Equal([("voided", 0, 0, 0)], await server.ChargesAsync(order));
        Assert.Equal(409, (await server.SendAsync("POST", $"sandbox/actions/{order}", """{"approve":true}""")).Status);
        Is(
            StepOutcome.Rejected,
            ReasonCodes.AlreadyUndone,
            new(0, 0, 0, true),
            await server.AskAsync(order, CustomerServer.Pay("sandbox")));
    }

    [Fact]
    public async Task An_early_undo_leaves_nothing_to_do()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.AddCustomerAsync(credit: 2_000);
        foreach (var pay in new[] { CustomerServer.Pay("balance"), CustomerServer.Pay("sandbox", SandboxTokens.Visa) })
        {
            var order = Guid.CreateVersion7();
            Is(StepOutcome.Completed, null, PaymentTotals.None, await server.AskAsync(order, new UndoPayment("cancelled")));
            Is(StepOutcome.Rejected, ReasonCodes.AlreadyUndone, PaymentTotals.None, await server.AskAsync(order, pay));
            Is(StepOutcome.Completed, null, PaymentTotals.None, await server.AskAsync(order, new UndoPayment("cancelled")));
            Assert.Empty(await server.ChargesAsync(order));
            Assert.Equal("undone", (string?)(await server.PaymentAsync(order))["state"]);
        }
        Assert.Equal(2_000, await server.BalanceAsync());
    }

    [Theory]
    [InlineData(SandboxTokens.Slow)]
    [InlineData(SandboxTokens.TimeoutAfterCharge)]
    public async Task An_undo_during_a_request_returns_the_result(string token)
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.AddCustomerAsync();
        var order = Guid.CreateVersion7();
        await server.TellAsync([(order, CustomerServer.Pay("sandbox", token)), (order, new UndoPayment("cancelled"))]);
        var undone = await server.SettledAsync(order);
        Assert.True(undone.Undo);
        Is(StepOutcome.Completed, null, Released, undone);
        Assert.Equal([("voided", 1_530, 0, 0)], await server.ChargesAsync(order));
    }

    [Fact]
    public async Task An_undo_of_a_lost_request_takes_a_second_look_up()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.AddCustomerAsync();
        var order = Guid.CreateVersion7();
        await server.TellAsync(
            [(order, CustomerServer.Pay("sandbox", SandboxTokens.TimeoutBeforeCharge)), (order, new UndoPayment("cancelled"))]);
        Assert.Equal((true, StepOutcome.InDoubt), await OutcomeAsync());
        await CustomerServer.UntilAsync(async () =>
            (int)(await server.PaymentAsync(order))["attempts"]![0]!["lookUps"]! == 1);
        Assert.False(server.HasAnswer(order));
        server.Clock.Forward(TimeSpan.FromSeconds(6));
        Assert.Equal((true, StepOutcome.Completed), await OutcomeAsync());
        Assert.Empty(await server.ChargesAsync(order));

        async Task<(bool, StepOutcome)> OutcomeAsync()
        {
            var (_, answer) = await server.NextAsync(order);
            return (answer.Undo, answer.Outcome);
        }
    }
}

public sealed class PaymentOnPostgresTests(PostgresEngine engine) : PaymentSuite(engine), IClassFixture<PostgresEngine>;

public sealed class PaymentOnSqliteTests(SqliteEngine engine) : PaymentSuite(engine), IClassFixture<SqliteEngine>;
