using System.Text.Json.Nodes;

namespace Orderwright.EndToEnd.Contract;

/// <summary>A shop's life over HTTP that uses every operation. The client validates each answer.</summary>
sealed class ContractWalk(HttpClient client)
{
    const string Reason = """{"reason":"a test"}""";

    public async Task RunAsync()
    {
        await CatalogueAsync();
        await OrdersAsync();
        await EventsAsync();
        await WebhooksAsync();
        await OperatorsAsync();
        await CustomersAsync();
        await RefusalsAsync();
    }

    async Task CatalogueAsync()
    {
        await PutAsync("products/MUG", """{"name":"Mug","unitPrice":895,"currency":"GBP"}""", 201);
        await PutAsync("products/MUG", """{"name":"Mug","unitPrice":895,"currency":"GBP"}""", 200);
        await PutAsync("products/MUG", """{"name":"Mug","unitPrice":895,"currency":"GBP"}""", 412, ("If-None-Match", "*"));
        await PutAsync("products/OLD", """{"name":"Old","unitPrice":1,"currency":"GBP"}""", 201, ("If-None-Match", "*"));
        await SendAsync("DELETE", "products/OLD", null, 204);
        await PutAsync("stock/MUG", """{"onHand":100}""", 200);
        await PostAsync("stock/MUG/adjustments", """{"delta":-3,"reason":"damaged","note":"dropped"}""", 201);
        foreach (var path in (string[])["products", "products/MUG", "stock?below=1000", "stock/MUG", "stock/MUG/movements"])
            await GetAsync(path);
        var tag = (await GetAsync("products/MUG")).Headers["ETag"];
        await SendAsync("GET", "products/MUG", null, 304, ("If-None-Match", $"{tag}, \"99\""));
        await PutAsync("customers/ada", """{"name":"Ada","email":"ada@example.com"}""", 201);
        await PutAsync("customers/ada", """{"name":"Ada","email":null}""", 200);
        await PostAsync("customers/ada/credits", """{"currency":"GBP","amount":100000}""", 201, ("Idempotency-Key", "gift"));
        var again = await PostAsync(
            "customers/ada/credits", """{"currency":"GBP","amount":100000}""", 201, ("Idempotency-Key", "gift"));
        Assert.Equal("true", again.Headers["Idempotent-Replayed"]);
        await PostAsync("customers/ada/credits", """{"currency":"GBP","amount":1}""", 422, ("Idempotency-Key", "gift"));
        foreach (var path in (string[])["customers", "customers/ada", "customers/ada/balances"]) await GetAsync(path);
    }

    async Task OrdersAsync()
    {
        var order = await PlaceAsync("balance", null, 201, ("Prefer", "wait=20"));
        await PlaceAsync("balance", null, 202);
        await GetAsync("orders?status=confirmed&customerId=ada&limit=1");
        var tag = (await GetAsync($"orders/{order}")).Headers["ETag"];
        await SendAsync("GET", $"orders/{order}", null, 304, ("If-None-Match", tag));
        await PostAsync($"orders/{order}/cancel/preview", """{"reason":"customer"}""", 200);
        var fulfilment = await PostAsync(
            $"orders/{order}/fulfilments",
            """{"lines":[{"line":1,"quantity":1}],"tracking":{"carrier":"Royal Mail","number":"RM 1"}}""", 201);
        await GetAsync($"orders/{order}/fulfilments");
        await GetAsync($"orders/{order}/fulfilments/{(string)fulfilment.Json["id"]!}");
        await SendAsync("PATCH", $"orders/{order}", """{"status":"completed"}""", 412, ("If-Match", "\"1\""));
        await SendAsync("PATCH", $"orders/{order}", """{"status":"completed","goods":"release"}""", 200);
        await GetAsync($"orders/{order}/events?limit=2");
        await SendAsync(
            "GET", $"orders/{order}/events", null, 204, ("Accept", "text/event-stream"), ("Last-Event-ID", "1000000000"));
        await GetAsync($"payments/{order}");
        await GetAsync("payments?state=captured");
        await UntilAsync(
            $"payments/{order}", payment => (long)payment["captured"]! > 0 && (string?)payment["state"] == "captured");
        await PostAsync($"payments/{order}/refunds", """{"amount":1,"reason":"a scratch"}""", 201);

        var waiting = await PlaceAsync("sandbox", "tok_requires_action", 202);
        await UntilAsync($"orders/{waiting}", found => found["nextAction"] is not null);
        await GetAsync($"reservations?orderId={waiting}");
        await GetAsync("reservations?sku=MUG");
        await PostAsync($"sandbox/actions/{waiting}", """{"approve":true}""", 200);
        var cancelled = await PlaceAsync("sandbox", "tok_requires_action", 202);
        await UntilAsync($"orders/{cancelled}", found => found["nextAction"] is not null);
        await PostAsync($"orders/{cancelled}/cancel", """{"reason":"customer"}""", 202);
    }

