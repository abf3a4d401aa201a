using System.Text.Json.Nodes;
using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.CustomerService.Providers.Sandbox;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.Conformance.Customer;

/// <summary>Reconciliation of our payments with the gateway's own list, on both engines.</summary>
public abstract class ReconciliationSuite(StorageEngine engine)
{
    const string Sandbox = """{"provider":"sandbox"}""";
    const string Copied = "token, currency, state, amount, authorized, captured, refunded, voided, created_at, updated_at";
    const string Copy = $"INSERT INTO sandbox_charges (id, key, order_id, {Copied})";
    const string Rest = $"{Copied} FROM sandbox_charges";

    static async Task<Guid> PaidAsync(CustomerServer server, string token = SandboxTokens.Visa, bool capture = true)
    {
        var order = Guid.CreateVersion7(server.Clock.GetUtcNow());
        await server.AskAsync(order, CustomerServer.Pay("sandbox", token));
        if (capture) Assert.Equal(StepOutcome.Completed, (await server.AskAsync(order, new CapturePayment())).Outcome);
        return order;
    }

    static async Task<JsonNode> ReconcileAsync(CustomerServer server, string body = Sandbox)
    {
        var begun = await server.SendAsync("POST", "reconciliations", body);
        Assert.True(begun.Status == 202, begun.Text);
        Assert.Equal($"/api/v1/reconciliations/{begun.Body!["id"]}", begun.Location);
        return await FinishedAsync(server, (string)begun.Body["id"]!);
    }

    static async Task<JsonNode> FinishedAsync(CustomerServer server, string id)
    {
        JsonNode run = null!;
        await CustomerServer.UntilAsync(async () =>
            (run = (await server.GetAsync($"reconciliations/{id}")).Body!)["finishedAt"] is not null);
        return run;
    }

    static async Task<List<JsonNode>> DifferencesAsync(CustomerServer server, JsonNode run, string filter = "limit=2")
    {
        var all = new List<JsonNode>();
        for (var cursor = ""; ;)
        {
            var page = (await server.GetAsync($"reconciliations/{run["id"]}/differences?{filter}{cursor}")).Body!;
            all.AddRange(page["items"]!.AsArray()!);
            if ((string?)page["nextCursor"] is not { } next) return all;
            cursor = $"&cursor={next}";
        }
    }

    static (string, long, long, long, long) Counts(JsonNode run) => (
        (string)run["state"]!, (long)run["listed"]!, (long)run["compared"]!, (long)run["inProgress"]!, (long)run["differences"]!);

    [Fact]
    public async Task Intact_records_agree_whatever_the_outcome_of_orders()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.AddCustomerAsync(credit: 2_000);
        await PaidAsync(server);
        await PaidAsync(server, capture: false);
        await PaidAsync(server, SandboxTokens.Declined, capture: false);
        var returned = await PaidAsync(server, SandboxTokens.TimeoutAfterCharge);
        await server.AskAsync(returned, new UndoPayment("cancelled"));
        var released = await PaidAsync(server, capture: false);
        await server.AskAsync(released, new UndoPayment("cancelled"));
        await server.AskAsync(Guid.CreateVersion7(), CustomerServer.Pay("balance"));
        await server.AskAsync(Guid.CreateVersion7(), new UndoPayment("cancelled"));
        server.Clock.Forward(TimeSpan.FromMinutes(2));

        var run = await ReconcileAsync(server);

