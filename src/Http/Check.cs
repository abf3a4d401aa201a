using Orderwright.Contracts;

namespace Orderwright.Http;

/// <summary>
/// Checks the fields of well-formed JSON, and collects all errors, each with its JSON pointer
/// (<c>/lines/0/sku</c>) or the name of the parameter.
/// </summary>
public sealed class Check
{
    /// <summary>Largest amount or quantity of a single field: 10^12.</summary>
    public const long Most = 1_000_000_000_000;

    public const int MaxIdLength = 64;

    readonly List<ProblemError> errors = [];

    /// <summary>The 400 response with all errors, or null; read after all checks.</summary>
    public Answer? Refusal => errors.Count == 0 ? null : Problem.Invalid(errors);

    /// <summary>True for 1 to 64 characters of <c>A-Z a-z 0-9 . _ -</c>, the form of SKUs and customer ids.</summary>
    public static bool IsId(string value) =>
        value.Length is >= 1 and <= MaxIdLength
        && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');

    public Check Id(string pointer, string value) =>
        IsId(value) ? this : Fail(pointer, ErrorCodes.InvalidId, $"1 to {MaxIdLength} of A-Z a-z 0-9 . _ -");

    /// <summary>
    /// Checks text for people, already in its stored form (<see cref="PlainText"/>): not blank, one line, at most
    /// <paramref name="max"/> code points.
    /// </summary>
    public Check Text(string pointer, string value, int max) =>
        string.IsNullOrWhiteSpace(value) ? Fail(pointer, ErrorCodes.Required, "The value must not be blank.")
        : value.Length > max && PlainText.LengthOf(value) > max
            ? Fail(pointer, ErrorCodes.TooLong, $"At most {max} characters.")
        : !PlainText.IsOneLine(value) ? Fail(pointer, ProblemCodes.InvalidText, "One line without tabs.")
        : this;

    /// <inheritdoc cref="Text"/>
    public Check OptionalText(string pointer, string? value, int max) =>
        value is null ? this : Text(pointer, value, max);

    /// <summary>
    /// Checks text that identifies something, such as an order number: as <see cref="Text"/>, with no other white space than
    /// spaces, and no joiners.
    /// </summary>
    public Check OptionalReference(string pointer, string? value, int max) =>
        value is null || PlainText.IsReference(value)
            ? OptionalText(pointer, value, max)
            : Fail(pointer, ProblemCodes.InvalidText, "No white space other than spaces, and no invisible characters.");

    public Check Range(string pointer, long value, long min, long max) =>
        value >= min && value <= max
            ? this
            : Fail(pointer, ErrorCodes.OutOfRange, $"A whole number from {min} to {max}.");

    /// <summary>Checks an ISO 4217 code in capitals.</summary>
    public Check Currency(string pointer, string value) =>
        Currencies.IsKnown(value)
            ? this
            : Fail(pointer, ErrorCodes.UnknownCurrency, "An ISO 4217 code, such as GBP.");

    public Check OneOf(string pointer, string value, IReadOnlyList<string> allowed) =>
        allowed.Contains(value)
            ? this
            : Fail(pointer, ErrorCodes.UnknownValue, $"One of: {string.Join(", ", allowed)}.");

    public Check Fail(string pointer, string code, string detail)
    {
        errors.Add(new(pointer, code, detail));
        return this;
    }
}
