using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Orderwright.Contracts;

/// <summary>
/// Reads times strictly as RFC 3339 with an offset: <c>2026-01-31T09:30:00.123Z</c>. A date alone, a time of day, a local time
/// or a form of another culture is none: the platform's own parsers would guess the missing parts.
/// </summary>
public static class Rfc3339
{
    const int ShortestUtf8 = 20;
    const int LongestUtf8 = 64;

    /// <summary>Reads a time; the result is in UTC. False for anything else, and for a leap second.</summary>
    public static bool TryRead(string text, out DateTimeOffset time)
    {
        time = default;
        if (text.Length is < ShortestUtf8 or > LongestUtf8 || !Ascii.IsValid(text)) return false;
        Span<byte> utf8 = stackalloc byte[text.Length];
        Encoding.ASCII.GetBytes(text, utf8);
        return HasForm(utf8) && TryParse(text, out time);
    }

    /// <summary>Reads the time at a string token, in UTC. Throws <see cref="JsonException"/> for anything else.</summary>
    public static DateTimeOffset GetTime(this ref readonly Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.String
            && ((!reader.ValueIsEscaped && HasForm(reader.ValueSpan) && reader.TryGetDateTimeOffset(out var time))
                || TryRead(reader.GetString()!, out time)))
            return time.ToUniversalTime();
        throw new JsonException("Expected an RFC 3339 time such as 2026-01-31T09:30:00.123Z.");
    }

    // The fraction is cut to the seven digits that the platform parses.
    static bool TryParse(string text, out DateTimeOffset time)
    {
        var offset = text.AsSpan(19).IndexOfAny("Zz+-") + 19;
        var fraction = text.AsSpan(19, Math.Min(offset - 19, 8)).TrimEnd('.');
        if (!DateTimeOffset.TryParseExact(
            $"{text.AsSpan(0, 19)}{fraction}{(text[offset] == 'z' ? "Z" : text.AsSpan(offset))}".ToUpperInvariant(),
            "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", CultureInfo.InvariantCulture, DateTimeStyles.None, out time))
            return false;
        time = time.ToUniversalTime();
        return true;
    }

    // date "T" time [ "." digits ] ( "Z" / offset )
    static bool HasForm(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length is < ShortestUtf8 or > LongestUtf8 || !Matches(utf8[..19], "0000-00-00T00:00:00"u8)) return false;
        var rest = utf8[19..];
        if (rest[0] == '.')
        {
            var digits = rest[1..].IndexOfAnyExceptInRange((byte)'0', (byte)'9');
            if (digits < 1) return false;
            rest = rest[(digits + 1)..];
        }
        return rest.Length == 1 ? rest[0] is (byte)'Z' or (byte)'z'
            : rest[0] is (byte)'+' or (byte)'-' && rest.Length == 6 && Matches(rest[1..], "00:00"u8);
    }

    static bool Matches(ReadOnlySpan<byte> utf8, ReadOnlySpan<byte> form)
    {
        for (var i = 0; i < form.Length; i++)
            if (form[i] == '0' ? utf8[i] is < (byte)'0' or > (byte)'9'
                : form[i] != utf8[i] && (form[i], utf8[i]) is not ((byte)'T', (byte)'t'))
                return false;
        return true;
    }
}
