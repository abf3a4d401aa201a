using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Orderwright.Cli.Import;

/// <summary>Makes the caller's codes fit the API's ids: 1 to 64 of <c>A-Z a-z 0-9 . _ -</c>.</summary>
static class Skus
{
    const int MaxLength = 64;
    const string Mark = "x-";

    /// <summary>
    /// The code itself where it fits. Else marked, with every other character as its UTF-8 bytes in hex; what is then
    /// too long ends in its digest. Two codes never become one: what fits and looks marked is marked as well.
    /// </summary>
    public static string Normal(string code)
    {
        if (code.Length is >= 1 and <= MaxLength && code.All(Fits) && !code.StartsWith(Mark, StringComparison.Ordinal))
            return code;
        var escaped = new StringBuilder(Mark);
        foreach (var rune in code.EnumerateRunes())
            if (rune.IsAscii && char.IsAsciiLetterOrDigit((char)rune.Value))
                escaped.Append((char)rune.Value);
            else
                foreach (var each in Encoding.UTF8.GetBytes(rune.ToString()))
                    escaped.Append(CultureInfo.InvariantCulture, $"_{each:x2}");
        if (escaped.Length <= MaxLength) return escaped.ToString();
        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(code)))[..32];
        return $"{escaped.ToString(0, MaxLength - digest.Length - 1)}.{digest}";
    }

    static bool Fits(char c) => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-';
}
