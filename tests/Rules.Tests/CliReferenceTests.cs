using System.CommandLine;
using Orderwright.Cli;

namespace Orderwright.Rules.Tests;

/// <summary>The published reference of the command line, and the help texts behind the reference.</summary>
public class CliReferenceTests
{
    [Fact]
    public void The_reference_is_up_to_date()
    {
        var path = Path.Combine(Repository.Root, "docs", "reference", "cli.md");
        var expected = CliReference.Write(File.ReadAllText(Path.Combine(Repository.Root, "orderwright")));
        if (Environment.GetEnvironmentVariable("ORDERWRIGHT_WRITE_DOCS") == "1") File.WriteAllText(path, expected);
        Assert.Equal(expected, File.ReadAllText(path));
    }

    [Fact]
    public void The_help_of_a_clone_without_a_build_is_up_to_date()
    {
        var path = Path.Combine(Repository.Root, "src", "Cli", "Help.txt");
        var expected = CliReference.WriteHelp();
        if (Environment.GetEnvironmentVariable("ORDERWRIGHT_WRITE_DOCS") == "1") File.WriteAllText(path, expected);
        Assert.Equal(expected, File.ReadAllText(path));
    }

    [Fact]
    public void Every_verb_argument_and_option_has_a_description() =>
        Assert.Empty(
            from command in Verbs
            from symbol in command.Arguments.Concat<Symbol>(command.Options).Prepend(command)
            where string.IsNullOrWhiteSpace(symbol.Description)
            select $"{command.Name} {symbol.Name}");

    [Fact]
    public void Descriptions_are_sentences() =>
        Assert.Empty(
            from command in Verbs
            from symbol in command.Arguments.Concat<Symbol>(command.Options).Prepend(command)
            let first = symbol.Description!.Split('\n')[0]
            where !char.IsUpper(first[0]) || !first.EndsWith('.')
            select $"{command.Name} {symbol.Name}: {first}");

    [Fact]
    public void A_verb_that_the_tool_handles_is_not_repeated_from_the_script()
    {
        var text = CliReference.Write("#: dev [--port N]\n#:      run list\n#: place, list\n#:      work with orders\n");
        Assert.Contains("```\ndev [--port N]\n     run list\n```", text, StringComparison.Ordinal);
        Assert.DoesNotContain("work with orders", text, StringComparison.Ordinal);
    }

    static IEnumerable<Command> Verbs => CommandTree.Create().Subcommands.SelectMany(All);

    static IEnumerable<Command> All(Command command) => command.Subcommands.SelectMany(All).Prepend(command);
}
