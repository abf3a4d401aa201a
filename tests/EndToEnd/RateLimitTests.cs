using Orderwright.Hosting.Keys;
using Orderwright.Http;

namespace Orderwright.EndToEnd;

/// <summary>Limits of requests per key and per address, with quotas of ten and twenty.</summary>
public sealed class RateLimitTests : IAsyncLifetime
{
    const string Products = "/api/v1/products";

    readonly string directory = HttpHost.NewDirectory();
    HttpHost host = null!;
    string busy = "";
    string calm = "";

    public async ValueTask InitializeAsync()
    {
        var file = Path.Combine(directory, "keys.json");
        busy = KeyFile.Add(file, "busy", [.. Scopes.All], DateTimeOffset.UtcNow);
        calm = KeyFile.Add(file, "calm", [.. Scopes.All], DateTimeOffset.UtcNow);
        host = await HttpHost.StartAsync(
            null, "--keys", file, "--key-rate", "2", "--address-rate", "1", "--webhook-rate", "1", "--wrong-key-rate", "10");
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task A_key_over_its_limit_is_a_429_that_says_when_to_return_and_disturbs_no_other_key()
    {
        var (allowed, refused) = await ExhaustAsync(Products, Bearer(busy));
        Assert.InRange(allowed, 20, 200);
        Assert.Equal("\"key\";q=20;w=10", refused.Headers["RateLimit-Policy"]);
        Assert.Matches("^\"key\";r=0;t=[1-9][0-9]*$", refused.Headers["RateLimit"]);
        Assert.InRange(int.Parse(refused.Headers["Retry-After"], null), 1, 10);
        Assert.Equal(200, (await host.Client.AskAsync(Products, Bearer(calm))).Status);
    }

    [Fact]
    public async Task Wrong_keys_over_their_limit_are_a_429_fill_no_log_and_lock_no_valid_key_out()
    {
        var (allowed, refused) = await ExhaustAsync(Products, Bearer("ow_00000000_nonsense"), 401);
        Assert.InRange(allowed, 10, 100);
        Assert.StartsWith("\"wrong-key\";q=10;w=60", refused.Headers["RateLimit-Policy"], StringComparison.Ordinal);
        for (var i = 0; i < 100; i++) await host.Client.AskAsync(Products, Bearer("ow_00000000_nonsense"));
        Assert.InRange(host.Output.Split("A key was refused").Length - 1, 1, 50);
        Assert.Equal(200, (await host.Client.AskAsync(Products, Bearer(calm))).Status);
    }

    [Fact]
    public async Task An_address_without_a_key_over_its_limit_is_a_429()
    {
        await ExhaustAsync("/login");
        (await host.Client.AskAsync(Products)).IsProblem(429, "rate_limited");
        Assert.Equal(200, (await host.Client.AskAsync(Products, Bearer(calm))).Status);
    }

    [Fact]
    public async Task Probes_have_no_limit_and_webhooks_have_their_own()
    {
        var (allowed, refused) = await ExhaustAsync("/api/v1/webhooks/nobody", null, 404, HttpMethod.Post);
        Assert.InRange(allowed, 10, 100);
        Assert.StartsWith("\"webhook\"", refused.Headers["RateLimit"], StringComparison.Ordinal);
        Assert.Equal(200, (await host.Client.AskAsync("/login")).Status);
        for (var i = 0; i < 100; i++)
        {
            Assert.Equal(200, (await host.Client.AskAsync("/health/live")).Status);
            Assert.Equal(200, (await host.Client.AskAsync("/health/ready", Bearer(busy))).Status);
        }
    }

    [Fact]
    public async Task Refusals_are_counted_in_a_metric()
    {
        await ExhaustAsync(Products, Bearer(busy));
        var metrics = System.Text.Encoding.UTF8.GetString((await host.Client.AskAsync("/metrics", Bearer(calm))).Body);
        Assert.Matches("""orderwright_requests_refused_total\{code="rate_limited"\} [1-9]""", metrics);
    }

    static (string, string) Bearer(string token) => ("Authorization", $"Bearer {token}");

    // Calls until the limit; also returns the number of calls before.
    async Task<(int Allowed, HttpAnswer Refused)> ExhaustAsync(
        string path, (string, string)? header = null, int allowed = 200, HttpMethod? method = null)
    {
        for (var calls = 0; ; calls++)
        {
            var answer = await host.Client.SendAsync(
                method ?? HttpMethod.Get, path, headers: header is { } one ? [one] : []);
            if (answer.Status == 429) return (calls, answer.IsProblem(429, "rate_limited"));
            Assert.Equal(allowed, answer.Status);
            Assert.InRange(calls, 0, 10_000);
        }
    }
}
