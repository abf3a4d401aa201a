using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Orderwright.ConsoleTests;

/// <summary>Running shop with an incident, in one process or in four.</summary>
public abstract class Shop : IAsyncLifetime
{
    /// <summary>Address of the console.</summary>
    public abstract Uri Url { get; }

    /// <summary>Order with a failed refund.</summary>
    public string Incident { get; private set; } = "";

    /// <summary>Seconds that an order may take until its decision.</summary>
    protected abstract int Patience { get; }

    /// <summary>The reason why the shop cannot run here; null when it can.</summary>
    protected virtual string? Lacks => null;

    public async ValueTask InitializeAsync()
    {
        if (Lacks is not null) return;
        await StartAsync();
        Incident = await MakeIncidentAsync();
    }

    public abstract ValueTask DisposeAsync();

    protected abstract Task StartAsync();

    /// <summary>Client of the service that serves a path such as <c>orders/…</c>.</summary>
    protected abstract HttpClient ClientOf(string path);

    /// <summary>Audit entries of an order, from every service.</summary>
    public abstract Task<IReadOnlyList<JsonNode>> ListAuditAsync(string orderId);

    public async Task<string> MakeIncidentAsync()
    {
        var id = await PlaceAsync("tok_refund_fails");
        await PostAsync($"orders/{id}/cancel", new { reason = "customer" });
        await UntilAsync(async () => (string)(await GetAsync($"sagas/{id}"))["state"]! == "failed");
        return id;
    }

    /// <summary>Places an order.</summary>
    /// <param name="token">Token of the sandbox, which selects the payment's outcome.</param>
    /// <param name="wait">Seconds to wait for the decision; null waits until the order is decided.</param>
    public async Task<string> PlaceAsync(string token, int? wait = null)
    {
        var order = await PostAsync(
            "orders",
            new
            {
                customerId = "ada", currency = "GBP", lines = new[] { new { sku = "MUG-01", quantity = 1 } },
                payment = new { provider = "sandbox", token },
            },
            wait ?? Patience);
        return (string)order["id"]!;
    }

    /// <summary>Places an order and waits for the end of its process, the capture of the payment included.</summary>
    public async Task<string> PlaceToTheEndAsync(string token)
    {
        var id = await PlaceAsync(token);
        await UntilAsync(async () => (string)(await GetAsync($"sagas/{id}"))["state"]! == "completed");
        return id;
    }

    public async Task<JsonNode> PostAsync(string path, object body, int wait = 0)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/{path}") { Content = JsonContent.Create(body) };
        if (wait > 0) request.Headers.Add("Prefer", $"wait={wait}");
        using var response = await ClientOf(path).SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    /// <summary>Sets owner and note of an incident.</summary>
    public async Task PutNoteAsync(string id, string? owner, string? note)
    {
        using var response = await ClientOf("incidents").PutAsJsonAsync($"/api/v1/incidents/{id}", new { owner, note });
        response.EnsureSuccessStatusCode();
    }

    public Task<JsonNode> GetAsync(string path) => GetAsync(ClientOf(path), path);

    protected static async Task<JsonNode> GetAsync(HttpClient client, string path) =>
        JsonNode.Parse(await client.GetStringAsync(new Uri($"/api/v1/{path}", UriKind.Relative)))!;

    public static async Task UntilAsync(Func<Task<bool>> holds)
    {
        var limit = Waiting.NewLimit();
        while (!await holds()) await Task.Delay(50, limit);
    }
}
