using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Orderwright.Http.Visitors;

/// <summary>Person who signed in at an identity provider, with the rights granted then.</summary>
/// <param name="Name">Name in the audit, such as <c>login:ann</c>.</param>
/// <param name="Scopes">Out of <see cref="Http.Scopes"/>.</param>
/// <param name="Channels">Channels that the person reaches; <c>*</c> for all.</param>
public sealed record Person(string Name, IReadOnlyList<string> Scopes, IReadOnlyList<string> Channels)
{
    public Caller AsCaller() => new(Name, ChannelSet.Of(Channels), Scopes.ToFrozenSet());
}

/// <summary>
/// Short-lived proof that the console acts for a person, for the services' APIs. Sealed, and valid for a minute at every
/// process with the same session key.
/// </summary>
public sealed class PersonTokens(Sealer sealer, TimeProvider time)
{
    /// <summary>Beginning of a token; no API key and no access token begins like this.</summary>
    public const string Mark = "owp_";

    const string Purpose = "person";

    // The clocks of two machines may differ.
    static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(60);

    public string Write(Person person) => Mark + sealer.Seal(
        Purpose,
        JsonSerializer.SerializeToUtf8Bytes(
            new PersonToken(person, time.GetUtcNow() + Lifetime), VisitorJson.Default.PersonToken));

    /// <summary>Returns the person of a token; null for a token of another origin, or an old one.</summary>
    public Person? Read(string token) =>
        token.StartsWith(Mark, StringComparison.Ordinal) && sealer.Open(Purpose, token.AsSpan(Mark.Length)) is { } plain
            && JsonSerializer.Deserialize(plain, VisitorJson.Default.PersonToken) is { } read && read.Until > time.GetUtcNow()
            ? read.Person
            : null;
}

sealed record PersonToken(Person Person, DateTimeOffset Until);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PersonToken))]
[JsonSerializable(typeof(Session))]
sealed partial class VisitorJson : JsonSerializerContext;
