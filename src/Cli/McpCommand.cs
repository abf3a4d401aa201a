using System.CommandLine;
using ModelContextProtocol.Server;
using Orderwright.Agents;

namespace Orderwright.Cli;

/// <summary><c>mcp</c>: serves <see cref="OperatorTools"/> on standard input and output, under ORDERWRIGHT_KEY.</summary>
static class McpCommand
{
    public static Command Create()
    {
        var readOnly = new Option<bool>("--read-only") { Description = "Offer only tools that change nothing." };
        var command = new Command("mcp", "Serve the Model Context Protocol on stdio, to find, explain and repair orders.")
        {
            readOnly,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            await using var transport = new StdioServerTransport("orderwright");
            var options = OperatorTools.Options(token => Server.ConnectAsync(token), parsed.GetValue(readOnly));
            await using var server = McpServer.Create(transport, options);
            await server.RunAsync(cancel);
            return Exit.Ok;
        });
        return command;
    }
}
