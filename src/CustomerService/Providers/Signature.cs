using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Orderwright.CustomerService.Providers;

/// <summary>
/// HMAC-SHA256 over <c>{unix seconds}.{what}{body}</c>, written <c>t=…,v1=…</c> as Stripe does it. What was signed
/// more than five minutes ago, or in the future, no longer counts.
/// </summary>
public sealed class Signature(byte[] secret)
{
    public const int LeastSecret = 16;

    const int MostParts = 8;

    static readonly TimeSpan Window = TimeSpan.FromMinutes(5);

    /// <param name="what">What the body is about: method and target of a request; empty for a webhook.</param>
    /// <param name="body">As it is sent, byte for byte.</param>
    /// <param name="now">When it is signed.</param>
    public string Write(string what, ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        var seconds = now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return $"t={seconds},v1={Convert.ToHexStringLower(Sign(seconds, what, body))}";
    }

    /// <summary>While a secret is being changed, a sender may write a <c>v1</c> under each of them; one has to fit.</summary>
    public bool Fits(string header, string what, ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        var parts = header.Split(',', MostParts + 1);
        if (parts.Length > MostParts || parts[0] is not ['t', '=', .. var seconds]
            || !long.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out var unix)
            || unix > 253_402_300_799
            || (now - DateTimeOffset.FromUnixTimeSeconds(unix)).Duration() > Window)
            return false;
        var expected = Sign(seconds, what, body);
        var fits = false;
        foreach (var part in parts)
            if (part is ['v', '1', '=', .. var signature]
                && signature.Length == 64 && signature.All(char.IsAsciiHexDigit))
                fits |= CryptographicOperations.FixedTimeEquals(Convert.FromHexString(signature), expected);
        return fits;
    }

    byte[] Sign(string seconds, string what, ReadOnlySpan<byte> body)
    {
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, secret);
        mac.AppendData(Encoding.UTF8.GetBytes($"{seconds}.{what}"));
        mac.AppendData(body);
        return mac.GetHashAndReset();
    }
}
