using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Orderwright.EndToEnd;
using RabbitMQ.Client;

namespace Orderwright.ConsoleTests;

/// <summary>Shop in four processes on PostgreSQL and RabbitMQ, with the coordinator's console.</summary>
[CollectionDefinition(Name)]
public sealed class SpreadShop : Shop, ICollectionFixture<SpreadShop>
{
    public const string Name = "Four processes";

    public FourProcesses Up { get; } = new();

    protected override string? Lacks => Machine.LacksServers;

    public override Uri Url => Up.Coordinator.BaseAddress!;

    // A service may take longer to reconnect to a restarted broker than an order takes to be decided.
    protected override int Patience => 25;

    protected override async Task StartAsync()
    {
        await Up.InitializeAsync();
        await PutAsync("products/MUG-01", new { name = "Mug", unitPrice = 895, currency = "GBP" });
        await PutAsync("stock/MUG-01", new { onHand = 1_000 });
        await PutAsync("customers/ada", new { name = "Ada", email = "ada@example.com" });
    }

    public override ValueTask DisposeAsync() => Up.DisposeAsync();

    protected override HttpClient ClientOf(string path) => path.Split('/', '?')[0] switch
    {
        "orders" => Up.Orders,
        "customers" or "payments" or "reconciliations" => Up.Customers,
        "products" or "stock" or "reservations" => Up.Stock,
        _ => Up.Coordinator,
    };

    public override async Task<IReadOnlyList<JsonNode>> ListAuditAsync(string orderId)
    {
        var lists = await Task.WhenAll(new[] { Up.Coordinator, Up.Orders, Up.Customers, Up.Stock }.Select(
            client => GetAsync(client, $"audit?orderId={orderId}")));
        return [.. lists.SelectMany(list => list["items"]!.AsArray()).Select(entry => entry!)];
    }

    /// <summary>Sends a message about the order to the wrong service, and an unreadable one.</summary>
    public async Task MisdirectAsync(string orderId)
    {
        var misdirected = new JsonArray(new JsonObject
        {
            ["specversion"] = "1.0", ["id"] = Guid.CreateVersion7().ToString(), ["source"] = "/orderwright/saga-coordinator",
            ["type"] = "orderwright.stock.release.v1", ["subject"] = orderId, ["time"] = "2026-01-31T09:30:00.123Z",
            ["step"] = "reserve-stock", ["attempt"] = 1, ["data"] = new JsonObject(),
        });
        await using var connection = await new ConnectionFactory { Uri = await Up.BrokerAsync() }.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        foreach (var body in new[] { misdirected.ToJsonString(), "not a message" })
            await channel.BasicPublishAsync(
                "orderwright", "order-service.any", mandatory: true,
                new BasicProperties { ContentType = "application/cloudevents-batch+json" },
                System.Text.Encoding.UTF8.GetBytes(body));
        await UntilAsync(async () => await LettersAsync(Up.Orders, $"?orderId={orderId}") == 1);
    }

    /// <summary>Sends messages about the order to two wrong services, the given number to each.</summary>
    public async Task MisdirectManyAsync(string orderId, int each)
    {
        await using var connection = await new ConnectionFactory { Uri = await Up.BrokerAsync() }.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        foreach (var (service, type) in new[]
        {
            ("order-service", "orderwright.stock.release.v1"), ("stock-service", "orderwright.payment.capture.v1"),
        })
            await channel.BasicPublishAsync(
                "orderwright", $"{service}.any", mandatory: true,
                new BasicProperties { ContentType = "application/cloudevents-batch+json" },
                System.Text.Encoding.UTF8.GetBytes(new JsonArray([.. Enumerable.Range(0, each).Select(_ => new JsonObject
                {
                    ["specversion"] = "1.0", ["id"] = Guid.CreateVersion7().ToString(),
                    ["source"] = "/orderwright/saga-coordinator",
                    ["type"] = type, ["subject"] = orderId, ["time"] = "2026-01-31T09:30:00.123Z", ["step"] = "reserve-stock",
                    ["attempt"] = 1, ["data"] = new JsonObject(),
                })]).ToJsonString()));
        foreach (var service in new[] { Up.Orders, Up.Stock })
            await UntilAsync(async () => await LettersAsync(service, $"?orderId={orderId}") == each);
    }

    static async Task<int> LettersAsync(HttpClient service, string query) => JsonNode.Parse(
        await service.GetStringAsync(new Uri($"/api/v1/dead-letters{query}", UriKind.Relative)))!["items"]!.AsArray().Count;

    async Task PutAsync(string path, object body)
    {
        using var response = await ClientOf(path).PutAsJsonAsync($"/api/v1/{path}", body);
        response.EnsureSuccessStatusCode();
    }
}
