using System.CommandLine;

namespace Orderwright.Cli;

/// <summary>Arguments and options that several verbs share.</summary>
static class CommonOptions
{
    public static Argument<string> Order() => new("order") { Description = "Order id, or the order's reference." };

    public static Option<bool> Json() => new("--json") { Description = "Print JSON on standard output, for programs." };

    public static Option<int> Limit(int value) => new("--limit")
    {
        Description = "Maximum number of rows, 1 to 200.", DefaultValueFactory = _ => value,
    };

    /// <summary>The reason of an operator's action.</summary>
    public static Option<string> Reason() => new("--reason") { Description = "Reason for the audit.", Required = true };

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
