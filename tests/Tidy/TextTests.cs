using System.Text.RegularExpressions;

namespace Orderwright.Tidy;

/// <summary>Keeps files readable, and both engines' statements side by side.</summary>
public class TextTests
{
    const int LongestFile = 400;
    const int LongestLine = 130;

    // One letter of each word is bracketed, so that a search for unfinished work does not find this line.
    static readonly Regex Unfinished = new(@"NotImplemented[E]xception|\b(TO[D]O|FIX[M]E|HAC[K])\b|Assert\.True\([t]rue\)");

    [Fact]
    public void No_file_says_that_it_is_unfinished() =>
        Assert.Empty(
            from folder in new[] { "src", "tests" }
            from file in SourceTree.Read(folder, "*.cs")
            where !file.Path.StartsWith("tests/Tidy/", StringComparison.Ordinal) && Unfinished.IsMatch(file.Text)
            select file.Path);

    [Fact]
    public void Files_of_the_product_fit_a_reading() =>
        Assert.Empty(
            from file in SourceTree.Read("src", "*.cs")
            let lines = file.Lines.Count()
            where lines > LongestFile
            select $"{file.Path} has {lines} lines: split it by idea");

    [Fact]
    public void Lines_fit_a_screen() =>
        Assert.Empty(
            from folder in new[] { "src", "tests", "bench" }
            from pattern in new[] { "*.cs", "*.razor" }
            from file in SourceTree.Read(folder, pattern)
            from line in file.Lines
            where line.Line.Length > LongestLine
            select $"{file.Path}:{line.Number} has {line.Line.Length} characters");

    [Fact]
    public void Both_engines_have_the_same_statements_and_migrations() =>
        Assert.Empty(MissingSiblings(SourceTree.Read("src", "*.sql")));

    [Fact]
    public void A_statement_that_one_engine_lacks_is_found() =>
        Assert.Equal(
            ["src/X/Sql/x.sqlite.sql lacks 'b'"],
            MissingSiblings(
            [
                new SourceFile("src/X/Sql/x.postgres.sql", "-- name: a\nSELECT 1;\n-- name: b\nSELECT 2;"),
                new SourceFile("src/X/Sql/x.sqlite.sql", "-- name: a\nSELECT 1;"),
            ]));

    static IEnumerable<string> MissingSiblings(IReadOnlyList<SourceFile> files)
    {
        var names = files.ToDictionary(
            file => file.Path, file => Regex.Matches(file.Text, @"^-- name: *(\S+)", RegexOptions.Multiline)
                .Select(match => match.Groups[1].Value).ToHashSet());
        foreach (var (path, own) in names)
        {
            if (!path.EndsWith(".postgres.sql", StringComparison.Ordinal)
                && !path.EndsWith(".sqlite.sql", StringComparison.Ordinal))
                continue;
            var sibling = path.EndsWith(".postgres.sql", StringComparison.Ordinal)
                ? path.Replace(".postgres.sql", ".sqlite.sql", StringComparison.Ordinal)
                : path.Replace(".sqlite.sql", ".postgres.sql", StringComparison.Ordinal);
            if (!names.TryGetValue(sibling, out var others))
                yield return $"{sibling} is missing";
            else
                foreach (var name in own.Except(others))
                    yield return $"{sibling} lacks '{name}'";
        }
    }
}
