using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Orderwright.Runtime;
using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Http.Approvals;
using Orderwright.Http.Operators;
using static Orderwright.Conformance.Coordinator.TestMessages;

namespace Orderwright.Conformance.Coordinator;

/// <summary>Actions of operators on sagas, over HTTP, on every engine.</summary>
public abstract class OperatorSuite(StorageEngine engine) : IAsyncLifetime
{
    readonly TestClock clock = new();
    readonly IReadOnlyList<Guid> orders = NewOrders(3);
    string address = "";
    TestCoordinator coordinator = null!;
    HttpClient http = null!;

    Guid Paying => orders[0];

    Guid Stuck => orders[1];

    Guid Confirmed => orders[2];

    public async ValueTask InitializeAsync()
    {
        address = await engine.NewAddressAsync();
        coordinator = await TestCoordinator.StartAsync(engine, address, clock);
        http = await coordinator.ServeAsync();
        await coordinator.ReceiveAsync(Placed(orders));
        await coordinator.ReceiveAsync(Reserved(orders));
        await coordinator.ReceiveAsync(
            [.. Rejected([Stuck], StepNames.AuthorizePayment), .. Authorized([Confirmed], captured: 600)]);
        await coordinator.ReceiveAsync(
        [
            Answer(Stuck, StepNames.ReserveStock, new(true, StepOutcome.Rejected, "not_found", "No such hold.")),
            .. Committed([Confirmed]),
        ]);
        coordinator.TakeSent();
    }

