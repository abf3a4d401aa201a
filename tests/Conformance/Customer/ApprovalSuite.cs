using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Providers.Sandbox;
using Orderwright.Http;
using Orderwright.Http.Approvals;

namespace Orderwright.Conformance.Customer;

/// <summary>Refunds, credits and resolutions that wait for a second person, on every engine.</summary>
public abstract class ApprovalSuite(StorageEngine engine)
{
    static readonly (string, string)[] Above500 = [("ApprovalAbove", "GBP:500"), ("RefundLimit", "GBP:400")];

    static (string, string) As(string caller) => ("X-Caller", caller);

    static string Of(long amount) => $$"""{"amount":{{amount}},"reason":"Broken in the post."}""";

    static async Task<Guid> PaidAsync(CustomerServer server, string provider = "balance", long amount = 1_530)
    {
        var order = Guid.CreateVersion7();
        var token = provider == "sandbox" ? SandboxTokens.Visa : null;
        var pay = CustomerServer.Pay(provider, token, amount) with { Channel = "main" };
        Assert.Equal(StepOutcome.Completed, (await server.AskAsync(order, pay)).Outcome);
        Assert.Equal(StepOutcome.Completed, (await server.AskAsync(order, new CapturePayment())).Outcome);
        return order;
    }

    static async Task<CustomerServer> StartAsync(StorageEngine engine, params (string, string)[] settings)
    {
        var server = await CustomerServer.StartAsync(engine, settings.Length == 0 ? Above500 : settings);
        await server.AddCustomerAsync();
        // In parts below the limit.
        for (var i = 0; i < 10; i++) await server.AddCreditAsync(500);
        return server;
    }

    static async Task<Guid> HoldAsync(CustomerServer server, Guid order, long amount = 501, string by = "ann")
    {
        var held = await server.SendAsync("POST", $"payments/{order}/refunds", Of(amount), header: As(by));
        Assert.Equal((202, "pending"), (held.Status, (string?)held.Body!["state"]));
        return Guid.Parse((string)held.Body["id"]!);
    }

    static Task<Answer> DecideAsync(
        CustomerServer server, Guid id, string by, bool approves = true, string channels = "*", string? reason = null) =>
        server.Approvals.DecideAsync(new(
            new Verdict(id, approves, reason), new Caller(by, ChannelSet.Of(channels), [Scopes.Approvals]), null, []));

    static async Task<ApprovalResponse> FindAsync(CustomerServer server, Guid id) =>
        (await server.Approvals.FindAsync(id, ChannelSet.All, default))!;

    static async Task<(int Status, string? Code)> RefusedAsync(Task<Answer> answer) =>
        await answer is var refused
            ? (refused.Status, (string?)System.Text.Json.Nodes.JsonNode.Parse(refused.Body.Span)!["code"]) : default;

    [Fact]
    public async Task A_refund_above_the_amount_waits_and_happens_once_when_another_person_approves()
    {
        await using var server = await StartAsync(engine);
        await using var orders = await server.ListenAsync(ServiceNames.Order);
        var order = await PaidAsync(server);
        var held = await server.SendAsync(
            "POST", $"payments/{order}/refunds", Of(1_000), key: "r-1", header: As("ann"));
        Assert.Equal(
            (202, "Refund 10.00 GBP to 17850.", "ann"),
            (held.Status, (string?)held.Body!["effect"], (string?)held.Body["requestedBy"]));
        Assert.Equal($"/api/v1/approvals/{held.Body["id"]}", held.Location);
        var again = await server.SendAsync("POST", $"payments/{order}/refunds", Of(1_000), key: "r-1", header: As("ann"));
        Assert.Equal(("true", held.Text), (again.Replayed, again.Text));
        Assert.Equal(3_470, await server.BalanceAsync());
        Assert.Equal(
            (409, "approval_pending"),
            await server.SendAsync("POST", $"payments/{order}/refunds", Of(600), header: As("eve")) is var second
                ? (second.Status, second.Code) : default);

        var id = Guid.Parse((string)held.Body["id"]!);
        Assert.Equal((403, "own_approval"), await RefusedAsync(DecideAsync(server, id, "ann")));
        Assert.Equal((403, "own_approval"), await RefusedAsync(DecideAsync(server, id, "ann", approves: false)));
        Assert.Equal((404, "not_found"), await RefusedAsync(DecideAsync(server, id, "bob", channels: "eu")));
        Assert.Null(await server.Approvals.FindAsync(id, ChannelSet.Of("eu"), default));
        Assert.Equal(200, (await DecideAsync(server, id, "bob", channels: "main")).Status);
        // The repeated decision of the same person has no further effect.
        Assert.Equal(200, (await DecideAsync(server, id, "bob")).Status);
        Assert.Equal((409, "already_decided"), await RefusedAsync(DecideAsync(server, id, "eve")));
        Assert.Equal((409, "already_decided"), await RefusedAsync(DecideAsync(server, id, "bob", approves: false)));
        Assert.Equal(4_470, await server.BalanceAsync());

        var attempt = (await server.PaymentAsync(order))["attempts"]![0]!;
        Assert.Equal(("ann", "bob"), ((string?)attempt["requestedBy"], (string?)attempt["approvedBy"]));
        const string? Subject = "refund 10.00 GBP, requested by ann";
        Assert.Equal(
            [("approve", "bob", Subject), ("refund", "ann", "1000"), ("request", "ann", Subject)],
            (await server.ActionsAsync()).Order());
        var moved = await MovedAsync(orders);
        Assert.Equal((1_000, "ann", "bob"), (moved.Payment.RefundedMinor, moved.By, moved.ApprovedBy));
        // The repeated notification names them, too.
        server.Clock.Forward(TimeSpan.FromSeconds(11));
        Assert.Equal(moved, await MovedAsync(orders));
    }

