using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.IdentityModel.JsonWebTokens;
using Orderwright.Http;
using Orderwright.Http.Visitors;
using Orderwright.Runtime;

namespace Orderwright.Hosting.Tokens;

/// <summary>Identity provider: issuer of access tokens (JWT), of sign-ins at the console, or of both.</summary>
/// <param name="Name">Short name; callers appear in the audit as <c>NAME:SUBJECT</c>.</param>
/// <param name="Issuer">Value of <c>iss</c>, and the address of the discovery document.</param>
/// <param name="Grants">
/// Values of the claim with scopes or roles, with the scopes of Orderwright that each grants. Null: the values grant roles only.
/// </param>
/// <param name="Audience">Required value of <c>aud</c> in access tokens. Null: access tokens are not accepted.</param>
/// <param name="Channels">
/// Values of the channels claim, with the channels that each grants, <c>*</c> for all. Null: the values are channels themselves.
/// </param>
/// <param name="SubjectClaim">Claim that names the caller; unique at the provider, and never given to somebody else.</param>
/// <param name="GrantsClaim">Claim with scopes or roles: words separated by spaces, or an array.</param>
/// <param name="ChannelsClaim">Claim with channels: words, or an array. Without the claim, no channel.</param>
/// <param name="Algorithms">Accepted signatures; asymmetric ones only.</param>
/// <param name="Types">Accepted values of <c>typ</c> in access tokens.</param>
/// <param name="ClockSkewSeconds">Tolerance for <c>exp</c> and <c>nbf</c>, 0 to 300.</param>
/// <param name="SignOn">Sign-in at the console. Null: none.</param>
/// <param name="Roles">Values of the same claim, with the roles of Orderwright that each grants. Null: none.</param>
public sealed record TokenIssuer(
    string Name, string Issuer, IReadOnlyDictionary<string, IReadOnlyList<string>>? Grants = null, string? Audience = null,
    IReadOnlyDictionary<string, IReadOnlyList<string>>? Channels = null, string SubjectClaim = "sub",
    string GrantsClaim = "scope", string ChannelsClaim = "channels", IReadOnlyList<string>? Algorithms = null,
    IReadOnlyList<string>? Types = null, int ClockSkewSeconds = 30, SignOnClient? SignOn = null,
    IReadOnlyDictionary<string, IReadOnlyList<string>>? Roles = null)
{
    const int LongestName = 200;

    // Without symmetric ones: a public key must never be a secret for HMAC.
    static readonly string[] Asymmetric =
        ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    /// <summary>Reads the file of issuers. Throws <see cref="InvalidSettingException"/> for an unusable one.</summary>
    public static IReadOnlyList<TokenIssuer> Read(string path)
    {
        try
        {
            var issuers = JsonSerializer.Deserialize(File.ReadAllBytes(path), IssuerJson.Default.IssuerList)?.Issuers ?? [];
            if (issuers.Count == 0) throw new FormatException("it has no issuer");
            foreach (var issuer in issuers)
                if (issuer.Fault() is { } fault) throw new FormatException($"issuer \"{issuer.Name}\": {fault}");
            if (issuers.DistinctBy(issuer => issuer.Issuer).Count() < issuers.Count
                || issuers.DistinctBy(issuer => issuer.Name).Count() < issuers.Count)
                throw new FormatException("two issuers have the same name or address");
            return issuers;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException or FormatException)
        {
            throw new InvalidSettingException(
                $"{Settings.Prefix}ISSUERS is \"{path}\", which cannot be read as a file of issuers: " +
                $"{error.Message.TrimEnd('.')}. Allowed: a file as in docs/how-to/sign-on.md.");
        }
    }

    public IReadOnlyList<string> AcceptedAlgorithms => Algorithms ?? ["RS256", "PS256", "ES256"];

    public IReadOnlyList<string> AcceptedTypes => Types ?? ["at+jwt", "application/at+jwt"];

    /// <summary>Caller that the claims name; null for claims without a usable subject.</summary>
    /// <param name="values">Values of a claim; none for a missing claim.</param>
    public Person? PersonOf(Func<string, IEnumerable<string>> values)
    {
        if (values(SubjectClaim).ToList() is not [{ Length: > 0 and <= LongestName } subject] || subject.Any(char.IsControl))
            return null;
        var channels = Words(ChannelsClaim);
        var words = Words(GrantsClaim).ToList();
        return new(
            $"{Name}:{subject}",
            Orderwright.Http.Roles.ScopesOf(
                words.SelectMany(word => ValuesOf(Roles, word)), words.SelectMany(word => ValuesOf(Grants, word))),
            Channels is { } map
                ? [.. channels.SelectMany(word => map.GetValueOrDefault(word) ?? []).Distinct()]
                : [.. channels.Where(ChannelSet.IsName)]);

        static IReadOnlyList<string> ValuesOf(IReadOnlyDictionary<string, IReadOnlyList<string>>? map, string word) =>
            map?.GetValueOrDefault(word) ?? [];

        // A claim with several values is an array; OAuth writes scopes as one text.
        IEnumerable<string> Words(string claim) =>
            values(claim).SelectMany(value => value.Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>Values of a claim in a token.</summary>
    public static Func<string, IEnumerable<string>> ClaimsOf(JsonWebToken token) =>
        claim => token.Claims.Where(one => one.Type == claim).Select(one => one.Value);

    static IEnumerable<string> Named(IReadOnlyDictionary<string, IReadOnlyList<string>>? map) =>
        map?.Values.SelectMany(names => names) ?? [];

    string? Fault() =>
        !Check.IsId(Name) ? "the name is not 1 to 64 of A-Z a-z 0-9 . _ -"
        : !Uri.TryCreate(Issuer, UriKind.Absolute, out var address)
            || !(address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback))
            ? "the issuer is not an https address"
        : Audience is null && SignOn is null ? "neither an audience nor signOn is set"
        : Audience is { Length: 0 } ? "the audience is empty"
        : SignOn is { ClientId.Length: 0 } ? "the clientId is empty"
        : Grants is not { Count: > 0 } && Roles is not { Count: > 0 } ? "nothing is granted"
        : Named(Grants).FirstOrDefault(scope => !Scopes.All.Contains(scope)) is { } unknown
            ? $"the scope \"{unknown}\" is unknown"
        : Named(Roles).FirstOrDefault(role => !Orderwright.Http.Roles.Table.ContainsKey(role)) is { } noRole
            ? $"the role \"{noRole}\" is unknown"
        : Named(Channels).FirstOrDefault(name => name != ChannelSet.Any && !ChannelSet.IsName(name)) is { } channel
            ? $"\"{channel}\" is no name of a channel"
        : AcceptedAlgorithms.FirstOrDefault(algorithm => !Asymmetric.Contains(algorithm)) is { } weak
            ? $"the algorithm \"{weak}\" is not accepted"
        : AcceptedAlgorithms.Count == 0 || AcceptedTypes.Count == 0 ? "no algorithm or no type is accepted"
        : ClockSkewSeconds is < 0 or > 300 ? "clockSkewSeconds is not 0 to 300"
        : null;
}

/// <summary>The console as a client of the identity provider.</summary>
/// <param name="ClientId">Id of the client at the provider.</param>
/// <param name="ClientSecret">Secret of the client; null for a public client.</param>
/// <param name="Label">Name of the provider on the sign-in page; null for the issuer's name.</param>
/// <param name="Scopes">Scopes to ask for; <c>openid</c> is always among them.</param>
public sealed record SignOnClient(
    string ClientId, string? ClientSecret = null, string? Label = null, IReadOnlyList<string>? Scopes = null)
{
    public string ScopeText => string.Join(' ', (Scopes ?? ["profile"]).Prepend("openid").Distinct());
}

/// <summary>Content of a file of issuers.</summary>
public sealed record IssuerList(IReadOnlyList<TokenIssuer> Issuers);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(IssuerList))]
sealed partial class IssuerJson : JsonSerializerContext;
