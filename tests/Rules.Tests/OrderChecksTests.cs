using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Orderwright.OrderService;
using Orderwright.OrderService.Decisions;
using Orderwright.Http;

namespace Orderwright.Rules.Tests;

/// <summary>Validation of order requests.</summary>
public class OrderChecksTests
{
    const string Valid = """{"customerId":"17850","currency":"GBP","lines":[{"sku":"85123A","quantity":6,"unitPrice":255}]}""";

    static string With(string pointer, string? json)
    {
        var body = JsonNode.Parse(Valid)!;
        var parts = pointer.Split('/')[1..];
        var parent = body;
        foreach (var part in parts[..^1])
            parent = parent is JsonArray list ? list[int.Parse(part, null)]! : parent[part]!;
        if (json is null) parent.AsObject().Remove(parts[^1]);
        else parent[parts[^1]] = JsonNode.Parse(json);
        return body.ToJsonString();
    }

    static string[] Errors(string json)
    {
        var (request, errors) = StrictJson.Parse(System.Text.Encoding.UTF8.GetBytes(json), OrderJson.Default.OrderRequest);
        if (request is null) return [.. errors.Select(error => $"{error.Pointer} {error.Code}")];
        if (OrderChecks.Refuse(request) is not { } refusal) return [];
        Assert.Equal(400, refusal.Status);
        var listed = JsonNode.Parse(refusal.Body.Span)!["errors"]!.AsArray();
        return [.. listed.Select(error => $"{error!["pointer"]} {error["code"]}")];
    }

    [Fact]
    public void A_valid_order_passes()
    {
        Assert.Empty(Errors(Valid));
        Assert.Empty(Errors(
            """
            { "customerId": "17850", "currency": "GBP", "reference": "536365",
              "lines": [ { "sku": "85123A", "quantity": 6, "unitPrice": 255 }, { "sku": "MUG", "quantity": 1 } ],
              "adjustments": [ { "type": "shipping", "label": "Royal Mail", "amount": 499 },
                               { "type": "discount", "label": "Welcome", "amount": -100 } ],
              "payment": { "provider": "sandbox", "token": "tok_visa" }, "metadata": { "channel": "web" } }
            """));
    }

    [Theory]
    [InlineData("/lines/0/quantity", "0", "out_of_range")]
    [InlineData("/lines/0/quantity", "-1", "out_of_range")]
    [InlineData("/lines/0/quantity", "1000001", "out_of_range")]
    [InlineData("/lines/0/quantity", "2147483648", "out_of_range")]
    [InlineData("/lines/0/quantity", "1.5", "invalid_type")]
    [InlineData("/lines/0/quantity", "\"6\"", "invalid_type")]
    [InlineData("/lines/0/quantity", "null", "required")]
    [InlineData("/lines/0/quantity", null, "required")]
    [InlineData("/lines/0/unitPrice", "-1", "out_of_range")]
    [InlineData("/lines/0/unitPrice", "1000000000001", "out_of_range")]
    [InlineData("/lines/0/sku", "\"\"", "invalid_id")]
    [InlineData("/lines/0/sku", "\"a b\"", "invalid_id")]
    [InlineData("/lines/0/sku", "\"'; DROP TABLE orders\"", "invalid_id")]
    [InlineData("/lines/0/colour", "\"red\"", "unknown_property")]
    [InlineData("/lines", "[]", "out_of_range")]
    [InlineData("/lines", "null", "required")]
    [InlineData("/lines", "{}", "invalid_type")]
    [InlineData("/lines", null, "required")]
    [InlineData("/customerId", "17850", "invalid_type")]
    [InlineData("/customerId", "\"a/b\"", "invalid_id")]
    [InlineData("/currency", "\"XXX\"", "unknown_currency")]
    [InlineData("/currency", "\"gbp\"", "unknown_currency")]
    [InlineData("/reference", "\"\"", "required")]
    [InlineData("/reference", "\"4111 1111 1111 1111\"", "card_number")]
    [InlineData("/payment", "{\"provider\":\"sandbox\"}", "required", "/payment/token")]
    [InlineData("/payment", "{\"provider\":\"no such one\",\"token\":\"x\"}", "invalid_id", "/payment/provider")]
    [InlineData("/payment", "{\"provider\":\"sandbox\",\"token\":\"a b\"}", "invalid_token", "/payment/token")]
    [InlineData("/adjustments", "[{\"type\":\"gift\",\"label\":\"x\",\"amount\":1}]", "unknown_value", "/adjustments/0/type")]
    [InlineData("/adjustments", "[{\"type\":\"fee\",\"label\":\"\",\"amount\":1}]", "required", "/adjustments/0/label")]
    [InlineData("/adjustments", "[{\"type\":\"fee\",\"label\":\"x\",\"amount\":-1}]", "out_of_range", "/adjustments/0/amount")]
    [InlineData(
        "/adjustments", "[{\"type\":\"discount\",\"label\":\"x\",\"amount\":1}]", "out_of_range", "/adjustments/0/amount")]
    [InlineData("/adjustments", "[{\"type\":\"discount\",\"label\":\"x\",\"amount\":-1531}]", "total_out_of_range")]
    [InlineData("/metadata", "{\"a\":1}", "invalid_type", "/metadata/a")]
    [InlineData("/metadata", "{\"a\":null}", "required", "/metadata/a")]
    [InlineData("/metadata", "{\"\":\"x\"}", "invalid_key", "/metadata/")]
    public void An_invalid_field_is_named(string pointer, string? json, string code, string? at = null) =>
        Assert.Equal([$"{at ?? pointer} {code}"], Errors(With(pointer, json)));