    public async ValueTask DisposeAsync()
    {
        await coordinator.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_preview_lists_the_messages_and_does_nothing()
    {
        var before = await coordinator.RowAsync(Stuck);
        var response = await ActAsync($"sagas/{Stuck}/retry?preview=true");
        Assert.True((bool)response["preview"]!);
        Assert.Equal("failed", (string)response["before"]!["state"]!);
        Assert.Equal("compensating", (string)response["after"]!["state"]!);
        Assert.Equal(
            ("orderwright.stock.release.v1", "stock-service", StepNames.ReserveStock, 2),
            ((string)response["messages"]![0]!["type"]!, (string)response["messages"]![0]!["destination"]!,
                (string)response["messages"]![0]!["step"]!, (int)response["messages"]![0]!["attempt"]!));
        Assert.Equal(before, await coordinator.RowAsync(Stuck));
        Assert.Empty(coordinator.TakeSent());
        Assert.Empty(await AuditAsync());
    }

    [Fact]
    public async Task A_retry_resends_sets_the_timer_and_is_audited()
    {
        var response = await ActAsync($"sagas/{Stuck}/retry", "the hold is back");
        await SentAsync("ReleaseStock");
        var row = await coordinator.RowAsync(Stuck);
        Assert.Equal(("compensating", "stock-service", true), (row!.State, row.WaitingFor, row.HasTimer));
        Assert.NotNull(row.DueAt);
        var entry = Assert.Single(await AuditAsync());
        Assert.Equal(
            ((Guid?)Stuck, "local", "retry", "the hold is back", clock.Now),
            (entry.OrderId, entry.Actor, entry.Action, entry.Reason, entry.At));
        Assert.Equal(entry.Id.ToString(), (string)response["auditId"]!);
        Assert.Equal(
            ("failed", "compensating"),
            (entry.Before!.Value.GetProperty("state").GetString(), entry.After!.Value.GetProperty("state").GetString()));
    }

    [Fact]
    public async Task An_incident_is_resolved_by_an_operator()
    {
        await ActAsync($"sagas/{Stuck}/resolve", body: new()
        {
            ["step"] = StepNames.ReserveStock, ["outcome"] = "completed", ["reason"] = "counted the shelf",
        });
        await SentAsync("OrderRejected");
        var row = await coordinator.RowAsync(Stuck);
        Assert.Equal(("compensated", false), (row!.State, row.HasTimer));
        Assert.Equal("reserve-stock completed", Assert.Single(await AuditAsync()).Subject);
    }

    [Fact]
    public async Task A_resolution_of_an_order_above_the_amount_waits_until_another_person_approves()
    {
        await using var careful = await TestCoordinator.StartAsync(
            engine, address, clock, new Dictionary<string, string?> { ["ApprovalAbove"] = "*:0" });
        var client = await careful.ServeAsync();
        const string Body = """{"step":"reserve-stock","outcome":"completed","reason":"counted the shelf"}""";
        async Task<(int, JsonNode)> ResolveAsync()
        {
            using var content = new StringContent(Body, System.Text.Encoding.UTF8, "application/json");
            using var response = await client.PostAsync($"sagas/{Stuck}/resolve", content);
            return ((int)response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
        }

        var (status, held) = await ResolveAsync();
        Assert.Equal((202, "resolve-step", "local"), (
            status, (string?)held["operation"], (string?)held["requestedBy"]));
        Assert.StartsWith("Record the undo of reserve-stock as completed, for an order of ", (string?)held["effect"]);
        Assert.Equal("failed", (await careful.RowAsync(Stuck))!.State);
        Assert.Equal(409, (await ResolveAsync()).Item1);

        var verdict = new Verdict(Guid.Parse((string)held["id"]!), Approves: true, null);
        Assert.Equal(403, (await careful.Approvals.DecideAsync(new(verdict, Caller.Local, null, []))).Status);
        Assert.Equal(200, (await careful.Approvals.DecideAsync(
            new(verdict, Caller.Local with { Name = "bob" }, null, []))).Status);
        Assert.Equal("compensated", (await careful.RowAsync(Stuck))!.State);
        Assert.Equal(
            [("approve", "bob"), ("request", "local"), ("resolve", "local")],
            (await AuditAsync()).Select(entry => (entry.Action, entry.Actor)).Order());
    }

    [Fact]
    public async Task An_approval_loses_the_name_of_an_erased_customer_and_expires_with_a_restored_database()
    {
        await using var careful = await TestCoordinator.StartAsync(
            engine, address, clock, new Dictionary<string, string?> { ["ApprovalAbove"] = "*:0" });
        var client = await careful.ServeAsync();
        using var content = new StringContent(
            """{"step":"reserve-stock","outcome":"completed","reason":"Ann Lee counted"}""", System.Text.Encoding.UTF8,
            "application/json");
        using var response = await client.PostAsync($"sagas/{Stuck}/resolve", content);
        var id = Guid.Parse((string)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["id"]!);

        await careful.ReceiveAsync(MessageOf(Guid.CreateVersion7(), new EraseNotes("17850", ["Ann Lee", "Ann", "Lee"])));
        Assert.Equal("[erased] counted", (await careful.Approvals.FindAsync(id, ChannelSet.All, default))!.Reason);

        await careful.WriteAsync(async work =>
        {
            await careful.Approvals.ExpireAllAsync(work);
            return true;
        });
        var late = await careful.Approvals.DecideAsync(
            new(new(id, Approves: true, null), Caller.Local with { Name = "bob" }, null, []));
        Assert.Equal((409, "approval_expired"), (late.Status, (string?)JsonNode.Parse(late.Body.Span)!["code"]));
        Assert.Equal("failed", (await careful.RowAsync(Stuck))!.State);
    }

    [Fact]
    public async Task A_compensated_saga_is_undone_late_replies_included()
    {
        await ActAsync($"sagas/{Paying}/compensate");
        Assert.Equal("compensating", (await coordinator.RowAsync(Paying))!.State);
        await coordinator.ReceiveAsync(Authorized([Paying]));
        Assert.Equal(["UndoPayment"], coordinator.TakeSent().Select(message => message.Body.GetType().Name));
    }

    [Fact]
    public async Task A_confirmed_order_is_cancelled_only_at_order_service()
    {
        Assert.Equal("order_confirmed", await RefusedAsync($"sagas/{Confirmed}/compensate"));
        Assert.Equal("order_confirmed", await RefusedAsync($"sagas/{Confirmed}/cancel"));
        Assert.Equal("nothing_outstanding", await RefusedAsync($"sagas/{Confirmed}/retry"));
        Assert.Empty(await AuditAsync());
    }

    [Fact]
    public async Task Words_that_name_an_erased_customer_leave_notes_audit_and_sagas()
    {
        await ActAsync($"sagas/{Paying}/cancel", "Ann Lee asked");
        await NoteAsync(Stuck, """{"owner":"bob","note":"ann lives at 1 High St"}""");
        coordinator.TakeSent();
        var erasure = Guid.CreateVersion7();

        var sent = await coordinator.ReceiveAsync(MessageOf(erasure, new EraseNotes("17850", ["Ann Lee", "Ann", "Lee"])));

        Assert.Equal((erasure, new NotesErased("17850")), (sent.Single().OrderId, (NotesErased)sent.Single().Body));
        Assert.Equal(
            [("cancel", Paying, "[erased] asked"), ("note", Stuck, "[erased] lives at 1 High St")],
            (await AuditAsync()).Select(entry => (entry.Action, entry.OrderId!.Value, entry.Reason)).Order());
        Assert.All(await AuditAsync(), entry => Assert.Equal((null, null), (entry.Before, entry.After)));
        var note = (await GetAsync($"sagas/{Stuck}"))["note"]!;
        Assert.Equal(("bob", "[erased]"), ((string?)note["owner"], (string?)note["note"]));
        Assert.Equal("[erased] asked", (string?)(await GetAsync($"sagas/{Paying}"))["cancelReason"]);
        // Another customer's rows stay.
        await coordinator.ReceiveAsync(MessageOf(erasure, new EraseNotes("17851", ["asked"])));
        Assert.Contains(await AuditAsync(), entry => entry.Reason == "[erased] asked");
    }

    [Fact]
    public async Task Two_operators_at_once_act_one_after_the_other()
    {
        var answers = await Task.WhenAll(
            PostAsync($"sagas/{Paying}/cancel", Reason()), PostAsync($"sagas/{Paying}/cancel", Reason()));
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.Conflict], answers.Select(answer => answer.Status).Order());
        Assert.Single(await AuditAsync());
    }

