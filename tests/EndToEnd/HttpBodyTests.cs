using System.Globalization;
using System.Text;

namespace Orderwright.EndToEnd;

/// <summary>Invalid bodies with their exact responses.</summary>
public sealed class HttpBodyTests(SharedHttpHost shared)
{
    const string Orders = "/api/v1/orders";

    static string Order(string line = """{"sku":"A","quantity":1}""", string customer = "\"ada\"", string more = "") =>
        $$"""{"customerId":{{customer}},"currency":"GBP","lines":[{{line}}]{{more}}}""";

    [Theory]
    [InlineData(""","colour":"red" """, "/colour unknown_property")]
    [InlineData(""","metadata":{"a":"1","a":"2"}""", "/metadata/a duplicate_property")]
    [InlineData(""","currency":"EUR" """, "/currency duplicate_property")]
    [InlineData(""","metadata":{"a":null}""", "/metadata/a required")]
    [InlineData(""","metadata":{"a":1}""", "/metadata/a invalid_type")]
    [InlineData(""","metadata":[]""", "/metadata invalid_type")]
    [InlineData(""","adjustments":[null]""", "/adjustments/0 required")]
    [InlineData(""","payment":"cash" """, "/payment invalid_type")]
    [InlineData(""","payment":{"provider":"sandbox","token":"t","pan":"x"}""", "/payment/pan unknown_property")]
    public async Task Missing_parts_of_an_order_are_listed(string more, string error) =>
        (await shared.Client.PostAsync(Orders, Order(more: more))).IsProblem(400, "invalid_request").Names(error);

    [Theory]
    [InlineData("""{"sku":"A"}""", "/lines/0/quantity required")]
    [InlineData("""{"sku":"A","quantity":null}""", "/lines/0/quantity required")]
    [InlineData("""{"sku":"A","quantity":"1"}""", "/lines/0/quantity invalid_type")]
    [InlineData("""{"sku":"A","quantity":1.5}""", "/lines/0/quantity invalid_type")]
    [InlineData("""{"sku":"A","quantity":true}""", "/lines/0/quantity invalid_type")]
    [InlineData("""{"sku":"A","quantity":2147483648}""", "/lines/0/quantity out_of_range")]
    [InlineData("""{"sku":"A","quantity":1e400}""", "/lines/0/quantity invalid_type")]
    [InlineData("""{"sku":"A","quantity":0}""", "/lines/0/quantity out_of_range")]
    [InlineData("""{"sku":"A","quantity":-1}""", "/lines/0/quantity out_of_range")]
    [InlineData("""{"sku":7,"quantity":1}""", "/lines/0/sku invalid_type")]
    [InlineData("""{"sku":"A","SKU":"B","quantity":1}""", "/lines/0/SKU unknown_property")]
    [InlineData("""{"sku":"A","quantity":1},null""", "/lines/1 required")]
    [InlineData("", "/lines out_of_range")]
    public async Task Invalid_values_of_a_line_are_listed(string line, string error) =>
        (await shared.Client.PostAsync(Orders, Order(line))).IsProblem(400, "invalid_request").Names(error);

    [Fact]
    public async Task Everything_that_is_wrong_is_named_at_once() =>
        (await shared.Client.PostAsync(Orders, """{"customerId":null,"lines":[{"sku":1,"quantity":"2"}],"x":0}"""))
            .IsProblem(400, "invalid_request").Names(
                "/customerId required", "/currency required", "/lines/0/sku invalid_type", "/lines/0/quantity invalid_type",
                "/x unknown_property");

    [Fact]
    public async Task An_unknown_currency_is_named() =>
        (await shared.Client.PostAsync(Orders, """{"customerId":"ada","currency":"XXX","lines":[{"sku":"A","quantity":1}]}"""))
            .IsProblem(400, "invalid_request").Names("/currency unknown_currency");

    [Fact]
    public async Task Two_thousand_and_one_lines_are_too_many()
    {
        var lines = string.Join(',', Enumerable.Repeat("""{"sku":"A","quantity":1}""", 2_001));
        (await shared.Client.PostAsync(Orders, Order(lines))).IsProblem(400, "invalid_request").Names("/lines out_of_range");
    }

