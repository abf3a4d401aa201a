using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.CustomerService.Calling;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Providers.Sandbox;

namespace Orderwright.Conformance.Customer;

/// <summary>Payments while instances crash, gateways stop answering, and messages arrive twice.</summary>
public abstract class PaymentFaultSuite(StorageEngine engine)
{
    static readonly GatewayResult Ok = new GatewayResult.Succeeded("ref-1");
    static readonly GatewayResult Silence = new GatewayResult.Unknown("It does not answer.");
    static readonly GatewayResult Never = new GatewayResult.NeverHappened(Final: false);

    static string Key(Guid order, string operation, int n = 1) => PaymentAttempt.KeyOf(order, operation, n);

    async Task<(CustomerServer Server, Guid Order)> StartAsync(params IPaymentProvider[] further)
    {
        var server = await CustomerServer.StartAsync(engine, further);
        await server.AddCustomerAsync();
        return (server, Guid.CreateVersion7());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_crash_around_the_request_leaves_one_charge(bool afterTheCall)
    {
        var (server, order) = await StartAsync();
        await using var _ = server;
        var pay = CustomerServer.Pay("sandbox", SandboxTokens.Visa);
        await server.DieWhileAuthorizingAsync(order, pay, afterTheCall);
        Assert.Equal(afterTheCall ? 1 : 0, (await server.ChargesAsync(order)).Count);
        Assert.False(server.HasAnswer(order));

        server.Clock.Forward(TimeSpan.FromSeconds(30));
        Assert.Equal(new PaymentTotals(1_530, 0, 0, false), (await server.SettledAsync(order)).Payment! with { Version = 0 });
        Assert.Equal([("authorized", 1_530, 0, 0)], await server.ChargesAsync(order));
        Assert.Equal(StepOutcome.Completed, (await server.AskAsync(order, pay)).Outcome);
    }

    [Fact]
    public async Task Work_postponed_by_a_fast_clock_continues_once_the_clock_is_corrected()
    {
        var (server, order) = await StartAsync();
        await using var _ = server;
        server.Clock.Forward(TimeSpan.FromHours(2));
        await server.DieWhileAuthorizingAsync(order, CustomerServer.Pay("sandbox", SandboxTokens.Visa), call: false);
        server.Clock.Forward(TimeSpan.FromHours(-2));
        server.Clock.Forward(TimeSpan.FromSeconds(30));
        Assert.Equal(new PaymentTotals(1_530, 0, 0, false), (await server.SettledAsync(order)).Payment! with { Version = 0 });
    }

    [Fact]
    public async Task A_lease_of_a_process_that_ended_before_the_clock_was_set_back_ends_at_once()
    {
        var (ahead, order) = await StartAsync();
        await using (ahead)
        {
            ahead.Clock.Forward(TimeSpan.FromMinutes(9));
            await ahead.DieWhileAuthorizingAsync(order, CustomerServer.Pay("sandbox", SandboxTokens.Visa), call: false);
        }
        ahead.Clock.Forward(TimeSpan.FromMinutes(-9));
        await using var right = await ahead.StartAnotherAsync();
        Assert.Equal(new PaymentTotals(1_530, 0, 0, false), (await right.SettledAsync(order)).Payment! with { Version = 0 });
    }

    [Fact]
    public async Task Two_instances_taking_up_the_same_attempts_charge_each_once()
    {
        var (first, _) = await StartAsync();
        await using var __ = first;
        var orders = Enumerable.Range(0, 40).Select(_ => Guid.CreateVersion7()).ToArray();
        foreach (var order in orders)
            await first.DieWhileAuthorizingAsync(order, CustomerServer.Pay("sandbox", SandboxTokens.Visa), call: false);
        await using var second = await first.StartAnotherAsync();
        first.Clock.Forward(TimeSpan.FromSeconds(30));
        await CustomerServer.UntilAsync(async () =>
            (await first.QueryAsync("SELECT order_id FROM payments WHERE state = 'authorized'",
                row => row.Uuid("order_id"))).Count == 40);
        Assert.Equal(40, (await first.QueryAsync("SELECT id FROM sandbox_charges", row => row.Text("id"))).Count);
        Assert.Equal(40, (await first.QueryAsync("SELECT number FROM payment_attempts", row => row.Int("number"))).Count);
    }

    [Fact]
    public async Task A_doubt_lasts_until_the_gateway_reports_the_result()
    {
        var gateway = new ScriptedGateway();
        var (server, order) = await StartAsync(gateway);
        await using var _ = server;
        var pay = CustomerServer.Pay("scripted");
        await server.TellAsync(order, pay);
        Assert.Equal(StepOutcome.InDoubt, (await server.NextAsync(order)).Answer.Outcome);
        await server.TellAsync(order, pay);
        Assert.Equal(StepOutcome.InDoubt, (await server.NextAsync(order)).Answer.Outcome);

        var doubtful = (await server.PaymentAsync(order))["attempts"]![0]!;
        Assert.Equal(("in_doubt", "in_doubt"), ((string?)doubtful["state"], (string?)doubtful["reason"]!["code"]));
        Assert.Single(await ListAsync(server, "inDoubt=true"));
        Assert.Single(await ListAsync(server, "inDoubt=true&state=authorizing"));
        Assert.Empty(await ListAsync(server, "inDoubt=false"));

        gateway.Finds = _ => Ok;
        server.Clock.Forward(TimeSpan.FromSeconds(6));
        Assert.Equal(StepOutcome.Completed, (await server.SettledAsync(order)).Outcome);
        Assert.Equal([Key(order, "authorize")], gateway.Called);
        Assert.Null((await server.PaymentAsync(order))["attempts"]![0]!["reason"]);
        Assert.Empty(await ListAsync(server, "inDoubt=true"));
        Assert.Single(await ListAsync(server, "inDoubt=false"));
    }

    static async Task<System.Text.Json.Nodes.JsonArray> ListAsync(CustomerServer server, string query) =>
        (await server.GetAsync($"payments?{query}")).Body!["items"]!.AsArray();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_resolution_carried_by_a_command_settles_a_doubt(bool completed)
    {
        var gateway = new ScriptedGateway { Capabilities = new(true, LookUpByKey: false, true, true, true) };
        var (server, order) = await StartAsync(gateway);
        await using var _ = server;
        var pay = CustomerServer.Pay("scripted");
        await server.TellAsync(order, pay);
        Assert.Equal(StepOutcome.InDoubt, (await server.NextAsync(order)).Answer.Outcome);
        var resolution = new Resolution(Guid.CreateVersion7(), completed, "ann", "Asked by phone.", "ch_77");
        var resolved = pay with { Resolution = resolution };
        var answer = await server.AskAsync(order, resolved);
        Assert.Equal(
            completed ? (StepOutcome.Completed, null) : (StepOutcome.Rejected, ReasonCodes.ResolvedByOperator),
            (answer.Outcome, answer.Code));
        Assert.Equivalent(answer, await server.AskAsync(order, resolved), strict: true);
        var attempt = (await server.PaymentAsync(order))["attempts"]![0]!;
        Assert.Equal(
            (completed ? "succeeded" : "failed", "ann"), ((string?)attempt["state"], (string?)attempt["resolvedBy"]));
        Assert.Equal(
            [("resolve", "ann", $"{Key(order, "authorize")} {(completed ? "completed" : "rejected")}")],
            await server.QueryAsync(
                "SELECT action, actor, subject FROM operator_actions",
                row => (row.Text("action"), row.Text("actor"), row.Text("subject"))));
        if (!completed) return;
        gateway.Answer(Key(order, "capture"), Ok);
        Assert.Equal(1_530, (await server.AskAsync(order, new CapturePayment())).Payment!.CapturedMinor);
    }

    [Fact]
    public async Task An_operator_resolves_a_refund_and_a_payment_of_the_process()
    {
        var gateway = new ScriptedGateway { Capabilities = new(true, LookUpByKey: false, true, true, true) };
        var (server, order) = await StartAsync(gateway);
        await using var _ = server;
        await server.TellAsync(order, CustomerServer.Pay("scripted"));
        Assert.Equal(StepOutcome.InDoubt, (await server.NextAsync(order)).Answer.Outcome);
        var resolve = $"payments/{order}/resolve";
        foreach (var bad in new[] { "{}", """{"outcome":"maybe","reason":"x"}""", """{"outcome":"completed","reason":" "}""" })
            Assert.Equal(400, (await server.SendAsync("POST", resolve, bad)).Status);
        var response = await server.SendAsync(
            "POST", resolve, """{"outcome":"completed","reason":"It is on their list.","reference":"ch_77"}""");
        Assert.Equal(
            (200, "authorized", "ch_77"),
            (response.Status, (string?)response.Body!["state"], (string?)response.Body["reference"]));
        Assert.Equal(StepOutcome.Completed, (await server.SettledAsync(order)).Outcome);
        Assert.Equal("not_in_doubt", (await server.SendAsync(
            "POST", resolve, """{"outcome":"rejected","reason":"x"}""")).Code);

        gateway.Answer(Key(order, "capture"), Ok);
        await server.AskAsync(order, new CapturePayment());
        Assert.Equal(201, (await server.SendAsync(
            "POST", $"payments/{order}/refunds", """{"amount":500,"reason":"Broken."}""")).Status);
        await CustomerServer.UntilAsync(async () =>
            (string?)(await server.PaymentAsync(order))["refunds"]![0]!["state"] == "unknown");
        var refunded = await server.SendAsync("POST", resolve, """{"outcome":"completed","reason":"It is on their list."}""");
        Assert.Equal((200, 500), (refunded.Status, (int)refunded.Body!["refunded"]!));
    }

    [Fact]
    public async Task A_contradiction_is_listed_until_an_operator_clears_it()
    {
        var gateway = new ScriptedGateway { Capabilities = new(true, LookUpByKey: false, true, true, true) };
        var (server, order) = await StartAsync(gateway);
        await using var _ = server;
        var pay = CustomerServer.Pay("scripted");
        await server.TellAsync(order, pay);
        Assert.Equal(StepOutcome.InDoubt, (await server.NextAsync(order)).Answer.Outcome);
        await server.AskAsync(order, pay with { Resolution = new(Guid.CreateVersion7(), true, "ann", "By phone.", "ch_77") });
        Assert.Empty((await server.GetAsync("payments?attention=true")).Body!["items"]!.AsArray());

        gateway.Hook(Key(order, "authorize"), new GatewayResult.Declined("card_declined", "No."));
        Assert.Equal(200, (await server.SendAsync("POST", "webhooks/scripted", "{}")).Status);
        var listed = (await server.GetAsync("payments?attention=true")).Body!["items"]!.AsArray();
        Assert.Contains(
            "the gateway reports that it did not happen", (string)Assert.Single(listed)!["attention"]!, StringComparison.Ordinal);
        Assert.Equal(200, (await server.SendAsync(
            "POST", $"payments/{order}/resolve", """{"outcome":"rejected","reason":"Cancelled the order."}""")).Status);
        Assert.Empty((await server.GetAsync("payments?attention=true")).Body!["items"]!.AsArray());
    }

    [Fact]
    public async Task An_undo_in_doubt_waits_and_then_voids_the_charge()
    {
        var gateway = new ScriptedGateway();
        var (server, order) = await StartAsync(gateway);
        await using var _ = server;
        await server.TellAsync(order, CustomerServer.Pay("scripted"));
        Assert.Equal(StepOutcome.InDoubt, (await server.NextAsync(order)).Answer.Outcome);
        await server.TellAsync(order, new UndoPayment("cancelled"));
        var (_, undo) = await server.NextAsync(order);
        Assert.Equal((true, StepOutcome.InDoubt), (undo.Undo, undo.Outcome));
        Assert.Equal([Key(order, "authorize")], gateway.Called);

        gateway.Answer(Key(order, "void"), Ok);
        gateway.Finds = _ => Ok;
        server.Clock.Forward(TimeSpan.FromSeconds(6));
        var undone = await server.SettledAsync(order);
        Assert.Equal((true, StepOutcome.Completed, true), (undone.Undo, undone.Outcome, undone.Payment!.Voided));
        Assert.Equal([Key(order, "authorize"), Key(order, "void")], gateway.Called);
    }

    [Fact]
    public async Task Inconclusive_look_ups_keep_to_their_pauses()
    {
        var gateway = new ScriptedGateway { Finds = _ => new GatewayResult.Unknown("It cannot tell.") { IsAnswer = true } };
        var (server, order) = await StartAsync(gateway);
        await using var _ = server;
        await server.TellAsync(order, CustomerServer.Pay("scripted"));
        Assert.Equal(StepOutcome.InDoubt, (await server.NextAsync(order)).Answer.Outcome);
        await LookedUpAsync(1);
        for (var pause = 0; pause < GatewayLimits.LookUpPauses.Count; pause++)
        {
            // Longer than the interval of the repair for fast clocks.
            if (pause == GatewayLimits.LookUpPauses.Count - 1) await Task.Delay(TimeSpan.FromSeconds(6));
            Assert.Equal(pause + 1, await LookUpsAsync());
            server.Clock.Forward(GatewayLimits.LookUpPauses[pause]);
            await LookedUpAsync(pause + 2);
        }

        async Task<int> LookUpsAsync() => (int)(await server.PaymentAsync(order))["attempts"]![0]!["lookUps"]!;

        Task LookedUpAsync(int times) => CustomerServer.UntilAsync(async () => await LookUpsAsync() == times);
    }

    [Fact]
    public async Task A_gateway_without_idempotent_keys_gets_no_repetition_before_a_final_look_up()
    {
        var gateway = new ScriptedGateway { Capabilities = new(false, true, true, false, false), Finds = _ => Never };
        var (server, order) = await StartAsync(gateway);
        await using var _ = server;
        await server.TellAsync(order, CustomerServer.Pay("scripted"));
        Assert.Equal(StepOutcome.InDoubt, (await server.NextAsync(order)).Answer.Outcome);
        await CustomerServer.UntilAsync(async () =>
            (int)(await server.PaymentAsync(order))["attempts"]![0]!["lookUps"]! == 1);
        Assert.Equal([Key(order, "authorize")], gateway.Called);

        gateway.Finds = _ => new GatewayResult.NeverHappened(Final: true);
        gateway.Answer(Key(order, "authorize", 2), Ok);
        server.Clock.Forward(TimeSpan.FromSeconds(6));
        Assert.Equal(StepOutcome.Completed, (await server.SettledAsync(order)).Outcome);
        Assert.Equal([Key(order, "authorize"), Key(order, "authorize", 2)], gateway.Called);
    }

    [Fact]
    public async Task A_refund_in_doubt_is_looked_up_and_not_repeated()
    {
        var gateway = new ScriptedGateway();
        var (server, order) = await StartAsync(gateway);
        await using var _ = server;
        gateway.Answer(Key(order, "authorize"), new GatewayResult.Succeeded("ref-1", Captured: true));
        Assert.Equal(1_530, (await server.AskAsync(order, CustomerServer.Pay("scripted"))).Payment!.CapturedMinor);
        await server.TellAsync(order, new UndoPayment("cancelled"));
        Assert.Equal(StepOutcome.InDoubt, (await server.NextAsync(order)).Answer.Outcome);
        gateway.Finds = request => request.Operation == GatewayOperations.Refund ? Ok : Silence;
        server.Clock.Forward(TimeSpan.FromSeconds(6));
        Assert.Equal(1_530, (await server.SettledAsync(order)).Payment!.RefundedMinor);
        Assert.Equal([Key(order, "authorize"), Key(order, "refund")], gateway.Called);
    }

    [Fact]
    public async Task A_webhook_that_overtakes_the_reply_settles_once()
    {
        var (server, order) = await StartAsync();
        await using var _ = server;
        await server.AddCustomerAsync("ann");
        // Still queued in our process: the charge exists, the answer does not.
        await server.DieWhileAuthorizingAsync(order, CustomerServer.Pay("sandbox", SandboxTokens.Visa), call: true);
        var (id, key) = Assert.Single(await server.QueryAsync(
            "SELECT id, key FROM sandbox_charges", row => (row.Text("id"), row.Text("key"))));
        var charge = new SandboxCharge(
            id, key, order, SandboxTokens.Visa, "GBP", "authorized", 1_530, 1_530, 0, 0, false, null, null);
        for (var i = 0; i < 3; i++)
            Assert.Equal((200, ""), await SendAsync(server, charge, server.Clock.GetUtcNow()));
        Assert.Equal(new PaymentTotals(1_530, 0, 0, false), (await server.SettledAsync(order)).Payment! with { Version = 0 });
        Assert.Equal(200, (await SendAsync(
            server, charge with { State = "declined", Code = "late", Message = "No." }, server.Clock.GetUtcNow())).Status);

        Assert.Equal("authorized", (string?)(await server.PaymentAsync(order))["state"]);
        Assert.False(server.HasAnswer(order));
        Assert.Equal(
            [("charge.authorized", true), ("charge.declined", true)],
            await server.QueryAsync("SELECT type, matched FROM gateway_events ORDER BY type",
                row => (row.Text("type"), row.Bool("matched"))));
    }

    [Fact]
    public async Task A_webhook_without_an_attempt_is_stored_and_a_forged_one_is_not()
    {
        var (server, order) = await StartAsync();
        await using var _ = server;
        var now = server.Clock.GetUtcNow();
        var charge = new SandboxCharge(
            "ch_x", Key(order, "authorize"), order, "", "GBP", "authorized", 1, 1, 0, 0, false, null, null);
        Assert.Equal(200, (await SendAsync(server, charge, now)).Status);
        Assert.Equal(200, (await SendAsync(server, charge with { Id = "ch_y", Key = "somebody else's" }, now)).Status);
        Assert.Equal((401, "bad_signature"), await SendAsync(server, charge with { Id = "ch_z" }, now.AddMinutes(-6)));
        Assert.Equal((401, "bad_signature"), await SendAsync(server, charge with { Id = "ch_z" }, now.AddMinutes(6)));
        var unsigned = await server.SendAsync("POST", "webhooks/sandbox", "{}");
        Assert.Equal((401, "bad_signature"), (unsigned.Status, unsigned.Code));
        Assert.Equal(404, (await server.SendAsync("POST", "webhooks/stripe", "{}")).Status);
        Assert.Equal(
            [false, false], await server.QueryAsync("SELECT matched FROM gateway_events", row => row.Bool("matched")));
        Assert.Equal(404, (await server.GetAsync($"payments/{order}")).Status);
    }

    [Fact]
    public async Task An_early_webhook_settles_its_attempt_once_stored()
    {
        var gateway = new ScriptedGateway();
        var (server, order) = await StartAsync(gateway);
        await using var _ = server;
        for (var i = 0; i < 3; i++)
        {
            gateway.Hook(Key(order, "authorize"), Ok, id: "early");
            Assert.Equal(200, (await server.SendAsync("POST", "webhooks/scripted", "{}")).Status);
        }
        Assert.Equal(["early"], await server.QueryAsync("SELECT event_id FROM parked_events", row => row.Text("event_id")));

        // The request itself is never answered.
        await server.TellAsync(order, CustomerServer.Pay("scripted"));
        Assert.Equal(new PaymentTotals(1_530, 0, 0, false), (await server.SettledAsync(order)).Payment! with { Version = 0 });
        await CustomerServer.UntilAsync(async () =>
            (await server.QueryAsync("SELECT event_id FROM parked_events", row => row.Text("event_id"))).Count == 0);
        Assert.Equal([true], await server.QueryAsync("SELECT matched FROM gateway_events", row => row.Bool("matched")));
        // Repeats and older events change nothing once settled.
        gateway.Hook(Key(order, "authorize"), Ok, id: "early");
        gateway.Hook(Key(order, "authorize"), new GatewayResult.ActionRequired("ref-1", "/act"), id: "older");
        for (var i = 0; i < 2; i++)
            Assert.Equal(200, (await server.SendAsync("POST", "webhooks/scripted", "{}")).Status);
        Assert.Equal("authorized", (string?)(await server.PaymentAsync(order))["state"]);
    }

    [Fact]
    public async Task A_webhook_without_an_attempt_is_dropped_after_three_days()
    {
        var gateway = new ScriptedGateway();
        var (server, order) = await StartAsync(gateway);
        await using var _ = server;
        gateway.Hook(Key(order, "authorize"), Ok);
        Assert.Equal(200, (await server.SendAsync("POST", "webhooks/scripted", "{}")).Status);
        server.Clock.Forward(ParkedEvents.KeepParked + TimeSpan.FromMinutes(1));
        await using var other = await server.StartAnotherAsync();
        await CustomerServer.UntilAsync(async () =>
            (await server.QueryAsync("SELECT event_id FROM parked_events", row => row.Text("event_id"))).Count == 0);
        Assert.Equal([false], await server.QueryAsync("SELECT matched FROM gateway_events", row => row.Bool("matched")));
    }

    [Fact]
    public async Task A_webhook_of_one_gateway_does_not_settle_attempts_at_another()
    {
        var gateway = new ScriptedGateway();
        var (server, order) = await StartAsync(gateway);
        await using var _ = server;
        await server.TellAsync(order, CustomerServer.Pay("scripted"));
        await CustomerServer.UntilAsync(() => Task.FromResult(gateway.InFlight == 1));
        var charge = new SandboxCharge(
            "ch_x", Key(order, "authorize"), order, "", "GBP", "authorized", 1_530, 1_530, 0, 0, false, null, null);
        Assert.Equal(200, (await SendAsync(server, charge, server.Clock.GetUtcNow())).Status);
        Assert.Equal("authorizing", (string?)(await server.PaymentAsync(order))["state"]);
        Assert.Equal([false], await server.QueryAsync("SELECT matched FROM gateway_events", row => row.Bool("matched")));
    }

    static async Task<(int Status, string Code)> SendAsync(CustomerServer server, SandboxCharge charge, DateTimeOffset at)
    {
        var (headers, body) = CustomerServer.Signer.Webhook(charge, at);
        var reply = await server.SendAsync(
            "POST", "webhooks/sandbox", System.Text.Encoding.UTF8.GetString(body),
            header: (SandboxProvider.SignatureHeader, headers[SandboxProvider.SignatureHeader].ToString()));
        return (reply.Status, reply.Code ?? "");
    }
}

public sealed class PaymentFaultOnPostgresTests(PostgresEngine engine)
    : PaymentFaultSuite(engine), IClassFixture<PostgresEngine>;

public sealed class PaymentFaultOnSqliteTests(SqliteEngine engine)
    : PaymentFaultSuite(engine), IClassFixture<SqliteEngine>;
