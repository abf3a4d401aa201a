using System.CommandLine;
using Orderwright.Client;

namespace Orderwright.Cli;

/// <summary>All verbs of the tool, in the order of its help.</summary>
static class CommandTree
{
    public static RootCommand Create() => new(
        "Command line tool of Orderwright. Environment: ORDERWRIGHT_URL is the address of the server, "
        + $"{ServiceAddresses.Default} by default; ORDERWRIGHT_KEY is the API key, where the server requires one.")
    {
        PlaceCommand.Create(),
        OrderCommands.List(),
        OrderCommands.Show(),
        OrderCommands.Watch(),
        OrderCommands.Cancel(),
        ShipCommand.Create(),
        CompleteCommand.Create(),
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
        AdoptCommand.Create(),
        DoctorCommand.Create(),
        KeysCommand.Create(),
        BrokerRightsCommand.Create(),
        Up.Create(),
    };
}
