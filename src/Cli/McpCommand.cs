using System.CommandLine;
using System.ComponentModel;
using System.Text.Json;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Orderwright.Contracts;
using Orderwright.Runtime.Http;

namespace Orderwright.Cli;

/// <summary>
/// <c>mcp</c>: a Model Context Protocol server on standard input and output, for agents that help an operator. It finds
/// orders and explains what is stuck; it repairs with a reason, which is audited, and only when told to do it. It may do what
/// ORDERWRIGHT_KEY may do.
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
            var tools = new McpServerPrimitiveCollection<McpServerTool>();
            foreach (var tool in Tools(parsed.GetValue(readOnly))) tools.Add(tool);
            var options = new McpServerOptions
            {
                ServerInfo = new Implementation { Name = "orderwright", Version = "0.1.0" },
                ServerInstructions =
                    "Orderwright carries orders out over several services. Explain an order before you repair it; preview a " +
                    "repair before you do it; every repair is audited with its reason.",
                ToolCollection = tools,
            };
            await using var transport = new StdioServerTransport("orderwright");
            await using var server = McpServer.Create(transport, options);
            await server.RunAsync(cancel);
            return Exit.Ok;
        });
        return command;
    }

    static IEnumerable<McpServerTool> Tools(bool readOnly)
    {
        yield return Read("find_orders", "Orders by id, by reference, or by customer; newest first.", FindAsync);
        yield return Read("explain_order", "What an order waits for and why, in a sentence, with all its steps.", ExplainAsync);
        yield return Read(
            "list_incidents", "What needs a person: processes that are stuck, with code and last word.", IncidentsAsync);
        if (readOnly) yield break;
        yield return Repair(
            "retry_order", "Ask everything outstanding of an order again. Without doIt it only says what it would send.",
            (string order, string reason, bool doIt, CancellationToken cancel) => ActAsync(order, "retry", reason, doIt, cancel));
        yield return Repair(
            "compensate_order", "Undo everything of an unconfirmed order. Without doIt it only says what it would send.",
            (string order, string reason, bool doIt, CancellationToken cancel) =>
                ActAsync(order, "compensate", reason, doIt, cancel));
    }

    static McpServerTool Read(string name, string description, Delegate run) =>
        McpServerTool.Create(run, new() { Name = name, Description = description, ReadOnly = true });

    static McpServerTool Repair(
        string name, string description, Func<string, string, bool, CancellationToken, Task<string>> run) =>
        McpServerTool.Create(
            async (
                [Description("The order's id or reference.")] string order,
                [Description("Why; it stands in the audit.")] string reason,
                [Description("True does it; false only previews it.")] bool doIt, CancellationToken cancel) =>
                await run(order, reason, doIt, cancel),
            new() { Name = name, Description = description, ReadOnly = false, Destructive = true });

    static Task<string> FindAsync(
        [Description("An order's id, a reference, or a customer's id.")] string text, CancellationToken cancel) =>
        WithApiAsync(async api =>
        {
            if (Guid.TryParseExact(text, "D", out _)) return await api.GetAsync(ServiceNames.Order, $"/orders/{text}", cancel);
            var escaped = Uri.EscapeDataString(text);
            var found = await api.GetAsync(ServiceNames.Order, $"/orders?reference={escaped}&limit=10", cancel);
            return found.IsSuccess && found.Body.Items().Any()
                ? found
                : await api.GetAsync(ServiceNames.Order, $"/orders?customerId={escaped}&limit=10", cancel);
        }, cancel);

    static Task<string> ExplainAsync(
        [Description("The order's id or reference.")] string order, CancellationToken cancel) =>
        WithApiAsync(async api => await api.GetAsync(
            ServiceNames.Coordinator, $"/sagas/{await OrderCommands.IdOfAsync(api, order, cancel)}", cancel), cancel);

    static Task<string> IncidentsAsync(
        CancellationToken cancel, [Description("Only those with this code.")] string? code = null) =>
        WithApiAsync(
            api => api.GetAsync(
                ServiceNames.Coordinator,
                $"/incidents?limit=50{(code is null ? "" : $"&code={Uri.EscapeDataString(code)}")}", cancel),
            cancel);

    static Task<string> ActAsync(string order, string verb, string reason, bool doIt, CancellationToken cancel) =>
        WithApiAsync(async api => await api.SendAsync(
            HttpMethod.Post, ServiceNames.Coordinator,
            $"/sagas/{await OrderCommands.IdOfAsync(api, order, cancel)}/{verb}{(doIt ? "" : "?preview=true")}",
            JsonBody.Of(writer => writer.WriteString("reason", reason)), cancel,
            key: doIt ? $"mcp-{Guid.NewGuid():N}" : null), cancel);

    // What the API said, a refusal included: an agent reads its code and detail.
    static async Task<string> WithApiAsync(Func<Api, Task<ApiAnswer>> ask, CancellationToken cancel)
    {
        try
        {
            using var api = await Api.ConnectAsync(cancel);
            return (await ask(api)).Body.GetRawText();
        }
        catch (ToolException error)
        {
            return JsonSerializer.Serialize(new { error = error.Message });
        }
    }
}
