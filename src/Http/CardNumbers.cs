using System.Globalization;
using System.Numerics;
using System.Text;

namespace Orderwright.Http;

/// <summary>
/// Finds payment card numbers in text, so that no card number is ever stored (docs/adr/0012). A card number has the first
/// digits of an issuer, a length of that issuer, the groups in which cards are printed, and a valid Luhn check digit. Luhn's
/// check alone fits one long number in ten, and shops handle long numbers all day: orders of marketplaces, parcels, barcodes.
/// </summary>
/// <remarks>
/// Digits of any script count, and so do digits with any character between the groups: a space, a dash, a letter. Exempt are
/// undivided digits that touch a letter (a token, a hash), a UUID, the number of a bank account (IBAN), and an undivided number
/// of 13 or 14 digits with a valid GTIN check digit (the EAN on every product).
/// </remarks>
public static class CardNumbers
{
    const int Shortest = 13;
    const int Longest = 19;

    /// <summary>Code of the problem for a request with a card number.</summary>
    public const string Code = ProblemCodes.CardNumber;

    public const string Advice = "This looks like a card number. Send a token of the payment provider instead.";

    /// <summary>Issuers by the first digits, as ranges of six, with the lengths of their numbers as bits.</summary>
    static readonly (int From, int To, int Lengths)[] Issuers =
    [
        (220000, 220599, Of(16, 17, 18, 19)), // Mir, Borica
        (222100, 272099, Of(16)), // Mastercard
        (300000, 305999, Of(14, 16)), (309500, 309599, Of(14, 16)), // Diners Club
        (340000, 349999, Of(15)), (370000, 379999, Of(15)), // American Express
        (352800, 358999, Of(16, 17, 18, 19)), // JCB
        (360000, 369999, Of(14, 16, 19)), (380000, 399999, Of(14, 16, 19)), // Diners Club
        (400000, 499999, Of(13, 16, 18, 19)), // Visa, and brands on its ranges
        (500000, 509999, Of(13, 15, 16, 18, 19)), // Maestro, Elo, Verve, Dankort
        (510000, 559999, Of(16)), // Mastercard
        (560000, 589999, Of(13, 15, 16, 18, 19)), // Maestro
        (600000, 609999, Of(16, 17, 18, 19)), // Discover, RuPay, Hipercard
        (620000, 629999, Of(16, 17, 18, 19)), // UnionPay
        (630000, 639999, Of(13, 15, 16, 18, 19)), // Maestro, Elo, InterPayment
        (644000, 659999, Of(16, 17, 18, 19)), // Discover, RuPay, Elo, Verve, Troy
        (670000, 679999, Of(13, 15, 16, 18, 19)), // Maestro
        (810000, 829999, Of(16, 17, 18, 19)), // UnionPay, RuPay
        (860000, 860099, Of(16)), (986000, 986099, Of(16)), // Uzcard, Humo
        (979200, 979299, Of(16)), // Troy
    ];

    /// <summary>Groups in which cards are printed, other than groups of four with a shorter or longer last one.</summary>
    static readonly int[][] Groupings =
    [
        [4, 6, 5], [4, 6, 4], [4, 3, 3, 3], [4, 5, 6], [5, 4, 5], [6, 13], [6, 10], [6, 4, 6], [8, 8], [8, 11], [4, 12],
        [4, 8, 4],
    ];

    /// <param name="utf8">Complete text.</param>
    public static bool Contains(ReadOnlySpan<byte> utf8) =>
        HasEnoughDigits(utf8) && Contains(Encoding.UTF8.GetString(utf8));

    /// <inheritdoc cref="Contains(ReadOnlySpan{byte})"/>
    public static bool Contains(string? text) =>
        HasEnoughDigits(text) && new Scan(text!).Find(0) is not null;

    /// <summary>Masks each digit of a card number with a star, in gateway messages to be stored.</summary>
    public static string Masked(string text)
    {
        if (!HasEnoughDigits(text)) return text;
        var scan = new Scan(text);
        var masked = new StringBuilder(text.Length);
        var done = 0;
        for (var from = 0; scan.Find(from) is (var start, var end, var next); from = next)
        {
            masked.Append(text, done, start - done);
            foreach (var rune in text[start..end].EnumerateRunes())
                masked.Append(DigitOf(rune) >= 0 ? "*" : rune.ToString());
            done = end;
        }
        return done == 0 ? text : masked.Append(text, done, text.Length - done).ToString();
    }

