using System.Text;

namespace Orderwright.EndToEnd;

/// <summary>Idempotency-Keys and ETags, as promised for every service (docs/reference/http-api.md).</summary>
public sealed class HttpIdempotencyTests(SharedHttpHost shared)
{
    const string Order = """{"customerId":"nobody","currency":"GBP","lines":[{"sku":"NONE","quantity":1}]}""";

    static string NewKey() => Guid.NewGuid().ToString();

    [Fact]
    public async Task The_same_key_and_request_get_the_first_answer_byte_for_byte()
    {
        var key = ("Idempotency-Key", NewKey());
        var first = await shared.Client.PostAsync("/api/v1/orders", Order, key);
        var second = await shared.Client.PostAsync("/api/v1/orders", Order, key);

        Assert.Equal(202, first.Status);
        Assert.Equal((first.Status, Encoding.UTF8.GetString(first.Body)), (second.Status, Encoding.UTF8.GetString(second.Body)));
        Assert.Equal(first.Headers["Location"], second.Headers["Location"]);
        Assert.Equal(first.Headers["ETag"], second.Headers["ETag"]);
        Assert.False(first.Headers.ContainsKey("Idempotent-Replayed"));
        Assert.Equal("true", second.Headers["Idempotent-Replayed"]);
    }

    [Fact]
    public async Task So_does_an_answer_that_was_waited_for()
    {
        (string, string)[] headers = [("Idempotency-Key", NewKey()), ("Prefer", "wait=20")];
        var first = await shared.Client.PostAsync("/api/v1/orders", Order, headers);
        var second = await shared.Client.PostAsync("/api/v1/orders", Order, headers);

        Assert.Equal(201, first.Status);
        Assert.Equal("wait=20", first.Headers["Preference-Applied"]);
        Assert.Equal("rejected", (string?)first.Json["status"]);
        Assert.Equal(first.Body, second.Body);
        Assert.Equal(201, second.Status);
    }

    [Fact]
    public async Task The_same_key_with_another_body_is_a_422()
    {
        var key = ("Idempotency-Key", NewKey());
        await shared.Client.PostAsync("/api/v1/orders", Order, key);
        (await shared.Client.PostAsync("/api/v1/orders", Order.Replace("1}", "2}", StringComparison.Ordinal), key))
            .IsProblem(422, "idempotency_key_reused");
    }

    [Fact]
    public async Task The_same_key_and_body_at_another_path_is_a_422()
    {
        var key = ("Idempotency-Key", NewKey());
        foreach (var sku in (string[])["IDEM-1", "IDEM-2"])
            await shared.Client.PutAsync($"/api/v1/products/{sku}", """{"name":"Mug","unitPrice":1,"currency":"GBP"}""");
        const string Found = """{"delta":1,"reason":"found"}""";
        Assert.Equal(201, (await shared.Client.PostAsync("/api/v1/stock/IDEM-1/adjustments", Found, key)).Status);
        (await shared.Client.PostAsync("/api/v1/stock/IDEM-2/adjustments", Found, key)).IsProblem(422, "idempotency_key_reused");
        Assert.Equal(1, (int?)(await shared.Client.AskAsync("/api/v1/stock/IDEM-1")).Json["onHand"]);
    }

    [Fact]
    public async Task A_key_in_use_by_a_running_request_is_a_409()
    {
        await shared.Client.PutAsync("/api/v1/customers/slow", """{"name":"Slow","email":"slow@example.com"}""");
        await shared.Client.PutAsync("/api/v1/products/SLOW", """{"name":"Mug","unitPrice":100,"currency":"GBP"}""");
        await shared.Client.PutAsync("/api/v1/stock/SLOW", """{"onHand":10}""");
        const string Slow = """
            {"customerId":"slow","currency":"GBP","lines":[{"sku":"SLOW","quantity":1}],
             "payment":{"provider":"sandbox","token":"tok_slow"}}
            """;
        (string, string)[] headers = [("Idempotency-Key", NewKey()), ("Prefer", "wait=20")];
        var answers = await Task.WhenAll(
            shared.Client.PostAsync("/api/v1/orders", Slow, headers), shared.Client.PostAsync("/api/v1/orders", Slow, headers));

        // On a busy machine the decision may take longer than the client waits: 202 then.
        Assert.Single(answers, answer => answer.Status is 201 or 202);
        answers.Single(answer => answer.Status == 409).IsProblem(409, "idempotency_key_in_flight");
    }

    [Theory]
    [InlineData("")]
    [InlineData("with space")]
    [InlineData("with\ttab")]
    [InlineData("256")]
    public async Task A_malformed_key_is_a_400(string key) =>
        (await shared.Client.PostAsync("/api/v1/orders", Order, ("Idempotency-Key", key == "256" ? new string('k', 256) : key)))
            .IsProblem(400, "invalid_request").Names("Idempotency-Key idempotency_key_malformed");

    [Fact]
    public async Task The_etag_of_an_order_is_its_version()
    {
        var placed = await shared.Client.PostAsync("/api/v1/orders", Order, ("Prefer", "wait=20"));
        var read = await shared.Client.AskAsync(placed.Headers["Location"]);

        Assert.Equal(200, read.Status);
        Assert.Equal($"\"{read.Json["version"]}\"", read.Headers["ETag"]);
        Assert.Equal(placed.Headers["ETag"], read.Headers["ETag"]);
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", (string?)read.Json["createdAt"]);
    }

    [Fact]
    public async Task A_change_for_another_version_is_a_412()
    {
        const string Product = """{"name":"Mug","unitPrice":1,"currency":"GBP"}""";
        var made = await shared.Client.PutAsync("/api/v1/products/MATCH", Product);
        (await shared.Client.PutAsync("/api/v1/products/MATCH", Product, ("If-Match", "\"99\"")))
            .IsProblem(412, "version_mismatch");
        Assert.Equal(
            200, (await shared.Client.PutAsync("/api/v1/products/MATCH", Product, ("If-Match", made.Headers["ETag"]))).Status);
    }
}
