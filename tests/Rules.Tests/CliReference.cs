using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Help;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Orderwright.Cli;

namespace Orderwright.Rules.Tests;

/// <summary>Writes <c>docs/reference/cli.md</c> from the tool's parser and the usage lines of the script.</summary>
static partial class CliReference
{
    const string Introduction =
        """
        # Command line

        Generated from the tool and from the script `orderwright`; do not edit. To update, run
        `ORDERWRIGHT_WRITE_DOCS=1 ./orderwright test Rules.Tests`.

        `./orderwright VERB` runs a verb. Verbs that work with a running Orderwright find the server at `ORDERWRIGHT_URL`
        (default `http://127.0.0.1:4000`) and send the API key in `ORDERWRIGHT_KEY`. Services in processes of their own are found
        on the next three ports, or at `ORDERWRIGHT_ORDER_URL`, `ORDERWRIGHT_CUSTOMER_URL` and `ORDERWRIGHT_STOCK_URL`. In a pipe
        and under `NO_COLOR`, tables are tab-separated lines.

        | Exit code | Meaning |
        | --- | --- |
        | 0 | Success |
        | 1 | Failure |
        | 2 | Invalid arguments or settings |
        | 3 | Refused by the server, such as out of stock or not cancellable |
        | 4 | Server unreachable or overloaded |
        | 5 | Timeout |
        | 6 | Nothing is known to be wrong, and something was not judged |
        | 7 | A file contains nothing that can be imported |
        | 8 | The server requires an API key, or does not know the key |
        | 9 | The key lacks a right |

        """;

    const int WidthOfHelp = 100;

    public static string Write(string script)
    {
        var text = new StringBuilder(Introduction);
        var root = CommandTree.Create();
        text.Append("\n## Verbs of the script\n\n```\n");
        foreach (var line in ScriptUsage(script, [.. root.Subcommands.Select(command => command.Name)]))
            text.Append(line).Append('\n');
        text.Append("```\n\n## Verbs of the tool\n");
        foreach (var command in root.Subcommands.Where(command => !command.Hidden)) Write(text, command, "");
        return text.ToString();
    }

    /// <summary>
    /// Writes <c>src/Cli/Help.txt</c>, from which the script prints the help of a verb before the tool is built: the tool's own
    /// help, with a heading for each verb and subverb.
    /// </summary>
    public static string WriteHelp()
    {
        // The library translates the words of its own.
        CultureInfo.CurrentUICulture = CultureInfo.InvariantCulture;
        var text = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        var root = CommandTree.Create();
        ((HelpAction)root.Options.OfType<HelpOption>().Single().Action!).MaxWidth = WidthOfHelp;
        foreach (var words in root.Subcommands.Where(command => !command.Hidden).SelectMany(command => WordsOf(command, [])))
        {
            text.WriteLine($"# {string.Join(' ', words)}");
            var help = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
            root.Parse([.. words, "--help"]).Invoke(new() { Output = help });
            foreach (var line in help.ToString().TrimEnd().Split('\n')) text.WriteLine(line.TrimEnd());
        }
        return text.ToString();
    }

    static IEnumerable<string[]> WordsOf(Command command, string[] parents)
    {
        string[] words = [.. parents, command.Name];
        return command.Subcommands.SelectMany(subcommand => WordsOf(subcommand, words)).Prepend(words);
    }

    // Usage lines of a verb begin in the first column, their continuation does not.
    static IEnumerable<string> ScriptUsage(string script, HashSet<string> verbsOfTheTool)
    {
        var isShown = false;
        foreach (var line in script.Split('\n').Where(line => line.StartsWith("#: ", StringComparison.Ordinal)))
        {
            var usage = line[3..];
            if (usage[0] != ' ') isShown = !verbsOfTheTool.Contains(Verb().Match(usage).Value);
            if (isShown) yield return usage;
        }
    }

    static void Write(StringBuilder text, Command command, string parent)
    {
        var name = $"{parent}{command.Name}";
        text.Append(CultureInfo.InvariantCulture, $"\n{(parent.Length == 0 ? "###" : "####")} {name}\n\n");
        var lines = command.Description!.Replace("\r", "", StringComparison.Ordinal).Split('\n');
        text.Append(lines[0]).Append('\n');
        if (lines.Length > 1) text.Append("\n```text").Append(string.Join('\n', lines[1..]).TrimEnd()).Append("\n```\n");
        var symbols = command.Arguments.Select(Row).Concat(command.Options.Select(Row)).ToList();
        if (symbols.Count > 0)
            text.Append("\n| Argument or option | Default | Description |\n| --- | --- | --- |\n").AppendJoin("", symbols);
        foreach (var subcommand in command.Subcommands) Write(text, subcommand, $"{name} ");
    }

    static string Row(Argument argument)
    {
        var isRequired = argument.Arity.MinimumNumberOfValues > 0;
        return Row(
            isRequired ? argument.Name : $"[{argument.Name}]", argument.HasDefaultValue ? argument.GetDefaultValue() : null,
            isRequired, argument.Description, argument.GetCompletions(CompletionContext.Empty));
    }

    static string Row(Option option) =>
        option.ValueType == typeof(bool)
            ? Row(option.Name, null, option.Required, option.Description, [])
            : Row(
                $"{option.Name} {ValueOf(option)}", option.HasDefaultValue ? option.GetDefaultValue() : null, option.Required,
                option.Description, option.GetCompletions(CompletionContext.Empty));

    static string Row(
        string name, object? value, bool isRequired, string? description, IEnumerable<CompletionItem> allowed)
    {
        var values = allowed.Select(item => item.Label).Order(StringComparer.Ordinal).ToList();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| `{name}` | {(value is not null ? $"`{value}`" : isRequired ? "required" : "")} | {description}"
            + $"{(values.Count > 0 ? $" One of `{string.Join("`, `", values)}`." : "")} |\n");
    }

    static string ValueOf(Option option) => option.ValueType switch
    {
        var type when type == typeof(int) || type == typeof(long?) => "N",
        var type when type == typeof(int[]) => "N…",
        var type when type == typeof(string[]) => "TEXT…",
        var type when type == typeof(DateTimeOffset?) => "TIME",
        _ => "TEXT",
    };

    [GeneratedRegex("^[a-z-]+")]
    private static partial Regex Verb();
}
