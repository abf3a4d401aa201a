using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Orderwright.AllInOne;

/// <summary>
/// A small shop, so that there is something to look at: products with stock, customers with credit, and orders that each
/// meet another fate. It comes in through the HTTP API like everything else, only into an empty shop, and saying it
/// again changes nothing: what a start left half done, the next one finishes.
/// </summary>
sealed class Demo(HttpClient http)
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
        new("DEMO-7", "frances", "TIN-01", 2, "tok_requires_action"),  // waits for its payer
        new("DEMO-8", "grace", "TEA-01", 2),
    ];

    /// <summary>One sentence on what was done.</summary>
    public async Task<string> FillAsync(CancellationToken cancel)
    {
        if (!await IsOursToFillAsync(cancel)) return "No demo: this shop is filled already.";
        foreach (var (sku, name, unitPrice, onHand) in Products)
        {
            await SendAsync(HttpMethod.Put, $"products/{sku}", new { name, unitPrice, currency = Currency }, cancel);
            if (await IsEmptyAsync($"stock/{sku}/movements", cancel) && onHand > 0)
                await SendAsync(HttpMethod.Put, $"stock/{sku}", new { onHand }, cancel);
        }
        foreach (var (id, name, credit) in Customers)
        {
            await SendAsync(HttpMethod.Put, $"customers/{id}", new { name, email = $"{id}@example.com" }, cancel);
            if (credit > 0)
                await SendAsync(
                    HttpMethod.Post, $"customers/{id}/credits",
                    new { amount = credit, currency = Currency, reference = "DEMO" }, cancel, HttpStatusCode.Conflict);
        }
        foreach (var order in Orders) await PlaceAsync(order, cancel);
        return $"The demo shop has {Products.Length} products, {Customers.Length} customers and {Orders.Length} orders.";
    }

    // A shop with other goods in it is somebody's own; one whose last demo order stands is filled already.
    async Task<bool> IsOursToFillAsync(CancellationToken cancel) =>
        (await IsEmptyAsync("products", cancel) || await ExistsAsync($"products/{Products[0].Sku}", cancel))
        && await IsEmptyAsync($"orders?reference={Orders[^1].Reference}", cancel);

    async Task PlaceAsync(Order order, CancellationToken cancel)
    {
        JsonObject payment = order.Token is null
            ? new() { ["provider"] = "balance" }
            : new() { ["provider"] = "sandbox", ["token"] = order.Token };
        var body = new JsonObject
        {
            ["customerId"] = order.Customer,
            ["currency"] = Currency,
            ["reference"] = order.Reference,
            ["lines"] = new JsonArray(new JsonObject { ["sku"] = order.Sku, ["quantity"] = order.Quantity }),
            ["payment"] = payment,
            ["metadata"] = new JsonObject { ["channel"] = "demo" },
        };
        using var placed = await SendAsync(HttpMethod.Post, "orders", body, cancel, HttpStatusCode.Conflict, wait: true);
        if (!order.Cancelled) return;
        // Placed by an earlier start, it is a conflict that names the order.
        var answer = (await placed.Content.ReadFromJsonAsync<JsonObject>(cancel))!;
        var id = (answer["id"] ?? answer["orderId"])!.GetValue<string>();
        await SendAsync(HttpMethod.Post, $"orders/{id}/cancel", new { reason = "customer" }, cancel, HttpStatusCode.Conflict);
    }

    async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, object body, CancellationToken cancel, HttpStatusCode? alsoFine = null,
        bool wait = false)
    {
        using var request = new HttpRequestMessage(method, Address(path)) { Content = JsonContent.Create(body) };
        if (wait) request.Headers.Add("Prefer", "wait=5");
        var response = await http.SendAsync(request, cancel);
        return response.IsSuccessStatusCode || response.StatusCode == alsoFine
            ? response
            : throw new HttpRequestException(
                $"The demo's {method} {path} was answered {(int)response.StatusCode}: " +
                await response.Content.ReadAsStringAsync(cancel));
    }

    async Task<bool> IsEmptyAsync(string list, CancellationToken cancel) =>
        (await http.GetFromJsonAsync<JsonObject>(Address(list), cancel))!["items"]!.AsArray().Count == 0;

    async Task<bool> ExistsAsync(string path, CancellationToken cancel)
    {
        using var response = await http.GetAsync(Address(path), cancel);
        return response.IsSuccessStatusCode;
    }

    static Uri Address(string path) => new($"api/v1/{path}", UriKind.Relative);
}
