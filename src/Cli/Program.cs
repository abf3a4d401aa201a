using System.CommandLine;
using Orderwright.Cli;
using Orderwright.Client;
using Orderwright.Runtime;

var parsed = CommandTree.Create().Parse(args);
if (parsed.Errors.Count > 0)
{
    await parsed.InvokeAsync();
    return Exit.Usage;
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
