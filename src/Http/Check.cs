using Orderwright.Contracts;

namespace Orderwright.Http;

/// <summary>
/// Checks the fields of a request that is well-formed JSON already, and collects everything that is wrong, each by
/// its JSON pointer (<c>/lines/0/sku</c>) or, for a part of the path, by its name.
/// </summary>
public sealed class Check
{
    /// <summary>The largest amount of money or goods that one field may say: 10^12.</summary>
    public const long Most = 1_000_000_000_000;

    public const int MaxIdLength = 64;

    readonly List<ProblemError> errors = [];

    /// <summary>The 400, if anything was wrong; ask after all checks.</summary>
    public Answer? Refusal => errors.Count == 0 ? null : Problem.Invalid(errors);

    /// <summary>1 to 64 of <c>A-Z a-z 0-9 . _ -</c>: what a SKU and a customer's id are made of.</summary>
    public static bool IsId(string value) =>
        value.Length is >= 1 and <= MaxIdLength
        && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');

    public Check Id(string pointer, string value) =>
        IsId(value) ? this : Fail(pointer, "invalid_id", $"1 to {MaxIdLength} of A-Z a-z 0-9 . _ -");

    /// <summary>For people: not blank, no control characters, at most <paramref name="max"/> UTF-16 units.</summary>
    public Check Text(string pointer, string value, int max) =>
        string.IsNullOrWhiteSpace(value) ? Fail(pointer, "required", "It must not be blank.")
        : value.Length > max ? Fail(pointer, "too_long", $"At most {max} characters.")
        : value.Any(char.IsControl) ? Fail(pointer, "control_character", "No control characters.")
        : this;

    /// <inheritdoc cref="Text"/>
    public Check OptionalText(string pointer, string? value, int max) =>
        value is null ? this : Text(pointer, value, max);

    public Check Range(string pointer, long value, long min, long max) =>
        value >= min && value <= max
            ? this
            : Fail(pointer, "out_of_range", $"A whole number from {min} to {max}.");

    /// <summary>An ISO 4217 code in capitals.</summary>
    public Check Currency(string pointer, string value) =>
        Currencies.IsKnown(value)
            ? this
            : Fail(pointer, "unknown_currency", "An ISO 4217 code, such as GBP.");

    public Check OneOf(string pointer, string value, IReadOnlyList<string> allowed) =>
        allowed.Contains(value)
            ? this
            : Fail(pointer, "unknown_value", $"One of: {string.Join(", ", allowed)}.");

    public Check Fail(string pointer, string code, string detail)
    {
        errors.Add(new(pointer, code, detail));
        return this;
    }
}
