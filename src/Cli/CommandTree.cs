using System.CommandLine;
using System.CommandLine.Help;
using Orderwright.Client;

namespace Orderwright.Cli;

/// <summary>All verbs of the tool, in the order of its help.</summary>
static class CommandTree
{
    // Not a RootCommand, which would call itself after the program's file in every help text.
    public static Command Create() => new(
        "orderwright",
        "Command line tool of Orderwright. Environment: ORDERWRIGHT_URL is the address of the server, "
        + $"{ServiceAddresses.Default} by default; ORDERWRIGHT_KEY is the API key, where the server requires one.")
    {
        new HelpOption(),
        new VersionOption(),
        PlaceCommand.Create(),
        OrderCommands.List(),
        OrderCommands.Show(),
        OrderCommands.Watch(),
        OpenCommand.Create(),
        StatusCommand.Create(),
        OrderCommands.Cancel(),
        ShipCommand.Create(),
        CompleteCommand.Create(),
        OperatorCommands.Why(),
        OperatorCommands.Incidents(),
        OperatorCommands.Note(),
        OperatorCommands.Retry(),
        OperatorCommands.Compensate(),
        OperatorCommands.Resolve(),
        ApprovalsCommand.Create(),
        BulkAction.Create(),
        DeadLetterCommands.List(),
        DeadLetterCommands.Replay(),
        DemoCommand.Create(),
        McpCommand.Create(),
        StockCommand.Create(),
        WebhooksCommand.Create(),
        ProcessCommand.Create(),
        ParticipantCommand.Create(),
        ImportCommand.Create(),
        ExportCommand.Create(),
        VerifyCommand.Create(),
        HealCommand.Create(),
        BackupCommands.Backup(),
        BackupCommands.Restore(),
        ReconcileCommand.Create(),
        AdoptCommand.Create(),
        DoctorCommand.Create(),
        KeysCommand.Create(),
        SessionsCommand.Create(),
        BrokerRightsCommand.Create(),
        SetupCommand.Create(),
        Up.Create(),
        CompletionCommand.Create(),
        CompletionCommand.Suggest(),
    };
}
