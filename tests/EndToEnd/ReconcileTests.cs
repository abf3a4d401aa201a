using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;

namespace Orderwright.EndToEnd;

/// <summary>
/// Runs of <c>./orderwright reconcile</c> against a shop and a gateway in separate processes. Every difference planted in either
/// record is reported with the call that repairs the record.
/// </summary>
public sealed class ReconcileTests : IAsyncLifetime
{
    const string Secret = "shared with the gateway";
    const string Copied = "token, currency, state, amount, authorized, captured, refunded, voided, created_at, updated_at";
    const string Copy = $"INSERT INTO sandbox_charges (id, key, order_id, {Copied})";
    const string Rest = $"{Copied} FROM sandbox_charges";

    readonly string gatewayData = HttpHost.NewDirectory();
    readonly string shopData = HttpHost.NewDirectory();
    HttpHost gateway = null!;
    HttpHost shop = null!;

    public async ValueTask InitializeAsync()
    {
        gateway = await HttpHost.StartGatewayAsync(gatewayData, Secret);
        shop = await HttpHost.StartAsync(
            shopData, "--no-demo", "--gateway-url", new Uri(gateway.Url, "v1").AbsoluteUri, "--gateway-secret", Secret,
            "--reconcile-every", "0s");
        await SendAsync(HttpMethod.Put, "customers/ada", new { name = "Ada" });
        await SendAsync(HttpMethod.Put, "products/MUG", new { name = "Mug", unitPrice = 1_530, currency = "GBP" });
        await SendAsync(HttpMethod.Put, "stock/MUG", new { onHand = 100 });
    }

    public async ValueTask DisposeAsync()
    {
        await shop.DisposeAsync();
        await gateway.DisposeAsync();
        Directory.Delete(gatewayData, recursive: true);
        Directory.Delete(shopData, recursive: true);
    }

    [Fact]
    public async Task Every_planted_difference_is_reported_and_an_intact_record_agrees()
    {
        var orders = new List<string>();
        for (var i = 0; i < 6; i++) orders.Add(await BuyAsync());
        await SendAsync(HttpMethod.Post, $"orders/{orders[5]}/cancel", new { reason = "customer" });
        await Waiting.UntilAsync(async () => (string)(await GetAsync($"payments/{orders[5]}"))["state"]! == "refunded");
        var before = DateTimeOffset.UtcNow;

        // Payments changed within the last minute are not compared, so our record is aged. First it is made younger, because the
        // clock may have jumped.
        await AgeAsync(TimeSpan.FromMinutes(-10));
        var (status, output) = await shop.RunToolAsync("reconcile");
        Assert.Equal((0, true), (status, output.Contains("6 still in progress", StringComparison.Ordinal)));
        await AgeAsync(TimeSpan.FromMinutes(20));
        (status, output) = await shop.RunToolAsync("reconcile", "--provider", "http");
        Assert.True(status == 0, output);
        Assert.Contains("agrees (6 charges listed, 6 orders compared, 0 still in progress)", output, StringComparison.Ordinal);

        var stray = Guid.CreateVersion7(before.AddHours(-1)).ToString();
        await DamageAsync(GatewayFile, "DELETE FROM sandbox_charges WHERE order_id = @id", orders[0]);
        await DamageAsync(GatewayFile, "UPDATE sandbox_charges SET captured = captured - 1 WHERE order_id = @id", orders[1]);
        await DamageAsync(
            GatewayFile, $"{Copy} SELECT 'second', 'second', order_id, {Rest} WHERE order_id = @id", orders[2]);
        await DamageAsync(GatewayFile, $"{Copy} SELECT 'stray', 'stray', @id, {Rest} WHERE id = 'second'", stray);
        await DamageAsync(
            ShopFile, "UPDATE payments SET state = 'voided', voided = 1, captured = 0 WHERE order_id = @id", orders[3]);
        await DamageAsync(GatewayFile, "UPDATE sandbox_charges SET refunded = 0 WHERE order_id = @id", orders[5]);

        (status, output) = await shop.RunToolAsync("reconcile");

        Assert.Equal(1, status);
        Expect("missing_there", orders[0], "POST /api/v1/orders/");
        Expect("amount", orders[1], $"POST /api/v1/orders/{orders[1]}/cancel");
        Expect("missing_here", orders[2], $"POST {new Uri(gateway.Url, "v1/refund")} {{");
        Expect("missing_here", stray, "\"amount\":1530,\"currency\":\"GBP\",\"charge\":\"stray\"");
        Expect("amount", orders[3], $"POST {new Uri(gateway.Url, "v1/refund")} {{");
        Expect("journal", orders[3], "./orderwright verify");
        // Finished orders are compared too.
        Expect("amount", orders[5], $"POST {new Uri(gateway.Url, "v1/refund")} {{");
        Assert.DoesNotContain(orders[4], output, StringComparison.Ordinal);
        Assert.Contains("7 differences", output, StringComparison.Ordinal);

        (status, output) = await shop.RunToolAsync("reconcile", "--json");
        var json = JsonNode.Parse(output)!;
        Assert.Equal((1, false), (status, (bool)json["agrees"]!));
        var run = json["reconciliations"]!.AsArray().Single(result => (string)result!["run"]!["provider"]! == "http")!;
        Assert.Equal(7, run["differences"]!.AsArray().Count);
        await shop.WaitForAsync("http: 7 differences between the gateway's record and ours");
        Assert.Contains(
            "orderwright_reconciliation_differences{service=\"customer-service\",provider=\"http\"} 7",
            await shop.Client.GetStringAsync("/metrics"), StringComparison.Ordinal);

        // A range without payments agrees.
        (status, output) = await shop.RunToolAsync("reconcile", 
            "--provider", "http", "--from", "2025-01-01T00:00:00Z", "--to", "2025-02-01T00:00:00Z");
        Assert.True(status == 0, output);

        void Expect(string kind, string order, string repair)
        {
            var at = output.IndexOf($"{kind}  order {order}", StringComparison.Ordinal);
            Assert.True(at >= 0, output);
            var difference = string.Join('\n', output[at..].Split('\n').Take(3));
            Assert.True(difference.Contains(repair, StringComparison.Ordinal), difference);
        }
    }

