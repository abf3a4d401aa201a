using System.Text;
using System.Text.Json.Nodes;
using Orderwright.Hosting.Keys;
using Orderwright.Http;

namespace Orderwright.EndToEnd;

/// <summary>
/// Callers × operations × rows of another channel. The operations come from the OpenAPI document: a new operation is tried
/// without a change of this test.
/// </summary>
public sealed class ChannelTests : IAsyncLifetime
{
    const string Mark = "only-of-acme";

    // Shared by all channels of a company, under scopes of their own; and the demo shop, which belongs to nobody.
    static readonly string[] Shared =
    [
        "/api/v1/products", "/api/v1/stock", "/api/v1/reservations", "/api/v1/customers", "/api/v1/demo",
        "/api/v1/process/definition",
    ];

    // Bodies that pass the checks, so that the owner of the row decides.
    static readonly Dictionary<string, string> Bodies = new()
    {
        ["/api/v1/orders/{id}"] = """{"status":"completed"}""",
        ["/api/v1/orders/{id}/cancel"] = """{"reason":"customer"}""",
        ["/api/v1/orders/{id}/cancel/preview"] = """{"reason":"customer"}""",
        ["/api/v1/payments/{id}/resolve"] = """{"outcome":"completed","reason":"r"}""",
        ["/api/v1/payments/{id}/capture"] = "{}",
        ["/api/v1/payments/{id}/void"] = "{}",
        ["/api/v1/payments/{id}/refunds"] = """{"amount":1}""",
        ["/api/v1/sagas/{orderId}/resolve"] = """{"step":"authorize-payment","outcome":"completed","reason":"r"}""",
        ["/api/v1/incidents/{orderId}"] = """{"owner":"beta"}""",
        ["/api/v1/webhook-endpoints/{id}/rotate-secret"] = "{}",
    };

    readonly string directory = HttpHost.NewDirectory();
    readonly Dictionary<string, string> ids = [];
    HttpHost host = null!;
    string all = "", acme = "", beta = "", both = "";