    async Task EventsAsync()
    {
        var page = await GetAsync("events?limit=2");
        await GetAsync($"events?limit=2&cursor={(string)page.Json["nextCursor"]!}");
        await GetAsync("events?after=2");
        await SendAsync("GET", "events?after=1000000000000", null, 409);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/events");
        request.Headers.Add("Accept", "text/event-stream");
        request.Headers.Add("Last-Event-ID", "1");
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
    }

    async Task WebhooksAsync()
    {
        var endpoint = (string)(await PostAsync(
            "webhook-endpoints", """{"url":"http://127.0.0.1:9/hooks","types":["placed"],"description":"a test"}""", 201))
            .Json["id"]!;
        var at = $"webhook-endpoints/{endpoint}";
        await GetAsync("webhook-endpoints");
        await GetAsync(at);
        await SendAsync("PATCH", at, """{"types":["*"]}""", 200, ("If-Match", "*"));
        await PostAsync($"{at}/test", null, 200);
        await PostAsync($"{at}/rotate-secret", """{"overlapHours":1}""", 200);
        await PlaceAsync("balance", null, 201, ("Prefer", "wait=20"));
        await UntilAsync($"{at}/deliveries", page => page["items"]!.AsArray().Count > 0);
        var delivery = (string)(await GetAsync($"{at}/deliveries?state=waiting")).Json["items"]![0]!["id"]!;
        await GetAsync($"{at}/deliveries/{delivery}");
        await PostAsync($"{at}/deliveries/{delivery}/redeliver", null, 202);
        await PostAsync($"{at}/redeliver", """{"after":0}""", 202);
        await SendAsync("DELETE", at, null, 204);
    }

    async Task OperatorsAsync()
    {
        var stuck = await PlaceAsync("sandbox", "tok_refund_fails", 201, ("Prefer", "wait=20"));
        await PostAsync($"orders/{stuck}/cancel", """{"reason":"staff"}""", 202);
        await UntilAsync("incidents", page => page["items"]!.AsArray().Count > 0);
        await PutAsync($"incidents/{stuck}", """{"owner":"Ann","note":"I call the bank"}""", 200, ("If-None-Match", "*"));
        await PutAsync($"incidents/{stuck}", """{"owner":"Ben"}""", 412, ("If-None-Match", "*"));
        foreach (var path in (string[])
            ["incidents?owner=Ann", $"sagas/{stuck}", "sagas?state=open&olderThan=PT0S", $"sagas?ids={stuck}", "overview",
            "timers?overdue=false", "process", "process/census", "process/definition?version=1", "audit?action=note", "heal",
            "dead-letters?open=true", "payment-providers", "bulk-actions"])
            await GetAsync(path);
        await SendAsync("GET", "process/definition", null, 200, ("Accept", "text/vnd.mermaid"));
        await PostAsync("sessions/end", """{"person":"login:ann","reason":"a test"}""", null);
        foreach (var verb in (string[])["retry", "cancel"]) await PostAsync($"sagas/{stuck}/{verb}?preview=true", Reason, null);
        await PostAsync($"sagas/{stuck}/retry", Reason, 200);
        const string Bulk = """{"action":"retry","where":{"state":"failed"},"reason":"a test","canary":1}""";
        await PostAsync("bulk-action-previews", Bulk, 200);
        var run = (string)(await PostAsync("bulk-actions", Bulk, 202)).Json["id"]!;
        foreach (var path in (string[])["", "/orders"]) await GetAsync($"bulk-actions/{run}{path}");
        await PostAsync($"bulk-actions/{run}/stop", Reason, null);
        await PostAsync(
            "bulk-actions",
            """{"action":"compensate","where":{"step":"capture-payment","olderThan":"P9D"},"reason":"a test"}""", 202);
        var open = await PlaceAsync("sandbox", "tok_requires_action", 202);
        await UntilAsync($"sagas/{open}", saga => (string?)saga["state"] == "waiting");
        await PostAsync($"sagas/{open}/cancel?preview=true&by=order-service", Reason, 200);
        await PostAsync($"sagas/{open}/cancel?preview=true", Reason, 200);
        await PostAsync($"sagas/{open}/compensate", Reason, 200);
        await UntilAsync($"sagas/{stuck}", saga => saga["timeline"]!.AsArray().Any(entry => (string?)entry!["phase"] == "stuck"));
        var step = (string)(await GetAsync($"sagas/{stuck}")).Json["timeline"]!.AsArray()
            .Last(entry => (string?)entry!["phase"] == "stuck")!["step"]!;
        await PostAsync(
            $"sagas/{stuck}/resolve",
            $$"""{"step":"{{step}}","outcome":"completed","reason":"refunded by hand","reference":"R-1"}""", 200);
        foreach (var service in (string[])["order-service", "stock-service"])
            foreach (var verb in (string[])["resume", "accept"]) await PostAsync($"heal/{service}/{verb}", Reason, 200);
        await HealAsync();
        var reconciliation = (string)(await PostAsync("reconciliations", """{"provider":"sandbox"}""", 202)).Json["id"]!;
        await UntilAsync(
            $"reconciliations/{reconciliation}", found => (string?)found["state"] is "agrees" or "differs" or "failed");
        foreach (var path in (string[])
            ["reconciliations?provider=sandbox", $"reconciliations/{reconciliation}/differences?kind=amount"])
            await GetAsync(path);
    }

