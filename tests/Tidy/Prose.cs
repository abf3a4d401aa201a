using System.Text.RegularExpressions;

namespace Orderwright.Tidy;

/// <summary>Figures about the language of comments and documents, and the places behind them.</summary>
public static partial class Prose
{
    static readonly HashSet<string> Pronouns = new(
        ("it its this that these those they them their theirs what who whom whose whoever whatever one ones there such " +
        "which itself themselves").Split(' '), StringComparer.OrdinalIgnoreCase);

    /// <summary>Opening words of the summaries in a C# or Razor file.</summary>
    public static IReadOnlyList<(int Line, string Word)> SummaryOpenings(SourceFile file) =>
        [.. Summary().Matches(file.Text).Select(match => (LineOf(file.Text, match.Index), match.Groups[1].Value))];

    /// <summary>True for a summary that names no subject: "What the columns leave out".</summary>
    public static bool IsHeadless(string opening) => Headless().IsMatch(opening);

    /// <summary>Comments of a C#, Razor or SQL file as plain text, without markup and code.</summary>
    public static string CommentsOf(SourceFile file)
    {
        var lines = file.Path.EndsWith(".sql", StringComparison.Ordinal)
            ? file.Lines.Where(line => !Directive().IsMatch(line.Line))
                .Select(line => SqlComment().Match(line.Line).Groups[1].Value)
            : file.Lines.Select(line => CodeComment().Match(line.Line).Groups[1].Value);
        return Markup().Replace(string.Join('\n', lines), " ");
    }

    /// <summary>Text of a Markdown file without code, addresses and link targets.</summary>
    public static string TextOf(SourceFile document) => NotProse().Replace(document.Text, " ");

    /// <summary>Words, and how many of them are vague pronouns.</summary>
    public static (int Words, int Pronouns) Count(string text)
    {
        var words = Word().Matches(text);
        return (words.Count, words.Count(word => Pronouns.Contains(word.Value)));
    }

    /// <summary>Vague pronouns per 100 words over several texts.</summary>
    public static double PronounsPerHundred(IEnumerable<string> texts)
    {
        var (words, pronouns) = texts.Select(Count)
            .Aggregate((sum, next) => (sum.Words + next.Words, sum.Pronouns + next.Pronouns));
        return words == 0 ? 0 : 100.0 * pronouns / words;
    }

    /// <summary>Words and phrases that read like a translation.</summary>
    public static IEnumerable<string> Archaisms(string text) => Archaism().Matches(text).Select(match => match.Value);

    static int LineOf(string text, int index) => text.AsSpan(0, index).Count('\n') + 1;

    [GeneratedRegex(@"<summary>\s*(?:///\s*)?(\S+)")]
    private static partial Regex Summary();

    [GeneratedRegex(@"^(What|Who|Whoever|Whom|Whose|It|Its|Of|One|Those|These|They|Where|How|Whether|Which|That|This|There)\b")]
    private static partial Regex Headless();

    [GeneratedRegex("^-- (name|columns):")]
    private static partial Regex Directive();

    [GeneratedRegex("--(.*)$")]
    private static partial Regex SqlComment();

    [GeneratedRegex(@"(?:^\s*///?|[\s;{}]//\s|@\*)(.*)$")]
    private static partial Regex CodeComment();

    [GeneratedRegex("""<c>.*?</c>|<code>.*?</code>|</?[a-zA-Z][^>]*>|`[^`]*`""", RegexOptions.Singleline)]
    private static partial Regex Markup();

    [GeneratedRegex(@"```.*?```|~~~.*?~~~|<!--.*?-->|`[^`\n]*`|https?://\S+|\]\([^)]*\)", RegexOptions.Singleline)]
    private static partial Regex NotProse();

    [GeneratedRegex("[A-Za-z][A-Za-z'-]*")]
    private static partial Regex Word();

    [GeneratedRegex(
        @"\b(anew|whoever|in vain|to and fro|for ever|minded by|told by|is told|stands in the|is away|by who|for who|of who)\b",
        RegexOptions.IgnoreCase)]
    private static partial Regex Archaism();
}