    [Fact]
    public async Task Invalid_arguments_and_an_unavailable_gateway_are_reported()
    {
        var (status, output) = await shop.RunToolAsync("reconcile", "--provider", "paypal");
        Assert.True(status == 2, output);
        foreach (var time in (string[])["yesterday", "2026-01-31", "03/04/2026"])
        {
            (status, _) = await shop.RunToolAsync("reconcile", "--from", time);
            Assert.Equal(2, status);
        }
        Assert.Equal(0, await gateway.StopAsync());
        var run = await SendAsync(HttpMethod.Post, "reconciliations", new { provider = "http" });
        await Waiting.UntilAsync(async () =>
            (string?)(await GetAsync($"reconciliations/{run["id"]}"))["message"] is { Length: > 0 });
    }

    string GatewayFile => Path.Combine(gatewayData, "payment-gateway.db");

    string ShopFile => Path.Combine(shopData, "customer-service.db");

    async Task<string> BuyAsync()
    {
        var order = await SendAsync(HttpMethod.Post, "orders", new
        {
            customerId = "ada", currency = "GBP", lines = new[] { new { sku = "MUG", quantity = 1 } },
            payment = new { provider = "http", token = "tok_visa" },
        });
        // On a busy machine the reply precedes the decision.
        await Waiting.UntilAsync(async () => (string)(await GetAsync($"orders/{order["id"]}"))["status"]! == "confirmed");
        await Waiting.UntilAsync(async () => (string)(await GetAsync($"payments/{order["id"]}"))["state"]! == "captured");
        return (string)order["id"]!;
    }

    async Task AgeAsync(TimeSpan by)
    {
        await DamageAsync(ShopFile, $"UPDATE payments SET updated_at = updated_at - {by.TotalMilliseconds:0}", null);
        await DamageAsync(ShopFile, $"UPDATE payment_attempts SET started_at = started_at - {by.TotalMilliseconds:0}", null);
    }

    static async Task DamageAsync(string file, string statement, string? order)
    {
        await using var connection = new SqliteConnection($"Data Source={file}");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = $"PRAGMA busy_timeout = 10000; {statement}";
        if (order is not null)
            command.Parameters.AddWithValue(
                "@id", Convert.FromHexString(order.Replace("-", "", StringComparison.Ordinal)));
        Assert.True(await command.ExecuteNonQueryAsync() > 0, "The damage missed.");
    }

    async Task<JsonNode> SendAsync(HttpMethod method, string path, object body)
    {
        using var request = new HttpRequestMessage(method, $"/api/v1/{path}") { Content = JsonContent.Create(body) };
        request.Headers.Add("Prefer", "wait=10");
        using var response = await shop.Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    async Task<JsonNode> GetAsync(string path) => JsonNode.Parse(await shop.Client.GetStringAsync($"/api/v1/{path}"))!;
}
