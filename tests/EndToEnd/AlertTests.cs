using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;

namespace Orderwright.EndToEnd;

/// <summary>Alerts of one process: each fires on its fault and clears after it.</summary>
public sealed class AlertTests : IAsyncLifetime
{
    const string Secret = "shared with the gateway";

    readonly string data = HttpHost.NewDirectory();
    readonly string gatewayData = HttpHost.NewDirectory();
    readonly string port = HttpHost.FreePort().ToString(CultureInfo.InvariantCulture);
    HttpHost gateway = null!;
    HttpHost host = null!;

    public async ValueTask InitializeAsync()
    {
        gateway = await HttpHost.StartGatewayAsync(gatewayData, Secret);
        host = await StartAsync();
        await SendAsync(HttpMethod.Put, "customers/ada", new { name = "Ada" });
        await SendAsync(HttpMethod.Put, "products/MUG", new { name = "Mug", unitPrice = 1_530, currency = "GBP" });
        await SendAsync(HttpMethod.Put, "stock/MUG", new { onHand = 1_000 });
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        await gateway.DisposeAsync();
        Directory.Delete(data, recursive: true);
        Directory.Delete(gatewayData, recursive: true);
    }

    [Fact]
    public async Task Alerts_fire_on_their_fault_and_clear_after_it()
    {
        await using var run = await AlertRun.StartAsync(host.Url);

        await run.MeasureAsync(
            "the process is killed", ["OrderwrightDown"], () => host.KillAsync(),
            async () =>
            {
                await host.DisposeAsync();
                host = await StartAsync();
            });

        var order = "";
        await run.MeasureAsync(
            "the gateway refuses a refund", ["OrderwrightIncidents"],
            async () =>
            {
                order = await PlaceAsync("sandbox", "tok_refund_fails");
                await ReachAsync($"orders/{order}", "status", "confirmed");
                await ReachAsync($"payments/{order}", "state", "captured");
                await SendAsync(HttpMethod.Post, $"orders/{order}/cancel", new { reason = "customer" });
            },
            async () =>
            {
                var incident = (await GetAsync("incidents"))["items"]![0]!;
                await SendAsync(
                    HttpMethod.Post, $"sagas/{order}/resolve",
                    new { step = (string?)incident["step"], outcome = "completed", reason = "paid back by transfer" });
            });

        await run.MeasureAsync(
            "the gateway does not reply",
            ["OrderwrightGatewayFailing", "OrderwrightPaymentInDoubt", "OrderwrightOrdersStuck"],
            async () =>
            {
                await SignalAsync("STOP", gateway);
                for (var i = 0; i < 10; i++) await PlaceAsync("http", "tok_visa");
            },
            () => SignalAsync("CONT", gateway));

        var endpoint = "";
        await run.MeasureAsync(
            "nothing listens at a webhook's address", ["OrderwrightWebhooks"],
            async () =>
            {
                endpoint = (string)(await SendAsync(
                    HttpMethod.Post, "webhook-endpoints", new { url = $"http://127.0.0.1:{HttpHost.FreePort()}/" }))["id"]!;
                await PlaceAsync("http", "tok_visa");
            },
            async () => (await host.Client.DeleteAsync($"/api/v1/webhook-endpoints/{endpoint}")).EnsureSuccessStatusCode());

        await run.MeasureAsync(
            "every order names an unknown product", ["OrderwrightRejections"],
            async () =>
            {
                for (var i = 0; i < 10; i++) await PlaceAsync("http", "tok_visa", "NONE");
            },
            () => Task.CompletedTask);

        await run.MeasureAsync(
            "an authorization is about to expire", ["OrderwrightPaymentAttention"],
            async () =>
            {
                order = await PlaceAsync("sandbox", "tok_visa", channel: "later");
                await ReachAsync($"orders/{order}", "status", "confirmed");
            },
            () => SendAsync(HttpMethod.Post, $"orders/{order}/fulfilments", new { }));

        using var blocked = new CancellationTokenSource();
        var requests = Task.CompletedTask;
        var locks = new List<SqliteConnection>();
        await run.MeasureAsync(
            "the databases of coordinator and order-service refuse writes",
            ["OrderwrightWritesRefused", "OrderwrightRequestsFailing"],
            () =>
            {
                locks.AddRange([Locked("saga-coordinator"), Locked("order-service")]);
                requests = PlaceWithoutEndAsync(blocked.Token);
                return Task.CompletedTask;
            },
            async () =>
            {
                await blocked.CancelAsync();
                await requests;
                foreach (var connection in locks) await connection.DisposeAsync();
            });
        var (exit, text) = await host.RunToolAsync("verify", "--data", data, "--settle", "60");
        Assert.True(exit == 0, text);
    }

