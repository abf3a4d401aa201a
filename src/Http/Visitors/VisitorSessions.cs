using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Orderwright.Runtime;

namespace Orderwright.Http.Visitors;

/// <summary>Session of a visitor, sealed in a cookie: with an API key, or of a person.</summary>
/// <param name="Id">Id of the session.</param>
/// <param name="Since">Time of signing in.</param>
/// <param name="Key">API key; null for a person.</param>
/// <param name="Person">Person; null for a key.</param>
sealed record Session(Guid Id, DateTimeOffset Since, string? Key, Person? Person);

/// <summary>Identity provider that visitors may sign in at.</summary>
/// <param name="Name">Name in addresses: <c>/sign-on/NAME</c>.</param>
/// <param name="Label">Name for people.</param>
public sealed record SignOnLink(string Name, string Label);

/// <summary>Reasons for which a sign-in at an identity provider fails: <c>/login?failed=…</c>.</summary>
public static class SignOnFailures
{
    public const string Unavailable = "unavailable";
    public const string Refused = "refused";
    public const string Expired = "expired";
    public const string NothingGranted = "nothing_granted";
    public const string Invalid = "invalid";
}

/// <summary>
/// Sessions of visitors. A cookie keeps the session, sealed; every instance with the same session key reads the cookie. A session
/// ends by signing out, with its key, after its time, or when an operator ends a person's sessions; from then on every
/// copy of the cookie is void.
/// </summary>
/// <param name="sealer">Seals cookies.</param>
/// <param name="callerOf">Caller with a key, as long as the key is valid; null where visitors need no session.</param>
/// <param name="takesKeys">Visitors may sign in with an API key.</param>
/// <param name="signOns">Identity providers to sign in at.</param>
/// <param name="ended">Sessions ended before their time; their clock is the clock of all sessions.</param>
/// <param name="lifetime">Longest time of a session.</param>
public sealed class VisitorSessions(
    Sealer sealer, Func<string, Caller?>? callerOf, bool takesKeys, IReadOnlyList<SignOnLink> signOns, EndedSessions ended,
    TimeSpan lifetime)
{
    const string Cookie = "orderwright_session";
    const string Purpose = "session";
    const int LongestCookie = 4_000;

    /// <summary>Visitors must sign in.</summary>
    public bool AreNeeded => callerOf is not null;

    public bool TakesKeys => takesKeys;

    public IReadOnlyList<SignOnLink> SignOns => signOns;

    /// <summary>
    /// Returns a signed-in visitor with the proof for calls to the APIs: the key, or a token valid for a minute. Null for others.
    /// </summary>
    public async ValueTask<(string Proof, Caller Caller)?> FindAsync(HttpContext http)
    {
        if (callerOf is null || Read(http) is not { } session) return null;
        if (session.Since + lifetime <= ended.Time.GetUtcNow() || await ended.ContainsAsync(session)) return null;
        if (session.Person is { } person) return (new PersonTokens(sealer, ended.Time).Write(person), person.AsCaller());
        return session.Key is { } key && callerOf(key) is { } caller ? (key, caller) : null;
    }

    public void SignIn(HttpContext http, string key) => TrySignIn(http, key, null);

    /// <summary>Begins the session of a person; false for rights too many for a cookie.</summary>
    public bool TrySignIn(HttpContext http, Person person) => TrySignIn(http, null, person);

    /// <summary>Ends the session, also for every copy of the cookie.</summary>
    public async Task SignOutAsync(HttpContext http)
    {
        http.Response.Cookies.Delete(Cookie);
        if (Read(http) is { } session) await ended.EndAsync(session.Id, session.Since + lifetime);
    }

    /// <summary>Ends all present sessions of a person. Audited.</summary>
    public Task EndAsync(string person, string actor, string reason, string? traceId) =>
        ended.EndAsync(person, lifetime, actor, reason, traceId);

    /// <summary>
    /// Options of a cookie. Outside the machine, cookies travel over TLS only: behind a proxy, its scheme counts as well.
    /// </summary>
    public static CookieOptions Options(HttpContext http, SameSiteMode mode, TimeSpan? age) => new()
    {
        HttpOnly = true, SameSite = mode, Secure = http.Request.IsHttps || !IsLoopback(http.Request.Host), Path = "/",
        MaxAge = age,
    };

    /// <summary>True for a visitor on the same machine.</summary>
    public static bool IsLoopback(HostString host) => host.Host is "localhost" or "127.0.0.1" or "[::1]" or "::1";

    bool TrySignIn(HttpContext http, string? key, Person? person)
    {
        var session = new Session(
            new Guid(RandomNumberGenerator.GetBytes(16)), ended.Time.GetUtcNow().ToWholeMilliseconds(), key, person);
        var text = sealer.Seal(Purpose, JsonSerializer.SerializeToUtf8Bytes(session, VisitorJson.Default.Session));
        if (text.Length >= LongestCookie) return false;
        // Strict: requests from other sites carry no cookie.
        http.Response.Cookies.Append(Cookie, text, Options(http, SameSiteMode.Strict, lifetime));
        return true;
    }

    Session? Read(HttpContext http) =>
        http.Request.Cookies[Cookie] is { Length: > 0 and < LongestCookie } text && sealer.Open(Purpose, text) is { } plain
            ? JsonSerializer.Deserialize(plain, VisitorJson.Default.Session)
            : null;
}
