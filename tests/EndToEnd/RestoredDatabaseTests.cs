using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using Orderwright.Contracts;

namespace Orderwright.EndToEnd;

/// <summary>
/// A shop with one database restored to a moment before an order, and the gateway in a process of its own: a cancellation
/// returns money and goods all the same, and the charge of a confirmed order is taken over.
/// </summary>
public sealed class RestoredDatabaseTests : IAsyncLifetime
{
    const string Secret = "shared with the gateway";

    readonly string gatewayData = HttpHost.NewDirectory();
    readonly string shopData = HttpHost.NewDirectory();
    HttpHost gateway = null!;
    HttpHost shop = null!;

    public async ValueTask InitializeAsync()
    {
        gateway = await HttpHost.StartGatewayAsync(gatewayData, Secret);
        await StartAsync();
        await SendAsync(HttpMethod.Put, "customers/ada", new { name = "Ada Lovelace", email = "ada@example.org" });
        await SendAsync(HttpMethod.Put, "products/MUG", new { name = "Mug", unitPrice = 1_530, currency = "GBP" });
        await SendAsync(HttpMethod.Put, "stock/MUG", new { onHand = 10 });
    }

    public async ValueTask DisposeAsync()
    {
        await shop.DisposeAsync();
        await gateway.DisposeAsync();
        Directory.Delete(gatewayData, recursive: true);
        Directory.Delete(shopData, recursive: true);
    }

    [Theory]
    [InlineData(ServiceNames.Coordinator)]
    [InlineData(ServiceNames.Customer)]
    public async Task A_cancellation_returns_money_and_goods_of_an_order_that_a_service_has_lost(string service)
    {
        await StopAsync();
        Save(service);
        await StartAsync();
        var id = await BuyAsync();
        await StopAsync();
        Restore(service);
        await StartAsync();

        await SendAsync(HttpMethod.Post, $"orders/{id}/cancel", new { reason = "customer" });
        await Waiting.UntilAsync(async () => (string)(await GetAsync($"orders/{id}"))["status"]! == "cancelled");

        Assert.Equal("refunded", (string)(await GetAsync($"orders/{id}"))["paymentStatus"]!);
        Assert.Equal((1_530L, 1_530L), await ChargeAsync(id));
        Assert.Equal(10, (long)(await GetAsync("stock/MUG"))["available"]!);
        var (exit, output) = await shop.RunToolAsync("verify", "--data", shopData, "--gateway", gatewayData, "--settle", "20");
        Assert.True(exit == 0, output);
    }

    [Fact]
    public async Task The_charge_of_a_confirmed_order_is_taken_over_and_never_returned()
    {
        await StopAsync();
        Save(ServiceNames.Customer);
        await StartAsync();
        var id = await BuyAsync();
        await StopAsync();
        Restore(ServiceNames.Customer);
        await StartAsync();

        var (exit, output) = await shop.RunToolAsync(
            "verify", "--data", shopData, "--gateway", gatewayData, "--settle", "20", "--json");
        Assert.True(exit == 1, output);
        Assert.Contains($"./orderwright adopt {id}", output, StringComparison.Ordinal);
        (exit, output) = await shop.RunToolAsync("reconcile", "--provider", "http");
        Assert.Equal(1, exit);
        Assert.Contains($"/api/v1/payments/{id}/adopt", output, StringComparison.Ordinal);
        Assert.DoesNotContain("v1/refund", output, StringComparison.Ordinal);

        (exit, output) = await shop.RunToolAsync("adopt", id, "--reason", "restored", "--preview");
        Assert.True(exit == 0, output);
        Assert.Contains("missing → captured (preview)", output, StringComparison.Ordinal);
        (exit, output) = await shop.RunToolAsync("adopt", id, "--reason", "restored");
        Assert.True(exit == 0, output);
        (exit, output) = await shop.RunToolAsync("adopt", id, "--reason", "again");
        Assert.True(exit == 3, output);

        (exit, output) = await shop.RunToolAsync("verify", "--data", shopData, "--gateway", gatewayData, "--settle", "20");
        Assert.True(exit == 0, output);
        Assert.Equal((1_530L, 0L), await ChargeAsync(id));
    }