    [Fact]
    public async Task A_refund_at_a_gateway_names_both_people()
    {
        await using var server = await StartAsync(engine);
        await using var orders = await server.ListenAsync(ServiceNames.Order);
        var order = await PaidAsync(server, "sandbox");
        await DecideAsync(server, await HoldAsync(server, order, 700), "bob");
        var moved = await MovedAsync(orders);
        Assert.Equal((700, "ann", "bob"), (moved.Payment.RefundedMinor, moved.By, moved.ApprovedBy));
        Assert.Equal([("captured", 1_530, 1_530, 700)], await server.ChargesAsync(order));
    }

    [Fact]
    public async Task A_rejected_or_expired_refund_moves_nothing_and_cannot_be_approved()
    {
        await using var server = await StartAsync(engine);
        var order = await PaidAsync(server);
        var rejected = await HoldAsync(server, order);
        Assert.Equal(200, (await DecideAsync(server, rejected, "bob", approves: false, reason: "Not broken.")).Status);
        Assert.Equal((409, "already_decided"), await RefusedAsync(DecideAsync(server, rejected, "eve")));
        Assert.Equal(("rejected", "bob", "Not broken."), await FindAsync(server, rejected) is var one
            ? (one.State, one.DecidedBy, one.DecisionReason) : default);

        var expired = await HoldAsync(server, order);
        server.Clock.Forward(TimeSpan.FromHours(24));
        Assert.Equal((409, "approval_expired"), await RefusedAsync(DecideAsync(server, expired, "bob")));
        await CustomerServer.UntilAsync(async () => (await FindAsync(server, expired)).State == "expired");
        Assert.Equal((409, "approval_expired"), await RefusedAsync(DecideAsync(server, expired, "bob")));
        Assert.Equal(
            [("expire", ServiceNames.Customer), ("reject", "bob"), ("request", "ann"), ("request", "ann")],
            (await server.ActionsAsync()).Select(action => (action.Action, action.Actor)).Order());
        Assert.Equal(3_470, await server.BalanceAsync());
        // The order is free for another request.
        await DecideAsync(server, await HoldAsync(server, order), "bob");
        Assert.Equal(3_971, await server.BalanceAsync());
    }

    [Fact]
    public async Task A_refund_that_has_become_impossible_is_refused_like_a_direct_one_and_stays_pending()
    {
        await using var server = await StartAsync(engine);
        var order = await PaidAsync(server);
        var id = await HoldAsync(server, order, 1_500);
        Assert.Equal(201, (await server.SendAsync("POST", $"payments/{order}/refunds", Of(400))).Status);
        Assert.Equal((409, "exceeds_captured"), await RefusedAsync(DecideAsync(server, id, "bob")));
        Assert.Equal("pending", (await FindAsync(server, id)).State);
        Assert.Equal(200, (await DecideAsync(server, id, "bob", approves: false, reason: "Too late.")).Status);
        Assert.Equal(3_870, await server.BalanceAsync());
    }

