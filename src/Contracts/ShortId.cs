namespace Orderwright.Contracts;

/// <summary>Short form of an id, which people read, copy and type in place of the whole.</summary>
public static class ShortId
{
    /// <summary>Least number of digits that a search takes for a part of an id.</summary>
    public const int LeastDigits = 8;

    const int Length = 12;
    const char Ellipsis = '…';

    /// <summary>Last twelve digits of an id: the end of a UUIDv7 is random and so tells neighbours apart.</summary>
    public static string Of(string id) => id.Length > Length ? id[^Length..] : id;

    /// <summary>The short form marked as such, for places where both forms occur.</summary>
    public static string Marked(string id) => id.Length > Length ? $"{Ellipsis}{Of(id)}" : id;

    /// <summary>Digits of an id, or of its beginning or end, as a person typed them: without dashes and ellipsis.</summary>
    public static string DigitsOf(string text) =>
        text.Trim().TrimStart(Ellipsis).Replace("-", "", StringComparison.Ordinal).ToLowerInvariant();
}
