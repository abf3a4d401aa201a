using System.Text;
using System.Text.Json.Nodes;

namespace Orderwright.EndToEnd;

/// <summary>Pages of every host.</summary>
public sealed class HttpPageTests(SharedHttpHost shared)
{
    static readonly string[] Methods = ["get", "put", "post", "patch", "delete"];

    [Fact]
    public async Task A_host_that_is_ready_says_so_for_each_service()
    {
        var answer = await shared.Client.AskAsync("/health/ready");

        Assert.Equal(200, answer.Status);
        Assert.True((bool)answer.Json["ready"]!);
        Assert.Equal(
            ["customer-service", "order-service", "saga-coordinator", "stock-service"],
            answer.Json["services"]!.AsObject().Select(service => service.Key).Order(StringComparer.Ordinal));
        Assert.All(answer.Json["services"]!.AsObject(), service => Assert.Null(service.Value));
    }

    [Fact]
    public async Task A_host_that_lives_says_so() =>
        Assert.Equal("""{"live":true}""", Encoding.UTF8.GetString((await shared.Client.AskAsync("/health/live")).Body));

    [Fact]
    public async Task Every_operation_has_a_unique_id()
    {
        var ids = (await OperationsAsync()).Select(operation => (string?)operation.Operation["operationId"]).ToList();

        Assert.DoesNotContain(null, ids);
        Assert.Equal(ids.Distinct(), ids);
        Assert.Superset(
            new HashSet<string?>(
                ["placeOrder", "getOrder", "listOrders", "cancelOrder", "putProduct", "adjustStock", "putCustomer", "addCredit"]),
            ids.ToHashSet());
    }

    [Fact]
    public async Task Every_operation_describes_its_errors()
    {
        const string Problem = "#/components/schemas/Problem";
        var shared = (await DocumentAsync())["components"]!["responses"]!;
        Assert.All(await OperationsAsync(), operation => Assert.All(
            operation.Operation["responses"]!.AsObject()
                .Where(response => response.Key is "400" or "404" or "409" or "422" or "500"),
            response => Assert.Equal(
                Problem,
                (string?)((string?)response.Value!["$ref"] is { } name ? shared[name.Split('/')[^1]] : response.Value)!
                    ["content"]?["application/problem+json"]?["schema"]?["$ref"])));
    }

    [Fact]
    public async Task Creating_operations_accept_an_idempotency_key() =>
        Assert.All(
            (await OperationsAsync())
                .Where(operation => operation.Method == "post" && operation.Operation["security"] is JsonArray { Count: > 0 }),
            operation => Assert.Contains("header Idempotency-Key", Parameters(operation.Operation)));

    [Fact]
    public async Task Lists_describe_their_filters() =>
        Assert.Equal(
            [
                "query channel", "query createdAfter", "query createdBefore", "query cursor", "query customerId",
                "query limit", "query reference", "query search", "query status",
            ],
            Parameters((await OperationsAsync())
                .Single(operation => (string?)operation.Operation["operationId"] == "listOrders").Operation)
                .Order(StringComparer.Ordinal));

    [Fact]
    public async Task A_number_is_a_number()
    {
        var document = (await shared.Client.AskAsync("/openapi/v1.json")).Json;
        Assert.Equal("integer", (string?)document["components"]!["schemas"]!["LineRequest"]!["properties"]!["quantity"]!["type"]);
    }

    [Fact]
    public async Task The_page_of_the_api_needs_nothing_from_elsewhere()
    {
        var page = Encoding.UTF8.GetString((await shared.Client.AskAsync("/swagger/index.html")).Body);

        Assert.Contains("swagger-ui-bundle.js", page, StringComparison.Ordinal);
        Assert.DoesNotContain("http://", page, StringComparison.Ordinal);
        Assert.DoesNotContain("https://", page, StringComparison.Ordinal);
        Assert.Equal(200, (await shared.Client.AskAsync("/swagger/swagger-ui-bundle.js")).Status);
    }

    [Fact]
    public async Task Metrics_are_prometheus_text()
    {
        await shared.Client.PutAsync("/api/v1/products/METRIC", """{"name":"Mug","unitPrice":1,"currency":"GBP"}""");
        var answer = await shared.Client.AskAsync("/metrics");
        var text = Encoding.UTF8.GetString(answer.Body);

        Assert.StartsWith("text/plain", answer.Headers["Content-Type"], StringComparison.Ordinal);
        Assert.Contains("# TYPE orderwright_batch_size histogram\n", text, StringComparison.Ordinal);
        Assert.Matches("(?m)^orderwright_batch_size_count\\{service=\"stock-service\"\\} [1-9][0-9]*$", text);
        Assert.Matches(
            "(?m)^orderwright_batch_duration_seconds_bucket\\{service=\"stock-service\",le=\"\\+Inf\"\\} [1-9][0-9]*$", text);
        Assert.All(
            text.Split('\n', StringSplitOptions.RemoveEmptyEntries),
            line => Assert.Matches(
                "^(# (HELP|TYPE) [a-z_]+ .*|[a-z_]+\\{([a-z_]+=\"[^\"]*\",?)*\\} [0-9.E+-]+)$", line));
    }

    static IEnumerable<string> Parameters(JsonObject operation) =>
        (operation["parameters"]?.AsArray() ?? []).Select(parameter => $"{parameter!["in"]} {parameter["name"]}");

    async Task<JsonNode> DocumentAsync() => (await shared.Client.AskAsync("/openapi/v1.json")).Json;

    async Task<List<(string Method, JsonObject Operation)>> OperationsAsync()
    {
        return [.. (await DocumentAsync())["paths"]!.AsObject()
            .SelectMany(path => path.Value!.AsObject())
            .Where(member => Methods.Contains(member.Key))
            .Select(member => (member.Key, member.Value!.AsObject()))];
    }
}
