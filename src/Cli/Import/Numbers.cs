using System.Globalization;

namespace Orderwright.Cli.Import;

/// <summary>The character between whole units and decimals.</summary>
public enum DecimalMark
{
    /// <summary>Taken from each number, where only one reading exists.</summary>
    Detect,
    Point,
    Comma,
}

/// <summary>
/// Reads numbers such as <c>2.55</c>, <c>2,55</c>, <c>1,234.50</c>, <c>1.234,50</c>, <c>1 234,50</c> and <c>1'234.50</c>. A
/// number with two readings, such as <c>1,234</c>, is never guessed.
/// </summary>
static class Numbers
{
    /// <summary>Separators of thousands, other than point and comma: space, no-break spaces and apostrophes.</summary>
    const string Spaces = " \u00a0\u202f'\u2019";

    // More digits than any amount or quantity has.
    const int MaxLength = 40;

    /// <summary>Finds the mark of a file: the only mark of all numbers that have a single reading.</summary>
    public static DecimalMark Detect(IEnumerable<string> numbers)
    {
        var (points, commas) = (false, false);
        foreach (var number in numbers.Where(number => number.AsSpan().IndexOfAny('.', ',') >= 0))
        {
            var (point, comma) = (Read(number, '.', ','), Read(number, ',', '.'));
            points |= point is not null && comma is null;
            commas |= comma is not null && point is null;
        }
        return points == commas ? DecimalMark.Detect : points ? DecimalMark.Point : DecimalMark.Comma;
    }

    /// <summary>Reads a number without a sign; null with a reason for anything else.</summary>
    /// <param name="text">The field.</param>
    /// <param name="given">Mark given by the operator, which every number must follow.</param>
    /// <param name="found">Mark found in the file, for numbers with two readings.</param>
    /// <param name="why">Reason for null.</param>
    public static decimal? Read(string text, DecimalMark given, DecimalMark found, out string? why)
    {
        var point = given == DecimalMark.Comma ? null : Read(text, '.', ',');
        var comma = given == DecimalMark.Point ? null : Read(text, ',', '.');
        why = null;
        if (point is null && comma is null)
            why = given switch
            {
                DecimalMark.Point => "not a number with a decimal point",
                DecimalMark.Comma => "not a number with a decimal comma",
                _ => "not a number",
            };
        else if (point is not null && comma is not null && point != comma && found == DecimalMark.Detect)
            why = string.Create(
                CultureInfo.InvariantCulture, $"{point} or {comma}: pass --decimal point or --decimal comma");
        else
            return point is null || (comma is not null && found == DecimalMark.Comma) ? comma : point;
        return null;
    }

    // Groups of thousands have three digits, the first one to three and no leading zero.
    static decimal? Read(string text, char mark, char thousands)
    {
        if (text.Length is 0 or > MaxLength) return null;
        var end = text.IndexOf(mark, StringComparison.Ordinal);
        var (whole, decimals) = end < 0 ? (text, "") : (text[..end], text[(end + 1)..]);
        if (end >= 0 && decimals.Length == 0) return null;
        var separator = whole.FirstOrDefault(c => c == thousands || Spaces.Contains(c, StringComparison.Ordinal));
        if (separator != default)
        {
            var groups = whole.Split(separator);
            if (groups[0].Length is < 1 or > 3 || groups[0][0] == '0' || groups.Skip(1).Any(group => group.Length != 3))
                return null;
            whole = string.Concat(groups);
        }
        return (whole + decimals).All(char.IsAsciiDigit)
            && decimal.TryParse(
                $"{whole}.{decimals}", NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;
    }
}
