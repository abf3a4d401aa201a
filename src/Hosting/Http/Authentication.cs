using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Hosting.Keys;
using Orderwright.Http;

namespace Orderwright.Hosting.Http;

/// <summary>
/// Identifies the caller and checks the endpoint's scope. With keys, every endpoint except <see cref="Access.Open"/> requires
/// one, even for learning that a path does not exist. Without keys, every caller on the loopback interface is the operator.
/// An endpoint without an access rule is denied to all.
/// </summary>
sealed class Authentication(KeyRing? keys)
{
    /// <summary>Returns the refusal of a request; null if the request may reach its endpoint.</summary>
    public Answer? Refuse(HttpContext http)
    {
        var endpoint = http.GetEndpoint();
        var access = endpoint?.Metadata.GetMetadata<Access>();
        var caller = Caller.Local;
        if (keys is not null)
        {
            var refusal = Identify(http, keys, out var holder);
            if (refusal is not null && access != Access.Open) return refusal;
            caller = holder ?? Nobody;
        }
        Caller.Set(http, caller);

        // Routing's own responses (405, 415) are not RouteEndpoints and reveal nothing.
        if (endpoint is not RouteEndpoint || access == Access.Open) return null;
        return access switch
        {
            null => Problem.Of(StatusCodes.Status403Forbidden, ProblemCodes.Denied, "This operation is not available."),
            { Scope: { } scope } when !caller.May(scope) => Problem.Of(
                StatusCodes.Status403Forbidden, ProblemCodes.MissingScope,
                $"This operation requires a key with the scope {scope}."),
            _ => null,
        };
    }

    static readonly Caller Nobody = new("anonymous", "main", []);

    static Answer? Identify(HttpContext http, KeyRing keys, out Caller? caller)
    {
        caller = null;
        const string Scheme = "Bearer ";
        var authorization = http.Request.Headers.Authorization.ToString();
        var token = authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
                ? authorization[Scheme.Length..].Trim()
            : authorization.Length > 0 ? authorization
            : http.Request.Headers["X-Api-Key"].ToString();
        if (token.Length == 0)
            return Refusal(http, "", ProblemCodes.KeyRequired, "Send a key: Authorization: Bearer ow_…");
        return keys.Open(token, out caller) switch
        {
            null => null,
            KeyRefusal.Expired => Refusal(http, ", error=\"invalid_token\"", ProblemCodes.KeyExpired, "This key has expired."),
            KeyRefusal.Revoked => Refusal(http, ", error=\"invalid_token\"", ProblemCodes.KeyRevoked, "This key was revoked."),
            _ => Refusal(http, ", error=\"invalid_token\"", ProblemCodes.KeyUnknown, "This key is unknown."),
        };
    }

    static Answer Refusal(HttpContext http, string error, string code, string detail)
    {
        http.Response.Headers.WWWAuthenticate = $"Bearer realm=\"orderwright\"{error}";
        return Problem.Of(StatusCodes.Status401Unauthorized, code, detail);
    }
}