    // Notes of operators, metadata and the audit, in three services.
    [Fact]
    public async Task An_erasure_reaches_the_texts_of_every_service()
    {
        var placed = await SendAsync(HttpMethod.Post, "orders", new
        {
            customerId = "ada", currency = "GBP", lines = new[] { new { sku = "MUG", quantity = 1 } },
            payment = new { provider = "http", token = "tok_refund_fails" }, metadata = new { phone = "01632 960001" },
        });
        var id = (string)placed["id"]!;
        await Waiting.UntilAsync(async () => (string)(await GetAsync($"payments/{id}"))["state"]! == "captured");
        var open = await shop.Client.DeleteAsync(new Uri("/api/v1/customers/ada", UriKind.Relative));
        Assert.Equal(409, (int)open.StatusCode);
        await SendAsync(HttpMethod.Post, $"orders/{id}/cancel", new { reason = "customer" });
        await Waiting.UntilAsync(async () => (await GetAsync("incidents"))["items"]!.AsArray().Count == 1);
        await SendAsync(HttpMethod.Put, $"incidents/{id}", new { owner = "bob", note = "Ada wants a transfer" });
        await SendAsync(
            HttpMethod.Post, $"sagas/{id}/resolve",
            new { step = "authorize-payment", outcome = "completed", reason = "Transfer to Ada Lovelace" });
        await Waiting.UntilAsync(async () => (string)(await GetAsync($"orders/{id}"))["status"]! == "cancelled");

        var erased = await shop.Client.DeleteAsync(new Uri("/api/v1/customers/ada", UriKind.Relative));
        Assert.Equal(200, (int)erased.StatusCode);

        Assert.Empty((await GetAsync($"orders/{id}"))["metadata"]!.AsObject());
        // The page shows notes of open incidents only.
        await Waiting.UntilAsync(async () => await NoteAsync() == "bob [erased]");
        var reasons = (await GetAsync($"audit?orderId={id}"))["items"]!.AsArray()
            .Select(entry => (string)entry!["reason"]!).ToList();
        Assert.Contains("Transfer to [erased]", reasons);
        Assert.DoesNotContain(reasons, reason => reason.Contains("Ada", StringComparison.Ordinal));
        var refused = await shop.Client.PostAsJsonAsync("/api/v1/orders", new
        {
            customerId = "ada", currency = "GBP", lines = new[] { new { sku = "MUG", quantity = 1 } },
        });
        Assert.Equal(409, (int)refused.StatusCode);
        Assert.Contains("\"erased\"", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    async Task<string> NoteAsync()
    {
        await using var connection = new SqliteConnection($"Data Source={Path.Combine(shopData, "saga-coordinator.db")}");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT owner || ' ' || note FROM incident_notes";
        return (string)(await command.ExecuteScalarAsync())!;
    }

    // Without marks no service notices the restore: these are the repairs by hand. RestoredShopTests has the others.
    async Task StartAsync() => shop = await HttpHost.StartAsync(
        shopData, "--no-demo", "--gateway-url", new Uri(gateway.Url, "v1").AbsoluteUri, "--gateway-secret", Secret,
        "--reconcile-every", "0s", "--mark-interval", "0s");

    async Task StopAsync()
    {
        Assert.Equal(0, await shop.StopAsync());
        await shop.DisposeAsync();
    }

    void Save(string service) => File.Copy(Path.Combine(shopData, $"{service}.db"), Path.Combine(shopData, "saved"));

    void Restore(string service)
    {
        foreach (var file in Directory.GetFiles(shopData, $"{service}.db-*")) File.Delete(file);
        File.Copy(Path.Combine(shopData, "saved"), Path.Combine(shopData, $"{service}.db"), overwrite: true);
    }

    async Task<(long, long)> ChargeAsync(string id)
    {
        await using var connection = new SqliteConnection($"Data Source={Path.Combine(gatewayData, "payment-gateway.db")}");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT captured, refunded FROM sandbox_charges WHERE order_id = @id";
        command.Parameters.AddWithValue("@id", Convert.FromHexString(id.Replace("-", "", StringComparison.Ordinal)));
        await using var reader = await command.ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync());
        return (reader.GetInt64(0), reader.GetInt64(1));
    }

    async Task<string> BuyAsync()
    {
        var order = await SendAsync(HttpMethod.Post, "orders", new
        {
            customerId = "ada", currency = "GBP", lines = new[] { new { sku = "MUG", quantity = 1 } },
            payment = new { provider = "http", token = "tok_visa" },
        });
        await Waiting.UntilAsync(async () => (string)(await GetAsync($"orders/{order["id"]}"))["paymentStatus"]! == "paid");
        return (string)order["id"]!;
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
