using System.Net;
using System.Text;
using Orderwright.Hosting.Keys;
using Orderwright.Http;

namespace Orderwright.EndToEnd;

/// <summary>Process with keys: accepted and refused callers.</summary>
public sealed class KeyedHttpHost : IAsyncLifetime
{
    readonly string directory = HttpHost.NewDirectory();

    public string File => Path.Combine(directory, "keys.json");

    public HttpHost Host { get; private set; } = null!;

    public HttpClient Client => Host.Client;

    public string Add(string name, TimeSpan? expires, params string[] scopes) => AddFor("main", name, expires, scopes);

    public string AddLimited(int maxDiscount) =>
        KeyFile.Add(File, "checkout", [Scopes.Orders], DateTimeOffset.UtcNow, maxDiscount: maxDiscount);

    public string AddFor(string channel, string name, TimeSpan? expires, params string[] scopes) =>
        KeyFile.Add(File, name, scopes, DateTimeOffset.UtcNow, expires, [channel]);

    // All keys exist before the start, so that only the test about reloading waits for the file.
    public async ValueTask InitializeAsync()
    {
        Orders = Add("shop", TimeSpan.FromDays(90), Scopes.Orders);
        Checkout = AddLimited(20);
        Pricing = Add("pricing", null, Scopes.Orders, Scopes.OrdersPrice);
        Stock = Add("warehouse", null, Scopes.Stock);
        Metrics = Add("prometheus", null, Scopes.Metrics);
        Operator = Add("operator", null, [.. Scopes.All]);
        Expired = Add("old", TimeSpan.FromDays(-1), Scopes.Orders);
        Revoked = Add("lost", null, Scopes.Orders);
        KeyFile.Revoke(File, Revoked.Split('_')[1], DateTimeOffset.UtcNow);
        Other = AddFor("other-channel", "other", null, Scopes.Orders);
        Host = await HttpHost.StartAsync(null, "--keys", File, "--listen", "http://0.0.0.0:0", "--wrong-key-rate", "1000000");
    }

    public string Orders { get; private set; } = "";

    public string Stock { get; private set; } = "";

    public string Metrics { get; private set; } = "";

    public string Checkout { get; private set; } = "";

    public string Pricing { get; private set; } = "";

    public string Operator { get; private set; } = "";

    public string Expired { get; private set; } = "";

    public string Revoked { get; private set; } = "";

    public string Other { get; private set; } = "";

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }
}

public sealed class HttpKeyTests(KeyedHttpHost keyed) : IClassFixture<KeyedHttpHost>
{
    const string Order = """{"customerId":"nobody","currency":"GBP","lines":[{"sku":"NONE","quantity":1}]}""";
    const string Orders = "/api/v1/orders";

    static (string, string) Bearer(string token) => ("Authorization", $"Bearer {token}");

    [Theory]
    [InlineData("Orders", -1, 403)]
    [InlineData("Checkout", -20, 202)]
    [InlineData("Checkout", -21, 403)]
    [InlineData("Pricing", -100, 202)]
    public async Task A_key_gives_discounts_up_to_its_limit(string key, int amount, int status)
    {
        var token = key == "Orders" ? keyed.Orders : key == "Checkout" ? keyed.Checkout : keyed.Pricing;
        var answer = await keyed.Client.PostAsync(
            Orders,
            $$"""
            {"customerId":"nobody","currency":"GBP","lines":[{"sku":"NONE","quantity":1,"unitPrice":100}],
             "adjustments":[{"type":"discount","label":"x","amount":{{amount}}}]}
            """,
            Bearer(token));
        Assert.Equal(status, answer.Status);
        if (status == 403) answer.IsProblem(403, "discount_not_allowed");
    }

