using System.Net;
using System.Security.Cryptography;
using Orderwright.Hosting.Keys;
using Orderwright.Http;

namespace Orderwright.EndToEnd;

/// <summary>Sessions of the console: ended by the server, and safe behind a proxy with TLS.</summary>
public sealed class SessionTests : IDisposable
{
    readonly string directory = HttpHost.NewDirectory();

    string Keys => Path.Combine(directory, "keys.json");

    [Fact]
    public async Task A_copy_of_the_cookie_opens_no_page_after_signing_out()
    {
        var key = KeyFile.Add(Keys, "anna", [.. Scopes.All], DateTimeOffset.UtcNow);
        await using var host = await HttpHost.StartAsync(null, "--keys", Keys);
        using var visitor = await ConsoleVisitor.SignInAsync(host.Url, key);
        using var copy = visitor.Copy();
        Assert.Equal(200, (await copy.Client.AskAsync("/orders")).Status);
        await visitor.SubmitAsync("/logout");
        Assert.StartsWith("/login", (await copy.Client.AskAsync("/orders")).Headers["Location"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_instance_with_the_same_session_key_reads_the_cookie()
    {
        var key = KeyFile.Add(Keys, "anna", [.. Scopes.All], DateTimeOffset.UtcNow);
        var secret = Path.Combine(directory, "session.key");
        File.WriteAllText(secret, Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));
        await using var one = await HttpHost.StartAsync(null, "--keys", Keys, "--session-key", secret);
        await using var other = await HttpHost.StartAsync(null, "--keys", Keys, "--session-key", secret);
        await using var foreign = await HttpHost.StartAsync(null, "--keys", Keys);
        using var visitor = await ConsoleVisitor.SignInAsync(one.Url, key);
        using var there = visitor.Copy(other.Url);
        Assert.Equal(200, (await there.Client.AskAsync("/orders")).Status);
        using var elsewhere = visitor.Copy(foreign.Url);
        Assert.StartsWith("/login", (await elsewhere.Client.AskAsync("/orders")).Headers["Location"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_form_sent_by_a_page_of_another_host_is_refused()
    {
        var key = KeyFile.Add(Keys, "anna", [.. Scopes.All], DateTimeOffset.UtcNow);
        await using var host = await HttpHost.StartAsync(null, "--keys", Keys);
        using var visitor = await ConsoleVisitor.SignInAsync(host.Url, key);
        visitor.Client.DefaultRequestHeaders.Add("Origin", "https://elsewhere.example");
        Assert.Equal(400, (await visitor.SubmitAsync("/logout")).Status);
        Assert.Equal(200, (await visitor.Client.AskAsync("/orders")).Status);
    }

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("10.1.0.0/16", false)]
    [InlineData(null, false)]
    public async Task Cookies_are_secure_behind_a_known_proxy_with_tls(string? proxies, bool secure)
    {
        KeyFile.Add(Keys, "anna", [.. Scopes.All], DateTimeOffset.UtcNow);
        await using var host = await HttpHost.StartAsync(
            null, ["--keys", Keys, .. proxies is null ? Array.Empty<string>() : ["--proxies", proxies]]);
        var page = await host.Client.AskAsync("/login", ("X-Forwarded-Proto", "https"), ("X-Forwarded-For", "192.0.2.7"));
        Assert.Equal(secure, page.Headers["Set-Cookie"].Contains("; secure", StringComparison.OrdinalIgnoreCase));
        // A refused key is logged with the address that the proxy names.
        await host.Client.AskAsync(
            "/api/v1/orders", ("Authorization", "Bearer ow_wrongkey_0123456789"), ("X-Forwarded-For", "192.0.2.7"));
        await host.WaitForAsync($"sent from {(secure ? "192.0.2.7" : IPAddress.Loopback)}");
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);
}