    [Fact]
    public async Task Parts_are_no_way_around_the_amount_or_the_limit_of_a_caller()
    {
        await using var server = await StartAsync(engine);
        var order = await PaidAsync(server);
        var refunds = $"payments/{order}/refunds";
        var support = As("sue:payments:refund");
        Assert.Equal(
            (403, "refund_not_allowed"),
            await server.SendAsync("POST", refunds, Of(401), header: support) is var above
                ? (above.Status, above.Code) : default);
        Assert.Equal(201, (await server.SendAsync("POST", refunds, Of(300), header: support)).Status);
        Assert.Equal(403, (await server.SendAsync("POST", refunds, Of(101), header: support)).Status);
        Assert.Equal(201, (await server.SendAsync("POST", refunds, Of(100), header: support)).Status);
        Assert.Equal(201, (await server.SendAsync("POST", refunds, Of(100), header: As("ann"))).Status);
        await HoldAsync(server, order, 1);
        Assert.Equal(3_970, await server.BalanceAsync());
    }

    [Fact]
    public async Task A_credit_above_the_amount_waits_for_callers_of_all_channels()
    {
        await using var server = await StartAsync(engine);
        const string Body = """{"amount":60000,"currency":"GBP","reference":"gift"}""";
        var held = await server.SendAsync("POST", "customers/17850/credits", Body, header: As("ann"));
        Assert.Equal(
            (202, "Add 600.00 GBP of store credit to 17850."), (held.Status, (string?)held.Body!["effect"]));
        var id = Guid.Parse((string)held.Body["id"]!);
        Assert.Equal(404, (await DecideAsync(server, id, "bob", channels: "main")).Status);
        Assert.Equal(5_000, await server.BalanceAsync());
        Assert.Equal(200, (await DecideAsync(server, id, "bob")).Status);
        Assert.Equal(65_000, await server.BalanceAsync());

        // The reference is used: the second request is refused at once.
        Assert.Equal(
            "duplicate_reference", (await server.SendAsync("POST", "customers/17850/credits", Body, header: As("ann"))).Code);
    }

    [Fact]
    public async Task A_resolution_above_the_amount_waits_and_ends_the_doubt_when_approved()
    {
        var gateway = new ScriptedGateway { Capabilities = new(true, LookUpByKey: false, true, true, true) };
        await using var server = await CustomerServer.StartAsync(engine, Above500, gateway);
        await server.AddCustomerAsync();
        var order = Guid.CreateVersion7();
        await server.TellAsync(order, CustomerServer.Pay("scripted"));
        Assert.Equal(StepOutcome.InDoubt, (await server.NextAsync(order)).Answer.Outcome);
        var held = await server.SendAsync(
            "POST", $"payments/{order}/resolve", """{"outcome":"completed","reason":"On their list.","reference":"ch_7"}""",
            header: As("ann"));
        Assert.Equal(
            (202, "Record that the authorize of 15.30 GBP of 17850 happened. No money moves."),
            (held.Status, (string?)held.Body!["effect"]));
        Assert.Equal(200, (await DecideAsync(server, Guid.Parse((string)held.Body["id"]!), "bob")).Status);
        Assert.Equal(StepOutcome.Completed, (await server.SettledAsync(order)).Outcome);
        var payment = await server.PaymentAsync(order);
        Assert.Equal(("ch_7", "ann", "bob"), (
            (string?)payment["reference"], (string?)payment["attempts"]![0]!["resolvedBy"],
            (string?)payment["attempts"]![0]!["approvedBy"]));
    }

    [Fact]
    public async Task Approvals_are_listed_by_state_order_and_channel()
    {
        await using var server = await StartAsync(engine);
        var (one, other) = (await PaidAsync(server), await PaidAsync(server));
        var (first, second) = (await HoldAsync(server, one), await HoldAsync(server, other));
        await DecideAsync(server, first, "bob", approves: false);
        Assert.Equal([second, first], await ListAsync(new(null, null, null, null)));
        Assert.Equal([second], await ListAsync(new(null, null, "pending", ",main,")));
        Assert.Equal([first], await ListAsync(new(null, one, null, null)));
        Assert.Equal([first], await ListAsync(new(second, null, null, null)));
        Assert.Empty(await ListAsync(new(null, null, null, ",eu,")));

        async Task<List<Guid>> ListAsync(ApprovalFilter filter) =>
            [.. (await server.Approvals.ListAsync(filter, 10, default)).Select(approval => approval.Id)];
    }

