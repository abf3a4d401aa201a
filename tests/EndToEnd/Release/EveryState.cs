using System.Globalization;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using Orderwright.Contracts;
using Orderwright.LocalServers;
using RabbitMQ.Client;

namespace Orderwright.EndToEnd.Release;

/// <summary>
/// Brings a shop into every state of its tables, through APIs and messages alone, and then kills the process. Takes 20
/// minutes: a step without a reply expires after 10.
/// </summary>
sealed class EveryState(ReleaseStore store, PrivateRabbitMq broker, Action<string> print) : IAsyncDisposable
{
    public const string Secret = "shared with the gateway";

    static readonly TimeSpan StepExpires = TimeSpan.FromMinutes(11);

    readonly List<string> finalStates = [];
    HttpHost gateway = null!;
    HttpHost host = null!;

    public async Task RunAsync(bool isTrial)
    {
        try
        {
            await VisitAsync(isTrial);
        }
        catch
        {
            print(string.Join('\n', (host?.Output ?? "").Split('\n').TakeLast(30)));
            throw;
        }
    }

    async Task VisitAsync(bool isTrial)
    {
        gateway = await HttpHost.StartGatewayAsync(store.Gateway, Secret);
        await StartAsync("--capture", "confirmation");
        await FillAsync();
        await SettleOrdersAsync();
        await MakeIncidentsAsync();
        await MisleadAsync();
        await ParkAsync();
        await DifferAsync();
        await host.StopAsync();

        await LoseHoldsAsync();

        await StartAsync("--capture", "fulfilment");
        await CaptureInPartsAsync();
        if (!isTrial)
        {
            await host.StopAsync();
            await ExpireAsync();
            await StartAsync("--capture", "fulfilment");
            await UntilAsync("EXPIRED", order => (string)order["status"]! == "expired");
        }
        await StayInDoubtAsync();
        await StayInFlightAsync();
        await host.KillAsync();
        await gateway.KillAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (host is not null) await host.DisposeAsync();
        if (gateway is not null) await gateway.DisposeAsync();
    }

    async Task FillAsync()
    {
        foreach (var (sku, stock) in new[] { ("MUG", 1_000), ("RARE", 0), ("OLD", 0) })
        {
            await SendAsync(HttpMethod.Put, $"products/{sku}", new { name = sku, unitPrice = 500, currency = "GBP" });
            await SendAsync(HttpMethod.Put, $"stock/{sku}", new { onHand = stock });
        }
        await SendAsync(HttpMethod.Post, "stock/MUG/adjustments", new { delta = 20, reason = "received", note = "a delivery" });
        await SendAsync(HttpMethod.Post, "stock/MUG/adjustments", new { delta = -3, reason = "damaged" });
        await SendAsync(HttpMethod.Delete, "products/OLD", null);
        foreach (var customer in new[] { "ada", "poor", "gone" })
            await SendAsync(HttpMethod.Put, $"customers/{customer}", new { name = customer, email = $"{customer}@example.com" });
        await SendAsync(
            HttpMethod.Post, "customers/ada/credits", new { amount = 100_000, currency = "GBP", reference = "opening" });
        await SendAsync(HttpMethod.Delete, "customers/gone", null);
    }

    async Task SettleOrdersAsync()
    {
        await PlaceAsync("CONFIRMED", null);
        await PlaceAsync("KEPT", null, key: "kept-order");
        await PlaceAsync("DECLINED", "tok_declined");
        await PlaceAsync("POOR", null, customer: "poor");
        await PlaceAsync("SOLD-OUT", null, sku: "RARE");
        await PlaceAsync("UNKNOWN", null, sku: "NEVER-SEEN");

        var completed = await PlaceAsync("COMPLETED", "tok_visa");
        await SendAsync(
            HttpMethod.Post, $"orders/{completed}/fulfilments", new { tracking = new { carrier = "Post", number = "1" } });
        await UntilAsync("COMPLETED", order => (string)order["fulfilmentStatus"]! == "fulfilled");
        await SendAsync(HttpMethod.Patch, $"orders/{completed}", new { status = "completed" });

        var cancelled = await PlaceAsync("CANCELLED", "tok_visa");
        await UntilAsync("CANCELLED", order => (string)order["paymentStatus"]! == "paid");
        await CancelAsync(cancelled);
        await UntilAsync("CANCELLED", order => (string)order["status"]! == "cancelled");

        var refunded = await PlaceAsync("PARTIALLY-REFUNDED", "tok_visa");
        await UntilAsync("PARTIALLY-REFUNDED", order => (string)order["paymentStatus"]! == "paid");
        await SendAsync(HttpMethod.Post, $"payments/{refunded}/refunds", new { amount = 100, reason = "goodwill" });
        await UntilAsync("PARTIALLY-REFUNDED", order => (string)order["paymentStatus"]! == "partially_refunded");

        var abandoned = await PlaceAsync("ABANDONED", "tok_requires_action");
        await CancelAsync(abandoned);
        await UntilAsync("ABANDONED", order => (string)order["status"]! == "cancelled");

    }