    [Fact]
    public void Counts_and_lengths_have_limits()
    {
        static string Items(int n, Func<int, string> item) => string.Join(',', Enumerable.Range(0, n).Select(item));
        string Lines(int n) => $"[{Items(n, i => $$"""{"sku":"S{{i}}","quantity":1}""")}]";
        Assert.Empty(Errors(With("/lines", Lines(2_000))));
        Assert.Equal(["/lines out_of_range"], Errors(With("/lines", Lines(2_001))));
        Assert.Equal(
            ["/adjustments out_of_range"],
            Errors(With("/adjustments", $"[{Items(51, _ => """{"type":"fee","label":"x","amount":1}""")}]")));
        Assert.Equal(["/metadata out_of_range"], Errors(With("/metadata", $"{{{Items(51, i => $"\"k{i}\":\"v\"")}}}")));
        Assert.Equal(["/metadata/a~1b too_long"], Errors(With("/metadata", $"{{\"a/b\":\"{new string('v', 501)}\"}}")));
        Assert.Equal(["/reference too_long"], Errors(With("/reference", $"\"{new string('r', 65)}\"")));
    }

    [Fact]
    public void A_total_that_overflows_is_refused_priced_or_not()
    {
        const string Huge = """{"sku":"S","quantity":1000000,"unitPrice":1000000000000}""";
        var ten = string.Join(',', Enumerable.Repeat(Huge, 10));
        Assert.Equal(["/lines total_out_of_range"], Errors(With("/lines", $"[{ten}]")));
        Assert.Equal(["/lines total_out_of_range"], Errors(With("/lines", $$"""[{{ten}},{"sku":"T","quantity":1}]""")));
        Assert.Empty(Errors(With("/lines", $"[{Huge}]")));
    }

    [Fact]
    public void All_errors_are_reported_together() =>
        Assert.Equal(
            ["/customerId invalid_id", "/currency unknown_currency", "/lines/0/sku invalid_id", "/lines/0/quantity out_of_range"],
            Errors("""{"customerId":"","currency":"XXX","lines":[{"sku":"","quantity":0}]}"""));

    [Theory]
    [InlineData("wait=10", 10)]
    [InlineData("respond-async, wait=5", 5)]
    [InlineData("wait=\"7\"; strict", 7)]
    [InlineData("Wait = 3", 3)]
    [InlineData("wait=99", 30)]
    [InlineData("wait=-1", 0)]
    [InlineData("wait=soon", 0)]
    [InlineData("return=minimal", 0)]
    public void A_wait_preference_is_read_and_a_malformed_one_ignored(string header, int seconds)
    {
        var http = new DefaultHttpContext();
        http.Request.Headers["Prefer"] = header;
        Assert.Equal(seconds, PreferWait.Read(http).TotalSeconds);
    }
}
