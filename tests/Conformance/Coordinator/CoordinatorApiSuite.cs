using System.Net;
using System.Text.Json.Nodes;
using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using static Orderwright.Conformance.Coordinator.TestMessages;

namespace Orderwright.Conformance.Coordinator;

/// <summary>Read API of the coordinator, on every engine.</summary>
public abstract class CoordinatorApiSuite(StorageEngine engine) : IAsyncLifetime
{
    readonly TestClock clock = new();
    readonly IReadOnlyList<Guid> orders = NewOrders(5);
    TestCoordinator coordinator = null!;
    HttpClient http = null!;

    Guid Completed => orders[0];

    Guid Rejected => orders[1];

    Guid Stuck => orders[2];

    Guid WaitingForCustomer => orders[3];

    Guid Fresh => orders[4];

    public async ValueTask InitializeAsync()
    {
        coordinator = await TestCoordinator.StartAsync(engine, await engine.NewAddressAsync(), clock);
        http = await coordinator.ServeAsync();
        await coordinator.ReceiveAsync(Placed([.. orders.Take(4)]));
        await coordinator.ReceiveAsync(Reserved([.. orders.Take(4)]));
        await coordinator.ReceiveAsync(
        [
            .. Authorized([Completed], captured: 600),
            .. TestMessages.Rejected([Rejected, Stuck], StepNames.AuthorizePayment),
            Answer(
                WaitingForCustomer, StepNames.AuthorizePayment,
                new(false, StepOutcome.Waiting, Action: "https://bank.example/3ds")),
        ]);
        await coordinator.ReceiveAsync(
        [
            .. Committed([Completed]),
            .. Undone([Rejected], StepNames.ReserveStock),
            Answer(Stuck, StepNames.ReserveStock, new(true, StepOutcome.Rejected, "not_found", "No such hold.")),
        ]);
        clock.Now += TimeSpan.FromMinutes(20);
        await coordinator.ReceiveAsync(Placed([Fresh]));
        clock.Now += TimeSpan.FromSeconds(1);
    }

