using System.Text;
using System.Text.RegularExpressions;

namespace Orderwright.Tidy.Reference;

/// <summary>The page of codes: those of problems, of their errors, and the reasons of orders and sagas.</summary>
static partial class ErrorsReference
{
    const string ProblemFile = "src/Http/ProblemCodes.cs";
    const string ErrorFile = "src/Http/ErrorCodes.cs";
    const string ReasonFile = "src/Contracts/Names.cs";

    sealed record Code(string Section, string Value, string Statuses, string Summary);

    public static string Write()
    {
        var page = new StringBuilder();
        page.Append(
            """
            # Errors
            <!-- Generated from src/Http/ProblemCodes.cs and src/Contracts/Names.cs by tests/Tidy: change the summaries there,
                 then run the suite with ORDERWRIGHT_WRITE_DOCS=1. -->

            Every error is a problem document (RFC 9457, `application/problem+json`) with a stable `code`, a sentence in
            `detail`, and a `traceId` for the log. Branch on `code`, never on the sentences.

            ## Codes of problems
            """);
        var problems = Read(ProblemFile, "ProblemCodes");
        foreach (var section in problems.GroupBy(code => code.Section))
        {
            page.Append("\n\n### ").Append(char.ToUpperInvariant(section.Key[0])).Append(section.Key[1..]).Append('\n');
            page.Append("| Status | Code | Meaning |\n| --- | --- | --- |");
            foreach (var code in section)
                page.Append($"\n| {code.Statuses} | `{code.Value}` | {code.Summary} |");
        }
        page.Append("\n\n## Codes in `errors`\n");
        page.Append("A problem with the code `invalid_request` lists every invalid place with a code and a JSON pointer.\n\n");
        Table(page, Read(ErrorFile, "ErrorCodes"));
        page.Append("\n## Reasons of orders, steps and payments\n");
        page.Append("Values of `reason.code` of an order, and of `code` of a saga, its steps and payments.\n\n");
        Table(page, Read(ReasonFile, "ReasonCodes"));
        return page.ToString().ReplaceLineEndings("\n");
    }

    public static IReadOnlySet<string> Documented() =>
        Read(ProblemFile, "ProblemCodes").Concat(Read(ErrorFile, "ErrorCodes")).Concat(Read(ReasonFile, "ReasonCodes"))
            .Select(code => code.Value).ToHashSet();

    /// <summary>Literal codes that a source file puts into problems.</summary>
    public static IEnumerable<string> CodesIn(string text) =>
        Literal().Matches(text).Select(match => match.Groups[1].Value).Distinct();

    static void Table(StringBuilder page, IEnumerable<Code> codes)
    {
        page.Append("| Code | Meaning |\n| --- | --- |\n");
        foreach (var code in codes) page.Append($"| `{code.Value}` | {code.Summary} |\n");
    }

    static IReadOnlyList<Code> Read(string path, string name)
    {
        var text = File.ReadAllText(Path.Combine(SourceTree.Root, path)).ReplaceLineEndings("\n");
        var section = "";
        var codes = new List<Code>();
        foreach (Match match in Entry().Matches(SourceText.BodyOf(text, name)!))
            if (match.Groups["section"].Success) section = match.Groups["section"].Value;
            else
                codes.Add(new(
                    section, match.Groups["value"].Value, match.Groups["statuses"].Value,
                    SourceText.Markdown(match.Groups["comment"].Value)));
        return codes;
    }

    [GeneratedRegex(
        @"// ---- (?<section>.*?) ----|(?<comment>(?:[ \t]*///[^\n]*\n)+)(?:[ \t]*\[Status\((?<statuses>[\d, ]+)\)\]\n)?" +
        @"[ \t]*public const string \w+ = ""(?<value>\w+)"";")]
    private static partial Regex Entry();

    [GeneratedRegex(
        @"(?:Problem\.Conflict\(|Problem\.Of\(\s*[\w.]+,|Problem\.Invalid\(\s*[^,()]+,|\.Fail\(\s*[^,()]+," +
        @"|new ProblemError\(\s*[^,()]+,|\bRefused\()\s*""([a-z]+(?:_[a-z]+)*)""")]
    private static partial Regex Literal();
}