    [Fact]
    public async Task A_total_that_overflows_is_refused()
    {
        var lines = string.Join(
            ',', Enumerable.Repeat("""{"sku":"A","quantity":1000000,"unitPrice":1000000000000}""", 10));
        (await shared.Client.PostAsync(Orders, Order(lines))).IsProblem(400, "invalid_request")
            .Names("/lines total_out_of_range");
    }

    [Theory]
    [InlineData("""{"customerId":"ada","currency":"GBP","lines":[{"sku":"A","quantity":1}]""")]
    [InlineData("""{"customerId":"ada","currency":"GBP","lines":[{"sku":"A","quantity":1}]}}""")]
    [InlineData("""{"customerId":"ada","currency":"GBP","lines":[{"sku":"A","quantity":01}]}""")]
    [InlineData("""{"customerId":"ada","currency":"GBP","lines":[{"sku":"A","quantity":1},]}""")]
    [InlineData("""{"customerId":"ada" /* who */}""")]
    [InlineData("{\"customerId\":\"a\0b\"}")]
    [InlineData("{\"customerId\":\"a\nb\"}")]
    [InlineData("NaN")]
    public async Task Invalid_json_is_refused(string body) =>
        (await shared.Client.PostAsync(Orders, body)).IsProblem(400, "invalid_json").Names(" invalid_json");

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    public async Task A_body_is_required(string body) =>
        (await shared.Client.PostAsync(Orders, body)).IsProblem(400, "invalid_request").Names(" required");

    [Theory]
    [InlineData(@"""a\u0000b""", "/customerId")]
    [InlineData(@"""\ud83d""", "/customerId")]
    [InlineData(@"""\ude00""", "/customerId")]
    [InlineData(@"""\ud83dx""", "/customerId")]
    [InlineData(@"""\ud83d\n""", "/customerId")]
    [InlineData(@"""\ud83d\ud83d\ude00""", "/customerId")]
    public async Task Text_that_no_database_takes_is_refused(string customer, string pointer) =>
        (await shared.Client.PostAsync(Orders, Order(customer: customer)))
            .IsProblem(400, "invalid_text").Names($"{pointer} invalid_text");

    [Fact]
    public async Task Such_text_in_a_name_is_refused_at_the_object_that_holds_it() =>
        (await shared.Client.PostAsync(Orders, Order(more: """,  "metadata":{"a":"x","\u0000":"y"}""")))
            .IsProblem(400, "invalid_text").Names("/metadata invalid_text");

    [Fact]
    public async Task An_escaped_pair_of_surrogates_is_text() =>
        Assert.Equal(201, (await shared.Client.PutAsync(
            "/api/v1/customers/smile", """{"name":"\ud83d\ude00 \\u0000 \"quoted\"","email":"s@example.com"}""")).Status);

    [Fact]
    public async Task Invalid_utf8_is_refused() =>
        (await shared.Client.SendAsync(HttpMethod.Post, Orders, [.. "{\"customerId\":\""u8, 0xC3, 0x28, .. "\"}"u8]))
            .IsProblem(400, "invalid_text").Names(" invalid_text");

    [Theory]
    [InlineData('[', 100_000)]
    [InlineData('[', 33)]
    public async Task Deep_nesting_is_refused(char open, int depth) =>
        (await shared.Client.PostAsync(Orders, new string(open, depth))).IsProblem(400, "too_deep").Names(" too_deep");

