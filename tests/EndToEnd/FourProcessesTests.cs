using System.Net;
using System.Text.Json.Nodes;

namespace Orderwright.EndToEnd;

/// <summary>The distributed mode: four processes, PostgreSQL, RabbitMQ, the tool, and crashes of each.</summary>
[Collection("up")]
public class FourProcessesTests(FourProcesses up)
{
    [Theory]
    [InlineData("balance", null, "GOOD", "confirmed", "paid", null)]
    [InlineData("sandbox", "tok_visa", "GOOD", "confirmed", "paid", null)]
    [InlineData("sandbox", "tok_timeout_after_charge", "GOOD", "confirmed", "paid", null)]
    [InlineData("sandbox", "tok_error", "GOOD", "confirmed", "paid", null)]
    [InlineData("sandbox", "tok_declined", "GOOD", "rejected", "pending", "payment_declined")]
    [InlineData("balance", null, "NONE", "rejected", "pending", "out_of_stock")]
    [InlineData("balance", null, "UNHEARD-OF", "rejected", "pending", "unknown_sku")]
    public async Task Every_outcome_of_an_order_is_reached(
        string provider, string? token, string sku, string status, string paymentStatus, string? reason)
    {
        await StockUpAsync();
        var placed = await PlaceAsync($"outcome-{provider}-{token}-{sku}", sku, provider, token);

        var order = await DecidedAsync((string)placed.Json["id"]!, o => (string?)o.Json["paymentStatus"] == paymentStatus);

        Assert.Equal(status, (string?)order.Json["status"]);
        Assert.Equal(paymentStatus, (string?)order.Json["paymentStatus"]);
        Assert.Equal(reason, (string?)order.Json["reason"]?["code"]);
    }

    [Fact]
    public async Task The_demo_shop_of_up_is_that_of_dev()
    {
        string[] outcomes =
        [
            "DEMO-1 confirmed", "DEMO-2 confirmed", "DEMO-3 rejected", "DEMO-4 rejected", "DEMO-5 rejected", "DEMO-6 cancelled",
            "DEMO-7 pending", "DEMO-8 confirmed",
        ];
        await Waiting.UntilAsync(async () => outcomes.SequenceEqual(await OutcomesAsync()));
        Assert.Equal(200, (await up.Stock.AskAsync("/api/v1/products/CLK-01")).Status);

        async Task<List<string>> OutcomesAsync()
        {
            var found = new List<string>();
            for (var n = 1; n <= outcomes.Length; n++)
                found.AddRange((await up.Orders.AskAsync($"/api/v1/orders?reference=DEMO-{n}")).Json["items"]!.AsArray()
                    .Select(order => $"{order!["reference"]} {order["status"]}"));
            return found;
        }
    }

