using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Orderwright.EndToEnd;

/// <summary>
/// Issuer of access tokens with a discovery document. Tokens are put together by hand, so that each part can be wrong.
/// </summary>
public sealed class TestIssuer : IAsyncDisposable
{
    readonly WebApplication web;

    TestIssuer(WebApplication web) => this.web = web;

    public string Url { get; private set; } = "";

    public RSA Key { get; private set; } = RSA.Create(2048);

    public string KeyId { get; private set; } = "first";

    public static async Task<TestIssuer> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var issuer = new TestIssuer(builder.Build());
        issuer.web.MapGet(
            "/.well-known/openid-configuration",
            () => Results.Text($$"""{"issuer":"{{issuer.Url}}","jwks_uri":"{{issuer.Url}}/keys"}"""));
        issuer.web.MapGet("/keys", () => Results.Text(issuer.Keys().ToJsonString()));
        await issuer.web.StartAsync();
        issuer.Url = issuer.web.Urls.Single();
        return issuer;
    }

    public void Rotate(string keyId) => (Key, KeyId) = (RSA.Create(2048), keyId);

    public JsonObject Keys()
    {
        var key = Key.ExportParameters(includePrivateParameters: false);
        return new JsonObject
        {
            ["keys"] = new JsonArray(new JsonObject
            {
                ["kty"] = "RSA", ["use"] = "sig", ["kid"] = KeyId, ["n"] = Base64(key.Modulus!), ["e"] = Base64(key.Exponent!),
            }),
        };
    }

    /// <summary>Signs a token of this issuer, for Orderwright, valid for ten minutes; the parts may be replaced.</summary>
    public string Sign(
        Action<JsonObject>? header = null, Action<JsonObject>? claims = null, Func<byte[], byte[]>? signature = null)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var head = new JsonObject { ["alg"] = "RS256", ["typ"] = "at+jwt", ["kid"] = KeyId };
        var body = new JsonObject
        {
            ["iss"] = Url, ["aud"] = "orderwright", ["sub"] = "ann", ["iat"] = now, ["exp"] = now + 600,
            ["scope"] = "openid shop", ["channels"] = new JsonArray("acme"),
        };
        header?.Invoke(head);
        claims?.Invoke(body);
        var text = $"{Base64(Encoding.UTF8.GetBytes(head.ToJsonString()))}.{Base64(Encoding.UTF8.GetBytes(body.ToJsonString()))}";
        var bytes = Encoding.ASCII.GetBytes(text);
        return $"{text}.{Base64(signature is null
            ? Key.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1) : signature(bytes))}";
    }

    public static string Base64(byte[] bytes) =>
        Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    public Task StopAsync() => web.StopAsync();

    public ValueTask DisposeAsync() => web.DisposeAsync();
}
