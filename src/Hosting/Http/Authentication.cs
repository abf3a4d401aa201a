using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Hosting.Keys;
using Orderwright.Http;

namespace Orderwright.Hosting.Http;

/// <summary>
/// Says who calls and whether the endpoint is theirs. With keys, whatever is not <see cref="Access.Open"/> needs one,
/// even to learn that a path does not exist; without, everybody on the loopback interface is the operator. An endpoint
/// that says nothing about its access is denied to all.
/// </summary>
sealed class Authentication(KeyRing? keys)
{
    /// <summary>Null for a request that may reach its endpoint.</summary>
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

        // What routing itself answers (405, 415) is no RouteEndpoint and gives nothing away.
        if (endpoint is not RouteEndpoint || access == Access.Open) return null;
        return access switch
        {
            null => Problem.Of(StatusCodes.Status403Forbidden, "denied", "This operation is open to nobody."),
            { Scope: { } scope } when !caller.May(scope) => Problem.Of(
                StatusCodes.Status403Forbidden, "missing_scope", $"This operation needs a key with the scope {scope}."),
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
            return Refusal(http, "", "key_required", "Send a key: Authorization: Bearer ow_…");
        return keys.Open(token, out caller) switch
        {
            null => null,
            KeyRefusal.Expired => Refusal(http, ", error=\"invalid_token\"", "key_expired", "This key has expired."),
            KeyRefusal.Revoked => Refusal(http, ", error=\"invalid_token\"", "key_revoked", "This key was taken back."),
            _ => Refusal(http, ", error=\"invalid_token\"", "key_unknown", "This is no key of this server."),
        };
    }

    static Answer Refusal(HttpContext http, string error, string code, string detail)
    {
        http.Response.Headers.WWWAuthenticate = $"Bearer realm=\"orderwright\"{error}";
        return Problem.Of(StatusCodes.Status401Unauthorized, code, detail);
    }
}