    [Fact]
    public async Task Another_up_on_the_same_ports_names_the_first_and_starts_nothing()
    {
        var (exit, output) = await up.ToolAsync(
            "up", "--data", HttpHost.NewDirectory(), "--port", $"{up.Coordinator.BaseAddress!.Port}");
        Assert.Equal(1, exit);
        Assert.Contains("an Orderwright already answers at http://127.0.0.1:", output, StringComparison.Ordinal);
        Assert.EndsWith("choose other ports with --port N.", output.TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_tool_cancels_a_confirmed_order_and_money_and_goods_are_returned()
    {
        await StockUpAsync();
        var placed = await PlaceAsync("to-be-cancelled", "GOOD");
        var id = (string)placed.Json["id"]!;
        await DecidedAsync(id);

        Assert.Equal(0, (await up.ToolAsync("cancel", id, "--reason", "customer")).ExitCode);

        var order = await DecidedAsync(id, o => (string?)o.Json["status"] == "cancelled");
        Assert.Equal("refunded", (string?)order.Json["paymentStatus"]);
        Assert.Equal(3, (await up.ToolAsync("cancel", (await RejectedAsync())!)).ExitCode);
    }

    [Fact]
    public async Task Goods_shipped_by_the_tool_leave_the_stock_although_stock_service_crashes()
    {
        await StockUpAsync();
        var placed = await PlaceAsync("to-be-shipped", "GOOD");
        var id = (string)placed.Json["id"]!;
        await DecidedAsync(id);
        await up.KillAsync("StockService");

        var (exit, output) = await up.ToolAsync("ship", id, "--carrier", "Royal Mail", "--tracking", "AB123");

        Assert.Equal(0, exit);
        Assert.Contains("Fulfilment 1", output, StringComparison.Ordinal);
        Assert.Equal("fulfilled", (string?)(await DecidedAsync(id)).Json["fulfilmentStatus"]);
        Assert.Equal(3, (await up.ToolAsync("ship", id)).ExitCode);
        await Waiting.UntilAsync(HasLeftAsync);

        async Task<bool> HasLeftAsync()
        {
            try
            {
                var movements = await up.Stock.AskAsync("/api/v1/stock/GOOD/movements");
                return movements.Status == 200 && movements.Json["items"]!.AsArray().Any(moved =>
                    (string?)moved!["kind"] == "shipped" && (string?)moved["orderId"] == id);
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }
    }

    [Fact]
    public async Task The_console_of_the_coordinator_shows_data_of_the_other_services()
    {
        await StockUpAsync();
        var placed = await PlaceAsync("on-the-console", "GOOD");
        var id = (string)placed.Json["id"]!;
        await DecidedAsync(id);

        foreach (var (path, holds) in new[]
        {
            ("/orders?q=on-the-console", id), ($"/orders/{id}", "customer-service"), ("/stock", "GOOD"), ("/payments", id),
        })
        {
            var page = await up.Coordinator.GetStringAsync(new Uri(path, UriKind.Relative));
            Assert.Contains(holds, page, StringComparison.Ordinal);
            Assert.DoesNotContain("class=\"trouble\"", page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Forged_messages_confirm_no_order_and_start_none_and_are_not_replayable()
    {
        await StockUpAsync();
        var waiting = (string)(await PlaceAsync("forged", "GOOD", "sandbox", "tok_requires_action")).Json["id"]!;
        var unheard = Guid.CreateVersion7().ToString();
        var payment = new JsonObject
        {
            ["authorizedMinor"] = 895, ["capturedMinor"] = 895, ["refundedMinor"] = 0, ["voided"] = false,
        };
        var placed = new JsonObject
        {
            ["customerId"] = "ada", ["currency"] = "GBP", ["adjustmentsMinor"] = 0, ["maySetPrice"] = true,
            ["payment"] = new JsonObject { ["provider"] = "balance" },
            ["lines"] = new JsonArray(
                new JsonObject { ["line"] = 1, ["sku"] = "GOOD", ["quantity"] = 1, ["unitPrice"] = 1 }),
        };
        var confirmed = new JsonObject
        {
            ["lines"] = new JsonArray(), ["totalMinor"] = 895, ["steps"] = new JsonArray(), ["payment"] = payment.DeepClone(),
        };
        var answered = new JsonObject { ["undo"] = false, ["outcome"] = "completed", ["payment"] = payment };
        await Waiting.UntilAsync(async () =>
            (await up.Customers.AskAsync($"/api/v1/payments/{waiting}")) is { Status: 200 } found
            && (string?)found.Json["state"] == "action_required");

        // A participant confirms the order, answers for another participant, and starts an order.
        await up.PublishAsync(
            "stock-service", "order-service",
            Batch("saga-coordinator", "orderwright.order.confirmed.v1", waiting, null, confirmed),
            Batch("stock-service", "orderwright.order.confirmed.v1", waiting, null, confirmed));
        await up.PublishAsync(
            "stock-service", "saga-coordinator",
            Batch("stock-service", "orderwright.saga.step-answered.v1", waiting, "authorize-payment", answered),
            Batch("order-service", "orderwright.order.placed.v1", unheard, null, placed));

        foreach (var service in new[] { up.Orders, up.Coordinator })
        {
            var letters = await LettersAsync(service, [waiting, unheard], 2);
            Assert.Equal(2, letters.Count);
            foreach (var letter in letters)
            {
                Assert.False((bool)letter["replayable"]!);
                (await service.PostAsync($"/api/v1/dead-letters/{letter["id"]}/replay", """{"reason":"let it in"}"""))
                    .IsProblem(409, "not_replayable");
            }
            Assert.Matches(
                """orderwright_messages_refused_total\{service="[a-z-]+"\} 2""",
                System.Text.Encoding.UTF8.GetString((await service.AskAsync("/metrics")).Body));
        }
        Assert.Equal("pending", (string?)(await LookAsync(waiting))!.Json["status"]);
        Assert.Equal(404, (await up.Coordinator.AskAsync($"/api/v1/sagas/{unheard}")).Status);

        static string Batch(string source, string type, string orderId, string? step, JsonObject data) =>
            new JsonArray(FourProcesses.Event(source, type, orderId, step, (JsonObject)data.DeepClone())).ToJsonString();
    }

    [Fact]
    public async Task A_second_up_on_the_directory_names_the_first_and_disturbs_nothing()
    {
        var (exit, output) = await up.ToolAsync("up", "--data", up.Data, "--port", "1");
        Assert.Equal(1, exit);
        Assert.Contains(
            $"already runs on {up.Data}: process {up.ProcessId}, console at http://127.0.0.1:{up.Coordinator.BaseAddress!.Port}.",
            output, StringComparison.Ordinal);
        Assert.Equal(200, (await up.Orders.AskAsync("/health/ready")).Status);
    }

    [Fact]
    public async Task Crashes_of_each_service_and_server_under_load_lose_and_duplicate_nothing()
    {
        await StockUpAsync();
        const int orders = 400;
        var next = -1;
        var ids = new string[orders];
        var clients = Enumerable.Range(0, 16).Select(async _ =>
        {
            while (Interlocked.Increment(ref next) is var i && i < orders)
            {
                ids[i] = (string)(await PlaceAsync(
                    $"crash-{i}", "GOOD", i % 2 == 0 ? "balance" : "sandbox", "tok_visa")).Json["id"]!;
                await Task.Delay(TimeSpan.FromMilliseconds(250)); // The load has to last as long as the faults.
            }
        }).ToList();

        foreach (var service in (string[])["StockService", "CustomerService", "SagaCoordinator", "OrderService"])
        {
            await Task.Delay(TimeSpan.FromSeconds(1));
            await up.KillAsync(service);
        }
        await up.KillDatabaseAsync();
        await up.WipeBrokerAsync();
        await Task.WhenAll(clients);

        foreach (var id in ids)
            Assert.Equal("confirmed", (string?)(await DecidedAsync(id)).Json["status"]);
        Assert.Equal(orders, ids.Distinct().Count());
        var (exit, output) = await up.ToolAsync("verify", "--data", up.Data, "--settle", "60");
        Assert.True(exit == 0, output);
    }

    [Fact]
    public async Task Two_instances_of_every_service_share_the_work_and_sell_each_unit_once()
    {
        await StockUpAsync();
        await up.Stock.PutAsync("/api/v1/products/FEW", """{"name":"Few","unitPrice":250,"currency":"EUR"}""");
        await up.Stock.PutAsync("/api/v1/stock/FEW", """{"onHand":50}""");
        using var second = await up.StartFurtherInstancesAsync();

        var placed = await Task.WhenAll(Enumerable.Range(0, 200).Select(i =>
            PlaceAsync($"few-{i}", "FEW", through: i % 2 == 0 ? up.Orders : second.Orders)));
        var statuses = await Task.WhenAll(placed.Select(async answer =>
            (string?)(await DecidedAsync((string)answer.Json["id"]!)).Json["status"]));

        Assert.Equal(50, statuses.Count(status => status == "confirmed"));
        Assert.Equal(150, statuses.Count(status => status == "rejected"));
        var (exit, output) = await up.ToolAsync("verify", "--data", up.Data, "--settle", "60");
        Assert.True(exit == 0, output);
    }

    async Task StockUpAsync()
    {
        foreach (var sku in (string[])["GOOD", "NONE"])
            await up.Stock.PutAsync($"/api/v1/products/{sku}", """{"name":"A thing","unitPrice":250,"currency":"EUR"}""");
        await up.Stock.PutAsync("/api/v1/stock/GOOD", """{"onHand":100000}""");
        await up.Customers.PutAsync("/api/v1/customers/ada", """{"name":"Ada","email":"ada@example.com"}""");
        await up.Customers.PostAsync(
            "/api/v1/customers/ada/credits", """{"amount":100000000,"currency":"EUR","reference":"once"}""",
            ("Idempotency-Key", "once"));
    }

    // Retries with the same key until answered, as a client does.
    async Task<HttpAnswer> PlaceAsync(
        string key, string sku, string provider = "balance", string? token = null, HttpClient? through = null)
    {
        var payment = token is null || provider == "balance"
            ? """{"provider":"balance"}"""
            : $$"""{"provider":"{{provider}}","token":"{{token}}"}""";
        var body =
            $$"""{"customerId":"ada","currency":"EUR","lines":[{"sku":"{{sku}}","quantity":1}],"payment":"""
            + $$"""{{payment}},"reference":"{{key}}"}""";
        for (var patience = Patience(); ; await Task.Delay(100, patience))
        {
            try
            {
                var answer = await (through ?? up.Orders).PostAsync("/api/v1/orders", body, ("Idempotency-Key", key));
                if (answer.Status is (int)HttpStatusCode.Accepted) return answer;
                Assert.Equal(503, answer.Status);
            }
            catch (HttpRequestException)
            {
                // The service is down and restarts.
            }
        }
    }

    async Task<HttpAnswer> DecidedAsync(string id, Func<HttpAnswer, bool>? until = null)
    {
        for (var patience = Patience(); ; await Task.Delay(50, patience))
        {
            if (await LookAsync(id) is not { } order) continue;
            if ((string?)order.Json["status"] is not ("pending" or "cancel_pending") && (until is null || until(order)))
                return order;
        }
    }

    // Letters about the orders, once there are so many.
    static async Task<IReadOnlyList<JsonNode>> LettersAsync(HttpClient service, string[] orders, int count)
    {
        List<JsonNode> letters = [];
        await Waiting.UntilAsync(async () =>
        {
            letters.Clear();
            foreach (var order in orders)
                letters.AddRange((await service.AskAsync($"/api/v1/dead-letters?orderId={order}")).Json["items"]!.AsArray()!);
            return letters.Count >= count;
        });
        return letters;
    }

    // Null while the service is down or not ready yet.
    async Task<HttpAnswer?> LookAsync(string id)
    {
        try
        {
            var order = await up.Orders.AskAsync($"/api/v1/orders/{id}");
            if (order.Status == 503) return null;
            Assert.Equal(200, order.Status);
            return order;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    async Task<string?> RejectedAsync()
    {
        var placed = await PlaceAsync("to-be-rejected", "NONE");
        return (string?)(await DecidedAsync((string)placed.Json["id"]!)).Json["id"];
    }

    static CancellationToken Patience() => Waiting.NewLimit();
}
