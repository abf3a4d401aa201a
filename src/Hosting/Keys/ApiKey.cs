using System.Buffers.Text;
using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using Orderwright.Http;

namespace Orderwright.Hosting.Keys;

/// <summary>
/// An API key at rest. A caller shows <c>ow_PREFIX_SECRET</c>; only the secret's SHA-256 is kept. The secret is 256
/// random bits, so nothing slower than SHA-256 would make guessing it any harder.
/// </summary>
/// <param name="Prefix">8 hex digits: finds the key, names it in audits; no secret.</param>
/// <param name="Hash">SHA-256 of the secret's text, base64.</param>
/// <param name="Name">For people.</param>
/// <param name="Merchant">Whose orders its holder sees; <c>main</c> where there is one shop.</param>
/// <param name="Scopes">Out of <see cref="Orderwright.Http.Scopes"/>.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="ExpiresAt">From then on it is refused; null: never.</param>
/// <param name="RevokedAt">When it was taken back; kept, so that the audit still has a name for it.</param>
public sealed record ApiKey(
    string Prefix, string Hash, string Name, string Merchant, IReadOnlyList<string> Scopes, DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt = null, DateTimeOffset? RevokedAt = null)
{
    public const string Mark = "ow_";

    /// <summary>Makes a key; its token is shown once and kept nowhere.</summary>
    public static (ApiKey Key, string Token) Create(
        string name, IReadOnlyList<string> scopes, DateTimeOffset now, TimeSpan? expires = null, string merchant = "main")
    {
        var prefix = RandomNumberGenerator.GetHexString(8, lowercase: true);
        var secret = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var key = new ApiKey(
            prefix, Convert.ToBase64String(SHA256.HashData(Encoding.ASCII.GetBytes(secret))), name, merchant, scopes, now,
            now + expires);
        return (key, $"{Mark}{prefix}_{secret}");
    }

    public Caller ToCaller() => new(Prefix, Merchant, Scopes.ToFrozenSet());
}

/// <summary>What a key file holds.</summary>
public sealed record KeyList(IReadOnlyList<ApiKey> Keys);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true, Converters = [typeof(UtcMillisecondsConverter)])]
[JsonSerializable(typeof(KeyList))]
sealed partial class KeyJson : JsonSerializerContext;
