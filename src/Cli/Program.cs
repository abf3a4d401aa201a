using System.CommandLine;
using Orderwright.Cli;
using Orderwright.Runtime;

var root = new RootCommand(
    "Orderwright's command line tool. The server is ORDERWRIGHT_URL (http://127.0.0.1:4000), the key ORDERWRIGHT_KEY.")
{
    PlaceCommand.Create(),
    OrderCommands.List(),
    OrderCommands.Show(),
    OrderCommands.Watch(),
    OrderCommands.Cancel(),
    ShipCommand.Create(),
    OperatorCommands.Why(),
    OperatorCommands.Incidents(),
    OperatorCommands.Note(),
    OperatorCommands.Retry(),
    OperatorCommands.Compensate(),
    OperatorCommands.Resolve(),
    BulkAction.Create(),
    DeadLetterCommands.List(),
    DeadLetterCommands.Replay(),
    DemoCommand.Create(),
    McpCommand.Create(),
    StockCommand.Create(),
    ImportCommand.Create(),
    VerifyCommand.Create(),
    ReconcileCommand.Create(),
    DoctorCommand.Create(),
    KeysCommand.Create(),
    Up.Create(),
};
var parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    await parsed.InvokeAsync();
    return Exit.Usage;
}
try
{
    // Exceptions are ours to word; the library would print a stack.
    return await parsed.InvokeAsync(new InvocationConfiguration
    {
        EnableDefaultExceptionHandler = false,
        // After a Ctrl+C, up has services and servers to bring to their ends.
        ProcessTerminationTimeout = TimeSpan.FromMinutes(1),
    });
}
catch (ToolException error)
{
    await Console.Error.WriteLineAsync(error.Message);
    return error.Exit;
}
catch (InvalidSettingException error)
{
    await Console.Error.WriteLineAsync(error.Message);
    return Exit.Usage;
}
catch (OperationCanceledException)
{
    await Console.Error.WriteLineAsync("Stopped.");
    return Exit.Failed;
}
