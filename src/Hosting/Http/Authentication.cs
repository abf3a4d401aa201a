using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;
using Orderwright.Hosting.Keys;
using Orderwright.Hosting.Tokens;
using Orderwright.Http;
using Orderwright.Http.Visitors;

namespace Orderwright.Hosting.Http;

/// <summary>
/// Identifies the caller, checks the endpoint's scope and takes the request from the caller's budget. With keys, every endpoint
/// except <see cref="Access.Open"/> requires one, even for learning that a path does not exist. Without keys, every caller on
/// the loopback interface is the operator, without a limit. An endpoint without an access rule is denied to all.
/// </summary>
/// <param name="keys">Null for a host without keys.</param>
/// <param name="tokens">Null for a host without issuers of access tokens.</param>
/// <param name="limits">Budgets of callers.</param>
/// <param name="people">Reads the proofs by which the console acts for people.</param>
/// <param name="visitors">Visitors signed in to the site, for pages of the host.</param>
/// <param name="log">Receives every refused key, without the key.</param>
sealed partial class Authentication(
    KeyRing? keys, TokenChecks? tokens, RateLimits limits, PersonTokens people, VisitorSessions visitors,
    ILogger<Authentication> log)
{
    const string Bearer = "Bearer ";
    const string Basic = "Basic ";

    static readonly Caller Nobody = new("anonymous", ChannelSet.Of(), []);

    /// <summary>Returns the refusal of a request; null if the request may reach its endpoint.</summary>
    public async ValueTask<Answer?> RefuseAsync(HttpContext http)
    {
        var endpoint = http.GetEndpoint();
        var access = endpoint?.Metadata.GetMetadata<Access>();
        if (await IdentifyAsync(http, access) is { } refusal) return refusal;

        // Routing's own responses (405, 415) are not RouteEndpoints and reveal nothing.
        return endpoint is not RouteEndpoint ? null : access switch
        {
            null => Denied(ProblemCodes.Denied, "This operation is not available."),
            { Scope: { } scope } when !Caller.Of(http).May(scope) => Denied(
                ProblemCodes.MissingScope, $"This operation requires a key with the scope {scope}."),
            { AllChannels: true } when !Caller.Of(http).Channels.IsAll => Denied(
                ProblemCodes.ChannelNotGranted, "This operation concerns all channels, and the key is limited to some."),
            _ => null,
        };
    }

    /// <summary>Sets the caller of a request to a place with an access rule, or returns the refusal.</summary>
    public ValueTask<Answer?> IdentifyAsync(HttpContext http, Access? access)
    {
        if (keys is null && tokens is null)
        {
            Caller.Set(http, Caller.Local);
            return default;
        }
        // A browser opens a page without headers of ours: the visitor is signed in, or the browser asks for a password.
        if (access == Access.AnyKey && http.Request.Headers.Authorization.Count == 0) return IdentifyVisitorAsync(http, access);
        var token = TokenOf(http, access);
        return tokens is not null && TokenChecks.IsToken(token)
            ? IdentifyAsync(http, access, token)
            : new(Identify(http, access, token));
    }

    async ValueTask<Answer?> IdentifyVisitorAsync(HttpContext http, Access access)
    {
        if (await visitors.FindAsync(http) is not { } visitor) return Identify(http, access, TokenOf(http, access));
        Caller.Set(http, visitor.Caller);
        return Counted(limits.Take(http, visitor.Caller, access.Budget));
    }

    async ValueTask<Answer?> IdentifyAsync(HttpContext http, Access? access, string token)
    {
        var check = await tokens!.CheckAsync(token);
        if (check.Caller is { } caller)
        {
            Caller.Set(http, caller);
            return Counted(limits.Take(http, caller, access?.Budget ?? CallBudget.Caller));
        }
        Caller.Set(http, Nobody);
        if (access is { NeedsKey: false }) return Counted(limits.Take(http, access.Budget));
        if (limits.TakeWrongKey(http) is { } tooMany) return Counted(tooMany);
        LogRefusedToken(RequestGuard.AddressOf(http), check.Why!);
        return check.IsAway
            ? Problem.Of(
                StatusCodes.Status503ServiceUnavailable, ProblemCodes.IssuerUnavailable,
                "The issuer of this token cannot be reached.") with { RetryAfter = TimeSpan.FromSeconds(10) }
            : Refusal(http, access, ", error=\"invalid_token\"", ProblemCodes.TokenRefused, "This token is not valid here.");
    }

    Answer? Identify(HttpContext http, Access? access, string token)
    {
        if (token.StartsWith(PersonTokens.Mark, StringComparison.Ordinal) && people.Read(token) is { } person)
        {
            var caller = person.AsCaller();
            Caller.Set(http, caller);
            return Counted(limits.Take(http, caller, access?.Budget ?? CallBudget.Caller));
        }
        KeyHolder? holder = null;
        KeyRefusal? wrong = token.Length == 0 || keys is null ? KeyRefusal.Unknown : keys.Open(token, out holder);
        if (wrong is null && holder is not null)
        {
            Caller.Set(http, holder.Caller);
            return Counted(limits.Take(http, holder.Budget, access?.Budget ?? CallBudget.Caller));
        }
        Caller.Set(http, Nobody);
        if (token.Length == 0 || access is { NeedsKey: false })
        {
            if (limits.Take(http, access?.Budget ?? CallBudget.Caller) is { } limited) return Counted(limited);
            return access is { NeedsKey: false }
                ? null
                : Refusal(http, access, "", ProblemCodes.KeyRequired, "Send a key: Authorization: Bearer ow_…");
        }
        // Counted before the answer, so that a caller over the limit learns nothing about a guess, and fills no log.
        if (limits.TakeWrongKey(http) is { } tooMany) return Counted(tooMany);
        LogRefused(RequestGuard.AddressOf(http), holder?.Key.Prefix ?? "unknown", wrong ?? KeyRefusal.Unknown);
        var (code, detail) = wrong switch
        {
            KeyRefusal.Expired => (ProblemCodes.KeyExpired, "This key has expired."),
            KeyRefusal.Revoked => (ProblemCodes.KeyRevoked, "This key was revoked."),
            _ => (ProblemCodes.KeyUnknown, "This key is unknown."),
        };
        return Refusal(http, access, ", error=\"invalid_token\"", code, detail);
    }

    static string TokenOf(HttpContext http, Access? access)
    {
        var authorization = http.Request.Headers.Authorization.ToString();
        if (authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)) return authorization[Bearer.Length..].Trim();
        if (access == Access.AnyKey && authorization.StartsWith(Basic, StringComparison.OrdinalIgnoreCase))
            return PasswordIn(authorization[Basic.Length..].Trim());
        return authorization.Length > 0 ? authorization : http.Request.Headers["X-Api-Key"].ToString();
    }

    static string PasswordIn(string credentials)
    {
        var bytes = new byte[credentials.Length];
        if (!Convert.TryFromBase64String(credentials, bytes, out var length)) return credentials;
        var text = Encoding.UTF8.GetString(bytes.AsSpan(0, length));
        return text[(text.IndexOf(':', StringComparison.Ordinal) + 1)..];
    }

    static Answer Refusal(HttpContext http, Access? access, string error, string code, string detail)
    {
        var challenge = $"Bearer realm=\"orderwright\"{error}";
        // Only where a browser may ask for the key.
        http.Response.Headers.WWWAuthenticate = access == Access.AnyKey
            ? new StringValues([challenge, "Basic realm=\"API key as password\", charset=\"UTF-8\""])
            : challenge;
        Metrics.Refused(code);
        return Problem.Of(StatusCodes.Status401Unauthorized, code, detail);
    }

    static Answer Denied(string code, string detail)
    {
        Metrics.Refused(code);
        return Problem.Of(StatusCodes.Status403Forbidden, code, detail);
    }

    static Answer? Counted(Answer? limited)
    {
        if (limited is not null) Metrics.Refused(ProblemCodes.RateLimited);
        return limited;
    }

    [LoggerMessage(2006, LogLevel.Warning, "A token was refused: {Why}; sent from {Address}")]
    partial void LogRefusedToken(IPAddress? address, string why);

    [LoggerMessage(2004, LogLevel.Warning, "A key was refused: {Why}; its prefix is {Prefix}, sent from {Address}")]
    partial void LogRefused(IPAddress? address, string prefix, KeyRefusal why);
}
