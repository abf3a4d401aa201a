using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Orderwright.Http;
using Orderwright.Http.Visitors;

namespace Orderwright.Hosting.Tokens;

/// <summary>Result of a check: the caller, or why the token is refused.</summary>
/// <param name="Caller">Caller; null for a refused token.</param>
/// <param name="Why">Reason for the log; null for a valid token.</param>
/// <param name="IsAway">The issuer's keys were never read, so the token cannot be judged.</param>
sealed record TokenCheck(Caller? Caller, string? Why, bool IsAway = false);

/// <summary>
/// Checks tokens of the configured issuers: signature by a published key of the issuer and a pinned algorithm, type, issuer,
/// audience and time. Headers that bring or name a key elsewhere (<c>jwk</c>, <c>jku</c>, <c>x5u</c>) have no effect.
/// </summary>
/// <remarks>A valid access token is remembered for minutes, so that its further requests cost a hash.</remarks>
[SuppressMessage("Design", "CA1001", Justification = "The checks live as long as the host.")]
sealed class TokenChecks
{
    const int LongestToken = 8_192;
    const int MostRemembered = 10_000;
    static readonly TimeSpan LongestMemory = TimeSpan.FromMinutes(5);
    static readonly string[] IdTokenTypes = ["JWT", ""];

    readonly TimeProvider time;
    readonly JsonWebTokenHandler handler = new() { MapInboundClaims = false };
    readonly FrozenDictionary<string, (TokenIssuer Settings, IssuerKeys Keys)> issuers;
    readonly ConcurrentDictionary<string, (TokenCheck Check, DateTimeOffset Until)> remembered = new();

    public TokenChecks(IReadOnlyList<TokenIssuer> issuers, HttpClient http, TimeProvider time, ILoggerFactory logs)
    {
        this.time = time;
        this.issuers = issuers.ToFrozenDictionary(
            issuer => issuer.Issuer,
            issuer => (issuer, new IssuerKeys(issuer.Issuer, http, time, logs.CreateLogger<IssuerKeys>())),
            StringComparer.Ordinal);
    }

    /// <summary>True for three parts separated by dots: a key of ours has none.</summary>
    public static bool IsToken(ReadOnlySpan<char> text) => text.Count('.') == 2;

    /// <summary>Checks an access token.</summary>
    public async ValueTask<TokenCheck> CheckAsync(string token)
    {
        if (token.Length > LongestToken) return Refused("it is too long");
        var hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        var now = time.GetUtcNow();
        if (remembered.TryGetValue(hash, out var seen))
            if (seen.Until > now) return seen.Check;
            else remembered.TryRemove(hash, out _);
        if (Read(token) is not { } read) return Refused("it is unreadable");
        // The issuer only chooses the rules; the signature proves it.
        if (!issuers.TryGetValue(read.Issuer, out var issuer)) return Refused("its issuer is unknown");
        var settings = issuer.Settings;
        if (settings.Audience is not { } audience) return Refused("its issuer only signs people in");
        if (await ValidateAsync(read, issuer, audience, settings.AcceptedTypes) is { } fault) return fault;
        if (settings.PersonOf(TokenIssuer.ClaimsOf(read)) is not { } person) return Refused("it names no caller");

        var left = new DateTimeOffset(read.ValidTo, TimeSpan.Zero) + TimeSpan.FromSeconds(settings.ClockSkewSeconds) - now;
        var ended = new CancellationTokenSource(Min(left, TimeSpan.FromDays(1)), time);
        var check = new TokenCheck(person.AsCaller() with { Ended = ended.Token }, null);
        if (remembered.Count >= MostRemembered) remembered.Clear();
        // Not longer than minutes: a key that its issuer withdraws must not stay in force by memory alone.
        remembered[hash] = (check, now + Min(left, LongestMemory));
        return check;
    }

    /// <summary>Checks the token of a sign-in; returns the token, or why it is refused.</summary>
    /// <param name="issuer">Issuer that the person was sent to.</param>
    /// <param name="text">Token.</param>
    /// <param name="nonce">Nonce of this sign-in.</param>
    public async Task<(JsonWebToken? Token, string? Why)> CheckIdTokenAsync(TokenIssuer issuer, string text, string nonce)
    {
        if (text.Length > 4 * LongestToken || Read(text) is not { } token) return (null, "it is unreadable");
        if (token.Issuer != issuer.Issuer) return (null, "it is of another issuer");
        var client = issuer.SignOn!.ClientId;
        if (await ValidateAsync(token, issuers[issuer.Issuer], client, IdTokenTypes) is { } fault) return (null, fault.Why);
        if (token.TryGetPayloadValue<string>("azp", out var party) && party != client) return (null, "it is for another client");
        return token.TryGetPayloadValue<string>("nonce", out var seen) && seen == nonce
            ? (token, null)
            : (null, "its nonce is of another sign-in");
    }

    JsonWebToken? Read(string token)
    {
        try
        {
            return handler.ReadJsonWebToken(token);
        }
        catch (Exception error) when (error is ArgumentException or SecurityTokenException)
        {
            return null;
        }
    }

    // Null for a valid token.
    async Task<TokenCheck?> ValidateAsync(
        JsonWebToken token, (TokenIssuer Settings, IssuerKeys Keys) issuer, string audience, IReadOnlyList<string> types)
    {
        var (settings, source) = issuer;
        if (!types.Contains(token.Typ ?? "", StringComparer.OrdinalIgnoreCase)) return Refused("its type is not accepted");
        if (await source.GetAsync(token.Kid is { Length: > 0 } kid ? kid : null) is not { } keys)
            return Refused("its issuer is unavailable", isAway: true);
        var result = await handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidIssuer = settings.Issuer, ValidAudience = audience, ValidAlgorithms = settings.AcceptedAlgorithms,
            IssuerSigningKeys = keys, RequireSignedTokens = true, RequireExpirationTime = true,
            ClockSkew = TimeSpan.FromSeconds(settings.ClockSkewSeconds),
            LifetimeValidator = (from, until, _, rules) => IsInTime(from, until, rules.ClockSkew),
        });
        return result.IsValid ? null : Refused(result.Exception.GetType().Name);
    }

    bool IsInTime(DateTime? from, DateTime? until, TimeSpan skew)
    {
        var now = time.GetUtcNow().UtcDateTime;
        return until is { } end && end + skew > now && (from is not { } begin || begin - skew <= now);
    }

    static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;

    static TokenCheck Refused(string why, bool isAway = false) => new(null, why, isAway);
}
