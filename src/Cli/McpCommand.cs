using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol.Server;
using Orderwright.Agents;

namespace Orderwright.Cli;

/// <summary>
/// <c>mcp</c>: <see cref="OperatorTools"/> on standard input and output. They may do what ORDERWRIGHT_KEY may do.
/// </summary>
static class McpCommand
{
    public static Command Create()
    {
        var readOnly = new Option<bool>("--read-only") { Description = "Leave out what changes something." };
        var command = new Command("mcp", "A Model Context Protocol server on stdio: find, explain, and repair orders.")
        {
            readOnly,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            await using var transport = new StdioServerTransport("orderwright");
            await using var server = McpServer.Create(transport, OperatorTools.Options(CallAsync, parsed.GetValue(readOnly)));
            await server.RunAsync(cancel);
            return Exit.Ok;
        });
        return command;
    }

    static async Task<JsonElement> CallAsync(
        HttpMethod method, string service, string path, JsonObject? body, string? key, CancellationToken cancel)
    {
        try
        {
            using var api = await Api.ConnectAsync(cancel);
            var bytes = body is null ? null : JsonSerializer.SerializeToUtf8Bytes(body);
            return (await api.SendAsync(method, service, path, bytes, cancel, key)).Body;
        }
        catch (ToolException error)
        {
            return JsonSerializer.SerializeToElement(new JsonObject { ["error"] = error.Message });
        }
    }
}