    // Repairs that find their rows changed since, and so leave them alone.
    async Task HealAsync()
    {
        var order = (await GetAsync("orders?status=confirmed&limit=1")).Json["items"]![0]!;
        var id = (string)order["id"]!;
        await PostAsync("heal/sagas", $$"""{"orders":[{"orderId":"{{id}}","to":"announced","version":1000}]}""", 200);
        await PostAsync("heal/orders", $$"""{"orders":[{"orderId":"{{id}}","version":1000}]}""", 200);
        await PostAsync(
            "heal/reservations",
            $$"""{"orders":[{"orderId":"{{id}}","to":"released","currency":"GBP","lines":[],"from":"refused"}]}""", null);
        await PostAsync(
            "heal/payments",
            $$$"""
            {"orders":[{"orderId":"{{{id}}}","to":"told","version":1000,"terms":{"customerId":"ada","currency":"GBP",
            "amountMinor":895,"payment":{"provider":"balance"} } }]}
            """, null);
    }

    async Task CustomersAsync()
    {
        await PutAsync("customers/eve", """{"name":"Eve"}""", 201);
        await SendAsync("DELETE", "customers/eve", null, 200);
        await SendAsync("GET", "customers/eve", null, 410);
        await SendAsync("DELETE", "customers/ada", null, 409);
        var held = (string)(await PostAsync(
            "customers/ada/credits", """{"currency":"GBP","amount":100000000}""", 202)).Json["id"]!;
        await GetAsync("approvals?state=pending&limit=1");
        await GetAsync($"approvals/{held}");
        await PostAsync($"approvals/{held}/approve", "{}", 403);
        await PostAsync($"approvals/{held}/reject", Reason, 403);
    }

    async Task RefusalsAsync()
    {
        var order = (string)(await GetAsync("orders?limit=1")).Json["items"]![0]!["id"]!;
        foreach (var verb in (string[])["capture", "void"])
            await PostAsync($"payments/{order}/{verb}", """{"reason":"a test"}""", null);
        await PostAsync($"payments/{order}/resolve", """{"outcome":"completed","reason":"a test"}""", null);
        await PostAsync($"payments/{order}/adopt?preview=true", Reason, null);
        await PostAsync("webhooks/sandbox", "{}", 401);
        await PostAsync($"sagas/{order}/steps/check-fraud", "{}", null);
        await GetAsync("/health/live");
        await GetAsync("/health/ready");
        await GetAsync("/metrics");
    }

    async Task<string> PlaceAsync(string provider, string? token, int status, params (string, string)[] headers) =>
        (string)(await PostAsync(
            "orders",
            $$$"""
            {"customerId":"ada","currency":"GBP","lines":[{"sku":"MUG","quantity":1}],"payment":{"provider":"{{{provider}}}"
            {{{(token is null ? "" : $",\"token\":\"{token}\"")}}}},"metadata":{"channel":"web"}}
            """, status, headers)).Json["id"]!;

    Task<HttpAnswer> GetAsync(string path) => SendAsync("GET", path, null, 200);

    Task<HttpAnswer> PutAsync(string path, string body, int status, params (string, string)[] headers) =>
        SendAsync("PUT", path, body, status, headers);

    Task<HttpAnswer> PostAsync(string path, string? body, int? status, params (string, string)[] headers) =>
        SendAsync("POST", path, body, status, headers);

    // Any described status where none is named.
    async Task<HttpAnswer> SendAsync(string method, string path, string? body, int? status, params (string, string)[] headers)
    {
        var answer = await client.SendAsync(
            new HttpMethod(method), path.StartsWith('/') ? path : $"/api/v1/{path}",
            body is null ? null : System.Text.Encoding.UTF8.GetBytes(body), headers: headers);
        if (status is { } expected)
            Assert.True(
                answer.Status == expected,
                $"{method} {path}: {answer.Status} instead of {expected}. {System.Text.Encoding.UTF8.GetString(answer.Body)}");
        return answer;
    }

    Task UntilAsync(string path, Func<JsonNode, bool> isReached) =>
        Waiting.UntilAsync(async () =>
            await SendAsync("GET", path, null, null) is { Status: 200 } answer && isReached(answer.Json));
}
