using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Tokens;

namespace Orderwright.Hosting.Tokens;

/// <summary>An issuer as its discovery document describes it.</summary>
/// <param name="Keys">Public keys that sign its tokens.</param>
/// <param name="Authorize">Address that people are sent to for signing in; null for an issuer without sign-in.</param>
/// <param name="Token">Address that exchanges a code; null for an issuer without sign-in.</param>
/// <param name="UserInfo">Address of further claims; null for none.</param>
/// <param name="SecretInForm">The client's secret is sent in the form, because the issuer does not take it in a header.</param>
sealed record IssuerDocument(
    IReadOnlyList<SecurityKey> Keys, Uri? Authorize, Uri? Token, Uri? UserInfo, bool SecretInForm)
{
    const int LongestDocument = 1_000_000;

    /// <summary>A client that reads small documents, follows no redirects, and waits ten seconds at most.</summary>
    public static HttpClient NewClient() => new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })
    {
        Timeout = TimeSpan.FromSeconds(10), MaxResponseContentBufferSize = LongestDocument,
    };

    /// <summary>Reads the discovery document and the keys. Throws for any fault.</summary>
    public static async Task<IssuerDocument> ReadAsync(string issuer, HttpClient http)
    {
        var document = await FetchAsync(http, $"{issuer.TrimEnd('/')}/.well-known/openid-configuration");
        if (TextOf(document, "issuer") != issuer)
            throw new InvalidOperationException($"its discovery document names the issuer {TextOf(document, "issuer")}");
        var keys = await FetchAsync(
            http, TextOf(document, "jwks_uri") ?? throw new InvalidOperationException("its discovery document has no jwks_uri"));
        var methods = document["token_endpoint_auth_methods_supported"]?.AsArray().Select(one => (string?)one).ToList();
        return new(
            [.. new JsonWebKeySet(keys.ToJsonString()).GetSigningKeys().Where(key => key is not SymmetricSecurityKey)],
            AddressOf("authorization_endpoint"), AddressOf("token_endpoint"), AddressOf("userinfo_endpoint"),
            methods is not null && !methods.Contains("client_secret_basic") && methods.Contains("client_secret_post"));

        Uri? AddressOf(string name) => TextOf(document, name) is { } text ? Checked(text) : null;
    }

    static string? TextOf(JsonNode document, string name) =>
        document[name] is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    static async Task<JsonObject> FetchAsync(HttpClient http, string address) =>
        JsonNode.Parse(await http.GetStringAsync(Checked(address))) as JsonObject
        ?? throw new InvalidOperationException($"{address} is not an object");

    static Uri Checked(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var url) && (url.Scheme == Uri.UriSchemeHttps || url.IsLoopback)
            ? url
            : throw new InvalidOperationException($"{address} is not an https address");
}

/// <summary>
/// Keys of an issuer. They are read at the first token, every hour, and when a token names an unknown key, but at most every ten
/// seconds. While the issuer is unavailable, the known keys stay in force.
/// </summary>
sealed partial class IssuerKeys(string issuer, HttpClient http, TimeProvider time, ILogger<IssuerKeys> log)
{
    static readonly TimeSpan MaxAge = TimeSpan.FromHours(1);
    static readonly TimeSpan LeastPause = TimeSpan.FromSeconds(10);

    readonly Lock gate = new();
    long? readAt;
    Task<IReadOnlyList<SecurityKey>?> last = Task.FromResult<IReadOnlyList<SecurityKey>?>(null);

    /// <summary>Returns the keys; null if they were never read.</summary>
    /// <param name="wanted">Id of the key that a token names; null for any.</param>
    public async ValueTask<IReadOnlyList<SecurityKey>?> GetAsync(string? wanted)
    {
        Task<IReadOnlyList<SecurityKey>?> reading;
        lock (gate) reading = last;
        var known = await reading;
        if (known is not null && (wanted is null || known.Any(key => key.KeyId == wanted)) && !IsOlderThan(MaxAge)) return known;
        lock (gate)
        {
            if (last.IsCompleted && IsOlderThan(LeastPause))
            {
                readAt = time.GetTimestamp();
                last = ReadAsync(known);
            }
            reading = last;
        }
        return await reading;
    }

    bool IsOlderThan(TimeSpan age)
    {
        lock (gate) return readAt is not { } at || time.GetElapsedTime(at) >= age;
    }

    async Task<IReadOnlyList<SecurityKey>?> ReadAsync(IReadOnlyList<SecurityKey>? known)
    {
        try
        {
            return (await IssuerDocument.ReadAsync(issuer, http)).Keys;
        }
        // A foreign server can fail in many ways; each is retried.
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            LogUnreadable(issuer, error.Message, known?.Count ?? 0);
            return known;
        }
    }

    [LoggerMessage(2041, LogLevel.Error, "The keys of {Issuer} could not be read: {Why}; {Known} known keys stay in force")]
    partial void LogUnreadable(string issuer, string why, int known);
}