    [Theory]
    [InlineData("/api/v1/orders")]
    [InlineData("/api/v1/stock")]
    [InlineData("/api/v1/sagas")]
    [InlineData("/metrics")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/swagger/index.html")]
    [InlineData("/no/such/path")]
    public async Task Without_a_key_everything_is_a_401(string path)
    {
        var answer = (await keyed.Client.AskAsync(path)).IsProblem(401, "key_required");
        Assert.StartsWith("Bearer", answer.Headers["WWW-Authenticate"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/orders")]
    [InlineData("/live?at=/")]
    public async Task Without_a_key_the_console_shows_only_the_sign_in_page(string path)
    {
        var page = Encoding.UTF8.GetString((await keyed.Client.AskAsync(path)).Body);
        Assert.Contains("Sign in with an API key.", page, StringComparison.Ordinal);
        Assert.DoesNotContain("/api/v1/", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/metrics", 200)]
    [InlineData("/api/v1/orders", 403)]
    [InlineData("/api/v1/stock", 403)]
    [InlineData("/api/v1/payments", 403)]
    [InlineData("/api/v1/incidents", 403)]
    [InlineData("/api/v1/audit", 403)]
    public async Task A_key_for_metrics_reads_metrics_and_nothing_else(string path, int status) =>
        Assert.Equal(status, (await keyed.Client.AskAsync(path, Bearer(keyed.Metrics))).Status);

    [Fact]
    public async Task Health_needs_no_key_and_tells_nothing_without_one()
    {
        Assert.Equal(200, (await keyed.Client.AskAsync("/health/live")).Status);
        Assert.Equal(
            """{"ready":true,"services":null,"databases":null,"instances":null}""",
            Encoding.UTF8.GetString((await keyed.Client.AskAsync("/health/ready")).Body));
        Assert.NotNull(
            (await keyed.Client.AskAsync("/health/ready", Bearer(keyed.Operator)))
                .Json["services"]!["order-service"]?.ToString() ?? "");
    }

    [Theory]
    [InlineData("Bearer")]
    [InlineData("Bearer x")]
    [InlineData("Bearer ow_")]
    [InlineData("Bearer ow_00000000_0000000000000000000000000000000000000000000")]
    [InlineData("Basic b3c6b3c=")]
    [InlineData("Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb290In0.")]
    public async Task Garbage_is_a_401(string authorization) =>
        (await keyed.Client.AskAsync(Orders, ("Authorization", authorization))).IsProblem(401, "key_unknown");

    [Fact]
    public async Task A_right_prefix_with_a_wrong_secret_is_a_401()
    {
        var token = keyed.Orders[..^2] + (keyed.Orders.EndsWith("AA", StringComparison.Ordinal) ? "BB" : "AA");
        (await keyed.Client.AskAsync(Orders, Bearer(token))).IsProblem(401, "key_unknown");
        (await keyed.Client.AskAsync(Orders, Bearer(keyed.Orders + "A"))).IsProblem(401, "key_unknown");
    }

    [Fact]
    public async Task An_expired_key_is_a_401() =>
        (await keyed.Client.AskAsync(Orders, Bearer(keyed.Expired))).IsProblem(401, "key_expired");

    [Fact]
    public async Task A_key_that_was_taken_back_is_a_401() =>
        (await keyed.Client.AskAsync(Orders, Bearer(keyed.Revoked))).IsProblem(401, "key_revoked");

    [Fact]
    public async Task A_key_grants_its_scopes()
    {
        Assert.Equal(200, (await keyed.Client.AskAsync(Orders, Bearer(keyed.Orders))).Status);
        Assert.Equal(200, (await keyed.Client.AskAsync(Orders, ("X-Api-Key", keyed.Orders))).Status);
        Assert.Equal(200, (await keyed.Client.AskAsync("/api/v1/stock", Bearer(keyed.Stock))).Status);
    }

    [Theory]
    [InlineData("/api/v1/stock")]
    [InlineData("/api/v1/customers")]
    [InlineData("/api/v1/payments")]
    [InlineData("/api/v1/sagas")]
    [InlineData("/metrics")]
    public async Task A_key_without_the_scope_is_a_403(string path) =>
        (await keyed.Client.AskAsync(path, Bearer(keyed.Orders))).IsProblem(403, "missing_scope");

    [Theory]
    [InlineData("/openapi/v1.json", "\"openapi\"")]
    [InlineData("/swagger/index.html", "swagger-ui")]
    public async Task Any_valid_key_reads_the_description_of_the_API_also_as_a_browsers_password(string path, string part)
    {
        foreach (var header in new[] { Bearer(keyed.Stock), ("X-Api-Key", keyed.Stock), Basic(keyed.Stock) })
        {
            var answer = await keyed.Client.AskAsync(path, header);
            Assert.Equal(200, answer.Status);
            Assert.Contains(part, Encoding.UTF8.GetString(answer.Body), StringComparison.Ordinal);
        }
        var refused = (await keyed.Client.AskAsync(path, Basic(keyed.Revoked))).IsProblem(401, "key_revoked");
        Assert.Contains("Basic realm", refused.Headers["WWW-Authenticate"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_browsers_password_opens_nothing_else()
    {
        var refused = (await keyed.Client.AskAsync(Orders, Basic(keyed.Operator))).IsProblem(401, "key_unknown");
        Assert.DoesNotContain("Basic", refused.Headers["WWW-Authenticate"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_description_of_the_API_may_be_public()
    {
        await using var host = await HttpHost.StartAsync(null, "--keys", keyed.File, "--public-document", "true");
        Assert.Equal(200, (await host.Client.AskAsync("/openapi/v1.json")).Status);
        Assert.Equal(200, (await host.Client.AskAsync("/swagger/index.html")).Status);
        (await host.Client.AskAsync(Orders)).IsProblem(401, "key_required");
    }

    [Fact]
    public async Task A_refused_key_appears_in_the_log_and_in_a_metric_without_the_key()
    {
        var (prefix, secret) = (keyed.Revoked.Split('_')[1], keyed.Revoked.Split('_', 3)[2]);
        (await keyed.Client.AskAsync(Orders, Bearer(keyed.Revoked))).IsProblem(401, "key_revoked");
        await keyed.Host.WaitForAsync($"A key was refused: Revoked; its prefix is {prefix}, sent from 127.0.0.1");
        (await keyed.Client.AskAsync(Orders, Bearer("ow_0123abcd_" + secret))).IsProblem(401, "key_unknown");
        await keyed.Host.WaitForAsync("A key was refused: Unknown; its prefix is unknown, sent from 127.0.0.1");
        Assert.DoesNotContain(secret, keyed.Host.Output, StringComparison.Ordinal);
        var metrics = Encoding.UTF8.GetString((await keyed.Client.AskAsync("/metrics", Bearer(keyed.Operator))).Body);
        Assert.Matches("""orderwright_requests_refused_total\{code="key_revoked"\} [1-9]""", metrics);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_key_that_ends_ends_its_stream_and_a_change_of_another_key_does_not(bool expires)
    {
        // On a busy machine, or by a jump of the clock, a key may expire before it is used: then the next one is tried.
        var key = "";
        StreamReader? follower = null;
        for (var limit = Waiting.NewLimit(); follower is null; limit.ThrowIfCancellationRequested())
        {
            key = keyed.Add($"follower {Guid.NewGuid()}", expires ? TimeSpan.FromSeconds(8) : null, Scopes.Orders);
            follower = await FollowAsync(key);
            Assert.True(expires || follower is not null);
        }
        using var stream = follower;

        if (!expires) Assert.True(KeyFile.Revoke(keyed.File, key.Split('_')[1], DateTimeOffset.UtcNow));
        await ReadToEndAsync(stream);
        Assert.Equal(401, (await keyed.Client.AskAsync(Orders, Bearer(key))).Status);
    }

    // Returns the stream of a key after its first event, while another key is added; null when the key ended before.
    async Task<StreamReader?> FollowAsync(string key)
    {
        for (var limit = Waiting.NewLimit(); ; limit.ThrowIfCancellationRequested())
        {
            var answer = await keyed.Client.AskAsync(Orders, Bearer(key));
            if (answer.Status == 200) break;
            if ((string?)answer.Json["code"] == "key_expired") return null;
        }
        if (await TryStreamAsync(keyed.Client, "/api/v1/events", Bearer(key)) is not { } stream) return null;
        var other = keyed.Add("other", null, Scopes.Orders);
        await EventuallyAsync(Orders, other, HttpStatusCode.OK);
        await keyed.Client.PostAsync(Orders, Order, Bearer(keyed.Orders));
        return await FindsAsync(stream, "data: ") ? stream : null;
    }

    [Fact]
    public async Task A_revoked_key_ends_the_consoles_session_and_its_live_page()
    {
        var key = keyed.Add("operator", null, [.. Scopes.All]);
        await EventuallyAsync(Orders, key, HttpStatusCode.OK);
        using var visitor = await ConsoleVisitor.SignInAsync(keyed.Host.Url, key);
        Assert.Equal(200, (await visitor.Client.AskAsync("/orders")).Status);
        using var stream = await StreamAsync(visitor.Client, "/live?at=/orders");
        await ReadUntilAsync(stream, "event: page");

        Assert.True(KeyFile.Revoke(keyed.File, key.Split('_')[1], DateTimeOffset.UtcNow));
        await ReadToEndAsync(stream);
        var page = await visitor.Client.AskAsync("/orders");
        Assert.Equal((302, "/login?to=%2Forders"), (page.Status, page.Headers["Location"]));
    }

    static (string, string) Basic(string token) =>
        ("Authorization", $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"anyone:{token}"))}");

    static async Task<StreamReader> StreamAsync(HttpClient client, string path, params (string Name, string Value)[] headers)
    {
        var stream = await TryStreamAsync(client, path, headers);
        Assert.NotNull(stream);
        return stream;
    }

    // Null when the caller is refused.
    static async Task<StreamReader?> TryStreamAsync(
        HttpClient client, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.ParseAdd("text/event-stream");
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        if (response.StatusCode == HttpStatusCode.Unauthorized) return null;
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return new StreamReader(await response.Content.ReadAsStreamAsync());
    }

    static async Task ReadUntilAsync(StreamReader stream, string start) =>
        Assert.True(await FindsAsync(stream, start), "The stream ended.");

    static async Task<bool> FindsAsync(StreamReader stream, string start)
    {
        while (await stream.ReadLineAsync(Waiting.NewLimit()) is { } line)
            if (line.StartsWith(start, StringComparison.Ordinal)) return true;
        return false;
    }

    static async Task ReadToEndAsync(StreamReader stream)
    {
        while (await stream.ReadLineAsync(Waiting.NewLimit()) is not null)
        {
        }
    }

    [Fact]
    public async Task Another_channels_orders_and_keys_are_not_there()
    {
        var key = ("Idempotency-Key", "the-same");
        var mine = await keyed.Client.PostAsync(Orders, Order, key, Bearer(keyed.Orders));
        Assert.Equal(200, (await keyed.Client.AskAsync(mine.Headers["Location"], Bearer(keyed.Orders))).Status);
        (await keyed.Client.AskAsync(mine.Headers["Location"], Bearer(keyed.Other))).IsProblem(404, "not_found");

        var other = await keyed.Client.PostAsync(
            Orders, Order.Replace("1}", "2}", StringComparison.Ordinal), key, Bearer(keyed.Other));
        Assert.Equal(202, other.Status);
        Assert.NotEqual(mine.Headers["Location"], other.Headers["Location"]);
        Assert.Single((await keyed.Client.AskAsync(Orders, Bearer(keyed.Other))).Json["items"]!.AsArray());
    }

    [Fact]
    public async Task A_key_file_that_changes_is_read_again()
    {
        var token = keyed.Add("late", null, Scopes.Stock);
        await EventuallyAsync("/api/v1/stock", token, HttpStatusCode.OK);
        Assert.True(KeyFile.Revoke(keyed.File, token.Split('_')[1], DateTimeOffset.UtcNow));
        await EventuallyAsync("/api/v1/stock", token, HttpStatusCode.Unauthorized);
        Assert.False(KeyFile.Revoke(keyed.File, token.Split('_')[1], DateTimeOffset.UtcNow));
    }

    [Fact]
    public void The_key_file_is_private_and_contains_no_secret()
    {
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(keyed.File));
        Assert.DoesNotContain(keyed.Operator.Split('_', 3)[2], File.ReadAllText(keyed.File), StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_key_stands_in_the_log()
    {
        await keyed.Client.AskAsync(Orders, Bearer(keyed.Operator));
        Assert.DoesNotContain(keyed.Operator.Split('_', 3)[2], keyed.Host.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Any_host_name_is_answered_where_keys_guard_and_none_is_configured() =>
        Assert.Equal(200, (await keyed.Client.AskAsync(Orders, Bearer(keyed.Orders), ("Host", "shop.example"))).Status);

    async Task EventuallyAsync(string path, string token, HttpStatusCode status)
    {
        using var limit = new CancellationTokenSource(Waiting.HangLimit);
        while ((await keyed.Client.AskAsync(path, Bearer(token))).Status != (int)status)
            limit.Token.ThrowIfCancellationRequested();
    }
}