    [Theory]
    [InlineData(2_000)]
    public async Task Whoever_decides_at_the_same_time_one_decision_counts_and_money_moves_once(int rounds)
    {
        const int Orders = 10;
        await using var server = await CustomerServer.StartAsync(
            engine, [("ApprovalAbove", "GBP:0"), ("ApprovalTime", "1h")]);
        await server.AddCustomerAsync();
        await using var other = await server.StartAnotherAsync();
        var funded = await server.SendAsync(
            "POST", "customers/17850/credits", """{"amount":1000000,"currency":"GBP"}""", header: As("ann"));
        await DecideAsync(server, Guid.Parse((string)funded.Body!["id"]!), "bob");
        var orders = await Task.WhenAll(Enumerable.Range(0, Orders).Select(_ => PaidAsync(server, amount: 10_000)));
        var winners = new Dictionary<string, int>();
        var approved = orders.ToDictionary(order => order, _ => 0);
        for (var round = 0; round < rounds / Orders; round++)
        {
            var held = await Task.WhenAll(orders.Select(order => HoldAsync(server, order, 1)));
            // Time runs out before the decisions, or in their middle.
            var expiry = round % 8 == 3 ? Task.Run(() => server.Clock.Forward(TimeSpan.FromHours(1))) : Task.CompletedTask;
            Task<Answer>[][] deciding =
            [
                .. held.Select((id, i) => new[]
                {
                    Task.Run(() => DecideAsync(server, id, "bob")),
                    Task.Run(() => DecideAsync(other, id, "carl")),
                    Task.Run(() => DecideAsync(i % 2 == 0 ? server : other, id, "dan", approves: false)),
                }),
            ];
            if (round % 8 == 7)
            {
                await Task.WhenAny(deciding.SelectMany(tasks => tasks));
                server.Clock.Forward(TimeSpan.FromHours(1));
            }
            await expiry;
            var answers = await Task.WhenAll(deciding.Select(Task.WhenAll));
            await CustomerServer.UntilAsync(async () =>
                (await server.Approvals.ListAsync(new(null, null, "pending", null), 1, default)).Count == 0);
            for (var i = 0; i < Orders; i++)
            {
                var approval = await FindAsync(server, held[i]);
                var done = answers[i].Count(answer => answer.Status == 200);
                Assert.Equal(approval.State == "expired" ? 0 : 1, done);
                Assert.All(answers[i], answer => Assert.Contains(answer.Status, new[] { 200, 409 }));
                winners[approval.DecidedBy ?? "nobody"] = winners.GetValueOrDefault(approval.DecidedBy ?? "nobody") + 1;
                if (approval.State == "approved") approved[orders[i]]++;
            }
        }
        foreach (var order in orders)
        {
            var payment = await server.PaymentAsync(order);
            Assert.Equal(
                (approved[order], approved[order]),
                ((int)payment["refunded"]!, payment["refunds"]!.AsArray().Count));
        }
        Assert.Equal(1_000_000 - Orders * 10_000 + approved.Values.Sum(), await server.BalanceAsync());
        Console.WriteLine(
            $"{engine.Name}: {rounds} rounds, decided by "
            + string.Join(", ", winners.OrderBy(one => one.Key).Select(one => $"{one.Key} {one.Value}")));
        Assert.Equal(["bob", "carl", "dan", "nobody"], winners.Keys.Order());
    }

    static async Task<PaymentMoved> MovedAsync(Runtime.Transport.IInbox inbox)
    {
        using var patience = new CancellationTokenSource(Waiting.HangLimit);
        var deliveries = await inbox.ReceiveAsync(1, patience.Token);
        await inbox.AcknowledgeAsync(deliveries, default);
        return (PaymentMoved)Assert.Single(deliveries.SelectMany(delivery => delivery.Messages)).Body;
    }
}

public sealed class ApprovalsOnPostgresTests(PostgresEngine engine) : ApprovalSuite(engine), IClassFixture<PostgresEngine>;

public sealed class ApprovalsOnSqliteTests(SqliteEngine engine) : ApprovalSuite(engine), IClassFixture<SqliteEngine>;
