using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using Orderwright.Contracts;

namespace Orderwright.EndToEnd;

/// <summary>
/// A shop under load, one of whose databases is restored to an earlier moment, with the gateway in a process of its own:
/// <c>heal</c> brings the services to agreement, <c>verify</c> holds, and the gateway has charged no order twice. The tests
/// mostly wait, so each kind of loss is a class of its own, and they run side by side.
/// </summary>
public abstract class HealedShop(ITestOutputHelper output) : IAsyncLifetime
{
    const string Secret = "shared with the gateway";

    readonly string gatewayData = HttpHost.NewDirectory();
    readonly string backup = HttpHost.NewDirectory();
    readonly List<string> acknowledged = [];
    HttpHost gateway = null!;

    private protected string ShopData { get; } = HttpHost.NewDirectory();

    private protected HttpHost Shop { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        gateway = await HttpHost.StartGatewayAsync(gatewayData, Secret);
        await StartAsync();
        foreach (var customer in (string[])["ada", "bob", "cyd"])
        {
            await SendAsync(HttpMethod.Put, $"customers/{customer}", new { name = customer, email = $"{customer}@example.org" });
            await SendAsync(HttpMethod.Post, $"customers/{customer}/credits", new { amount = 10_000_000, currency = "GBP" });
        }
        await SendAsync(HttpMethod.Put, "products/MUG", new { name = "Mug", unitPrice = 1_530, currency = "GBP" });
        await SendAsync(HttpMethod.Put, "stock/MUG", new { onHand = 100_000 });
    }

    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    public async ValueTask DisposeAsync()
    {
        await Shop.DisposeAsync();
        await gateway.DisposeAsync();
        foreach (var directory in (string[])[gatewayData, ShopData, backup]) Directory.Delete(directory, recursive: true);
        GC.SuppressFinalize(this);
    }

    private protected async Task LoadAsync(CancellationToken end)
    {
        await Task.WhenAll(Enumerable.Range(0, 6).Select(async buyer =>
        {
            string[] tokens = ["tok_visa", "tok_visa", "tok_visa", "tok_declined", "balance"];
            string[] customers = ["ada", "bob", "cyd"];
            for (var number = 0; !end.IsCancellationRequested; number++)
            {
                try
                {
                    var id = await PlaceAsync(tokens[(number + buyer) % tokens.Length], customers[buyer % 3], end);
                    lock (acknowledged) acknowledged.Add(id);
                    if (number % 7 == 3) await TryAsync(HttpMethod.Post, $"orders/{id}/cancel", new { reason = "customer" }, end);
                    if (number % 5 == 4) await TryAsync(HttpMethod.Post, $"orders/{id}/fulfilments", new { }, end);
                    // Some thousand orders are enough to meet every state.
                    await Task.Delay(Pause, end);
                }
                catch (Exception error) when (error is HttpRequestException or OperationCanceledException)
                {
                    // The Shop was killed.
                    return;
                }
            }
        }));
    }

    private protected async Task IsBehindAsync(string service)
    {
        await Waiting.UntilAsync(async () => (await Shop.Client.AskAsync("/health/ready")).Status == 503);
        var fences = (await GetAsync("heal"))["services"]!.AsArray();
        Assert.StartsWith(
            "database_behind: ", (string)fences.Single(one => (string)one!["service"]! == service)!["behind"]!,
            StringComparison.Ordinal);
    }

    private protected async Task HealAsync()
    {
        var (exit, text) = await Shop.RunToolAsync("heal", "--data", ShopData);
        output.WriteLine(text);
        Assert.True(exit == 0, text);
        Assert.Equal(200, (await Shop.Client.AskAsync("/health/ready")).Status);
        (exit, text) = await Shop.RunToolAsync("heal", "--data", ShopData, "--preview");
        Assert.True(exit == 0, text);
    }

    private protected async Task HoldsAsync(string restored)
    {
        var (exit, text) = await RunVerifyAsync("--settle", "30");
        Assert.True(exit == 0, text);
        await using var connection = new SqliteConnection($"Data Source={Path.Combine(gatewayData, "payment-gateway.db")}");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText =
            "SELECT count(*) FROM "
            + "(SELECT order_id FROM sandbox_charges WHERE authorized > 0 GROUP BY order_id HAVING count(*) > 1)";
        Assert.Equal(0L, await command.ExecuteScalarAsync());
        foreach (var id in acknowledged)
        {
            var status = (await Shop.Client.AskAsync($"/api/v1/orders/{id}")).Status;
            // An order that only the lost database knew is lost.
            Assert.True(status == 200 || restored == ServiceNames.Order, id);
        }
        // Without a count, a lost level is what the orders have taken.
        await SendAsync(HttpMethod.Put, "stock/MUG", new { onHand = 1_000_000 });
        var next = await PlaceAsync("tok_visa", "ada", CancellationToken.None);
        await Waiting.UntilAsync(async () => (string)(await GetAsync($"orders/{next}"))["status"]! == "confirmed");
    }

    private protected Task<(int ExitCode, string Output)> RunVerifyAsync(params string[] more) =>
        Shop.RunToolAsync(["verify", "--data", ShopData, "--gateway", gatewayData, .. more]);

    private protected async Task BackUpAsync()
    {
        var (exit, text) = await Shop.RunToolAsync("backup", backup, "--data", ShopData);
        Assert.True(exit == 0, text);
    }

    private protected async Task RestoreAsync(string service)
    {
        var (exit, text) = await Shop.RunToolAsync("restore", backup, "--data", ShopData, "--service", service);
        Assert.True(exit == 0, text);
    }

    private protected async Task StartAsync() => Shop = await HttpHost.StartAsync(
        ShopData, "--no-demo", "--gateway-url", new Uri(gateway.Url, "v1").AbsoluteUri, "--gateway-secret", Secret,
        "--reconcile-every", "0s");

    private protected async Task<string> PlaceAsync(string token, string customer, CancellationToken cancel)
    {
        object payment = token == "balance" ? new { provider = "balance" } : new { provider = "http", token };
        using var response = await Shop.Client.PostAsJsonAsync(
            "/api/v1/orders",
            new { customerId = customer, currency = "GBP", lines = new[] { new { sku = "MUG", quantity = 1 } }, payment },
            cancel);
        if (!response.IsSuccessStatusCode) throw new HttpRequestException(await response.Content.ReadAsStringAsync(cancel));
        return (string)JsonNode.Parse(await response.Content.ReadAsStringAsync(cancel))!["id"]!;
    }

    async Task TryAsync(HttpMethod method, string path, object body, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(method, $"/api/v1/{path}") { Content = JsonContent.Create(body) };
        using var response = await Shop.Client.SendAsync(request, cancel);
    }

    async Task<JsonNode> SendAsync(HttpMethod method, string path, object body)
    {
        using var request = new HttpRequestMessage(method, $"/api/v1/{path}") { Content = JsonContent.Create(body) };
        using var response = await Shop.Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    private protected async Task<JsonNode> GetAsync(string path) =>
        JsonNode.Parse(await Shop.Client.GetStringAsync($"/api/v1/{path}"))!;
}
