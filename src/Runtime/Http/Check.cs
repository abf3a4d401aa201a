using Orderwright.Contracts;

namespace Orderwright.Runtime.Http;

/// <summary>
/// Collects what is wrong with the values of a request, each place by its JSON pointer, so that a caller hears of all
/// of it at once. Shape (missing, null, unknown, wrong type) is <see cref="StrictJson"/>'s; this is about content.
/// </summary>
public sealed class Check
{
    /// <summary>The largest amount that one field may say, in minor units: 10^12.</summary>
    public const long MaxAmountMinor = 1_000_000_000_000;

    readonly List<ProblemError> errors = [];

    /// <summary>The 400, if anything was wrong; ask after all checks.</summary>
    public Answer? Refusal => errors.Count == 0 ? null : Problem.Invalid(errors);

    /// <summary>For a rule that only one operation has.</summary>
    public Check That(bool holds, string pointer, string code, string detail)
    {
        if (!holds) errors.Add(new(pointer, code, detail));
        return this;
    }

    /// <summary>An id of the caller's own: a customer, a SKU.</summary>
    public Check Id(string pointer, string value) =>
        That(IsId(value), pointer, "invalid_id", "1 to 64 characters out of A-Z a-z 0-9 . _ -")
            .NoCardNumber(pointer, value);

    /// <summary>Text for people. <paramref name="most"/> counts UTF-16 units.</summary>
    public Check Text(string pointer, string value, int most, int least = 1) =>
        That(
            value.Length <= most && value.Length >= least && (least == 0 || !string.IsNullOrWhiteSpace(value)),
            pointer, "invalid_length", $"{least} to {most} characters.")
            .NoCardNumber(pointer, value);

    /// <summary>Loosely: whether mail arrives there only a mail can tell.</summary>
    public Check Email(string pointer, string value)
    {
        var at = value.LastIndexOf('@');
        return That(
            value.Length <= 254 && at is >= 1 and <= 64 && at < value.Length - 1
                && !value.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)),
            pointer, "invalid_email", "An e-mail address of at most 254 characters.")
            .NoCardNumber(pointer, value);
    }

    public Check Currency(string pointer, string value) =>
        That(Currencies.IsKnown(value), pointer, "unknown_currency", "An ISO 4217 code, such as GBP.");

    public Check Range(string pointer, long value, long least, long most) =>
        That(value >= least && value <= most, pointer, "out_of_range", $"A whole number from {least} to {most}.");

    /// <summary>A positive sum of money in minor units.</summary>
    public Check Amount(string pointer, long value) => Range(pointer, value, 1, MaxAmountMinor);

    /// <summary>Card numbers never enter (DESIGN.md, section 8); the answer does not repeat the value.</summary>
    public Check NoCardNumber(string pointer, string value) =>
        That(!HoldsCardNumber(value), pointer, "card_number", "Card numbers are not accepted in any field.");

    public static bool IsId(string value) =>
        value.Length is >= 1 and <= 64 && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');

    /// <summary>True when 13 to 19 digits in a row, with single blanks or hyphens between, pass the Luhn test.</summary>
    public static bool HoldsCardNumber(string value)
    {
        Span<int> digits = stackalloc int[19];
        for (var i = 0; i < value.Length; i++)
        {
            if (!char.IsAsciiDigit(value[i])) continue;
            var count = 0;
            var tooLong = false;
            for (; i < value.Length; i++)
            {
                if (char.IsAsciiDigit(value[i]))
                    if (count < digits.Length) digits[count++] = value[i] - '0';
                    else tooLong = true;
                else if (value[i] is not (' ' or '-') || i + 1 == value.Length || !char.IsAsciiDigit(value[i + 1]))
                    break;
            }
            if (!tooLong && count >= 13 && Luhn(digits[..count])) return true;
        }
        return false;
    }

    static bool Luhn(ReadOnlySpan<int> digits)
    {
        var sum = 0;
        for (var i = 0; i < digits.Length; i++)
        {
            var digit = digits[^(i + 1)] * (i % 2 + 1);
            sum += digit > 9 ? digit - 9 : digit;
        }
        return sum % 10 == 0;
    }
}
