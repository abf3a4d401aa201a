using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;

namespace Orderwright.EndToEnd;

/// <summary>Checks of a request before any endpoint, and the form of all errors.</summary>
public sealed class HttpGuardTests(SharedHttpHost shared)
{
    const string Products = "/api/v1/products";
    const string Product = """{"name":"Mug","unitPrice":895,"currency":"GBP"}""";

    [Theory]
    [InlineData("evil.example")]
    [InlineData("localhost.evil.example")]
    [InlineData("169.254.169.254")]
    [InlineData("0.0.0.0:4000")]
    public async Task A_foreign_host_is_refused(string host) =>
        (await shared.Client.AskAsync(Products, ("Host", host))).IsProblem(400, "foreign_host");

    [Theory]
    [InlineData("localhost")]
    [InlineData("LOCALHOST:4000")]
    [InlineData("127.0.0.1:4000")]
    [InlineData("[::1]:4000")]
    public async Task Loopback_by_any_name_is_answered(string host) =>
        Assert.Equal(200, (await shared.Client.AskAsync(Products, ("Host", host))).Status);

    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    [InlineData("Origin", "http://evil.example")]
    [InlineData("Origin", "http://localhost:3000")]
    [InlineData("Origin", "null")]
    public async Task Another_sites_page_may_not_change_anything(string header, string value)
    {
        (await shared.Client.PutAsync($"{Products}/CSRF", Product, (header, value))).IsProblem(403, "cross_site");
        (await shared.Client.AskAsync($"{Products}/CSRF")).IsProblem(404, "not_found");
    }

    [Fact]
    public async Task The_own_page_may()
    {
        var own = ("Origin", shared.Host.Url.GetLeftPart(UriPartial.Authority));
        Assert.Equal(
            201, (await shared.Client.PutAsync($"{Products}/OWN", Product, own, ("Sec-Fetch-Site", "same-origin"))).Status);
    }

    [Fact]
    public async Task A_long_target_is_a_414() =>
        (await shared.Client.AskAsync($"{Products}/{new string('x', 8_001)}")).IsProblem(414, "uri_too_long");

    [Fact]
    public async Task A_very_long_target_is_a_414_and_the_end_of_the_connection() =>
        Assert.Matches(
            "(?s)^HTTP/1.1 414 .*\"code\":\"uri_too_long\".*\\[closed\\]$",
            await HttpRequests.SendRawAsync(
                shared.Host.Url, $"GET /{new string('x', 20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n"));

    [Fact]
    public async Task Headers_over_32_kB_are_a_431() =>
        (await shared.Client.AskAsync(Products, ("X-Large", new string('x', 32_001)))).IsProblem(431, "headers_too_large");

    [Fact]
    public async Task Headers_over_64_kB_are_a_431_and_the_end_of_the_connection() =>
        Assert.Matches(
            "(?s)^HTTP/1.1 431 .*\"code\":\"headers_too_large\".*\\[closed\\]$",
            await HttpRequests.SendRawAsync(
                shared.Host.Url, $"GET / HTTP/1.1\r\nHost: localhost\r\nX-Large: {new string('x', 70_000)}\r\n\r\n"));

