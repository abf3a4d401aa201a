using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using Orderwright.Contracts;

namespace Orderwright.EndToEnd;

/// <summary>
/// A shop under load, one of whose databases is restored to an earlier moment, with the gateway in a process of its own:
/// <c>heal</c> brings the services to agreement, <c>verify</c> holds, and the gateway has charged no order twice.
/// </summary>
public sealed class HealTests(ITestOutputHelper output) : IAsyncLifetime
{
    const string Secret = "shared with the gateway";

    readonly string gatewayData = HttpHost.NewDirectory();
    readonly string shopData = HttpHost.NewDirectory();
    readonly string backup = HttpHost.NewDirectory();
    readonly List<string> acknowledged = [];
    HttpHost gateway = null!;
    HttpHost shop = null!;

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
        await shop.DisposeAsync();
        await gateway.DisposeAsync();
        foreach (var directory in (string[])[gatewayData, shopData, backup]) Directory.Delete(directory, recursive: true);
    }

    [Theory]
    [InlineData(ServiceNames.Coordinator, 10)]
    [InlineData(ServiceNames.Order, 10)]
    [InlineData(ServiceNames.Customer, 10)]
    [InlineData(ServiceNames.Stock, 10)]
    public async Task A_service_restored_to_some_seconds_ago_under_load_is_healed(string service, int seconds)
    {
        using var end = new CancellationTokenSource();
        var load = LoadAsync(end.Token);
        await Task.Delay(TimeSpan.FromSeconds(5));
        await BackUpAsync();
        await Task.Delay(TimeSpan.FromSeconds(seconds));
        await shop.KillAsync();
        await end.CancelAsync();
        await load;
        await shop.DisposeAsync();

        await RestoreAsync(service);
        await StartAsync();
        await IsBehindAsync(service);
        await HealAsync();
        await HoldsAsync(service);
    }

    [Theory]
    [InlineData(ServiceNames.Coordinator)]
    [InlineData(ServiceNames.Order)]
    [InlineData(ServiceNames.Customer)]
    [InlineData(ServiceNames.Stock)]
    public async Task A_service_whose_database_is_lost_notices_and_is_healed(string service)
    {
        using var end = new CancellationTokenSource();
        var load = LoadAsync(end.Token);
        await Task.Delay(TimeSpan.FromSeconds(8));
        await end.CancelAsync();
        await load;
        await Waiting.UntilAsync(async () => (await RunVerifyAsync("--settle", "20")).ExitCode == 0);
        Assert.Equal(0, await shop.StopAsync());
        await shop.DisposeAsync();

        // Without any sign but the marks of the neighbours.
        foreach (var file in Directory.GetFiles(shopData, $"{service}.db*")) File.Delete(file);
        await StartAsync();
        await IsBehindAsync(service);
        await HealAsync();
        await HoldsAsync(service);
    }

    [Fact]
    public async Task An_accepted_database_works_without_repairs_and_a_preview_changes_nothing()
    {
        var id = await PlaceAsync("tok_visa", "ada", CancellationToken.None);
        await Waiting.UntilAsync(async () => (string)(await GetAsync($"orders/{id}"))["paymentStatus"]! == "paid");
        Assert.Equal(0, await shop.StopAsync());
        await shop.DisposeAsync();
        foreach (var file in Directory.GetFiles(shopData, "saga-coordinator.db*")) File.Delete(file);
        await StartAsync();
        await IsBehindAsync(ServiceNames.Coordinator);

        var (exit, text) = (0, "");
        // An order that changed a moment ago is left for the next pass, and a preview has one pass.
        await Waiting.UntilAsync(async () =>
        {
            (exit, text) = await shop.RunToolAsync("heal", "--data", shopData, "--preview");
            return text.Contains("saga-coordinator: saga missing, 1 orders", StringComparison.Ordinal);
        });
        Assert.True(exit == 1, text);
        await IsBehindAsync(ServiceNames.Coordinator);
        (exit, text) = await shop.RunToolAsync("heal", "--accept", ServiceNames.Coordinator);
        Assert.True(exit == 0, text);
        Assert.Equal(200, (await shop.Client.AskAsync("/health/ready")).Status);
        (exit, text) = await RunVerifyAsync();
        Assert.True(exit == 1, text);
        Assert.Contains("but no saga ever ran for it", text, StringComparison.Ordinal);
    }

    async Task LoadAsync(CancellationToken end)
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
                    // The shop was killed.
                    return;
                }
            }
        }));
    }

    async Task IsBehindAsync(string service)
    {
        await Waiting.UntilAsync(async () => (await shop.Client.AskAsync("/health/ready")).Status == 503);
        var fences = (await GetAsync("heal"))["services"]!.AsArray();
        Assert.StartsWith(
            "database_behind: ", (string)fences.Single(one => (string)one!["service"]! == service)!["behind"]!,
            StringComparison.Ordinal);
    }

    async Task HealAsync()
    {
        var (exit, text) = await shop.RunToolAsync("heal", "--data", shopData);
        output.WriteLine(text);
        Assert.True(exit == 0, text);
        Assert.Equal(200, (await shop.Client.AskAsync("/health/ready")).Status);
        (exit, text) = await shop.RunToolAsync("heal", "--data", shopData, "--preview");
        Assert.True(exit == 0, text);
    }

    async Task HoldsAsync(string restored)
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
            var status = (await shop.Client.AskAsync($"/api/v1/orders/{id}")).Status;
            // An order that only the lost database knew is lost.
            Assert.True(status == 200 || restored == ServiceNames.Order, id);
        }
        // Without a count, a lost level is what the orders have taken.
        await SendAsync(HttpMethod.Put, "stock/MUG", new { onHand = 1_000_000 });
        var next = await PlaceAsync("tok_visa", "ada", CancellationToken.None);
        await Waiting.UntilAsync(async () => (string)(await GetAsync($"orders/{next}"))["status"]! == "confirmed");
    }

    Task<(int ExitCode, string Output)> RunVerifyAsync(params string[] more) =>
        shop.RunToolAsync(["verify", "--data", shopData, "--gateway", gatewayData, .. more]);

    async Task BackUpAsync()
    {
        var (exit, text) = await shop.RunToolAsync("backup", backup, "--data", shopData);
        Assert.True(exit == 0, text);
    }

    async Task RestoreAsync(string service)
    {
        var (exit, text) = await shop.RunToolAsync("restore", backup, "--data", shopData, "--service", service);
        Assert.True(exit == 0, text);
    }

    async Task StartAsync() => shop = await HttpHost.StartAsync(
        shopData, "--no-demo", "--gateway-url", new Uri(gateway.Url, "v1").AbsoluteUri, "--gateway-secret", Secret,
        "--reconcile-every", "0s");

    async Task<string> PlaceAsync(string token, string customer, CancellationToken cancel)
    {
        object payment = token == "balance" ? new { provider = "balance" } : new { provider = "http", token };
        using var response = await shop.Client.PostAsJsonAsync(
            "/api/v1/orders",
            new { customerId = customer, currency = "GBP", lines = new[] { new { sku = "MUG", quantity = 1 } }, payment },
            cancel);
        if (!response.IsSuccessStatusCode) throw new HttpRequestException(await response.Content.ReadAsStringAsync(cancel));
        return (string)JsonNode.Parse(await response.Content.ReadAsStringAsync(cancel))!["id"]!;
    }

    async Task TryAsync(HttpMethod method, string path, object body, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(method, $"/api/v1/{path}") { Content = JsonContent.Create(body) };
        using var response = await shop.Client.SendAsync(request, cancel);
    }

    async Task<JsonNode> SendAsync(HttpMethod method, string path, object body)
    {
        using var request = new HttpRequestMessage(method, $"/api/v1/{path}") { Content = JsonContent.Create(body) };
        using var response = await shop.Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    async Task<JsonNode> GetAsync(string path) => JsonNode.Parse(await shop.Client.GetStringAsync($"/api/v1/{path}"))!;
}