    public async ValueTask InitializeAsync()
    {
        var file = Path.Combine(directory, "keys.json");
        (all, acme, beta, both) = (Add("*"), Add("acme"), Add("beta"), Add("beta", "acme"));
        host = await HttpHost.StartAsync(null, "--keys", file);
        await OkAsync("PUT", "/api/v1/products/MUG-01", """{"name":"Mug","unitPrice":895,"currency":"GBP"}""");
        await OkAsync("PUT", "/api/v1/stock/MUG-01", """{"onHand":100}""");
        await OkAsync("PUT", "/api/v1/customers/ada", """{"name":"Ada"}""");
        ids["paid"] = await PlaceAsync("tok_visa");
        ids["stuck"] = await PlaceAsync("tok_refund_fails");
        await OkAsync("POST", $"/api/v1/orders/{ids["stuck"]}/cancel", """{"reason":"customer"}""");
        ids["fulfilment"] = (string)(await OkAsync("POST", $"/api/v1/orders/{ids["paid"]}/fulfilments", "{}"))["id"]!;
        ids["endpoint"] = (string)(await OkAsync(
            "POST", "/api/v1/webhook-endpoints", """{"url":"https://only-of-acme.example/"}"""))["id"]!;
        await Waiting.UntilAsync(async () =>
            (await OkAsync("GET", "/api/v1/incidents"))["items"]!.AsArray().Count == 1);
        await OkAsync("PUT", $"/api/v1/incidents/{ids["stuck"]}", $$"""{"note":"{{Mark}}"}""");
        await OkAsync("POST", $"/api/v1/payments/{ids["paid"]}/refunds", $$"""{"amount":1,"reason":"{{Mark}}"}""");
        // order-service has heard of the refund: nothing changes by itself any more.
        await Waiting.UntilAsync(async () =>
            (string)(await OkAsync("GET", $"/api/v1/orders/{ids["paid"]}"))["paymentStatus"]! == "partially_refunded");
        ids["run"] = (string)(await OkAsync(
            "POST", "/api/v1/bulk-actions",
            $$"""{"action":"retry","where":{"code":"refund_failed"},"reason":"{{Mark}}","canary":1}"""))["id"]!;

        string Add(params string[] channels) =>
            KeyFile.Add(file, channels[0], [.. Scopes.All], DateTimeOffset.UtcNow, channels: channels);
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task No_operation_shows_or_changes_a_row_of_another_channel()
    {
        var document = (await host.Client.AskAsync("/openapi/v1.json", Bearer(all))).Json;
        var before = await SightOfAcmeAsync();
        var (tried, found, leaks) = (0, 0, new List<string>());
        foreach (var (method, route) in Operations(document))
        {
            var theirs = await SendAsync(beta, method, route, OfAcme(route));
            var nowhere = await SendAsync(beta, method, route, _ => Guid.Empty.ToString());
            tried++;
            // A row of another channel looks like a row that does not exist.
            if (Comparable(theirs) != Comparable(nowhere))
                leaks.Add($"{method} {route}: {theirs.Status} {Text(theirs)}, nowhere {nowhere.Status} {Text(nowhere)}");
            if (theirs.Status < 300 && (ids.Values.Any(Text(theirs).Contains) || Text(theirs).Contains(Mark)))
                leaks.Add($"{method} {route} shows {Text(theirs)}");
            if (method != "GET") continue;
            var seen = await SendAsync(all, method, route, OfAcme(route));
            if (seen.Status < 300 && (ids.Values.Any(Text(seen).Contains) || Text(seen).Contains(Mark))) found++;
        }
        Console.WriteLine($"{tried} operations on rows of another channel; a caller of all channels finds them with {found}.");
        Assert.True(leaks.Count == 0, string.Join('\n', leaks));
        // The check can fail: the same reads by a caller of all channels show the rows.
        Assert.True(found >= 15, $"{found}");
        Assert.Equal(before, await SightOfAcmeAsync());
    }

    [Fact]
    public async Task A_caller_of_two_channels_sees_both_and_places_in_the_first_or_the_named()
    {
        var own = (await PlaceAsync(both, null)).Json;
        Assert.Equal("beta", (string)own["channel"]!);
        var named = await PlaceAsync(both, "acme");
        Assert.Equal("acme", (string)named.Json["channel"]!);
        (await PlaceAsync(both, "gamma")).IsProblem(403, "channel_not_granted");
        (await PlaceAsync(beta, "acme")).IsProblem(403, "channel_not_granted");

        Assert.Equal(4, await CountAsync(both, "/api/v1/orders"));
        Assert.Equal(3, await CountAsync(both, "/api/v1/orders?channel=acme"));
        Assert.Equal(1, await CountAsync(beta, "/api/v1/orders"));
        Assert.Equal(0, await CountAsync(beta, "/api/v1/orders?channel=acme"));
        Assert.Equal(1, await CountAsync(both, $"/api/v1/orders?reference={Mark}"));
        Assert.Equal(1, await CountAsync(all, $"/api/v1/orders?reference={Mark}"));
        Assert.Equal(0, await CountAsync(beta, $"/api/v1/orders?reference={Mark}"));
    }

    [Fact]
    public async Task Scopes_of_customers_credit_and_stock_are_apart_from_payments()
    {
        var file = Path.Combine(directory, "keys.json");
        var payments = KeyFile.Add(file, "payments", [Scopes.Payments], DateTimeOffset.UtcNow, channels: ["acme"]);
        await host.WaitForAsync("contains 5 keys");
        Assert.Equal(200, (await host.Client.AskAsync($"/api/v1/payments/{ids["paid"]}", Bearer(payments))).Status);
        foreach (var path in new[] { "customers", "customers/ada/balances", "products", "stock" })
            Assert.Equal(403, (await host.Client.AskAsync($"/api/v1/{path}", Bearer(payments))).Status);
    }

    [Fact]
    public async Task Figures_count_only_the_orders_of_the_channels_of_the_caller()
    {
        Assert.Equal((1, 1, 1), await FiguresAsync(acme));
        Assert.Equal((0, 0, 0), await FiguresAsync(beta));
        Assert.Equal((1, 1, 1), await FiguresAsync(both));

        // Open orders, incidents, and open orders by version and step.
        async Task<(int Open, int Incidents, int Census)> FiguresAsync(string key)
        {
            var overview = (await host.Client.AskAsync("/api/v1/overview", Bearer(key))).Json;
            var census = (await host.Client.AskAsync("/api/v1/process/census", Bearer(key))).Json;
            return (
                (int)overview["open"]!, overview["incidents"]!.AsArray().Sum(incident => (int)incident!["count"]!),
                census["lines"]!.AsArray().Sum(line => (int)line!["count"]!));
        }
    }

    async Task<int> CountAsync(string key, string path) =>
        (await host.Client.AskAsync(path, Bearer(key))).Json["items"]!.AsArray().Count;

    Task<HttpAnswer> PlaceAsync(string key, string? channel) => host.Client.PostAsync(
        "/api/v1/orders",
        $$"""
        {"customerId":"ada","currency":"GBP","lines":[{"sku":"MUG-01","quantity":1}]
        {{(channel is null ? "" : $", \"channel\":\"{channel}\"")}}}
        """, Bearer(key));

    async Task<string> PlaceAsync(string token)
    {
        var reference = token == "tok_visa" ? Mark : $"{Mark}-2";
        var answer = await host.Client.PostAsync(
            "/api/v1/orders",
            $$$"""
            {"customerId":"ada","currency":"GBP","lines":[{"sku":"MUG-01","quantity":1}],"reference":"{{{reference}}}",
             "payment":{"provider":"sandbox","token":"{{{token}}}"}}
            """, Bearer(acme), ("Prefer", "wait=30"));
        Assert.Equal("confirmed", (string)answer.Json["status"]!);
        return (string)answer.Json["id"]!;
    }

    // Versions of everything that an operation could have changed.
    async Task<string> SightOfAcmeAsync()
    {
        var (order, payment, endpoint, note) = (
            await OkAsync("GET", $"/api/v1/orders/{ids["paid"]}"), await OkAsync("GET", $"/api/v1/payments/{ids["paid"]}"),
            await OkAsync("GET", $"/api/v1/webhook-endpoints/{ids["endpoint"]}"), await OkAsync("GET", "/api/v1/incidents"));
        return $"{order["version"]} {payment["version"]} {endpoint["version"]} {note["items"]![0]!["note"]!["note"]}";
    }

    async Task<JsonNode> OkAsync(string method, string path, string? body = null)
    {
        var answer = await host.Client.SendAsync(
            new(method), path, body is null ? null : Encoding.UTF8.GetBytes(body), headers: Bearer(acme));
        Assert.True(answer.Status < 300, $"{method} {path}: {answer.Status} {Text(answer)}");
        return answer.Json;
    }

    Task<HttpAnswer> SendAsync(string key, string method, string route, Func<string, string> idOf)
    {
        var path = string.Join('/', route.Split('/').Select(part => part is ['{', .. var name, '}'] ? idOf(name) : part));
        var body = method is "POST" or "PUT" or "PATCH" ? Bodies.GetValueOrDefault(route, """{"reason":"r"}""") : null;
        return host.Client.SendAsync(
            new(method), path, body is null ? null : Encoding.UTF8.GetBytes(body), headers: Bearer(key));
    }

    Func<string, string> OfAcme(string route) => parameter => parameter switch
    {
        "fulfilmentId" => ids["fulfilment"],
        "deliveryId" => Guid.Empty.ToString(),
        _ when route.StartsWith("/api/v1/webhook-endpoints", StringComparison.Ordinal) => ids["endpoint"],
        _ when route.StartsWith("/api/v1/bulk-actions", StringComparison.Ordinal) => ids["run"],
        _ when route.StartsWith("/api/v1/sagas", StringComparison.Ordinal) => ids["stuck"],
        _ when route.StartsWith("/api/v1/incidents", StringComparison.Ordinal) => ids["stuck"],
        _ => ids["paid"],
    };

    static IEnumerable<(string Method, string Route)> Operations(JsonNode document) =>
        from path in document["paths"]!.AsObject()
        where path.Key.StartsWith("/api/", StringComparison.Ordinal) && !Shared.Any(path.Key.StartsWith)
        from operation in path.Value!.AsObject()
        where operation.Key is "get" or "put" or "post" or "patch" or "delete"
        select (operation.Key.ToUpperInvariant(), path.Key);

    // Without the parts that differ between any two requests.
    static string Comparable(HttpAnswer answer) => answer.Status >= 400
        ? $"{answer.Status} {answer.Code} {answer.Json["detail"]}" : $"{answer.Status}";

    static string Text(HttpAnswer answer) => Encoding.UTF8.GetString(answer.Body);

    static (string, string) Bearer(string key) => ("Authorization", $"Bearer {key}");
}