    [Fact]
    public async Task Two_lengths_are_a_400_and_the_end_of_the_connection()
    {
        var answer = await HttpRequests.SendRawAsync(
            shared.Host.Url,
            "POST /api/v1/orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
            "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" +
            "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n");

        Assert.Matches("(?s)^HTTP/1.1 400 .*ambiguous_length.*\\[closed\\]$", answer);
        Assert.DoesNotContain("\"live\"", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Content-Length: +2\r\n", "ambiguous_length")]
    [InlineData("Content-Length: -0\r\n", "ambiguous_length")]
    [InlineData("Content-Length: 9223372036854775807\r\n", "ambiguous_length")]
    [InlineData("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "ambiguous_length")]
    [InlineData("Transfer-Encoding: chunked, chunked\r\n", "ambiguous_length")]
    [InlineData("Transfer-Encoding: gzip, chunked\r\n", "ambiguous_length")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n{}", "unreadable_body")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n7FFFFFFFF\r\n{}", "unreadable_body")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\nno size\r\n{}", "unreadable_body")]
    public async Task A_body_of_unclear_length_is_a_400_with_one_line_in_the_log_and_the_end_of_the_connection(
        string rest, string code)
    {
        var before = shared.Host.Output;
        var answer = await HttpRequests.SendRawAsync(
            shared.Host.Url,
            $"POST /api/v1/orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{rest}\r\n{{}}");

        Assert.Matches($"(?s)^HTTP/1.1 400 .*application/problem\\+json.*{code}.*\\[closed\\]$", answer);
        await shared.Host.WaitForAsync(code == "ambiguous_length" ? "ambiguous length" : "could not be read");
        var logged = shared.Host.Output[before.Length..];
        Assert.DoesNotContain("   at ", logged, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", logged, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_chunk_size_that_overflows_is_a_400_for_webhooks_and_forms_too()
    {
        foreach (var (path, type) in new[]
        {
            ("/api/v1/webhooks/sandbox", "application/json"), ("/login", "application/x-www-form-urlencoded"),
        })
            Assert.Matches(
                "(?s)^HTTP/1.1 400 ",
                await HttpRequests.SendRawAsync(
                    shared.Host.Url,
                    $"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {type}\r\n" +
                    "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n{}"));
        Assert.DoesNotContain("   at ", shared.Host.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Content-Length: 2\r\nContent-Length: 3\r\n")]
    [InlineData("Transfer-Encoding: chunked, gzip\r\n")]
    [InlineData("Content-Length: -1\r\n")]
    [InlineData("Host: other\r\n")]
    [InlineData("X Bad: 1\r\n")]
    public async Task A_request_with_contradicting_headers_is_a_400(string header) =>
        Assert.Matches(
            "(?s)^HTTP/1.1 400 .*\\[closed\\]$",
            await HttpRequests.SendRawAsync(
                shared.Host.Url, $"POST /api/v1/orders HTTP/1.1\r\nHost: localhost\r\n{header}\r\n{{}}"));

    [Fact]
    public async Task An_unknown_path_is_a_404() =>
        (await shared.Client.AskAsync("/api/v1/nothing")).IsProblem(404, "not_found");

    [Fact]
    public async Task Another_method_is_a_405_that_says_which_are_allowed()
    {
        var answer = (await shared.Client.SendAsync(HttpMethod.Delete, "/api/v1/orders")).IsProblem(405, "method_not_allowed");
        Assert.Equal("GET, HEAD, OPTIONS, POST", answer.Headers["Allow"]);
    }

    [Fact]
    public async Task OPTIONS_lists_the_methods_of_a_path()
    {
        var answer = await shared.Client.SendAsync(HttpMethod.Options, $"{Products}/NONE");
        Assert.Equal((204, "DELETE, GET, HEAD, OPTIONS, PUT"), (answer.Status, answer.Headers["Allow"]));
    }

    [Fact]
    public async Task HEAD_is_answered_as_GET_without_the_body()
    {
        await shared.Client.PutAsync($"{Products}/HEAD", Product);
        var get = await shared.Client.AskAsync($"{Products}/HEAD");
        var head = await shared.Client.SendAsync(HttpMethod.Head, $"{Products}/HEAD");
        Assert.Equal((200, 0), (head.Status, head.Body.Length));
        Assert.Equal(
            (get.Headers["ETag"], $"{get.Body.Length}", get.Headers["Content-Type"]),
            (head.Headers["ETag"], head.Headers["Content-Length"], head.Headers["Content-Type"]));
        Assert.Equal(404, (await shared.Client.SendAsync(HttpMethod.Head, $"{Products}/NONE")).Status);
        var stream = await shared.Client.SendAsync(
            HttpMethod.Head, "/api/v1/events", headers: ("Accept", "text/event-stream"));
        Assert.Equal((200, "text/event-stream"), (stream.Status, stream.Headers["Content-Type"]));
    }

    [Fact]
    public async Task A_version_at_hand_is_a_304_and_an_existing_resource_is_not_created_again()
    {
        await shared.Client.PutAsync($"{Products}/TAG", Product, ("If-None-Match", "*"));
        (await shared.Client.PutAsync($"{Products}/TAG", Product, ("If-None-Match", "*"))).IsProblem(412, "version_mismatch");
        var tag = (await shared.Client.AskAsync($"{Products}/TAG")).Headers["ETag"];
        foreach (var known in (string[])[tag, $"W/{tag}", $"\"77\", {tag}", "*"])
        {
            var answer = await shared.Client.AskAsync($"{Products}/TAG", ("If-None-Match", known));
            Assert.Equal((304, 0, tag), (answer.Status, answer.Body.Length, answer.Headers["ETag"]));
        }
        Assert.Equal(200, (await shared.Client.AskAsync($"{Products}/TAG", ("If-None-Match", "\"77\""))).Status);
    }

    [Fact]
    public async Task A_compressed_body_is_a_415_that_says_which_coding_is_read()
    {
        var answer = await HttpRequests.SendRawAsync(
            shared.Host.Url,
            "PUT /api/v1/products/ZIP HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
            "Content-Encoding: gzip\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
        Assert.Matches("(?s)^HTTP/1.1 415 .*Accept-Encoding: identity\r\n.*unsupported_media_type", answer);
    }

    [Fact]
    public async Task A_long_list_is_compressed_on_request()
    {
        for (var i = 0; i < 120; i++) await shared.Client.PutAsync($"{Products}/LONG-{i:D3}", Product);
        var plain = await shared.Client.AskAsync($"{Products}?limit=200");
        Assert.Equal("Accept-Encoding", plain.Headers["Vary"]);
        Assert.False(plain.Headers.ContainsKey("Content-Encoding"));
        var packed = await shared.Client.AskAsync($"{Products}?limit=200", ("Accept-Encoding", "br, gzip;q=0.8"));
        Assert.Equal("gzip", packed.Headers["Content-Encoding"]);
        Assert.True(packed.Body.Length * 5 < plain.Body.Length);
        using var unpacked = new GZipStream(new MemoryStream(packed.Body), CompressionMode.Decompress);
        using var copy = new MemoryStream();
        await unpacked.CopyToAsync(copy);
        Assert.Equal(plain.Body, copy.ToArray());
        var refused = await shared.Client.AskAsync($"{Products}?limit=200", ("Accept-Encoding", "gzip;q=0"));
        Assert.False(refused.Headers.ContainsKey("Content-Encoding"));
    }

    [Theory]
    [InlineData("GET /api/v1/stock/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    [InlineData("GET /api/v1/stock HTTP/1.1\r\nHost: localhost\r\nX-Name: M\u00fcller\r\n\r\n")]
    [InlineData("GET /api/v1/stock HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n")]
    [InlineData("nonsense\r\n\r\n")]
    public async Task A_request_that_cannot_be_read_is_a_problem_and_the_end_of_the_connection(string request) =>
        Assert.Matches(
            "(?s)^HTTP/1.1 400 Bad Request\r\n.*application/problem\\+json\r\n.*\"code\":\"bad_request\"[^}]*}\\[closed\\]$",
            await HttpRequests.SendRawAsync(shared.Host.Url, request));

    [Theory]
    [InlineData("/api/v1/orders/1")]
    [InlineData("/api/v1/orders/' OR 1=1 --")]
    [InlineData("/api/v1/orders/0198f3a4-1234-7123-8123-12345678901z")]
    public async Task An_id_that_is_none_is_a_400(string path) =>
        (await shared.Client.AskAsync(path)).IsProblem(400, "invalid_request");

    [Theory]
    [InlineData("/api/v1/orders?cursor=abc", "cursor invalid_cursor")]
    [InlineData("/api/v1/orders?cursor=AAAAAAAAAAAA", "cursor invalid_cursor")]
    [InlineData("/api/v1/products?cursor=%00", "cursor invalid_cursor")]
    [InlineData("/api/v1/orders?limit=0", "limit out_of_range")]
    [InlineData("/api/v1/orders?limit=201", "limit out_of_range")]
    [InlineData("/api/v1/orders?limit=1&limit=2", "limit repeated_parameter")]
    [InlineData("/api/v1/orders?colour=red", "colour unknown_parameter")]
    [InlineData("/api/v1/orders?status=lost", "status unknown_value")]
    public async Task A_query_that_cannot_be_is_a_400(string path, string error) =>
        (await shared.Client.AskAsync(path)).IsProblem(400, "invalid_request").Names(error);

    [Fact]
    public async Task A_cursor_that_was_changed_is_a_400()
    {
        for (var i = 0; i < 3; i++) await shared.Client.PutAsync($"{Products}/CUR-{i}", Product);
        var cursor = (string)(await shared.Client.AskAsync($"{Products}?limit=1")).Json["nextCursor"]!;
        Assert.Equal(200, (await shared.Client.AskAsync($"{Products}?limit=1&cursor={cursor}")).Status);

        var changed = cursor[..^1] + (cursor[^1] == 'A' ? 'B' : 'A');
        (await shared.Client.AskAsync($"{Products}?limit=1&cursor={changed}"))
            .IsProblem(400, "invalid_request").Names("cursor invalid_cursor");
    }

    [Fact]
    public async Task Nothing_says_which_server_this_is()
    {
        var answer = await shared.Client.AskAsync(Products);
        Assert.False(answer.Headers.ContainsKey("Server"));
        Assert.False(answer.Headers.ContainsKey("X-Powered-By"));
    }

    [Theory]
    [InlineData("'; DROP TABLE products; --")]
    [InlineData("<script>alert(1)</script>")]
    [InlineData("=HYPERLINK(\\\"http://evil\\\")")]
    public async Task Text_with_special_meaning_elsewhere_is_returned_unchanged(string name)
    {
        var body = $$"""{"name":"{{name}}","unitPrice":1,"currency":"GBP"}""";
        Assert.True((await shared.Client.PutAsync($"{Products}/INERT", body)).Status is 200 or 201);
        var product = await shared.Client.AskAsync($"{Products}/INERT");
        Assert.Equal((string?)JsonNode.Parse(body)!["name"], (string?)product.Json["name"]);
        Assert.DoesNotContain("<script", Encoding.UTF8.GetString(product.Body), StringComparison.Ordinal);
    }
}
