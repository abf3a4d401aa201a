using System.Buffers.Text;
using System.Text;

namespace Orderwright.Http;

/// <summary>
/// Finds text resembling a payment card number, so that no card number is ever stored: a word of 13 to 19 digits, possibly
/// separated by single spaces or dashes, that satisfies Luhn's check.
/// </summary>
/// <remarks>
/// Common shop data would match by chance, one number in ten, and is exempt: digits that touch a letter (a token, a hash), a
/// UUID, and an undivided number of 13 or 14 digits with a valid GTIN check digit (the EAN on every product; a card
/// number of the same length would have to satisfy both checks).
/// </remarks>
public static class CardNumbers
{
    const int Shortest = 13;
    const int Longest = 19;

    /// <summary>Code of the problem for a request with a card number.</summary>
    public const string Code = ProblemCodes.CardNumber;

    public const string Advice = "This looks like a card number. Send a token of the payment provider instead.";

    /// <param name="utf8">Complete text; every non-ASCII character counts as a letter.</param>
    public static bool Contains(ReadOnlySpan<byte> utf8) => Find(utf8, 0, out _) >= 0;

    /// <inheritdoc cref="Contains(ReadOnlySpan{byte})"/>
    public static bool Contains(string? text) => HasEnoughDigits(text) && Contains(Encoding.UTF8.GetBytes(text!));

    /// <summary>Masks each digit of a card number with a star, in gateway messages to be stored.</summary>
    public static string Masked(string text)
    {
        if (!HasEnoughDigits(text)) return text;
        var utf8 = Encoding.UTF8.GetBytes(text);
        var found = false;
        for (var from = 0; Find(utf8, from, out var end) is >= 0 and var start; from = end)
        {
            found = true;
            foreach (ref var letter in utf8.AsSpan(start..end))
                if (char.IsAsciiDigit((char)letter)) letter = (byte)'*';
        }
        return found ? Encoding.UTF8.GetString(utf8) : text;
    }

    // Most texts have too few digits and are not scanned further.
    static bool HasEnoughDigits(string? text)
    {
        var count = 0;
        foreach (var letter in text.AsSpan())
            if (char.IsAsciiDigit(letter)) count++;
        return count >= Shortest;
    }

    /// <summary>Start of the first card number, or -1.</summary>
    static int Find(ReadOnlySpan<byte> utf8, int from, out int end)
    {
        end = utf8.Length;
        if (utf8.Length - from < Shortest) return -1;
        Span<byte> digits = stackalloc byte[Longest];
        for (var i = from; i < utf8.Length; i++)
        {
            if (!char.IsAsciiDigit((char)utf8[i])) continue;
            var start = i;
            var touchesLetter = i > 0 && IsLetter(utf8[i - 1]);
            var (count, divided) = (0, false);
            for (; i < utf8.Length; i++)
            {
                if (char.IsAsciiDigit((char)utf8[i]))
                {
                    if (count < Longest) digits[count] = (byte)(utf8[i] - '0');
                    count++;
                }
                else if (utf8[i] is (byte)' ' or (byte)'-' && i + 1 < utf8.Length && char.IsAsciiDigit((char)utf8[i + 1]))
                    divided = true;
                else
                    break;
            }
            touchesLetter |= i < utf8.Length && IsLetter(utf8[i]);
            if (count is >= Shortest and <= Longest && !touchesLetter && Luhn(digits[..count])
                && (divided ? !IsInUuid(utf8, start) : !IsTradeNumber(digits[..count])))
            {
                end = i;
                return start;
            }
        }
        return -1;
    }

    static bool IsLetter(byte b) => char.IsAsciiLetter((char)b) || b >= 0x80;

    static bool Luhn(ReadOnlySpan<byte> digits)
    {
        var sum = 0;
        for (var i = 0; i < digits.Length; i++)
        {
            var digit = digits[^(i + 1)];
            sum += i % 2 == 0 ? digit : digit > 4 ? 2 * digit - 9 : 2 * digit;
        }
        return sum % 10 == 0;
    }

    static bool IsInUuid(ReadOnlySpan<byte> utf8, int at)
    {
        const int Length = 36;
        var start = at;
        while (start > 0 && (char.IsAsciiHexDigit((char)utf8[start - 1]) || utf8[start - 1] == '-')) start--;
        return utf8.Length - start >= Length
            && Utf8Parser.TryParse(utf8.Slice(start, Length), out Guid _, out var read, 'D') && read == Length;
    }

    // GS1: weights 3 and 1 from the right, the check digit weighs 1.
    static bool IsTradeNumber(ReadOnlySpan<byte> digits)
    {
        if (digits.Length > 14) return false;
        var sum = 0;
        for (var i = 0; i < digits.Length; i++) sum += digits[^(i + 1)] * (i % 2 == 0 ? 1 : 3);
        return sum % 10 == 0;
    }
}
