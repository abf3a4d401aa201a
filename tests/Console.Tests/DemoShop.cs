using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Orderwright.EndToEnd;

namespace Orderwright.ConsoleTests;

/// <summary>The all-in-one process with its demo shop, an incident in it, and calls on its API.</summary>
public sealed class DemoShop : IAsyncLifetime
{
    HttpHost host = null!;

    public Uri Url => host.Url;

    /// <summary>An order whose refund has failed.</summary>
    public string Incident { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        host = await HttpHost.StartAsync();
        await host.SaysAsync("The demo shop has");
        Incident = await MakeIncidentAsync();
    }

    public async Task<string> MakeIncidentAsync()
    {
        var id = await PlaceAsync("tok_refund_fails");
        await PostAsync($"orders/{id}/cancel", new { reason = "customer" });
        await UntilAsync(async () => (string)(await GetAsync($"sagas/{id}"))["state"]! == "failed");
        return id;
    }

    /// <summary>Places an order, and waits for its decision for so many seconds.</summary>
    public async Task<string> PlaceAsync(string token, int wait = 10, string sku = "MUG-01")
    {
        var order = await PostAsync(
            "orders",
            new
            {
                customerId = "ada", currency = "GBP", lines = new[] { new { sku, quantity = 1 } },
                payment = new { provider = "sandbox", token },
            },
            wait);
        return (string)order["id"]!;
    }

    public async Task<JsonNode> PostAsync(string path, object body, int wait = 0)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/{path}") { Content = JsonContent.Create(body) };
        if (wait > 0) request.Headers.Add("Prefer", $"wait={wait}");
        using var response = await host.Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    public async Task<JsonNode> GetAsync(string path) =>
        JsonNode.Parse(await host.Client.GetStringAsync(new Uri($"/api/v1/{path}", UriKind.Relative)))!;

    public static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!await holds()) await Task.Delay(50, limit.Token);
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();
}
