using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Orderwright.EndToEnd;

/// <summary>Access tokens of an issuer: what they grant, and how forged and outdated ones fail.</summary>
public sealed class TokenTests : IAsyncLifetime
{
    readonly string directory = HttpHost.NewDirectory();
    TestIssuer issuer = null!;
    HttpHost host = null!;

    public async ValueTask InitializeAsync()
    {
        issuer = await TestIssuer.StartAsync();
        host = await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        await issuer.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task A_token_grants_scopes_and_channels_by_its_claims()
    {
        var placed = await PlaceAsync(issuer.Sign());
        Assert.Equal((202, "acme"), (placed.Status, (string)placed.Json["channel"]!));
        var beta = issuer.Sign(claims: body => body["channels"] = "beta gamma");
        Assert.Equal(404, (await GetAsync($"/api/v1/orders/{placed.Json["id"]}", beta)).Status);
        Assert.Equal("beta", (string)(await PlaceAsync(beta)).Json["channel"]!);
        (await GetAsync("/api/v1/stock", beta)).IsProblem(403, "missing_scope");
        // Without the claim, no channel.
        var none = issuer.Sign(claims: body => body.Remove("channels"));
        Assert.Empty((await GetAsync("/api/v1/orders", none)).Json["items"]!.AsArray());
        (await PlaceAsync(none)).IsProblem(403, "channel_not_granted");
        var events = await GetAsync($"/api/v1/orders/{placed.Json["id"]}/events", issuer.Sign());
        Assert.Contains("login:ann", Encoding.UTF8.GetString(events.Body), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_grants_the_scopes_of_its_roles()
    {
        var placed = await PlaceAsync(issuer.Sign());
        var desk = issuer.Sign(claims: body => body["scope"] = "openid desk");
        Assert.Equal(200, (await GetAsync($"/api/v1/orders/{placed.Json["id"]}", desk)).Status);
        Assert.Equal(200, (await GetAsync("/api/v1/stock", desk)).Status);
        (await PlaceAsync(desk)).IsProblem(403, "missing_scope");
        (await GetAsync("/metrics", desk)).IsProblem(403, "missing_scope");
    }

    static readonly string[] Forgeries =
    [
        "alg none", "alg none, signed", "HS256 with the public key", "HS256 with the public key as PEM", "another key",
        "another key under a known id", "unknown key id", "key in the header", "address of keys in the header", "wrong audience",
        "no audience", "wrong issuer", "expired", "no expiry", "not yet valid", "id token", "no type", "no subject",
        "changed after signing", "unreadable",
    ];

    [Fact]
    public async Task A_forged_or_outdated_token_is_refused()
    {
        // The keys are known: a forgery must not pass for want of them.
        Assert.Equal(200, (await GetAsync("/api/v1/orders", issuer.Sign())).Status);
        await using var thief = await TestIssuer.StartAsync();
        thief.Rotate(issuer.KeyId);
        var accepted = new List<string>();
        foreach (var forgery in Forgeries)
        {
            var token = Forged(forgery, thief);
            var refused = await GetAsync("/api/v1/orders", token);
            if (refused.Status < 300) accepted.Add(forgery);
            else
                Assert.Contains(
                    "invalid_token", refused.IsProblem(401, "token_refused").Headers["WWW-Authenticate"],
                    StringComparison.Ordinal);
            Assert.DoesNotContain(token, host.Output, StringComparison.Ordinal);
        }
        Assert.True(accepted.Count == 0, $"accepted: {string.Join(", ", accepted)}");
    }

    string Forged(string forgery, TestIssuer thief)
    {
        byte[] Stolen(byte[] text) => thief.Key.SignData(text, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        return forgery switch
        {
            "alg none" => issuer.Sign(header => header["alg"] = "none", signature: _ => []),
            "alg none, signed" => issuer.Sign(header => header["alg"] = "none"),
            "HS256 with the public key" => issuer.Sign(
                header => header["alg"] = "HS256",
                signature: text => HMACSHA256.HashData(issuer.Key.ExportRSAPublicKey(), text)),
            "HS256 with the public key as PEM" => issuer.Sign(
                header => header["alg"] = "HS256",
                signature: text => HMACSHA256.HashData(
                    Encoding.ASCII.GetBytes(issuer.Key.ExportSubjectPublicKeyInfoPem()), text)),
            "another key" => issuer.Sign(header => header.Remove("kid"), signature: Stolen),
            "another key under a known id" => issuer.Sign(signature: Stolen),
            "unknown key id" => issuer.Sign(header => header["kid"] = "no-such-key", signature: Stolen),
            "key in the header" => issuer.Sign(
                header => header["jwk"] = thief.Keys()["keys"]![0]!.DeepClone(), signature: Stolen),
            "address of keys in the header" => issuer.Sign(
                header =>
                {
                    header["jku"] = $"{thief.Url}/keys";
                    header["x5u"] = $"{thief.Url}/keys";
                },
                signature: Stolen),
            "wrong audience" => issuer.Sign(claims: body => body["aud"] = "another-api"),
            "no audience" => issuer.Sign(claims: body => body.Remove("aud")),
            "wrong issuer" => issuer.Sign(claims: body => body["iss"] = thief.Url),
            "expired" => issuer.Sign(claims: body => body["exp"] = now - 60),
            "no expiry" => issuer.Sign(claims: body => body.Remove("exp")),
            "not yet valid" => issuer.Sign(claims: body => body["nbf"] = now + 300),
            "id token" => issuer.Sign(header => header["typ"] = "JWT"),
            "no type" => issuer.Sign(header => header.Remove("typ")),
            "no subject" => issuer.Sign(claims: body => body.Remove("sub")),
            "changed after signing" => Changed(issuer.Sign()),
            _ => "a.b.c",
        };
    }

    [Fact]
    public async Task A_rotated_key_is_found_and_the_former_one_ends()
    {
        var before = issuer.Sign();
        Assert.Equal(200, (await GetAsync("/api/v1/orders", before)).Status);
        var stale = issuer.Sign(claims: body => body["jti"] = "not used yet");
        issuer.Rotate("second");
        await Waiting.UntilAsync(async () => (await GetAsync("/api/v1/orders", issuer.Sign())).Status == 200);
        (await GetAsync("/api/v1/orders", stale)).IsProblem(401, "token_refused");
    }

    [Fact]
    public async Task While_the_issuer_is_away_known_keys_stay_in_force()
    {
        Assert.Equal(200, (await GetAsync("/api/v1/orders", issuer.Sign())).Status);
        await issuer.StopAsync();
        Assert.Equal(200, (await GetAsync("/api/v1/orders", issuer.Sign(claims: body => body["jti"] = "2"))).Status);

        await using var fresh = await StartAsync();
        var answer = await fresh.Client.AskAsync("/api/v1/orders", ("Authorization", $"Bearer {issuer.Sign()}"));
        Assert.Equal("10", answer.IsProblem(503, "issuer_unavailable").Headers["Retry-After"]);
    }

    Task<HttpHost> StartAsync()
    {
        var file = Path.Combine(directory, "issuers.json");
        File.WriteAllText(
            file,
            $$"""
            {"issuers":[{"name":"login","issuer":"{{issuer.Url}}","audience":"orderwright","clockSkewSeconds":5,
              "grants":{"shop":["orders"]},"roles":{"desk":["support"]} }]}
            """);
        return HttpHost.StartAsync(null, "--issuers", file, "--wrong-key-rate", "100000");
    }

    static string Changed(string token)
    {
        var parts = token.Split('.');
        var body = JsonNode.Parse(Convert.FromBase64String(
            parts[1].Replace('-', '+').Replace('_', '/').PadRight((parts[1].Length + 3) / 4 * 4, '=')))!;
        body["channels"] = "*";
        return $"{parts[0]}.{TestIssuer.Base64(Encoding.UTF8.GetBytes(body.ToJsonString()))}.{parts[2]}";
    }

    Task<HttpAnswer> GetAsync(string path, string token) =>
        host.Client.AskAsync(path, ("Authorization", $"Bearer {token}"));

    Task<HttpAnswer> PlaceAsync(string token) => host.Client.PostAsync(
        "/api/v1/orders", """{"customerId":"ada","currency":"GBP","lines":[{"sku":"MUG-01","quantity":1}]}""",
        ("Authorization", $"Bearer {token}"));
}
