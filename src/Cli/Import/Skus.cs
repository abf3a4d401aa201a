using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Orderwright.Cli.Import;

/// <summary>Maps codes in files to valid ids of the API: 1 to 64 of <c>A-Z a-z 0-9 . _ -</c>.</summary>
static class Skus
{
    const int MaxLength = 64;
    const string Mark = "x-";

    /// <summary>
    /// Returns a valid code unchanged. Other codes get a mark, and every invalid character becomes its UTF-8 bytes in hex; a
    /// result that is too long ends in a digest. Distinct codes stay distinct: valid codes that look marked are marked too.
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
