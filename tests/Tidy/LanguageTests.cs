using System.Text.RegularExpressions;

namespace Orderwright.Tidy;

/// <summary>
/// Rules of CONTRIBUTING.md about language. The limits are those of well-kept .NET code bases: 0 to 6 % of summaries without
/// a subject, 3.6 to 4.9 vague pronouns per 100 words of comment, 2.7 to 4.4 per 100 words of prose.
/// </summary>
public partial class LanguageTests(ITestOutputHelper output)
{
    const double MostHeadlessSummaries = 3;
    const double MostPronounsInComments = 5;
    const double MostPronounsInProse = 4.5;

    static readonly string[] CodeFolders = ["src", "tests", "bench"];

    static IEnumerable<SourceFile> Code =>
        from folder in CodeFolders
        from pattern in new[] { "*.cs", "*.razor", "*.sql" }
        from file in SourceTree.Read(folder, pattern)
        select file;

    static IReadOnlyList<SourceFile> Documents =>
        [.. SourceTree.Read("", "*.md").Where(file => !file.Path.StartsWith("data/", StringComparison.Ordinal))];

    [Fact]
    public void Summaries_name_their_subject()
    {
        var openings = Code.Where(IsCSharp)
            .SelectMany(file => Prose.SummaryOpenings(file).Select(at => (file.Path, at.Line, at.Word)))
            .ToList();
        var headless = openings.Where(at => Prose.IsHeadless(at.Word)).ToList();
        var share = 100.0 * headless.Count / openings.Count;
        output.WriteLine($"{headless.Count} of {openings.Count} summaries name no subject: {share:0.0} %");
        Assert.True(
            share <= MostHeadlessSummaries,
            $"{share:0.0} % of summaries name no subject, such as " +
            string.Join(", ", headless.Take(20).Select(at => $"{at.Path}:{at.Line} {at.Word} …")));
    }

    [Fact]
    public void Comments_name_what_they_talk_about() =>
        AssertPronouns("comments", Code.Where(file => !IsAboutLanguage(file)), Prose.CommentsOf, MostPronounsInComments);

    [Fact]
    public void Documents_name_what_they_talk_about() =>
        AssertPronouns("documents", Documents, Prose.TextOf, MostPronounsInProse);

    [Fact]
    public void No_text_reads_like_a_translation() =>
        Assert.Empty(
            from file in Code.Where(file => !IsAboutLanguage(file)).Concat(Documents)
            let text = file.Path.EndsWith(".md", StringComparison.Ordinal) ? Prose.TextOf(file) : Prose.CommentsOf(file)
            from phrase in Prose.Archaisms(text)
            select $"{file.Path}: {phrase}");

    [Theory]
    [InlineData("/// <summary>What the columns leave out.</summary>", true)]
    [InlineData("/// <summary>\n/// Of several outcomes only the last matters.\n/// </summary>", true)]
    [InlineData("/// <summary>State of the saga as JSON.</summary>", false)]
    public void A_summary_without_a_subject_is_found(string text, bool headless) =>
        Assert.Equal(headless, Prose.IsHeadless(Assert.Single(Prose.SummaryOpenings(new("x.cs", text))).Word));

    [Fact]
    public void A_comment_full_of_pronouns_is_found()
    {
        var comment = new SourceFile("x.cs", "    // It is what they who ask for it get.\n    var it = 1;\n");
        Assert.Equal((9, 5), Prose.Count(Prose.CommentsOf(comment)));
    }

    [Fact]
    public void Every_document_that_is_mentioned_exists() =>
        Assert.Empty(
            from file in Code.Where(file => !IsAboutLanguage(file)).Concat(Documents).Concat(SourceTree.Read("", "*.props"))
            from name in MissingDocuments(file)
            select $"{file.Path} mentions {name}");