    [Fact]
    public async Task The_same_key_acts_once()
    {
        var first = await PostAsync($"sagas/{Stuck}/retry", Reason(), "key-1");
        var second = await PostAsync($"sagas/{Stuck}/retry", Reason(), "key-1");
        Assert.Equal(first.Body.ToJsonString(), second.Body.ToJsonString());
        Assert.Single(await AuditAsync());
    }

    [Theory]
    [InlineData("retry", """{}""", "/reason")]
    [InlineData("retry", """{"reason":" "}""", "/reason")]
    [InlineData("retry?preview=yes", """{"reason":"x"}""", "preview")]
    [InlineData("resolve", """{"step":"dance","outcome":"completed","reason":"x"}""", "/step")]
    [InlineData("resolve", """{"step":"reserve-stock","outcome":"maybe","reason":"x"}""", "/outcome")]
    public async Task An_invalid_request_is_a_400(string action, string body, string pointer)
    {
        var (status, problem) = await PostAsync($"sagas/{Stuck}/{action}", JsonNode.Parse(body)!.AsObject());
        Assert.Equal(HttpStatusCode.BadRequest, status);
        var error = problem["errors"]![0]!;
        Assert.Equal(pointer, (string?)(error["pointer"] ?? error["parameter"]));
    }

    [Fact]
    public async Task An_unknown_saga_is_a_404() =>
        Assert.Equal(
            HttpStatusCode.NotFound, (await PostAsync($"sagas/{Guid.CreateVersion7()}/retry", Reason())).Status);