    async Task MakeIncidentsAsync()
    {
        foreach (var reference in new[] { "INCIDENT", "INCIDENT-2" })
        {
            var id = await PlaceAsync(reference, "tok_refund_fails");
            await CancelAsync(id);
            await Waiting.UntilAsync(async () => (string)(await GetAsync($"sagas/{id}"))["state"]! == "failed");
        }
        var incident = await IdOfAsync("INCIDENT");
        await SendAsync(HttpMethod.Put, $"incidents/{incident}", new { owner = "anna", note = "The bank was called." });
        var run = (string)(await SendAsync(
            HttpMethod.Post, "bulk-actions",
            new { action = "retry", where = new { code = "refund_failed" }, reason = "The bank is back.", canary = 1 }))["id"]!;
        await Waiting.UntilAsync(async () => (string)(await GetAsync($"bulk-actions/{run}"))["state"]! is "done" or "stopped");
        await SendAsync(HttpMethod.Post, $"sagas/{incident}/retry", new { reason = "Tried again." });
        await Waiting.UntilAsync(async () => (string)(await GetAsync($"sagas/{incident}"))["state"]! == "failed");
    }

    // A message for the wrong service, an unreadable one, and the undo of a payment that never began, which leaves a tombstone.
    async Task MisleadAsync()
    {
        var misled = Message("orderwright.stock.release.v1", await IdOfAsync("CONFIRMED"), "reserve-stock", []);
        var undo = Message(
            "orderwright.payment.undo.v1", await IdOfAsync("SOLD-OUT"), "authorize-payment", new() { ["reason"] = "cancelled" });
        await using var connection = await new ConnectionFactory { Uri = new Uri(broker.Url) }.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        foreach (var (service, body) in new[]
        {
            ("order-service", misled), ("order-service", "not a message"), ("customer-service", undo),
        })
            await channel.BasicPublishAsync(
                "orderwright", $"{service}.any", mandatory: true,
                new BasicProperties
                {
                    ContentType = "application/cloudevents-batch+json",
                    UserId = new Uri(broker.Url).UserInfo.Split(':')[0],
                },
                Encoding.UTF8.GetBytes(body));
        await Waiting.UntilAsync(async () => (await GetAsync("dead-letters"))["items"]!.AsArray().Count >= 2);
        await Waiting.UntilAsync(async () => (await GetAsync("payments?state=undone"))["items"]!.AsArray().Count > 0);

        static string Message(string type, string orderId, string step, JsonObject data) => new JsonArray(new JsonObject
        {
            ["specversion"] = "1.0", ["id"] = Guid.CreateVersion7().ToString(), ["source"] = "/orderwright/saga-coordinator",
            ["type"] = type, ["subject"] = orderId, ["time"] = "2026-01-31T09:30:00.123Z", ["step"] = step, ["attempt"] = 1,
            ["data"] = data,
        }).ToJsonString();
    }

    // A webhook about an attempt unknown to the database.
    async Task ParkAsync()
    {
        var body = JsonContent.Create(new
        {
            id = "evt_parked", type = "charge.authorized", key = $"{Guid.CreateVersion7()}:authorize:1",
            answer = new { outcome = "succeeded", id = "ch_parked" },
        });
        var text = await body.ReadAsByteArrayAsync();
        var answer = await host.Client.SendAsync(
            HttpMethod.Post, "/api/v1/webhooks/http", text, "application/json", ("Orderwright-Signature", Sign(text)));
        Assert.Equal(200, answer.Status);
    }

