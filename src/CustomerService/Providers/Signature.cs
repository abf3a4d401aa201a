using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Orderwright.CustomerService.Providers;

/// <summary>
/// HMAC-SHA256 over <c>{unix seconds}.{prefix}{body}</c>, written as <c>t=…,v1=…</c> in Stripe's format. A signature more
/// than five minutes old, or dated in the future by more than that, is invalid.
/// </summary>
public sealed class Signature(byte[] secret)
{
    public const int MinimumSecretLength = 16;

    const int MostParts = 8;

    static readonly TimeSpan Window = TimeSpan.FromMinutes(5);

    /// <param name="prefix">Method and target of a request; empty for a webhook.</param>
    /// <param name="body">Body as sent, byte for byte.</param>
    /// <param name="now">Time of signing.</param>
    public string Sign(string prefix, ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        var seconds = now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return $"t={seconds},v1={Convert.ToHexStringLower(ComputeMac(seconds, prefix, body))}";
    }

    /// <summary>
    /// Verifies a header. During a change of secret a sender may add a <c>v1</c> for each secret; a single match suffices.
    /// </summary>
    public bool IsValid(string header, string prefix, ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        var parts = header.Split(',', MostParts + 1);
        if (parts.Length > MostParts || parts[0] is not ['t', '=', .. var seconds]
            || !long.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out var unix)
            || unix > 253_402_300_799
            || (now - DateTimeOffset.FromUnixTimeSeconds(unix)).Duration() > Window)
            return false;
        var expected = ComputeMac(seconds, prefix, body);
        var matches = false;
        foreach (var part in parts)
            if (part is ['v', '1', '=', .. var signature]
                && signature.Length == 64 && signature.All(char.IsAsciiHexDigit))
                matches |= CryptographicOperations.FixedTimeEquals(Convert.FromHexString(signature), expected);
        return matches;
    }

    byte[] ComputeMac(string seconds, string prefix, ReadOnlySpan<byte> body)
    {
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, secret);
        mac.AppendData(Encoding.UTF8.GetBytes($"{seconds}.{prefix}"));
        mac.AppendData(body);
        return mac.GetHashAndReset();
    }
}
