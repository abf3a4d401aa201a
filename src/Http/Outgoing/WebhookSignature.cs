using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Orderwright.Http.Outgoing;

/// <summary>
/// Signature of Standard Webhooks (https://www.standardwebhooks.com): HMAC-SHA256 over
/// <c>{id}.{unix seconds}.{body}</c>, as <c>v1,{base64}</c>, one per secret, separated by spaces.
/// </summary>
public static class WebhookSignature
{
    public const string IdHeader = "webhook-id";
    public const string TimestampHeader = "webhook-timestamp";
    public const string SignatureHeader = "webhook-signature";

    const string Prefix = "whsec_";
    const int SecretBytes = 24;
    const int MinimumBytes = 24;
    const int MaximumBytes = 64;
    const int MaximumId = 255;
    const int MaximumSignatures = 1_000;
    static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    public static string NewSecret() => Prefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(SecretBytes));

    /// <summary>True for <c>whsec_</c> and the base64 of 24 to 64 bytes.</summary>
    public static bool IsSecret(string secret)
    {
        var bytes = new byte[MaximumBytes + 2];
        return secret.StartsWith(Prefix, StringComparison.Ordinal)
            && Convert.TryFromBase64String(secret[Prefix.Length..], bytes, out var length)
            && length is >= MinimumBytes and <= MaximumBytes;
    }

    /// <summary>Returns the value of the signature header.</summary>
    /// <param name="secrets">1 or more.</param>
    /// <param name="id">Id of the message.</param>
    /// <param name="unixSeconds">Time of the attempt.</param>
    /// <param name="body">Body, byte for byte.</param>
    public static string Sign(IReadOnlyList<string> secrets, string id, long unixSeconds, ReadOnlySpan<byte> body)
    {
        var head = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{unixSeconds}."));
        var signatures = new List<string>(secrets.Count);
        foreach (var secret in secrets)
        {
            using var mac = IncrementalHash.CreateHMAC(
                HashAlgorithmName.SHA256, Convert.FromBase64String(secret[Prefix.Length..]));
            mac.AppendData(head);
            mac.AppendData(body);
            signatures.Add($"v1,{Convert.ToBase64String(mac.GetHashAndReset())}");
        }
        return string.Join(' ', signatures);
    }

    /// <summary>Returns the reason why a message is not genuine; null if it is.</summary>
    /// <param name="secrets">Secrets of the sender; any of them may have signed.</param>
    /// <param name="headers">Headers of the request.</param>
    /// <param name="body">Body, byte for byte.</param>
    /// <param name="now">Time of the receipt. A message is genuine for five minutes.</param>
    public static string? Refuse(
        IReadOnlyList<string> secrets, IHeaderDictionary headers, ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        var (id, stamp, given) = (
            headers[IdHeader].ToString(), headers[TimestampHeader].ToString(), headers[SignatureHeader].ToString());
        if (id.Length is 0 or > MaximumId || given.Length is 0 or > MaximumSignatures)
            return $"The headers {IdHeader}, {TimestampHeader} and {SignatureHeader} are required.";
        if (!long.TryParse(stamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            || Math.Abs(now.ToUnixTimeSeconds() - seconds) > Tolerance.TotalSeconds)
            return $"{TimestampHeader} is not a time in seconds within five minutes of now.";
        var genuine = false;
        foreach (var secret in secrets)
        {
            var expected = Encoding.ASCII.GetBytes(Sign([secret], id, seconds, body));
            foreach (var signature in given.Split(' '))
                genuine |= CryptographicOperations.FixedTimeEquals(expected, Encoding.UTF8.GetBytes(signature));
        }
        return genuine ? null : "No signature is by a secret of the sender.";
    }
}