    // Most texts have too few digits and are not scanned further. A digit of another script begins with a byte from C2 up.
    static bool HasEnoughDigits(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length < Shortest) return false;
        var count = 0;
        foreach (var value in utf8)
            if (value is >= (byte)'0' and <= (byte)'9' or >= 0xC2) count++;
        return count >= Shortest;
    }

    static bool HasEnoughDigits(ReadOnlySpan<char> text)
    {
        if (text.Length < Shortest) return false;
        var count = 0;
        foreach (var letter in text)
            if (char.IsAsciiDigit(letter) || letter >= 0x80) count++;
        return count >= Shortest;
    }

    static int DigitOf(Rune rune)
    {
        if (rune.IsAscii) return Rune.IsDigit(rune) ? rune.Value - '0' : -1;
        if (Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.DecimalDigitNumber or UnicodeCategory.OtherNumber)) return -1;
        return Rune.GetNumericValue(rune) is >= 0 and <= 9 and var value && double.IsInteger(value) ? (int)value : -1;
    }

    /// <summary>Digits of a text in groups, with the gaps between them.</summary>
    sealed class Scan
    {
        /// <summary>Run of adjacent digits.</summary>
        /// <param name="Start">Position of the first digit in the text.</param>
        /// <param name="End">Position after the last digit.</param>
        /// <param name="Digits">Values of the digits.</param>
        /// <param name="IsJoined">True if the gap before the group may stand between two groups of a card.</param>
        /// <param name="IsAfterLetter">True if a letter touches the first digit.</param>
        sealed record Group(int Start, int End, string Digits, bool IsJoined, bool IsAfterLetter)
        {
            /// <summary>True if a letter touches the last digit.</summary>
            public bool IsBeforeLetter { get; set; }
        }

        readonly List<Group> groups = [];
        readonly string text;

        public Scan(string text)
        {
            this.text = text;
            var digits = new StringBuilder();
            var gap = new StringBuilder();
            var (start, end, isAfterLetter) = (0, 0, false);
            for (var i = 0; i < text.Length;)
            {
                Rune.DecodeFromUtf16(text.AsSpan(i), out var rune, out var length);
                var digit = DigitOf(rune);
                if (digit >= 0)
                {
                    if (digits.Length == 0) (start, isAfterLetter) = (i, gap.Length > 0 && char.IsLetter(gap[^1]));
                    digits.Append((char)('0' + digit));
                    end = i + length;
                }
                // Invisible characters divide nothing, and marks belong to the character before.
                else if (!IsIgnored(rune))
                {
                    if (digits.Length > 0)
                    {
                        Close();
                        groups[^1].IsBeforeLetter = Rune.IsLetter(rune);
                        gap.Clear();
                    }
                    gap.Append(rune.IsBmp ? (char)rune.Value : Rune.IsLetter(rune) ? 'x' : '?');
                }
                i += length;
            }
            if (digits.Length > 0) Close();

            void Close()
            {
                groups.Add(new(start, end, digits.ToString(), groups.Count > 0 && IsDivider(gap), isAfterLetter));
                digits.Clear();
            }
        }

        /// <summary>Finds the first card number from a group on, with the group to continue from.</summary>
        public (int Start, int End, int Next)? Find(int from)
        {
            for (var first = from; first < groups.Count; first++)
            {
                // A number in groups that goes on from before is longer than a card, such as a parcel of 22 digits. A quantity
                // may precede.
                if (first > 0 && groups[first].IsJoined && groups[first - 1].Digits.Length > 3) continue;
                var digits = "";
                for (var last = first; last < groups.Count && (last == first || groups[last].IsJoined); last++)
                {
                    digits += groups[last].Digits;
                    if (digits.Length > Longest) break;
                    if (digits.Length >= Shortest && IsCard(first, last, digits))
                        return (groups[first].Start, groups[last].End, last + 1);
                }
            }
            return null;
        }

        bool IsCard(int first, int last, string digits) =>
            IsIssued(digits) && Luhn(digits) && IsPrinted(first, last)
            && !groups[first].IsAfterLetter && !groups[last].IsBeforeLetter
            && (first == last ? !IsTradeNumber(digits) : !IsInIban(first) && !IsInUuid(first));

        bool IsPrinted(int first, int last)
        {
            if (first == last) return true;
            var lengths = groups[first..(last + 1)].ConvertAll(group => group.Digits.Length);
            return (lengths.Count is 4 or 5 && lengths[..^1].TrueForAll(length => length == 4) && lengths[^1] <= 7)
                || (lengths is [4, 4, 5] or [4, 4, 6] or [4, 4, 7])
                || lengths.TrueForAll(length => length == 1)
                || Groupings.Any(grouping => lengths.SequenceEqual(grouping));
        }

        bool IsInUuid(int at)
        {
            const int Length = 36;
            var start = groups[at].Start;
            while (start > 0 && (char.IsAsciiHexDigit(text[start - 1]) || text[start - 1] == '-')) start--;
            return text.Length - start >= Length && Guid.TryParseExact(text.AsSpan(start, Length), "D", out _);
        }

        // An IBAN is printed in groups of four after two letters and two digits.
        bool IsInIban(int at)
        {
            while (at > 0 && groups[at].IsJoined) at--;
            if (groups[at] is not { Digits.Length: 2, IsAfterLetter: true, Start: >= 2 and var start }) return false;
            var account = new StringBuilder();
            foreach (var unit in text.AsSpan(start - 2))
                if (char.IsAsciiLetterOrDigit(unit)) account.Append(char.ToUpperInvariant(unit));
                else if (unit != ' ') break;
            for (var length = Math.Min(34, account.Length); length >= 15; length--)
                if (IsIban(account.ToString(0, length))) return true;
            return false;
        }
    }

    static bool IsIban(string account)
    {
        var number = string.Concat((account[4..] + account[..4]).Select(unit =>
            char.IsAsciiDigit(unit) ? unit.ToString() : (unit - 'A' + 10).ToString(CultureInfo.InvariantCulture)));
        return BigInteger.Parse(number, CultureInfo.InvariantCulture) % 97 == 1;
    }

    static bool IsIgnored(Rune rune) => !rune.IsAscii && Rune.GetUnicodeCategory(rune) is
        UnicodeCategory.Format or UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark;

    // One character of any kind except a line break, or up to three that are spaces with a dash, a dot or a slash: a list of
    // numbers with a comma and a space between them is no card.
    static bool IsDivider(StringBuilder gap)
    {
        if (gap.Length == 1) return gap[0] is not ('\n' or '\r' or '\t' or ';');
        if (gap.Length > 3) return false;
        for (var i = 0; i < gap.Length; i++)
            if (!(char.IsWhiteSpace(gap[i]) && gap[i] is not ('\n' or '\r' or '\t')) && !IsDash(gap[i])) return false;
        return true;
    }

    static bool IsDash(char unit) =>
        unit is '.' or '/' or '\\' or '_' or '|' or '\u00B7' or '\u2022'
        || char.GetUnicodeCategory(unit) == UnicodeCategory.DashPunctuation;

    static bool IsIssued(string digits)
    {
        var prefix = int.Parse(digits.AsSpan(0, 6), CultureInfo.InvariantCulture);
        foreach (var (from, to, lengths) in Issuers)
            if (prefix >= from && prefix <= to) return (lengths & 1 << digits.Length) != 0;
        return false;
    }

    static bool Luhn(string digits)
    {
        var sum = 0;
        for (var i = 0; i < digits.Length; i++)
        {
            var digit = digits[^(i + 1)] - '0';
            sum += i % 2 == 0 ? digit : digit > 4 ? 2 * digit - 9 : 2 * digit;
        }
        return sum % 10 == 0;
    }

    // GS1: weights 3 and 1 from the right, the check digit weighs 1.
    static bool IsTradeNumber(string digits)
    {
        if (digits.Length > 14) return false;
        var sum = 0;
        for (var i = 0; i < digits.Length; i++) sum += (digits[^(i + 1)] - '0') * (i % 2 == 0 ? 1 : 3);
        return sum % 10 == 0;
    }

    static int Of(params ReadOnlySpan<int> lengths)
    {
        var bits = 0;
        foreach (var length in lengths) bits |= 1 << length;
        return bits;
    }
}