        Assert.Equal(("agrees", 5, 5, 0, 0), Counts(run));
        Assert.Empty(await DifferencesAsync(server, run));
        Assert.Empty(await server.QueryAsync("SELECT reference FROM reconciliation_charges", row => row.Text("reference")));
        Assert.Equal("local", (string)run["requestedBy"]!);
    }

    [Fact]
    public async Task Each_difference_is_reported_with_a_repair()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await using var known = await OrderServiceStandIn.StartAsync(server);
        await server.AddCustomerAsync();
        var orders = new Guid[7];
        for (var i = 0; i < orders.Length; i++) orders[i] = await PaidAsync(server, capture: i != 4);
        await server.AskAsync(orders[5], new UndoPayment("cancelled"));
        var stray = Guid.CreateVersion7();
        foreach (var (order, damage) in new (Guid, string)[]
        {
            (orders[0], "DELETE FROM sandbox_charges WHERE order_id = @id"),
            (orders[1], "UPDATE sandbox_charges SET captured = captured - 1 WHERE order_id = @id"),
            (orders[2], "UPDATE sandbox_charges SET refunded = 30 WHERE order_id = @id"),
            (orders[3], $"{Copy} SELECT 'second', 'second', order_id, {Rest} WHERE order_id = @id"),
            (orders[4], "UPDATE sandbox_charges SET state = 'voided' WHERE order_id = @id"),
            (orders[5], "UPDATE sandbox_charges SET refunded = 0 WHERE order_id = @id"),
            (orders[6],
                "INSERT INTO journal " +
                "(order_id, kind, running_total, debit_account, credit_account, currency, amount, recorded_at) " +
                "SELECT order_id, 'refund', 1, 'orders', 'gateway:sandbox', 'GBP', 1, created_at " +
                "FROM payments WHERE order_id = @id"),
        })
            await server.ExecuteAsync(damage, SqlArgs.With("id", order));
        await server.ExecuteAsync(
            $"{Copy} SELECT 'stray', 'stray', @id, {Rest} WHERE id = 'second'", SqlArgs.With("id", stray));
        server.Clock.Forward(TimeSpan.FromMinutes(2));

        var run = await ReconcileAsync(server);

        Assert.Equal(("differs", 8, 8, 0, 8), Counts(run));
        var found = (await DifferencesAsync(server, run)).ToDictionary(one => (Guid)one["orderId"]!);
        Expect(orders[0], "missing_there", $"POST /api/v1/orders/{orders[0]}/cancel", (0, 1_530, 0), (0, 0, 0));
        Expect(orders[1], "amount", $"/orders/{orders[1]}/cancel", (0, 1_530, 0), (0, 1_529, 0));
        Expect(orders[2], "amount", $"/orders/{orders[2]}/cancel", (0, 1_530, 0), (0, 1_530, 30));
        Expect(orders[3], "missing_here", "refunded + 1530 WHERE id = 'second'", (0, 0, 0), (0, 1_530, 0));
        Expect(orders[4], "state", $"/orders/{orders[4]}/cancel", (1_530, 0, 0), (0, 0, 0));
        Expect(orders[5], "amount", "refunded + 1530", (0, 1_530, 1_530), (0, 1_530, 0));
        Expect(orders[6], "journal", "./orderwright verify", (0, 1_530, 0), (0, 1_530, 1));
        Expect(stray, "missing_here", "refunded + 1530 WHERE id = 'stray'", (0, 0, 0), (0, 1_530, 0));
        Assert.Equal(
            ["missing_here", "missing_here"],
            (await DifferencesAsync(server, run, "kind=missing_here")).Select(one => (string)one["kind"]!));

        void Expect(Guid order, string kind, string repair, (long, long, long) ours, (long, long, long) theirs)
        {
            var one = found[order];
            Assert.Equal((kind, "GBP"), ((string)one["kind"]!, (string)one["currency"]!));
            Assert.Equal((ours, theirs), (Position(one["ours"]!), Position(one["theirs"]!)));
            Assert.Contains(repair, (string)one["repair"]!, StringComparison.Ordinal);
        }

        static (long, long, long) Position(JsonNode side) =>
            ((long)side["held"]!, (long)side["captured"]!, (long)side["refunded"]!);
    }

    [Fact]
    public async Task Payments_in_progress_are_counted_and_no_difference()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.AddCustomerAsync();
        var waiting = Guid.CreateVersion7();
        Assert.Equal(
            StepOutcome.Waiting,
            (await server.AskAsync(waiting, CustomerServer.Pay("sandbox", SandboxTokens.RequiresAction))).Outcome);
        server.Clock.Forward(TimeSpan.FromMinutes(2));
        // Changed a moment ago, so the gateway's list may be older.
        var recent = await PaidAsync(server);
        await server.ExecuteAsync("UPDATE sandbox_charges SET captured = 0 WHERE order_id = @id", SqlArgs.With("id", recent));

        Assert.Equal(("agrees", 2, 2, 2, 0), Counts(await ReconcileAsync(server)));

        server.Clock.Forward(TimeSpan.FromMinutes(2));
        Assert.Equal(("differs", 2, 2, 1, 1), Counts(await ReconcileAsync(server)));
    }

    [Fact]
    public async Task Charges_stamped_by_a_clock_ahead_of_ours_lie_within_a_range_without_an_end()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.AddCustomerAsync();
        var order = await PaidAsync(server);
        server.Clock.Forward(TimeSpan.FromMinutes(2));
        await server.ExecuteAsync(
            "UPDATE sandbox_charges SET captured = 0, created_at = @at WHERE order_id = @id",
            SqlArgs.With("id", order).And("at", server.Clock.GetUtcNow().AddMinutes(3).ToWholeMilliseconds()));

        Assert.Equal(("differs", 1, 1, 0, 1), Counts(await ReconcileAsync(server)));
    }

    [Fact]
    public async Task Only_the_requested_range_is_compared()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.AddCustomerAsync();
        await server.ExecuteAsync(
            "UPDATE sandbox_charges SET captured = 0 WHERE order_id = @id", SqlArgs.With("id", await PaidAsync(server)));
        server.Clock.Forward(TimeSpan.FromHours(2));
        var between = server.Clock.GetUtcNow();
        server.Clock.Forward(TimeSpan.FromHours(2));
        await PaidAsync(server);
        server.Clock.Forward(TimeSpan.FromMinutes(2));

        Assert.Equal(
            ("agrees", 1, 1, 0, 0),
            Counts(await ReconcileAsync(server, $$"""{"provider":"sandbox","from":"{{between:yyyy-MM-ddTHH:mm:ss.fffZ}}"}""")));
        Assert.Equal(
            ("differs", 1, 1, 0, 1),
            Counts(await ReconcileAsync(server, $$"""{"provider":"sandbox","to":"{{between:yyyy-MM-ddTHH:mm:ss.fffZ}}"}""")));
        var listed = (await server.GetAsync("reconciliations?provider=sandbox&state=differs")).Body!["items"]!.AsArray();
        Assert.Equal(1, (long)Assert.Single(listed)!["differences"]!);
        Assert.Equal(2, (await server.GetAsync("reconciliations")).Body!["items"]!.AsArray().Count);
    }

    [Theory]
    [InlineData("""{"provider":"paypal"}""", 400, null)]
    [InlineData("""{"provider":"sandbox","from":"2026-01-02T00:00:00Z","to":"2026-01-01T00:00:00Z"}""", 400, null)]
    [InlineData("""{"provider":"sandbox","from":"2020-01-01T00:00:00Z","to":"2026-01-01T00:00:00Z"}""", 400, null)]
    [InlineData("""{"provider":"sandbox","since":"2026-01-01T00:00:00Z"}""", 400, null)]
    [InlineData("""{}""", 400, null)]
    [InlineData("""{"provider":"scripted"}""", 409, "no_charge_list")]
    public async Task An_invalid_request_is_refused(string body, int status, string? code)
    {
        await using var server = await CustomerServer.StartAsync(engine, new ScriptedGateway());
        var refused = await server.SendAsync("POST", "reconciliations", body);
        Assert.Equal(status, refused.Status);
        if (code is not null) Assert.Equal(code, refused.Code);
        Assert.Equal(
            ["sandbox True", "scripted False"],
            (await server.GetAsync("payment-providers")).Body!["items"]!.AsArray()
                .Select(one => $"{one!["name"]} {(bool)one["hasList"]!}"));
        Assert.Equal(404, (await server.GetAsync($"reconciliations/{Guid.CreateVersion7()}")).Status);
        Assert.Equal(404, (await server.GetAsync($"reconciliations/{Guid.CreateVersion7()}/differences")).Status);
    }

    [Fact]
    public async Task One_reconciliation_runs_at_a_time_and_a_key_begins_one_only()
    {
        var gateway = new ListedGateway();
        await using var server = await CustomerServer.StartAsync(engine, gateway);
        const string Listed = """{"provider":"listed"}""";
        var begun = await server.SendAsync("POST", "reconciliations", Listed, key: "r-1");
        Assert.Equal(202, begun.Status);
        var again = await server.SendAsync("POST", "reconciliations", Listed, key: "r-1");
        Assert.Equal((202, "true", begun.Text), (again.Status, again.Replayed, again.Text));
        var second = await server.SendAsync("POST", "reconciliations", Listed, key: "r-2");
        Assert.Equal((409, "reconciliation_running"), (second.Status, second.Code));
        gateway.ServePage(null);
        await FinishedAsync(server, (string)begun.Body!["id"]!);
        Assert.Equal(202, (await server.SendAsync("POST", "reconciliations", Listed, key: "r-3")).Status);
    }

    [Fact]
    public async Task Another_instance_continues_an_interrupted_run()
    {
        var gateway = new ListedGateway();
        await using var first = await CustomerServer.StartAsync(engine, gateway);
        var id = (string)(await first.SendAsync("POST", "reconciliations", """{"provider":"listed"}""")).Body!["id"]!;
        gateway.ServePage("page 2");
        await CustomerServer.UntilAsync(() => Task.FromResult(gateway.Requested.Count == 2));
        // The first instance hangs at the second page until its lease ends.
        first.Clock.Forward(TimeSpan.FromMinutes(2));
        await using var second = await first.StartAnotherAsync();
        await CustomerServer.UntilAsync(() => Task.FromResult(gateway.Requested.Count == 3));
        // The first instance receives its page too late.
        gateway.ServePage("page 3");
        gateway.ServePage("page 3");
        gateway.ServePage(null);

        var run = await FinishedAsync(second, id);

        Assert.Equal("agrees", (string)run["state"]!);
        Assert.Equal([null, "page 2", "page 2", "page 3"], gateway.Requested.Take(4));
    }

    [Fact]
    public async Task A_failed_list_request_is_retried()
    {
        var gateway = new ListedGateway();
        await using var server = await CustomerServer.StartAsync(engine, gateway);
        var id = (string)(await server.SendAsync("POST", "reconciliations", """{"provider":"listed"}""")).Body!["id"]!;
        gateway.Fail("Under maintenance.");
        await CustomerServer.UntilAsync(async () =>
            (string?)(await server.GetAsync($"reconciliations/{id}")).Body!["message"] == "Under maintenance.");
        gateway.ServePage(null);
        var run = await FinishedAsync(server, id);
        Assert.Equal(("agrees", null), ((string)run["state"]!, (string?)run["message"]));
    }

    [Fact]
    public async Task The_schedule_begins_daily_runs_and_deletes_old_ones()
    {
        await using var server = await CustomerServer.StartAsync(engine, [("ReconcileEvery", "1d"), ("ReconcileKeep", "2d")]);
        await ScheduledAsync(server, 1);
        await using (var restarted = await server.StartAnotherAsync()) await restarted.AddCustomerAsync();
        await ScheduledAsync(server, 1);
        server.Clock.Forward(TimeSpan.FromHours(25));
        await using (var restarted = await server.StartAnotherAsync()) await ScheduledAsync(restarted, 2);
        server.Clock.Forward(TimeSpan.FromHours(47));
        await using (var restarted = await server.StartAnotherAsync()) await ScheduledAsync(restarted, 2);

        static Task ScheduledAsync(CustomerServer server, int runs) => CustomerServer.UntilAsync(async () =>
            (await server.GetAsync("reconciliations")).Body!["items"]!.AsArray() is var all
            && all.Count == runs
            && all.All(run => (string)run!["state"]! == "agrees" && run["requestedBy"] is null));
    }
}

public sealed class ReconciliationOnPostgresTests(PostgresEngine engine)
    : ReconciliationSuite(engine), IClassFixture<PostgresEngine>;

public sealed class ReconciliationOnSqliteTests(SqliteEngine engine) : ReconciliationSuite(engine), IClassFixture<SqliteEngine>;
