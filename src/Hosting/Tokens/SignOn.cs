using System.Buffers.Text;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;
using Orderwright.Http;
using Orderwright.Http.Visitors;

namespace Orderwright.Hosting.Tokens;

/// <summary>
/// Sign-in of people at identity providers: OpenID Connect with the code flow and PKCE. The browser keeps the attempt in a sealed
/// cookie, so that any instance may complete it.
/// </summary>
sealed partial class SignOn(
    IReadOnlyList<TokenIssuer> issuers, TokenChecks checks, HttpClient provider, Sealer sealer, VisitorSessions sessions,
    TimeProvider time, ILogger<SignOn> log)
{
    const string Cookie = "orderwright_sign_on";
    const string Purpose = "sign-on";
    static readonly TimeSpan LongestAttempt = TimeSpan.FromMinutes(10);

    /// <summary>Providers that the sign-in page offers.</summary>
    public static IReadOnlyList<SignOnLink> LinksOf(IReadOnlyList<TokenIssuer> issuers) =>
        [.. issuers.Where(issuer => issuer.SignOn is not null)
            .Select(issuer => new SignOnLink(issuer.Name, issuer.SignOn!.Label ?? issuer.Name))];

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/sign-on/{name}", BeginAsync).OpenToAll().ExcludeFromDescription();
        routes.MapGet("/sign-on/{name}/callback", CompleteAsync).OpenToAll().ExcludeFromDescription();
    }

    TokenIssuer? Find(string name) => issuers.FirstOrDefault(issuer => issuer.SignOn is not null && issuer.Name == name);

    async Task<IResult> BeginAsync(string name, HttpContext http)
    {
        if (Find(name) is not { SignOn: { } client } issuer) return Problem.NotFound("identity provider");
        // Read again: a person must not be sent to an unavailable provider.
        if (await ReadAsync(issuer) is not { Authorize: { } authorize, Token: not null })
            return Failed(SignOnFailures.Unavailable);
        var attempt = new SignOnAttempt(
            name, NewSecret(), NewSecret(), NewSecret(), LocalPath(http.Request.Query["to"].ToString()), time.GetUtcNow());
        http.Response.Cookies.Append(
            Cookie,
            sealer.Seal(Purpose, JsonSerializer.SerializeToUtf8Bytes(attempt, SignOnJson.Default.SignOnAttempt)),
            // Lax: the provider sends the person back from another site.
            VisitorSessions.Options(http, SameSiteMode.Lax, LongestAttempt));
        return Results.Redirect(QueryHelpers.AddQueryString(authorize.AbsoluteUri, new Dictionary<string, string?>
        {
            ["response_type"] = "code", ["client_id"] = client.ClientId, ["redirect_uri"] = CallbackOf(http, name),
            ["scope"] = client.ScopeText, ["state"] = attempt.State, ["nonce"] = attempt.Nonce,
            ["code_challenge"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(attempt.Verifier))),
            ["code_challenge_method"] = "S256",
        }));
    }

    async Task<IResult> CompleteAsync(string name, HttpContext http)
    {
        if (Find(name) is not { } issuer) return Problem.NotFound("identity provider");
        var attempt = AttemptOf(http);
        // An attempt completes once.
        http.Response.Cookies.Delete(Cookie);
        var query = http.Request.Query;
        if (attempt is null || attempt.Provider != name || attempt.At + LongestAttempt <= time.GetUtcNow()
            || !IsSame(attempt.State, query["state"].ToString()))
            return Failed(SignOnFailures.Expired);
        // RFC 9207: the response of one provider must not be taken for another's.
        if (query.TryGetValue("iss", out var sender) && sender.ToString() != issuer.Issuer)
            return Refused(name, "the response is of another issuer");
        if (query["error"].ToString() is { Length: > 0 } error)
        {
            LogFailed(name, $"the provider says {Shortened(error)}");
            return Failed(SignOnFailures.Refused);
        }
        if (await ReadAsync(issuer) is not { Token: not null } document) return Failed(SignOnFailures.Unavailable);
        var (tokens, fault) = await ExchangeAsync(issuer, document, attempt, query["code"].ToString(), CallbackOf(http, name));
        if (tokens is null) return Refused(name, fault!);
        var (token, why) = await checks.CheckIdTokenAsync(issuer, tokens.IdToken ?? "", attempt.Nonce);
        if (token is null) return Refused(name, $"the id token is refused: {why}");

        var claims = TokenIssuer.ClaimsOf(token);
        if (document.UserInfo is { } address && tokens.AccessToken is { Length: > 0 } access
            && await FurtherClaimsAsync(address, access, token.Subject) is { } further)
            claims = claim => TokenIssuer.ClaimsOf(token)(claim) is var own && own.Any() ? own : further(claim);
        if (issuer.PersonOf(claims) is not { } person) return Refused(name, $"the claim {issuer.SubjectClaim} names nobody");
        if (person.Scopes.Count == 0) return Failed(SignOnFailures.NothingGranted);
        return sessions.TrySignIn(http, person)
            ? Continue(attempt.To) : Refused(name, "the rights of the person do not fit into a cookie");
    }

    async Task<IssuerDocument?> ReadAsync(TokenIssuer issuer)
    {
        try
        {
            return await IssuerDocument.ReadAsync(issuer.Issuer, provider);
        }
        // A foreign server can fail in many ways.
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            LogFailed(issuer.Name, $"the provider cannot be read: {error.Message}");
            return null;
        }
    }

    async Task<(TokenResponse? Tokens, string? Fault)> ExchangeAsync(
        TokenIssuer issuer, IssuerDocument document, SignOnAttempt attempt, string code, string callback)
    {
        var client = issuer.SignOn!;
        var form = new Dictionary<string, string>
        {
            ["grant_type"] = "authorization_code", ["code"] = code, ["redirect_uri"] = callback,
            ["code_verifier"] = attempt.Verifier,
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, document.Token);
        if (client.ClientSecret is { } secret && !document.SecretInForm)
        {
            // RFC 6749 section 2.3.1: both parts are form-encoded first.
            var pair = $"{Uri.EscapeDataString(client.ClientId)}:{Uri.EscapeDataString(secret)}";
            request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(pair)));
        }
        else
        {
            form["client_id"] = client.ClientId;
            if (client.ClientSecret is { } inForm) form["client_secret"] = inForm;
        }
        request.Content = new FormUrlEncodedContent(form);
        try
        {
            using var response = await provider.SendAsync(request);
            var body = await response.Content.ReadAsByteArrayAsync();
            return response.IsSuccessStatusCode
                ? (JsonSerializer.Deserialize(body, SignOnJson.Default.TokenResponse), null)
                : (null, $"the code is not exchanged: {(int)response.StatusCode} {Shortened(Encoding.UTF8.GetString(body))}");
        }
        catch (Exception error) when (error is HttpRequestException or TaskCanceledException or JsonException)
        {
            return (null, $"the code is not exchanged: {error.Message}");
        }
    }

    // Claims that the provider keeps out of the id token; null without a usable response.
    async Task<Func<string, IEnumerable<string>>?> FurtherClaimsAsync(Uri address, string token, string subject)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        try
        {
            using var response = await provider.SendAsync(request);
            if (!response.IsSuccessStatusCode) return null;
            if (JsonNode.Parse(await response.Content.ReadAsByteArrayAsync()) is not JsonObject claims
                || claims["sub"]?.ToString() != subject)
                return null;
            return claim => claims[claim] switch
            {
                JsonArray many => many.OfType<JsonValue>().Select(value => value.ToString()),
                JsonValue value => [value.ToString()],
                _ => [],
            };
        }
        catch (Exception error) when (error is HttpRequestException or TaskCanceledException or JsonException)
        {
            return null;
        }
    }

    SignOnAttempt? AttemptOf(HttpContext http) =>
        http.Request.Cookies[Cookie] is { Length: > 0 and < 4_000 } text && sealer.Open(Purpose, text) is { } plain
            ? JsonSerializer.Deserialize(plain, SignOnJson.Default.SignOnAttempt)
            : null;

    IResult Refused(string provider, string why)
    {
        LogFailed(provider, why);
        return Failed(SignOnFailures.Invalid);
    }

    static IResult Failed(string failure) => Results.Redirect($"/login?failed={failure}");

    // The session's cookie is strict: a redirect would still count as coming from the provider's site, and carry no cookie.
    static IResult Continue(string to)
    {
        var address = HtmlEncoder.Default.Encode(to);
        return new SignedInPage(
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Signed in · Orderwright</title>" +
            $"<meta http-equiv=\"refresh\" content=\"0;url={address}\"></head>" +
            $"<body><p>You are signed in. <a href=\"{address}\">Continue</a></p></body></html>");
    }

    sealed class SignedInPage(string html) : IResult
    {
        public Task ExecuteAsync(HttpContext http)
        {
            http.Response.Headers.ContentSecurityPolicy = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";
            http.Response.Headers.XContentTypeOptions = "nosniff";
            http.Response.Headers["Referrer-Policy"] = "no-referrer";
            http.Response.Headers.CacheControl = "no-store";
            http.Response.ContentType = "text/html; charset=utf-8";
            return http.Response.WriteAsync(html, http.RequestAborted);
        }
    }

    static string CallbackOf(HttpContext http, string name) =>
        $"{http.Request.Scheme}://{http.Request.Host}/sign-on/{name}/callback";

    // Of this server only: neither //host nor /\host.
    static string LocalPath(string to) =>
        to.Length is > 0 and < 1_000 && to[0] == '/' && !to.Contains('\\', StringComparison.Ordinal)
            && !to.StartsWith("//", StringComparison.Ordinal) && !to.Any(char.IsControl)
            ? to
            : "/";

    static bool IsSame(string expected, string actual) => CryptographicOperations.FixedTimeEquals(
        Encoding.UTF8.GetBytes(expected), Encoding.UTF8.GetBytes(actual));

    static string NewSecret() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    static string Shortened(string text) =>
        new([.. text.Take(200).Select(c => char.IsControl(c) ? ' ' : c)]);

    [LoggerMessage(2042, LogLevel.Warning, "A sign-in at {Provider} failed: {Why}")]
    partial void LogFailed(string provider, string why);
}

/// <summary>Sign-in that has begun, kept by the browser.</summary>
sealed record SignOnAttempt(string Provider, string State, string Nonce, string Verifier, string To, DateTimeOffset At);

/// <summary>Response of a provider to the exchange of a code.</summary>
sealed record TokenResponse(
    [property: JsonPropertyName("id_token")] string? IdToken, [property: JsonPropertyName("access_token")] string? AccessToken);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SignOnAttempt))]
[JsonSerializable(typeof(TokenResponse))]
sealed partial class SignOnJson : JsonSerializerContext;
