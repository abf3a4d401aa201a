using System.Text.Json.Nodes;
using Orderwright.Contracts;

namespace Orderwright.Client;

/// <summary>
/// Fills an empty shop with demo data: products with stock, customers with credit, and orders with different outcomes. All data
/// is created through the HTTP API. Repeating a call changes nothing, so a start completes the work of an interrupted one.
/// </summary>
public sealed class DemoShop(ApiClient client)
{
    const string Currency = "GBP";

    public static readonly (string Sku, string Name, int UnitPrice, int OnHand)[] Products =
    [
        ("MUG-01", "Mug, white stoneware", 895, 120),
        ("MUG-02", "Mug, blue glaze", 995, 80),
        ("TEA-01", "Assam, 250 g", 640, 200),
        ("TEA-02", "Sencha, 100 g", 780, 150),
        ("POT-01", "Teapot, cast iron, 0.8 l", 4_250, 25),
        ("POT-02", "Teapot, glass, 1.2 l", 2_990, 40),
        ("TIN-01", "Tea tin, 500 g", 1_150, 60),
        ("SPN-01", "Tea spoon, steel", 350, 500),
        ("HNY-01", "Heather honey, 340 g", 725, 90),
        ("BIS-01", "Shortbread, 200 g", 480, 300),
        ("LMP-01", "Reading lamp, brass", 12_900, 2),
        ("CLK-01", "Kitchen clock, oak", 5_600, 0),
    ];

    static readonly (string Id, string Name, int Credit)[] Customers =
    [
        ("ada", "Ada Lovelace", 50_000),
        ("grace", "Grace Hopper", 30_000),
        ("edsger", "Edsger Dijkstra", 20_000),
        ("barbara", "Barbara Liskov", 20_000),
        ("tony", "Tony Hoare", 1_000),
        ("frances", "Frances Allen", 0),
    ];

    sealed record Order(
        string Reference, string Customer, string Sku, int Quantity, string? Token = null, bool Cancelled = false);

    static readonly Order[] Orders =
    [
        new("DEMO-1", "ada", "MUG-01", 4),
        new("DEMO-2", "grace", "POT-01", 1, "tok_visa"),
        new("DEMO-3", "edsger", "CLK-01", 1),                          // out of stock
        new("DEMO-4", "barbara", "TEA-02", 3, "tok_declined"),         // payment declined
        new("DEMO-5", "tony", "LMP-01", 1),                            // not enough credit
        new("DEMO-6", "ada", "BIS-01", 10, Cancelled: true),
        new("DEMO-7", "frances", "TIN-01", 2, "tok_requires_action"),  // waits for the customer
        new("DEMO-8", "grace", "TEA-01", 2),
    ];

    /// <summary>Creates missing data, and returns a sentence for the terminal.</summary>
    public async Task<string> FillAsync(CancellationToken cancel)
    {
        if (!await NeedsDataAsync(cancel)) return "This shop already has data; no demo data was added.";
        foreach (var (sku, name, unitPrice, onHand) in Products)
        {
            await SendAsync(
                HttpMethod.Put, ServiceNames.Stock, $"/products/{sku}",
                new() { ["name"] = name, ["unitPrice"] = unitPrice, ["currency"] = Currency }, cancel);
            if (onHand > 0 && await IsEmptyAsync(ServiceNames.Stock, $"/stock/{sku}/movements", cancel))
                await SendAsync(HttpMethod.Put, ServiceNames.Stock, $"/stock/{sku}", new() { ["onHand"] = onHand }, cancel);
        }
        foreach (var (id, name, credit) in Customers)
        {
            await SendAsync(
                HttpMethod.Put, ServiceNames.Customer, $"/customers/{id}",
                new() { ["name"] = name, ["email"] = $"{id}@example.com" }, cancel);
            if (credit > 0)
                await SendAsync(
                    HttpMethod.Post, ServiceNames.Customer, $"/customers/{id}/credits",
                    new() { ["amount"] = credit, ["currency"] = Currency, ["reference"] = "DEMO" }, cancel, alsoAccepted: 409);
        }
        foreach (var order in Orders) await PlaceAsync(order, cancel);
        return $"The demo shop has {Products.Length} products, {Customers.Length} customers and {Orders.Length} orders.";
    }

    // Other products mean that the shop belongs to somebody; the last demo order means that the demo data is complete.
    async Task<bool> NeedsDataAsync(CancellationToken cancel) =>
        (await IsEmptyAsync(ServiceNames.Stock, "/products", cancel)
            || (await client.GetAsync(ServiceNames.Stock, $"/products/{Products[0].Sku}", cancel)).IsSuccess)
        && await IsEmptyAsync(ServiceNames.Order, $"/orders?reference={Orders[^1].Reference}", cancel);

    async Task PlaceAsync(Order order, CancellationToken cancel)
    {
        // An earlier start may have placed the order. A rejected order has freed its reference, so only the list tells.
        var earlier = (await client.GetAsync(ServiceNames.Order, $"/orders?reference={order.Reference}", cancel)).OrThrow().Items;
        var body = NewOrder(order.Customer, order.Sku, order.Quantity, order.Token);
        body["reference"] = order.Reference;
        var placed = earlier.Any()
            ? earlier.First()
            : (await SendAsync(HttpMethod.Post, ServiceNames.Order, "/orders", body, cancel, waitSeconds: 5)).Body;
        if (!order.Cancelled) return;
        var id = placed.Text("id");
        await SendAsync(
            HttpMethod.Post, ServiceNames.Order, $"/orders/{id}/cancel", new() { ["reason"] = CancelReasons.Customer }, cancel,
            alsoAccepted: 409);
    }

    /// <summary>The body of a demo order with one line.</summary>
    /// <param name="customer">Customer id.</param>
    /// <param name="sku">SKU of the line.</param>
    /// <param name="quantity">Quantity of the line.</param>
    /// <param name="token">Token of the sandbox; null pays from the customer's balance.</param>
    public static JsonObject NewOrder(string customer, string sku, int quantity, string? token) => new()
    {
        ["customerId"] = customer,
        ["currency"] = Currency,
        ["lines"] = new JsonArray(new JsonObject { ["sku"] = sku, ["quantity"] = quantity }),
        ["payment"] = token is null
            ? new JsonObject { ["provider"] = PaymentProviders.Balance }
            : new JsonObject { ["provider"] = PaymentProviders.Sandbox, ["token"] = token },
        ["metadata"] = new JsonObject { ["channel"] = "demo" },
    };

    async Task<ApiReply> SendAsync(
        HttpMethod method, string service, string path, JsonObject body, CancellationToken cancel, int alsoAccepted = 200,
        int waitSeconds = 0)
    {
        var reply = await client.SendAsync(method, service, path, cancel, body, waitSeconds: waitSeconds);
        return reply.Status == alsoAccepted ? reply : reply.OrThrow();
    }

    async Task<bool> IsEmptyAsync(string service, string list, CancellationToken cancel) =>
        !(await client.GetAsync(service, list, cancel)).OrThrow().Items.Any();
}