    [Theory]
    [InlineData("4111111111111111")]
    [InlineData("4111 1111 1111 1111")]
    [InlineData("paid with 5555-5555-5555-4444, thanks")]
    [InlineData(@"411111111111111\u0031")]
    [InlineData("378282246310005")]
    [InlineData("6304000000000000000")]
    public async Task A_card_number_is_refused_and_nowhere_kept(string number)
    {
        var answer = await shared.Client.PostAsync(Orders, Order(more: $$""","metadata":{"note":"{{number}}"}"""));

        answer.IsProblem(400, "card_number").Names("/metadata/note card_number");
        Assert.DoesNotContain(number, Encoding.UTF8.GetString(answer.Body), StringComparison.Ordinal);
        Assert.DoesNotContain(number, shared.Host.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_card_number_is_found_in_numbers_and_names_too()
    {
        (await shared.Client.PostAsync(Orders, Order("""{"sku":"A","quantity":1,"unitPrice":4242424242424242}""")))
            .IsProblem(400, "card_number").Names("/lines/0/unitPrice card_number");
        (await shared.Client.PostAsync(Orders, Order(more: ""","metadata":{"4242424242424242":"x"}""")))
            .IsProblem(400, "card_number").Names("/metadata card_number");
    }

    [Theory]
    [InlineData("GET", "/api/v1/customers/4111111111111111", "path")]
    [InlineData("PUT", "/api/v1/customers/%34111111111111111", "path")]
    [InlineData("GET", "/api/v1/orders?customerId=4111%201111%201111%201111", "customerId")]
    [InlineData("GET", "/api/v1/orders?reference=4111+1111+1111+1111", "reference")]
    [InlineData("GET", "/api/v1/orders?4111111111111111=1", "query")]
    [InlineData("POST", "/api/v1/webhooks/4111-1111-1111-1111", "path")]
    [InlineData("GET", "/nowhere/4111111111111111", "path")]
    public async Task A_card_number_is_refused_in_an_address_too(string method, string target, string place)
    {
        var answer = await shared.Client.SendAsync(new HttpMethod(method), target, "{}"u8.ToArray());
        answer.IsProblem(400, "card_number").Names($"{place} card_number");
        Assert.DoesNotContain("1111", Encoding.UTF8.GetString(answer.Body), StringComparison.Ordinal);
        Assert.DoesNotContain("1111111", shared.Host.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_card_number_is_no_idempotency_key_and_in_other_headers_neither_kept_nor_logged()
    {
        var answer = await shared.Client.PostAsync(Orders, Order(), ("Idempotency-Key", "5555555555554444"));
        answer.IsProblem(400, "card_number").Names("Idempotency-Key card_number");
        Assert.Equal(202, (await shared.Client.PostAsync(
            Orders, Order(), ("X-Request-Start", "t=5555555555554444"), ("User-Agent", "5555555555554444"))).Status);
        Assert.DoesNotContain("5555555555554444", shared.Host.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("application/jsonx")]
    [InlineData("multipart/form-data; boundary=x")]
    public async Task Another_content_type_is_a_415(string type) =>
        (await shared.Client.SendAsync(HttpMethod.Post, Orders, "{}"u8.ToArray(), type)).IsProblem(415, "unsupported_media_type");

    [Fact]
    public async Task The_charset_may_be_given() =>
        (await shared.Client.SendAsync(HttpMethod.Post, Orders, "{}"u8.ToArray(), "application/json; charset=UTF-8"))
            .IsProblem(400, "invalid_request");

    [Theory]
    [InlineData("/api/v1/orders", 2_000_001)]
    [InlineData("/api/v1/stock/A/adjustments", 1_000_001)]
    public async Task A_body_over_its_limit_is_a_413(string path, int size)
    {
        (await shared.Client.PostAsync(path, new string(' ', size))).IsProblem(413, "body_too_large");
        (await shared.Client.PostAsync(path, new string(' ', size - 1))).IsProblem(400, "invalid_json");
    }

    [Fact]
    public async Task A_body_over_the_limit_without_a_length_is_a_413()
    {
        var chunk = $"{50_000.ToString("x", CultureInfo.InvariantCulture)}\r\n{new string(' ', 50_000)}\r\n";
        var answer = await HttpRequests.SendRawAsync(
            shared.Host.Url,
            "POST /api/v1/stock/A/adjustments HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
            "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" +
            string.Concat(Enumerable.Repeat(chunk, 21)) + "0\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 413", answer, StringComparison.Ordinal);
        Assert.Contains("body_too_large", answer, StringComparison.Ordinal);
    }
}
