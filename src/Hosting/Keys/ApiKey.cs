using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using Orderwright.Http;

namespace Orderwright.Hosting.Keys;

/// <summary>
/// Stored API key. A caller sends <c>ow_PREFIX_SECRET</c>; only the SHA-256 of the secret is stored. The secret has 256
/// random bits, so a slower hash would not make guessing harder.
/// </summary>
/// <param name="Prefix">8 hex digits: finds the key and names it in audits; not secret.</param>
/// <param name="Hash">SHA-256 of the secret's text, base64.</param>
/// <param name="Name">Name for people.</param>
/// <param name="Scopes">Out of <see cref="Orderwright.Http.Scopes"/>, in addition to those of the roles.</param>
/// <param name="CreatedAt">Time of creation.</param>
/// <param name="ExpiresAt">Refused from then on; null: never.</param>
/// <param name="RevokedAt">Time of revocation; the key is kept for its name in the audit.</param>
/// <param name="MaxDiscount">
/// Highest discount of an order without the scope <c>orders:price</c>, in percent of the total without discounts: 0 to 100;
/// null: none.
/// </param>
/// <param name="Channels">Channels that the holder reaches, the channel of new orders first; <c>*</c> for all.</param>
/// <param name="Roles">Out of <see cref="Orderwright.Http.Roles"/>; null for none.</param>
/// <param name="Merchant">Channel in files of release 0.1.0; never written.</param>
public sealed record ApiKey(
    string Prefix, string Hash, string Name, IReadOnlyList<string> Scopes, DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt = null, DateTimeOffset? RevokedAt = null, int? MaxDiscount = null,
    IReadOnlyList<string>? Channels = null, IReadOnlyList<string>? Roles = null, string? Merchant = null)
{
    public const string Mark = "ow_";

    /// <summary>Scopes of the key and of its roles.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> AllScopes => Orderwright.Http.Roles.ScopesOf(Roles ?? [], Scopes);

    /// <summary>Creates a key. The token is shown once and stored nowhere.</summary>
    public static (ApiKey Key, string Token) Create(
        string name, IReadOnlyList<string> scopes, DateTimeOffset now, TimeSpan? expires = null,
        IReadOnlyList<string>? channels = null, int? maxDiscount = null, IReadOnlyList<string>? roles = null)
    {
        var prefix = RandomNumberGenerator.GetHexString(8, lowercase: true);
        var secret = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var key = new ApiKey(
            prefix, Convert.ToBase64String(SHA256.HashData(Encoding.ASCII.GetBytes(secret))), name, scopes, now, now + expires,
            MaxDiscount: maxDiscount, Channels: channels ?? [ChannelSet.Main], Roles: roles is { Count: > 0 } ? roles : null);
        return (key, $"{Mark}{prefix}_{secret}");
    }
}

/// <summary>Content of a key file.</summary>
public sealed record KeyList(IReadOnlyList<ApiKey> Keys);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true, Converters = [typeof(UtcMillisecondsConverter)])]
[JsonSerializable(typeof(KeyList))]
sealed partial class KeyJson : JsonSerializerContext;
