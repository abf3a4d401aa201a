using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Orderwright.Cli;
using Orderwright.Client;
using Orderwright.Runtime;

var parsed = CommandTree.Create().Parse(args);
if (parsed.Errors.Count > 0)
{
    // The errors and a suggestion; the whole help would push them off the screen.
    if (parsed.Action is ParseErrorAction errors) errors.ShowHelp = false;
    await parsed.InvokeAsync();
    await Console.Error.WriteLineAsync($"For help, run ./{Path(parsed.CommandResult)} --help.");
    return Exit.Usage;

    static string Path(CommandResult result) =>
        result.Parent is CommandResult parent ? $"{Path(parent)} {result.Command.Name}" : result.Command.Name;
}
try
{
    return await parsed.InvokeAsync(new InvocationConfiguration
    {
        // The library's own handler would print a stack trace.
        EnableDefaultExceptionHandler = false,
        // After Ctrl+C, up still has to stop its services and servers.
        ProcessTerminationTimeout = TimeSpan.FromMinutes(1),
    });
}
catch (ApiException error)
{
    await Console.Error.WriteLineAsync(Exit.Advice(error.Reply));
    return Exit.Of(error.Reply);
}
catch (ToolException error)
{
    await Console.Error.WriteLineAsync(error.Message);
    return error.Exit;
}
catch (Exception error) when (error is InvalidSettingException or InvalidAddressException)
{
    await Console.Error.WriteLineAsync(error.Message);
    return Exit.Usage;
}
catch (OperationCanceledException)
{
    await Console.Error.WriteLineAsync("Cancelled.");
    return Exit.Failed;
}
