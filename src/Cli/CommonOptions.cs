using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Orderwright.Cli;

/// <summary>Arguments and options that several verbs share.</summary>
static class CommonOptions
{
    public static Argument<string> Order() => new("order")
    {
        Description = "Order id, 8 or more of its first or last digits, or the order's reference.",
    };

    /// <summary>Limits a list to an order.</summary>
    public static Option<string?> OfOrder() => new("--order")
    {
        Description = "Filter by order: its id, 8 or more of its first or last digits, or its reference.",
    };

    public static Option<bool> Json() => new("--json") { Description = "Print JSON on standard output, for programs." };

    public static Option<int> Limit(int value) => new("--limit")
    {
        Description = "Maximum number of rows, 1 to 200.", DefaultValueFactory = _ => value,
    };

    /// <summary>Directory with the databases of a server.</summary>
    public static Option<string> Data()
    {
        var data = new Option<string>("--data")
        {
            Description = "Data directory of dev (SQLite files) or of up (run.json); ./data also finds ./data/up.",
            DefaultValueFactory = _ => "./data",
        };
        data.Validators.Add(RefuseFile);
        return data;
    }

    /// <summary>Refuses a file as the value of an option that names a directory.</summary>
    public static void RefuseFile(OptionResult result)
    {
        if (result.Tokens is [.., { Value: var path }] && File.Exists(path))
            result.AddError($"{result.Option.Name} names a directory, and {path} is a file.");
    }

    /// <summary>Server with the databases, in place of a directory.</summary>
    public static Option<string?> Postgres() => new("--postgres")
    {
        Description =
            "PostgreSQL server with the databases orderwright_order, _customer, _stock and _coordinator, as "
            + "postgres://user:password@host:port.",
    };

    /// <summary>Start of a time range: an age such as <c>15m</c>, <c>2h</c> or <c>3d</c>, or a moment.</summary>
    public static Option<DateTimeOffset?> Since() => new("--since")
    {
        Description = "Only what began since: 15m, 2h, 3d, or a moment such as 2026-12-01T09:30Z.",
        CustomParser = result =>
        {
            var text = result.Tokens[^1].Value;
            var unit = text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3_600, 'd' => 86_400, _ => 0 };
            if (unit > 0 && int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var count))
                return TimeProvider.System.GetUtcNow().AddSeconds(-(double)count * unit);
            if (DateTimeOffset.TryParse(
                text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment))
                return moment;
            result.AddError($"--since {text} is neither an age such as 15m, 2h or 3d, nor a moment.");
            return null;
        },
    };

    /// <summary>Repeats a list until Ctrl+C.</summary>
    public static Option<bool> Watch() => new("--watch") { Description = "Show the list again every two seconds, until Ctrl+C." };

    /// <summary>Shows a list once, or until cancelled.</summary>
    /// <param name="isWatched">Value of <see cref="Watch"/>.</param>
    /// <param name="output">Output of the verb.</param>
    /// <param name="show">Shows the list.</param>
    /// <param name="cancel">Ends the repeats.</param>
    public static async Task<int> ShowAsync(bool isWatched, Output output, Func<Task> show, CancellationToken cancel)
    {
        await show();
        while (isWatched)
        {
            await Task.Delay(TimeSpan.FromSeconds(2), cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancel.IsCancellationRequested) break;
            if (output.IsTerminal) Console.Clear();
            else output.Line("");
            await show();
        }
        return Exit.Ok;
    }

    /// <summary>The reason of an operator's action.</summary>
    public static Option<string> Reason() => new("--reason") { Description = "Reason for the audit.", Required = true };

    /// <summary>Size of the canary batch of a bulk action; the coordinator chooses by default.</summary>
    public static Option<int?> Canary() => new("--canary")
    {
        Description =
            "Size of the first batch of --where; the others follow only if all of its orders succeed. By default a tenth, "
            + "at most 10 and at least 1.",
    };

    public static Option<bool> Preview() => new("--preview")
    {
        Description = "Preview the effect and the messages; nothing is changed or sent.",
    };

    /// <summary>A whole number within bounds.</summary>
    public static Option<int> Number(string name, int value, int least, int most, string description)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => value };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is var given && (given < least || given > most))
                result.AddError($"{name} must be a whole number from {least} to {most}.");
        });
        return option;
    }
}
