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

    /// <summary>Sends customer-service a command that its database cannot store, and an unreadable message.</summary>
    public async Task PoisonAsync(string orderId)
    {
        await Up.PublishAsync(
            ServiceNames.Coordinator, ServiceNames.Customer, new JsonArray(Authorize(orderId)).ToJsonString(), "not a message");
        await UntilAsync(async () => await LettersAsync(Up.Customers, orderId) == 1);
    }

    /// <summary>Sends such commands to stock-service and customer-service, one per order to each.</summary>
    public async Task PoisonManyAsync(params string[] orderIds)
    {
        await Up.PublishAsync(
            ServiceNames.Coordinator, ServiceNames.Stock, new JsonArray([.. orderIds.Select(Reserve)]).ToJsonString());
        await Up.PublishAsync(
            ServiceNames.Coordinator, ServiceNames.Customer, new JsonArray([.. orderIds.Select(Authorize)]).ToJsonString());
        foreach (var service in new[] { Up.Customers, Up.Stock })
            foreach (var id in orderIds) await UntilAsync(async () => await LettersAsync(service, id) == 1);
    }

    // PostgreSQL stores no text with a NUL.
    static JsonObject Reserve(string orderId) => FourProcesses.Event(
        ServiceNames.Coordinator, "orderwright.stock.reserve.v1", orderId, "reserve-stock", new()
        {
            ["currency"] = "GBP", ["maySetPrice"] = false, ["holdUntil"] = "2036-01-31T09:30:00.000Z",
            ["lines"] = new JsonArray(new JsonObject { ["line"] = 1, ["sku"] = "MUG\0", ["quantity"] = 1 }),
        });

    static JsonObject Authorize(string orderId) => FourProcesses.Event(
        ServiceNames.Coordinator, "orderwright.payment.authorize.v1", orderId, "authorize-payment", new()
        {
            ["customerId"] = "ada\0", ["amountMinor"] = 1, ["currency"] = "GBP",
            ["payment"] = new JsonObject { ["provider"] = "balance" },
        });

    static async Task<int> LettersAsync(HttpClient service, string orderId) => JsonNode.Parse(await service.GetStringAsync(
        new Uri($"/api/v1/dead-letters?orderId={orderId}", UriKind.Relative)))!["items"]!.AsArray().Count;

    async Task PutAsync(string path, object body)
    {
        using var response = await ClientOf(path).PutAsJsonAsync($"/api/v1/{path}", body);
        response.EnsureSuccessStatusCode();
    }
}