    static string Sign(byte[] body)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        byte[] signed = [.. Encoding.UTF8.GetBytes($"{now}."), .. body];
        return $"t={now},v1={Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), signed))}";
    }

    // The gateway loses a charge; a reconciliation judges only charges older than a minute.
    async Task DifferAsync()
    {
        var lost = await PlaceAsync("DIFFERENT", "tok_visa", provider: "http");
        await UntilAsync("DIFFERENT", order => (string)order["paymentStatus"]! == "paid");
        await Task.Delay(TimeSpan.FromSeconds(75));
        var file = Path.Combine(store.Gateway, "payment-gateway.db");
        await using (var connection = new SqliteConnection($"Data Source={file};Pooling=False"))
        {
            await connection.OpenAsync();
            await using var delete = new SqliteCommand(
                "PRAGMA busy_timeout = 10000; DELETE FROM sandbox_charges WHERE order_id = @id", connection);
            delete.Parameters.AddWithValue("@id", Convert.FromHexString(lost.Replace("-", "", StringComparison.Ordinal)));
            Assert.Equal(1, await delete.ExecuteNonQueryAsync());
        }
        var run = (string)(await SendAsync(HttpMethod.Post, "reconciliations", new { provider = "http" }))["id"]!;
        await Waiting.UntilAsync(async () =>
            (await GetAsync($"reconciliations/{run}/differences"))["items"]!.AsArray().Count > 0);
    }

    // An authorization expiring before the capture, and another without a capture.
    async Task LoseHoldsAsync()
    {
        await StartAsync("--capture", "fulfilment", "--sandbox-holds", "3s");
        var shipped = await PlaceAsync("CAPTURE-FAILED", "tok_visa");
        await PlaceAsync("HOLD-ENDED", "tok_visa");
        await Task.Delay(TimeSpan.FromSeconds(5));
        await SendAsync(HttpMethod.Post, $"orders/{shipped}/fulfilments", new { });
        await Waiting.UntilAsync(async () => (await GetAsync($"payments/{shipped}"))["attention"] is not null);
        await host.StopAsync();
    }

    async Task CaptureInPartsAsync()
    {
        await PlaceAsync("AUTHORIZED", "tok_visa");
        var partly = await PlaceAsync("PARTIALLY-PAID", "tok_visa");
        await SendAsync(
            HttpMethod.Post, $"orders/{partly}/fulfilments", new { lines = new[] { new { line = 1, quantity = 1 } } });
        await UntilAsync("PARTIALLY-PAID", order => (string)order["paymentStatus"]! == "partially_paid");
        var voided = await PlaceAsync("VOIDED", "tok_visa");
        await CancelAsync(voided);
        await UntilAsync("VOIDED", order => (string)order["status"]! == "cancelled");
    }

    // A suspended gateway answers neither requests nor look-ups.
    async Task StayInDoubtAsync()
    {
        var capturing = await PlaceAsync("CAPTURING", "tok_visa", provider: "http");
        var refunding = await PlaceAsync("REFUNDING", "tok_visa", provider: "http");
        var voiding = await PlaceAsync("VOIDING", "tok_visa", provider: "http");
        await PlaceAsync("COMPENSATING", "tok_visa", provider: "http");
        await SendAsync(HttpMethod.Post, $"orders/{refunding}/fulfilments", new { });
        await UntilAsync("REFUNDING", order => (string)order["paymentStatus"]! == "paid");
        Programs.Run("kill", "-STOP", gateway.ProcessId.ToString(CultureInfo.InvariantCulture));

        await SendAsync(HttpMethod.Post, $"orders/{capturing}/fulfilments", new { });
        await CancelAsync(voiding);
        await SendAsync(HttpMethod.Post, $"payments/{refunding}/refunds", new { amount = 100, reason = "goodwill" });
        await PlaceAsync("IN-DOUBT", "tok_visa", provider: "http", wait: 1);
        var resolved = await PlaceAsync("RESOLVED", "tok_visa", provider: "http", wait: 1);
        await Waiting.UntilAsync(async () =>
        {
            var answer = await host.Client.PostAsync(
                $"/api/v1/payments/{resolved}/resolve", """{"outcome":"rejected","reason":"Not on the statement."}""");
            return answer.Status == 200;
        });
        finalStates.AddRange([capturing, refunding, voiding]);
    }

    // While stock-service is down, an order gets no reply.
    async Task ExpireAsync()
    {
        HttpHost[] hosts =
        [
            await StartServiceAsync("OrderService", ServiceNames.Order),
            await StartServiceAsync("CustomerService", ServiceNames.Customer, GatewayArguments),
            await StartServiceAsync("SagaCoordinator", ServiceNames.Coordinator),
        ];
        var orders = hosts[0].Client;
        await Waiting.UntilAsync(async () => (await orders.PostAsync(
            "/api/v1/orders",
            """
            {"customerId":"ada","currency":"GBP","reference":"EXPIRED","lines":[{"sku":"MUG","quantity":3}]}
            """)).Status == 202);
        print($"waits {StepExpires.TotalMinutes:0} minutes for an order to expire");
        await Task.Delay(StepExpires);
        foreach (var service in hosts)
        {
            Assert.Equal(0, await service.StopAsync());
            await service.DisposeAsync();
        }
    }

    async Task StayInFlightAsync()
    {
        await PlaceAsync("WAITING", "tok_requires_action", wait: 1);
        await CancelAsync(await IdOfAsync("COMPENSATING"));
        var running = await PlaceAsync("RUNNING", "tok_visa", provider: "http", wait: 1);
        await Waiting.UntilAsync(async () => (string)(await GetAsync($"sagas/{running}"))["step"]! == "authorize-payment");
        foreach (var id in finalStates) print($"payment {id} is {(await GetAsync($"payments/{id}"))["state"]}");
    }

    async Task StartAsync(params string[] arguments)
    {
        if (host is not null) await host.DisposeAsync();
        host = await HttpHost.StartProcessAsync(
            [
                .. store.Arguments, "--transport", broker.Url, "--port", "0", "--no-open", "--no-demo", .. GatewayArguments,
                .. arguments,
            ]);
    }

    Task<HttpHost> StartServiceAsync(string project, string service, params string[] arguments) =>
        HttpHost.StartUnreadyAsync(project, [.. store.ArgumentsOf(service), "--transport", broker.Url, .. arguments]);

    string[] GatewayArguments =>
    [
        "--gateway-url", new Uri(gateway.Url, "v1").AbsoluteUri, "--gateway-secret", Secret, "--gateway-deadline", "2s",
        "--gateway-severalcaptures", "true", "--reconcile-every", "0s",
    ];

    async Task<string> PlaceAsync(
        string reference, string? token, string sku = "MUG", string customer = "ada", string provider = "sandbox",
        string? key = null, int wait = 20)
    {
        object payment = token is null ? new { provider = "balance" } : new { provider, token };
        var order = await SendAsync(
            HttpMethod.Post, "orders",
            new
            {
                customerId = customer, currency = "GBP", reference, lines = new[] { new { sku, quantity = 3 } }, payment,
                adjustments = new[] { new { type = "shipping", label = "Post", amount = 250 } },
                metadata = new { channel = "fixture" },
            },
            wait, key);
        return (string)order["id"]!;
    }

    Task CancelAsync(string id) => SendAsync(HttpMethod.Post, $"orders/{id}/cancel", new { reason = "customer" });

    async Task UntilAsync(string reference, Func<JsonNode, bool> holds)
    {
        var id = await IdOfAsync(reference);
        await Waiting.UntilAsync(async () => holds(await GetAsync($"orders/{id}")));
    }

    async Task<string> IdOfAsync(string reference) =>
        (string)(await GetAsync($"orders?reference={reference}"))["items"]![0]!["id"]!;

    async Task<JsonNode> GetAsync(string path) =>
        JsonNode.Parse(await host.Client.GetStringAsync(new Uri($"/api/v1/{path}", UriKind.Relative)))!;

    async Task<JsonNode> SendAsync(HttpMethod method, string path, object? body, int wait = 0, string? key = null)
    {
        using var request = new HttpRequestMessage(method, $"/api/v1/{path}");
        if (body is not null) request.Content = JsonContent.Create(body);
        if (wait > 0) request.Headers.Add("Prefer", $"wait={wait}");
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        using var response = await host.Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{method} {path}: {text}");
        return text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!;
    }
}
