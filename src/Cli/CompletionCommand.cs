using System.CommandLine;

namespace Orderwright.Cli;

/// <summary><c>completion</c>: prints a script that lets a shell complete verbs, options and their values.</summary>
static class CompletionCommand
{
    const string Bash =
        """
        _orderwright() {
          local IFS=$'\n'
          COMPREPLY=($("${COMP_WORDS[0]}" suggest "$((COMP_POINT - ${#COMP_WORDS[0]} - 1))" "${COMP_LINE#* }" 2>/dev/null))
        }
        complete -o default -F _orderwright orderwright ./orderwright
        """;

    const string Zsh =
        """
        #compdef orderwright ./orderwright
        _orderwright() {
          local line="${BUFFER#* }"
          compadd -- ${(f)"$("${words[1]}" suggest "$((CURSOR - ${#words[1]} - 1))" "$line" 2>/dev/null)"}
        }
        compdef _orderwright orderwright ./orderwright
        """;

    const string Fish =
        """
        function __orderwright
          set -l name (string split ' ' -- (commandline))[1]
          set -l line (string replace -r '^\S+ ' '' -- (commandline))
          $name suggest (math (commandline -C) - (string length -- $name) - 1) "$line" 2>/dev/null
        end
        complete -c orderwright -f -a '(__orderwright)'
        """;

    public static Command Create()
    {
        var shell = new Argument<string>("shell") { Description = "Shell that reads the script." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new Command(
            "completion",
            "Print a script with which a shell completes verbs, options and values: source <(./orderwright completion bash).")
        {
            shell,
        };
        command.SetAction(parsed =>
        {
            Console.WriteLine(parsed.GetValue(shell) switch { "bash" => Bash, "zsh" => Zsh, _ => Fish });
            return Exit.Ok;
        });
        return command;
    }

    /// <summary>Verb of the printed scripts: prints what may follow at a position of a command line.</summary>
    public static Command Suggest()
    {
        var position = new Argument<int>("position") { Description = "Position in the line." };
        var line = new Argument<string>("line") { Description = "Command line without the name of the tool." };
        var command = new Command("suggest", "Print completions.") { position, line };
        command.Hidden = true;
        command.SetAction(parsed =>
        {
            var text = parsed.GetValue(line)!;
            var at = Math.Clamp(parsed.GetValue(position), 0, text.Length);
            // A prefix counts only up to the cursor.
            foreach (var item in CommandTree.Create().Parse(text[..at]).GetCompletions(at)) Console.WriteLine(item.Label);
            return Exit.Ok;
        });
        return command;
    }
}