    [Fact]
    public async Task Incidents_are_listed_with_their_cause()
    {
        var incident = Assert.Single((await GetAsync("incidents?step=reserve-stock&code=not_found"))["items"]!.AsArray())!;
        Assert.Equal(Stuck.ToString(), (string)incident["orderId"]!);
        Assert.Equal(("No such hold.", true, 600), (
            (string)incident["message"]!, (bool)incident["undo"]!, (int)incident["total"]!));
        Assert.Empty((await GetAsync("incidents?code=other"))["items"]!.AsArray());
    }

    [Fact]
    public async Task An_incident_has_an_owner_and_a_note_which_are_replaced_and_audited()
    {
        await NoteAsync(Stuck, """{"owner":"anna","note":"called the warehouse\nthey count again"}""");
        clock.Now += TimeSpan.FromMinutes(1);
        await NoteAsync(Stuck, """{"owner":"ben"}""");
        var note = Assert.Single((await GetAsync("incidents?owner=ben"))["items"]!.AsArray())!["note"]!;
        Assert.Equal(("ben", null, "local"), ((string?)note["owner"], (string?)note["note"], (string?)note["updatedBy"]));
        Assert.Equal("ben", (string?)(await GetAsync($"sagas/{Stuck}"))["note"]!["owner"]);
        Assert.Empty((await GetAsync("incidents?owner=anna"))["items"]!.AsArray());
        var entries = await AuditAsync();
        Assert.Equal(
            [("note", "No note.", "anna"), ("note", "called the warehouse\nthey count again", null)],
            entries.Select(entry => (entry.Action, entry.Reason, entry.Before?.GetProperty("owner").GetString())));
        Assert.Equal("no_incident", (string)(await NoteAsync(Paying, """{"owner":"ben"}""", HttpStatusCode.Conflict))["code"]!);
        await NoteAsync(Guid.CreateVersion7(), "{}", HttpStatusCode.NotFound);
        Assert.Equal(2, (await AuditAsync()).Count);
    }

    [Theory]
    [InlineData("""{"owner":" "}""")]
    [InlineData("""{"note":"card 4111 1111 1111 1111"}""")]
    [InlineData("""{"note":"a\u0007"}""")]
    [InlineData("""{"color":"red"}""")]
    [InlineData("owner", 101)]
    [InlineData("note", 2001)]
    public async Task An_invalid_or_overlong_note_is_a_400(string body, int length = 0) =>
        await NoteAsync(
            Stuck, length == 0 ? body : new JsonObject { [body] = new string('x', length) }.ToJsonString(),
            HttpStatusCode.BadRequest);