    public async ValueTask DisposeAsync()
    {
        await coordinator.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Sagas_are_listed_newest_first_and_page_by_page()
    {
        var first = await GetAsync("sagas?limit=3");
        var second = await GetAsync($"sagas?limit=3&cursor={first["nextCursor"]}");
        Assert.Equal(orders.OrderDescending(), [.. Ids(first), .. Ids(second)]);
        Assert.Null(second["nextCursor"]);
    }

    [Fact]
    public async Task Sagas_are_found_by_state_step_code_and_party()
    {
        await FindsAsync("state=failed", Stuck);
        await FindsAsync("state=completed", Completed);
        await FindsAsync("state=compensated&code=no", Rejected);
        await FindsAsync("step=authorize-payment", Rejected, WaitingForCustomer);
        await FindsAsync("waitingFor=customer", WaitingForCustomer);
        await FindsAsync("waitingFor=operator&code=not_found", Stuck);
        await FindsAsync("state=running&waitingFor=stock-service", Fresh);
        await FindsAsync("state=running&step=capture-payment");
        await FindsAsync("state=rolled_back", Rejected);
    }

    [Fact]
    public async Task Sagas_are_found_by_their_age()
    {
        await FindsAsync("waitingFor=customer&olderThan=PT20M", WaitingForCustomer);
        await FindsAsync("waitingFor=customer&olderThan=PT21M");
        await FindsAsync("olderThan=2", Completed, Rejected, Stuck, WaitingForCustomer);
        await FindsAsync("state=running&olderThan=1", Fresh);
        await FindsAsync("state=running&olderThan=2");
        await FindsAsync("youngerThan=PT24H", Completed, Rejected, Stuck, WaitingForCustomer, Fresh);
        await FindsAsync("state=open&youngerThan=PT24H", Stuck, WaitingForCustomer, Fresh);
        // The order ids date from the start of the test, days ago by the coordinator's clock.
        clock.Now = DateTimeOffset.UtcNow.AddDays(3);
        await FindsAsync("youngerThan=PT24H");
        await FindsAsync("state=open&youngerThan=PT24H");
    }

    [Theory]
    [InlineData("state=lost", "state", "unknown_value")]
    [InlineData("olderThan=soon", "olderThan", "invalid_duration")]
    [InlineData("olderThan=-PT1M", "olderThan", "invalid_duration")]
    [InlineData("youngerThan=soon", "youngerThan", "invalid_duration")]
    [InlineData("limit=0", "limit", "out_of_range")]
    [InlineData("color=red", "color", "unknown_parameter")]
    [InlineData("cursor=abc", "cursor", "invalid_cursor")]
    public async Task An_invalid_query_of_a_list_is_a_400(string query, string pointer, string code)
    {
        var error = (await GetAsync($"sagas?{query}", HttpStatusCode.BadRequest))["errors"]![0]!;
        Assert.Equal((pointer, code), ((string)(error["pointer"] ?? error["parameter"])!, (string)error["code"]!));
    }

    [Fact]
    public async Task An_item_has_the_fields_of_a_list()
    {
        var item = (await GetAsync("sagas?state=failed"))["items"]![0]!;
        Assert.Equal(
            ["orderId", "state", "step", "waitingFor", "code", "attempts", "nextActionAt", "customerId", "currency",
                "total", "startedAt", "updatedAt", "endedAt"],
            item.AsObject().Select(property => property.Key));
        Assert.Equal("2026-01-31T12:00:00.000Z", (string)item["startedAt"]!);
        Assert.Equal(600, (long)item["total"]!);
    }

    [Fact]
    public async Task A_saga_has_a_summary_and_a_timeline()
    {
        var saga = await GetAsync($"sagas/{Stuck}");
        Assert.Equal(
            "Rejected at authorize-payment (no): incident (not_found) at the undo of reserve-stock: No such hold; 1 attempt "
            + "since 12:00:00 UTC; an operator has to act.",
            (string)saga["summary"]!);
        Assert.Equal(
            ["reserve-stock completed", "authorize-payment rejected", "undo reserve-stock stuck"],
            saga["timeline"]!.AsArray().Select(
                entry => $"{((bool)entry!["undo"]! ? "undo " : "")}{entry["step"]} {entry["phase"]}"));
        Assert.Equal("order-process", (string)saga["definition"]!["name"]!);
    }

    [Fact]
    public async Task An_unknown_saga_is_a_404_and_an_invalid_id_a_400()
    {
        await GetAsync($"sagas/{Guid.CreateVersion7()}", HttpStatusCode.NotFound);
        await GetAsync("sagas/42", HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task The_process_is_available_as_data_and_as_a_diagram()
    {
        var definition = await GetAsync("sagas/definition");
        Assert.Equal(
            [StepNames.ReserveStock, StepNames.AuthorizePayment, StepNames.CommitStock, StepNames.CapturePayment],
            definition["stages"]!.AsArray().SelectMany(stage => stage!.AsArray()).Select(step => (string)step!["name"]!));
        Assert.Equal("PT10M", (string)definition["stages"]![0]![0]!["asked"]!["within"]!);

        using var request = new HttpRequestMessage(HttpMethod.Get, "sagas/definition");
        request.Headers.Accept.ParseAdd("text/vnd.mermaid");
        using var drawn = await http.SendAsync(request);
        Assert.Equal("text/vnd.mermaid", drawn.Content.Headers.ContentType!.MediaType);
        Assert.StartsWith("flowchart LR", await drawn.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_caller_sees_and_counts_only_the_orders_of_its_channels()
    {
        http.DefaultRequestHeaders.Add("X-Channels", "main");
        Assert.Equal((5, 3, 1, 3, 3), await CountsAsync());
        http.DefaultRequestHeaders.Remove("X-Channels");
        http.DefaultRequestHeaders.Add("X-Channels", "ma");
        Assert.Equal((0, 0, 0, 0, 0), await CountsAsync());
        await GetAsync($"sagas/{Stuck}", HttpStatusCode.NotFound);

        // Sagas, timers, incidents, open orders of the overview, open orders by version.
        async Task<(int, int, int, int, int)> CountsAsync() => (
            Ids(await GetAsync($"sagas?ids={string.Join(',', orders)}")).Count(), Ids(await GetAsync("timers")).Count(),
            Ids(await GetAsync("incidents")).Count(), (int)(await GetAsync("overview"))["open"]!,
            (await GetAsync("process/census"))["lines"]!.AsArray().Sum(line => (int)line!["count"]!));
    }

    async Task FindsAsync(string query, params Guid[] expected) =>
        Assert.Equal(expected.OrderDescending(), Ids(await GetAsync($"sagas?{query}")));

    static IEnumerable<Guid> Ids(JsonNode page) =>
        page["items"]!.AsArray().Select(item => Guid.Parse((string)item!["orderId"]!));

    async Task<JsonNode> GetAsync(string path, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var response = await http.GetAsync(new Uri(path, UriKind.Relative));
        Assert.Equal(expected, response.StatusCode);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
    }
}

public sealed class PostgresCoordinatorApiTests(PostgresEngine engine)
    : CoordinatorApiSuite(engine), IClassFixture<PostgresEngine>;

public sealed class SqliteCoordinatorApiTests(SqliteEngine engine)
    : CoordinatorApiSuite(engine), IClassFixture<SqliteEngine>;
