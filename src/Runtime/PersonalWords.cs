using System.Text.RegularExpressions;

namespace Orderwright.Runtime;

/// <summary>Words that name a person, and their removal from free text. Pure.</summary>
public static class PersonalWords
{
    public const string Erased = "[erased]";

    // Shorter parts of a name, such as initials and particles, would match ordinary words.
    const int ShortestPart = 3;

    /// <summary>The name, its longer parts, and the e-mail address.</summary>
    public static IReadOnlyList<string> Of(string? name, string? email) =>
    [
        .. new[] { email, name }.Concat((name ?? "").Split(' ', '-', ',', '.').Where(part => part.Length >= ShortestPart))
            .OfType<string>().Where(word => word.Length > 0).Distinct(),
    ];

    /// <summary>Replaces each word of the list, in any case; null when the text contains none.</summary>
    public static string? Without(string text, IReadOnlyList<string> words)
    {
        if (words.Count == 0) return null;
        // Longest first, so that the whole name is replaced once.
        var pattern = string.Join(
            '|', words.OrderByDescending(word => word.Length).Select(word => $@"(?<!\w){Regex.Escape(word)}(?!\w)"));
        var without = Regex.Replace(
            text, pattern, Erased, RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
        return without == text ? null : without;
    }
}
