using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using static Orderwright.Conformance.Coordinator.TestMessages;

namespace Orderwright.Conformance.Coordinator;

/// <summary>Bulk actions: a canary batch first, then the others, on every engine.</summary>
public abstract class BulkSuite(StorageEngine engine) : IAsyncLifetime
{
    static readonly StepAnswered Stuck = new(true, StepOutcome.Rejected, "not_found", "No such hold.");

    readonly IReadOnlyList<Guid> orders = NewOrders(5);
    TestCoordinator coordinator = null!;
    HttpClient http = null!;

    public async ValueTask InitializeAsync()
    {
        coordinator = await TestCoordinator.StartAsync(engine, await engine.NewAddressAsync(), new TestClock());
        http = await coordinator.ServeAsync();
        await coordinator.ReceiveAsync(Placed(orders));
        await coordinator.ReceiveAsync(Reserved(orders));
        await coordinator.ReceiveAsync(Rejected(orders, StepNames.AuthorizePayment));
        await coordinator.ReceiveAsync([.. orders.Select(id => Answer(id, StepNames.ReserveStock, Stuck))]);
        coordinator.TakeSent();
    }

    public async ValueTask DisposeAsync()
    {
        await coordinator.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_preview_counts_and_does_nothing()
    {
        var (status, response) = await PostAsync("bulk-actions?preview=true", Retry());
        Assert.Equal((HttpStatusCode.OK, 5), (status, (int)response["total"]!));
        Assert.Empty(coordinator.TakeSent());
        Assert.Empty(await coordinator.Audit.ListAsync(new(), 10, default));
    }

    [Fact]
    public async Task After_a_successful_canary_the_others_follow_and_each_action_is_audited()
    {
        var run = await RunAsync(Retry(canary: 2), new(true, StepOutcome.Completed), [2, 3]);
        Assert.Equal(("done", 5, 5, 5, 0), Counts(run));
        Assert.Equal(5, (await coordinator.Audit.ListAsync(new(Action: "retry"), 10, default)).Count);
        foreach (var order in orders) Assert.Equal("compensated", (await coordinator.RowAsync(order))!.State);
        var id = Guid.Parse((string)run["id"]!);
        Assert.Equal(5, (await coordinator.Audit.ListAsync(new(Run: id), 10, default)).Count);
        Assert.Empty(await coordinator.Audit.ListAsync(new(Run: Guid.CreateVersion7()), 10, default));
        Assert.Equal(orders.OrderDescending(), await OrdersOfAsync(id, "outcome=went_on"));
        Assert.Equal(orders.OrderDescending(), await OrdersOfAsync(id, "limit=2"));
        Assert.Empty(await OrdersOfAsync(id, "outcome=stuck_again"));
    }

    [Fact]
    public async Task A_canary_that_gets_stuck_again_stops_the_run()
    {
        var run = await RunAsync(Retry(canary: 2), Stuck, [2]);
        Assert.Equal(("stopped", 5, 2, 0, 2), Counts(run));
        Assert.Equal("2 of the first 2 did not advance; the run was stopped.", (string)run["stoppedBecause"]!);
        var (id, newest) = (Guid.Parse((string)run["id"]!), orders.OrderDescending().ToList());
        Assert.Equal(newest[..2], await OrdersOfAsync(id, "outcome=acted"));
        Assert.Equal(newest[..2], await OrdersOfAsync(id, "outcome=stuck_again"));
        Assert.Equal(newest[2..], await OrdersOfAsync(id, "outcome=not_yet"));
    }

    [Fact]
    public async Task Without_a_size_the_canary_is_a_tenth_of_the_sagas()
    {
        var action = Retry();
        action.AsObject().Remove("canary");
        var (_, preview) = await PostAsync("bulk-action-previews", action);
        Assert.Equal(1, (int)preview["canary"]!);
        var run = await RunAsync(action, Stuck, [1]);
        Assert.Equal(("stopped", 5, 1, 0, 1), Counts(run));
    }

    [Fact]
    public async Task A_resolution_is_recorded_for_the_sagas_with_that_direction_of_the_step()
    {
        var resolve = new JsonObject
        {
            ["action"] = "resolve", ["where"] = new JsonObject { ["step"] = StepNames.ReserveStock }, ["reason"] = "released",
            ["outcome"] = "completed", ["undo"] = false,
        };
        Assert.Equal(0, (int)(await PostAsync("bulk-action-previews", resolve)).Body["total"]!);
        resolve["undo"] = true;
        Assert.Equal(5, (int)(await PostAsync("bulk-action-previews", resolve)).Body["total"]!);
        var run = await RunAsync(resolve, new(true, StepOutcome.Completed), [1, 4]);
        Assert.Equal(("done", 5, 5, 5, 0), Counts(run));
        foreach (var order in orders) Assert.Equal("compensated", (await coordinator.RowAsync(order))!.State);
        Assert.Equal(5, (await coordinator.Audit.ListAsync(new(Action: "resolve"), 10, default)).Count);
    }

    [Fact]
    public async Task An_unknown_run_is_a_404_and_an_unknown_outcome_a_400()
    {
        using var none = await http.GetAsync(new Uri($"bulk-actions/{Guid.CreateVersion7()}/orders", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
        var (_, run) = await PostAsync("bulk-actions", Retry());
        using var wrong = await http.GetAsync(new Uri($"bulk-actions/{run["id"]}/orders?outcome=lost", UriKind.Relative));
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
    }

    [Fact]
    public async Task An_operator_stops_a_run_and_the_remaining_sagas_stay_unchanged()
    {
        var (_, first) = await PostAsync("bulk-actions", Retry(canary: 2));
        var (_, second) = await PostAsync("bulk-actions", Retry(canary: 2));
        await UntilAsync(first, run => (int)run["acted"]! == 2);

        // A waiting run never begins.
        foreach (var run in new[] { second, first })
            Assert.Equal(
                HttpStatusCode.Accepted,
                (await PostAsync($"bulk-actions/{run["id"]}/stop", new JsonObject { ["reason"] = "the wrong ones" })).Status);
        Assert.Equal(("stopped", 5, 2, 0, 0), Counts(await UntilAsync(first, run => (string)run["state"]! == "stopped")));
        var waited = await UntilAsync(second, run => (string)run["state"]! == "stopped");
        Assert.Equal(("stopped", 0, 0, 0, 0), Counts(waited));
        Assert.Equal("Stopped by local: the wrong ones", (string)waited["stoppedBecause"]!);
        Assert.Equal(2, (await coordinator.Audit.ListAsync(new(Action: "retry"), 10, default)).Count);
        Assert.Equal(
            ["the wrong ones", "the wrong ones"],
            (await coordinator.Audit.ListAsync(new(Action: "stop"), 10, default)).Select(entry => entry.Reason));
        var (status, problem) = await PostAsync($"bulk-actions/{first["id"]}/stop", new JsonObject { ["reason"] = "again" });
        Assert.Equal((HttpStatusCode.Conflict, "already_over"), (status, (string)problem["code"]!));

        // The next run begins.
        var next = await RunAsync(Retry(canary: 0), new(true, StepOutcome.Completed), [5]);
        Assert.Equal("done", (string)next["state"]!);
    }

    [Theory]
    [InlineData("""{"action":"retry","where":{},"reason":"x"}""", "/where")]
    [InlineData("""{"action":"dance","where":{"state":"failed"},"reason":"x"}""", "/action")]
    [InlineData("""{"action":"retry","where":{"state":"lost"},"reason":"x"}""", "/where/state")]
    [InlineData("""{"action":"retry","where":{"olderThan":"soon"},"reason":"x"}""", "/where/olderThan")]
    [InlineData("""{"action":"retry","where":{"state":"failed"},"reason":"x","canary":-1}""", "/canary")]
    [InlineData("""{"action":"resolve","where":{"step":"s"},"reason":"x","undo":true}""", "/outcome")]
    [InlineData("""{"action":"resolve","where":{"step":"s"},"reason":"x","outcome":"completed"}""", "/undo")]
    [InlineData("""{"action":"resolve","where":{"code":"c"},"reason":"x","outcome":"completed","undo":true}""", "/where/step")]
    public async Task An_invalid_request_is_a_400(string body, string pointer)
    {
        var (status, problem) = await PostAsync("bulk-actions", JsonNode.Parse(body)!);
        Assert.Equal((HttpStatusCode.BadRequest, pointer), (status, (string)problem["errors"]![0]!["pointer"]!));
    }

    static JsonNode Retry(int canary = 10) => new JsonObject
    {
        ["action"] = "retry", ["where"] = new JsonObject { ["code"] = "not_found" }, ["reason"] = "holds are back",
        ["canary"] = canary,
    };

    static (string, int, int, int, int) Counts(JsonNode run) => (
        (string)run["state"]!, (int)run["total"]!, (int)run["acted"]!, (int)run["wentOn"]!, (int)run["stuckAgain"]!);

    // Reads all pages of the list.
    async Task<List<Guid>> OrdersOfAsync(Guid run, string query)
    {
        var found = new List<Guid>();
        for (string? cursor = ""; cursor is not null;)
        {
            var page = JsonNode.Parse(await http.GetStringAsync(new Uri(
                $"bulk-actions/{run}/orders?{query}{(cursor == "" ? "" : $"&cursor={cursor}")}", UriKind.Relative)))!;
            found.AddRange(page["items"]!.AsArray().Select(one => Guid.Parse((string)one!["orderId"]!)));
            cursor = (string?)page["nextCursor"];
        }
        return found;
    }

    // Replies to the commands in batches of these sizes, until the run is over.
    async Task<JsonNode> RunAsync(JsonNode action, StepAnswered answer, int[] batches)
    {
        var asked = new List<Message>();
        var pending = new Queue<int>(batches);
        var (status, begun) = await PostAsync("bulk-actions", action);
        Assert.Equal(HttpStatusCode.Accepted, status);
        using var limit = new CancellationTokenSource(Waiting.HangLimit);
        while (true)
        {
            asked.AddRange(coordinator.TakeSent().Where(message => message.Body is ReleaseStock));
            if (pending.TryPeek(out var size) && asked.Count == size)
            {
                pending.Dequeue();
                await coordinator.ReceiveAsync([.. asked.Select(ask => Answer(ask.OrderId, ask.Step!, answer))]);
                asked.Clear();
            }
            var run = JsonNode.Parse(await http.GetStringAsync(
                new Uri($"bulk-actions/{begun["id"]}", UriKind.Relative), limit.Token))!;
            if ((string)run["state"]! is "done" or "stopped") return run;
            await Task.Delay(20, limit.Token);
        }
    }

    async Task<JsonNode> UntilAsync(JsonNode begun, Func<JsonNode, bool> holds)
    {
        using var limit = new CancellationTokenSource(Waiting.HangLimit);
        while (true)
        {
            var run = JsonNode.Parse(await http.GetStringAsync(
                new Uri($"bulk-actions/{begun["id"]}", UriKind.Relative), limit.Token))!;
            if (holds(run)) return run;
            await Task.Delay(20, limit.Token);
        }
    }

    async Task<(HttpStatusCode Status, JsonNode Body)> PostAsync(string path, JsonNode body)
    {
        using var response = await http.PostAsJsonAsync(path, body);
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }
}

public sealed class PostgresBulkTests(PostgresEngine engine) : BulkSuite(engine), IClassFixture<PostgresEngine>;

public sealed class SqliteBulkTests(SqliteEngine engine) : BulkSuite(engine), IClassFixture<SqliteEngine>;
