using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Orderwright.CustomerService.Gateways;

/// <summary>
/// HMAC-SHA256 over <c>{unix seconds}.{what}{body}</c>, written <c>t=…,v1=…</c> as Stripe does it. What was signed
/// more than five minutes ago, or in the future, no longer counts.
/// </summary>
public sealed class Signature(byte[] secret)
{
    public const int LeastSecret = 16;

    static readonly TimeSpan Window = TimeSpan.FromMinutes(5);

    /// <param name="what">What the body is about: method and target of a request; empty for a webhook.</param>
    /// <param name="body">As it is sent, byte for byte.</param>
    /// <param name="now">When it is signed.</param>
    public string Write(string what, ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        var seconds = now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return $"t={seconds},v1={Convert.ToHexStringLower(Sign(seconds, what, body))}";
    }

    public bool Fits(string header, string what, ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        if (header.Split(',') is not [['t', '=', .. var seconds], ['v', '1', '=', .. var signature]]
            || !long.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out var unix)
            || unix > 253_402_300_799
            || signature.Length != 64 || !signature.All(char.IsAsciiHexDigit))
            return false;
        return (now - DateTimeOffset.FromUnixTimeSeconds(unix)).Duration() <= Window
            && CryptographicOperations.FixedTimeEquals(
                Convert.FromHexString(signature), Sign(seconds, what, body));
    }

    byte[] Sign(string seconds, string what, ReadOnlySpan<byte> body)
    {
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, secret);
        mac.AppendData(Encoding.UTF8.GetBytes($"{seconds}.{what}"));
        mac.AppendData(body);
        return mac.GetHashAndReset();
    }
}