    [Fact]
    public void Every_type_that_a_document_mentions_exists()
    {
        var declared = Code.Where(IsCSharp)
            .SelectMany(file => Declaration().Matches(file.Text).Select(match => match.Groups[1].Value))
            .Concat(Code.Select(file => System.IO.Path.GetFileName(file.Path).Split('.')[0]))
            .Concat(SourceTree.Folders("src").Concat(SourceTree.Folders("tests")).Concat(SourceTree.Folders("bench")))
            .ToHashSet();
        Assert.Empty(
            from file in Documents
            from name in MentionedTypes(file)
            where !declared.Contains(name) && !OutsideTypes.Contains(name)
            select $"{file.Path} mentions {name}");
    }

    [Fact]
    public void A_document_or_type_that_does_not_exist_is_found()
    {
        var document = new SourceFile("docs/x.md", "See [design](NOWHERE.md), `OrderSaga` and `NoSuchThing.RunAsync`.");
        Assert.Equal(["NOWHERE.md"], MissingDocuments(document));
        Assert.Equal(["OrderSaga", "NoSuchThing"], MentionedTypes(document));
    }

    // Types of .NET, of libraries and of other products that documents mention.
    static readonly HashSet<string> OutsideTypes = [];

    static IEnumerable<string> MissingDocuments(SourceFile file)
    {
        var folder = System.IO.Path.GetDirectoryName(file.Path) ?? "";
        return from match in DocumentName().Matches(file.Text)
               let name = match.Value
               where !Exists(folder, name) && !Exists("", name) && !Names.Contains(name)
               select name;
    }

    // A name without a folder, as code writes it, may be that of any document.
    static readonly HashSet<string> Names = [.. Documents.Select(document => System.IO.Path.GetFileName(document.Path))];

    static bool Exists(string folder, string name) =>
        File.Exists(System.IO.Path.GetFullPath(System.IO.Path.Combine(SourceTree.Root, folder, name)));

    static IEnumerable<string> MentionedTypes(SourceFile document) =>
        MentionedType().Matches(CodeBlock().Replace(document.Text, "")).Select(match => match.Groups[1].Value).Distinct();

    void AssertPronouns(string what, IEnumerable<SourceFile> files, Func<SourceFile, string> textOf, double most)
    {
        var texts = files.Select(file => (file.Path, Text: textOf(file))).ToList();
        var rate = Prose.PronounsPerHundred(texts.Select(text => text.Text));
        output.WriteLine($"{rate:0.00} pronouns per 100 words of {what}");
        var worst = texts.Select(text => (text.Path, Count: Prose.Count(text.Text))).Where(text => text.Count.Words > 60)
            .OrderByDescending(text => (double)text.Count.Pronouns / text.Count.Words).Take(10)
            .Select(text => $"{text.Path} {100.0 * text.Count.Pronouns / text.Count.Words:0.0}");
        Assert.True(rate <= most, $"{rate:0.00} pronouns per 100 words of {what}; most in {string.Join(", ", worst)}");
    }

    static bool IsCSharp(SourceFile file) => !file.Path.EndsWith(".sql", StringComparison.Ordinal);

    static bool IsAboutLanguage(SourceFile file) =>
        file.Path is "tests/Tidy/LanguageTests.cs" or "tests/Tidy/Prose.cs";

    [GeneratedRegex(@"(?:class|record|struct|interface|enum|delegate \S+) ([A-Z]\w+)")]
    private static partial Regex Declaration();

    [GeneratedRegex(@"(?<![\w*/.-])(?:\.{1,2}/|[\w-]+/)*[\w][\w.-]*\.md\b")]
    private static partial Regex DocumentName();

    // A word of at least two capitals: `OrderSaga`, not `Retry`.
    [GeneratedRegex(@"`([A-Z][a-z0-9]+(?:[A-Z][a-z0-9]+)+)(?:<\w+>)?(?:\.\w+(?:\(\))?)*`")]
    private static partial Regex MentionedType();

    [GeneratedRegex("```.*?```", RegexOptions.Singleline)]
    private static partial Regex CodeBlock();
}
