using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Orderwright.Contracts;
using Orderwright.EndToEnd;

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

    /// <summary>Reports to stock-service the shipment of an order without goods, and sends an unreadable message.</summary>
    public async Task PoisonAsync(string orderId)
    {
        await Up.PublishAsync(
            ServiceNames.Order, ServiceNames.Stock, new JsonArray(Ship(orderId)).ToJsonString(), "not a message");
        await UntilAsync(async () => await LettersAsync(Up.Stock, $"?orderId={orderId}") == 1);
    }

    /// <summary>Reports such shipments to two services, the given number to each.</summary>
    public async Task PoisonManyAsync(string orderId, int each)
    {
        await Up.PublishAsync(
            ServiceNames.Order, ServiceNames.Stock, Many(each, () => Ship(orderId)).ToJsonString());
        await Up.PublishAsync(
            ServiceNames.Order, ServiceNames.Customer, Many(each, () => Capture(orderId)).ToJsonString());
        foreach (var service in new[] { Up.Customers, Up.Stock })
            await UntilAsync(async () => await LettersAsync(service, $"?orderId={orderId}") == each);
    }

    static JsonArray Many(int count, Func<JsonObject> create) => new([.. Enumerable.Range(0, count).Select(_ => create())]);

    static JsonObject Ship(string orderId) => FourProcesses.Event(
        ServiceNames.Order, "orderwright.stock.ship.v1", orderId, null, new()
        {
            ["fulfilment"] = 1,
            ["lines"] = new JsonArray(new JsonObject { ["line"] = 1, ["sku"] = "MUG-01", ["quantity"] = 1 }),
        });

    static JsonObject Capture(string orderId) => FourProcesses.Event(
        ServiceNames.Order, "orderwright.payment.take-shipped.v1", orderId, null, new()
        {
            ["dueMinor"] = 1, ["close"] = false,
        });

    static async Task<int> LettersAsync(HttpClient service, string query) => JsonNode.Parse(
        await service.GetStringAsync(new Uri($"/api/v1/dead-letters{query}", UriKind.Relative)))!["items"]!.AsArray().Count;

    async Task PutAsync(string path, object body)
    {
        using var response = await ClientOf(path).PutAsJsonAsync($"/api/v1/{path}", body);
        response.EnsureSuccessStatusCode();
    }
}