    [Fact]
    public async Task A_cancellation_through_order_service_is_only_previewed()
    {
        // Only order-service may cancel a confirmed order, so a direct cancellation by an operator is refused.
        await coordinator.ReceiveAsync(Authorized([Paying], captured: 600));
        await coordinator.ReceiveAsync(Committed([Paying]));
        coordinator.TakeSent();
        Assert.Equal(HttpStatusCode.Conflict, (await PostAsync($"sagas/{Paying}/cancel?preview=true", Reason())).Status);
        var (status, response) = await PostAsync($"sagas/{Paying}/cancel?preview=true&by=order-service", Reason());
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(
            [("orderwright.stock.release.v1", "stock-service")],
            response["messages"]!.AsArray().Select(one => ((string)one!["type"]!, (string)one["destination"]!)));
        Assert.Equal(("completed", "compensating", true), (
            (string)response["before"]!["state"]!, (string)response["after"]!["state"]!, (bool)response["preview"]!));
        string[] wrongs = ["cancel?by=order-service", "retry?preview=true&by=order-service", "cancel?preview=true&by=me"];
        foreach (var wrong in wrongs)
            Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync($"sagas/{Paying}/{wrong}", Reason())).Status);
        Assert.Empty(coordinator.TakeSent());
        Assert.Empty(await AuditAsync());
    }

    [Fact]
    public async Task Timers_are_listed_by_due_time()
    {
        // The timer of the incident fires once more, finds nothing to do, and is cleared.
        var timers = (await GetAsync("timers"))["items"]!.AsArray();
        Assert.Equivalent(new[] { Paying, Stuck }, timers.Select(timer => Guid.Parse((string)timer!["orderId"]!)));
        var paying = timers.Single(timer => (string)timer!["orderId"]! == Paying.ToString())!;
        Assert.Equal(("authorize-payment", false), ((string)paying["step"]!, (bool)paying["overdue"]!));
        Assert.Empty((await GetAsync("timers?overdue=true"))["items"]!.AsArray());
        clock.Now += TimeSpan.FromMinutes(1);
        Assert.Equal(2, (await GetAsync("timers?overdue=true"))["items"]!.AsArray().Count);
        await coordinator.SweepAsync();
        var left = Assert.Single((await GetAsync("timers"))["items"]!.AsArray())!;
        Assert.Equal(Paying.ToString(), (string)left["orderId"]!);
    }

    [Fact]
    public async Task The_overview_counts_sagas_by_state_step_and_participant()
    {
        var overview = await GetAsync("overview");
        Assert.Equal(2, (int)overview["open"]!);
        Assert.Equal(
            ["failed 1", "running 1"],
            overview["states"]!.AsArray().Select(state => $"{state!["state"]} {state["count"]}"));
        var step = overview["steps"]!.AsArray().Single(step => (string)step!["step"]! == StepNames.AuthorizePayment)!;
        Assert.Equal((1, "customer-service"), ((int)step["open"]!, (string)step["participant"]!));
        Assert.Equal(
            ["reserve-stock not_found 1"],
            overview["incidents"]!.AsArray().Select(one => $"{one!["step"]} {one["code"]} {one["count"]}"));
        var waiting = overview["participants"]!.AsArray()
            .Single(one => (string)one!["service"]! == ServiceNames.Customer)!;
        Assert.Equal(1, (int)waiting["awaitedBy"]!);
        Assert.Equal((3, 1), ((int)waiting["queue"]!["waiting"]!, (int)waiting["queue"]!["listeners"]!));
        Assert.Equal("The broker is unavailable.", (string?)overview["trouble"]);
    }

    async Task<JsonNode> ActAsync(string path, string reason = "because", JsonObject? body = null)
    {
        var (status, response) = await PostAsync(path, body ?? Reason(reason));
        Assert.True(status == HttpStatusCode.OK, response.ToJsonString());
        return response;
    }

    async Task<string> RefusedAsync(string path)
    {
        var (status, problem) = await PostAsync(path, Reason());
        Assert.Equal(HttpStatusCode.Conflict, status);
        return (string)problem["code"]!;
    }

    static JsonObject Reason(string reason = "because") => new() { ["reason"] = reason };

    async Task<(HttpStatusCode Status, JsonNode Body)> PostAsync(string path, JsonObject body, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        using var response = await http.SendAsync(request);
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }

    async Task<JsonNode> NoteAsync(Guid orderId, string body, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var content = new StringContent(body, null, "application/json");
        using var response = await http.PutAsync(new Uri($"incidents/{orderId}", UriKind.Relative), content);
        Assert.Equal(expected, response.StatusCode);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
    }

    async Task<JsonNode> GetAsync(string path) =>
        JsonNode.Parse(await http.GetStringAsync(new Uri(path, UriKind.Relative)))!;

    // Messages are sent after the response, which comes with the commit.
    async Task SentAsync(string type)
    {
        IReadOnlyList<Message> sent = [];
        await Waiting.UntilAsync(() => (sent = coordinator.TakeSent()).Count > 0);
        Assert.Equal([type], sent.Select(message => message.Body.GetType().Name));
    }

    Task<List<AuditEntry>> AuditAsync() => coordinator.Audit.ListAsync(new(), 10, default);
}

public sealed class PostgresOperatorTests(PostgresEngine engine) : OperatorSuite(engine), IClassFixture<PostgresEngine>;

public sealed class SqliteOperatorTests(SqliteEngine engine) : OperatorSuite(engine), IClassFixture<SqliteEngine>;