    Task<HttpHost> StartAsync() => HttpHost.StartProcessAsync(
    [
        "--data", data, "--port", port, "--no-open", "--no-demo", "--gateway-url", new Uri(gateway.Url, "v1").AbsoluteUri,
        "--gateway-secret", Secret, "--gateway-deadline", "1s", "--gateway-break-after", "3", "--transaction-timeout", "2s",
        "--capture-channels", "later=fulfilment", "--sandbox-holds", "1h", "--reconcile-every", "0s",
    ]);

    static async Task SignalAsync(string signal, HttpHost process)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process.ProcessId.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    async Task<string> PlaceAsync(string provider, string token, string sku = "MUG", string? channel = null) =>
        (string)(await SendAsync(HttpMethod.Post, "orders", Order(provider, token, sku, channel)))["id"]!;

    static object Order(string provider, string token, string sku, string? channel) => new
    {
        customerId = "ada", currency = "GBP", lines = new[] { new { sku, quantity = 1 } }, channel,
        payment = new { provider, token },
    };

    async Task PlaceWithoutEndAsync(CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            using var response = await host.Client.PostAsJsonAsync(
                "/api/v1/orders", Order("http", "tok_visa", "MUG", null), CancellationToken.None);
            await Task.Delay(200, CancellationToken.None);
        }
    }

    // In the write-ahead mode a lock keeps writers out, and readers go on.
    SqliteConnection Locked(string service)
    {
        var connection = new SqliteConnection($"Data Source={Path.Combine(data, $"{service}.db")};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "BEGIN IMMEDIATE";
        command.CommandTimeout = 60;
        command.ExecuteNonQuery();
        return connection;
    }

    Task ReachAsync(string path, string member, string value) =>
        Waiting.UntilAsync(async () => (string?)(await GetAsync(path))[member] == value);

    async Task<JsonNode> SendAsync(HttpMethod method, string path, object body)
    {
        using var request = new HttpRequestMessage(method, $"/api/v1/{path}") { Content = JsonContent.Create(body) };
        using var response = await host.Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    async Task<JsonNode> GetAsync(string path) => JsonNode.Parse(await host.Client.GetStringAsync($"/api/v1/{path}"))!;
}

/// <summary>Alerts of four processes on PostgreSQL and RabbitMQ.</summary>
[Collection("up")]
public sealed class AlertsOfUpTests(FourProcesses up)
{
    [Fact]
    public async Task Alerts_about_messages_fire_on_their_fault_and_clear_after_it()
    {
        Uri[] services = [.. new[] { up.Coordinator, up.Orders, up.Customers, up.Stock }.Select(client => client.BaseAddress!)];
        var confirmed = JsonNode.Parse(
            """
            {
              "lines": [], "totalMinor": 895, "steps": [],
              "payment": { "authorizedMinor": 895, "capturedMinor": 895, "refundedMinor": 0, "voided": false }
            }
            """)!.AsObject();
        await using var run = await AlertRun.StartAsync(services);

        await run.MeasureAsync(
            "a message cannot be read", ["OrderwrightDeadLetters"],
            () => up.PublishAsync("stock-service", "saga-coordinator", "no batch of events"), () => Task.CompletedTask);

        await run.MeasureAsync(
            "a participant sends in the coordinator's name", ["OrderwrightForgedMessages"],
            () => up.PublishAsync(
                "stock-service", "order-service",
                new JsonArray(FourProcesses.Event(
                    "saga-coordinator", "orderwright.order.confirmed.v1", Guid.CreateVersion7().ToString(), null, confirmed))
                    .ToJsonString()),
            () => Task.CompletedTask);

        await run.MeasureAsync(
            "the broker does not reply", ["OrderwrightNoActiveInstance"],
            () => up.SuspendBrokerAsync(), () => up.ResumeBrokerAsync());
    }
}
