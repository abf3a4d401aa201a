using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Orderwright.Client;
using Orderwright.Contracts;

namespace Orderwright.Agents;

/// <summary>
/// Tools of the Model Context Protocol for agents of an operator: find orders, explain stuck orders, and repair orders with an
/// audited reason. Repairs are previewed unless the agent sets <c>doIt</c>.
/// </summary>
/// <remarks>
/// A tool returns the API's JSON, as text and as structured content. A refusal is the API's problem with <c>isError</c>, whose
/// code and detail agents read; so is a call without a reply, as <c>{"code":…,"detail":…}</c>.
/// </remarks>
public sealed class OperatorTools
{
    const string NotFound = "not_found";
    const string Ambiguous = "ambiguous_order";
    const string NoReply = "no_reply";

    readonly Func<CancellationToken, Task<ApiClient>> connect;

    OperatorTools(Func<CancellationToken, Task<ApiClient>> connect) => this.connect = connect;

    /// <summary>Options of a server with these tools, for any transport.</summary>
    /// <param name="connect">Creates a client with the operator's key, once per tool call.</param>
    /// <param name="readOnly">Leaves out the repairs.</param>
    public static McpServerOptions Options(Func<CancellationToken, Task<ApiClient>> connect, bool readOnly)
    {
        var tools = new McpServerPrimitiveCollection<McpServerTool>();
        foreach (var tool in new OperatorTools(connect).All(readOnly)) tools.Add(new CheckedTool(tool));
        return new McpServerOptions
        {
            ServerInfo = new Implementation
            {
                Name = "orderwright", Title = "Orderwright",
                Version = typeof(OperatorTools).Assembly.GetName().Version!.ToString(3),
            },
            ServerInstructions =
                "Orderwright processes orders across several services. Explain an order before repairing it, and preview a " +
                "repair before carrying it out. Every repair is audited with its reason.",
            ToolCollection = tools,
        };
    }

    IEnumerable<McpServerTool> All(bool readOnly)
    {
        yield return Read(
            "find_orders", "Find orders", "Find orders by id, by reference or by customer, newest first.", ToolSchemas.Orders,
            FindAsync);
        yield return Read(
            "explain_order", "Explain an order",
            "Explain in a sentence what an order is waiting for, with its steps and its payment.", ToolSchemas.Explanation,
            ExplainAsync);
        yield return Read(
            "list_incidents", "List incidents",
            "List what needs an operator: stuck processes with their code and last response, and payments that need attention.",
            ToolSchemas.Incidents, IncidentsAsync);
        if (readOnly) yield break;
        yield return Repair(
            "retry_order", "Retry an order",
            "Resend every outstanding command of an order. Without doIt, only preview the messages.", "retry",
            isDestructive: false);
        yield return Repair(
            "compensate_order", "Compensate an order",
            "Compensate an unconfirmed order. Without doIt, only preview the messages.", "compensate", isDestructive: true);
    }

    static McpServerTool Read(string name, string title, string description, JsonElement output, Delegate run) =>
        McpServerTool.Create(run, new()
        {
            Name = name, Title = title, Description = description, ReadOnly = true, Destructive = false, Idempotent = true,
            OpenWorld = false, UseStructuredContent = true, OutputSchema = output,
        });

    McpServerTool Repair(string name, string title, string description, string verb, bool isDestructive) =>
        McpServerTool.Create(
            async (
                [Description("Order id, its first or last 8 or more digits, or order reference.")] string order,
                [Description("Reason for the audit.")] string reason, CancellationToken cancel,
                [Description("True carries the repair out; false, the default, only previews it.")] bool doIt = false) =>
                await OperateAsync(order, verb, reason, doIt, cancel),
            new()
            {
                Name = name, Title = title, Description = description, ReadOnly = false, Destructive = isDestructive,
                Idempotent = false, OpenWorld = false, UseStructuredContent = true, OutputSchema = ToolSchemas.Repair,
            });

    Task<CallToolResult> FindAsync(
        [Description("Order id, its first or last 8 or more digits, order reference, or customer id.")] string text,
        CancellationToken cancel) =>
        RunAsync(
            async client =>
            {
                var found = await ReadAsync(
                    client, ServiceNames.Order, $"/orders?search={Uri.EscapeDataString(text)}&limit=10", cancel);
                return JsonObject.Create(found.Items().Any()
                    ? found
                    : await ReadAsync(
                        client, ServiceNames.Order, $"/orders?customerId={Uri.EscapeDataString(text)}&limit=10", cancel))!;
            },
            cancel);

    // Only customer-service knows when an authorization expires and which payments need attention.
    Task<CallToolResult> ExplainAsync(
        [Description("Order id, its first or last 8 or more digits, or order reference.")] string order,
        CancellationToken cancel) =>
        RunAsync(
            async client =>
            {
                var id = await IdOfAsync(client, order, cancel);
                var saga = JsonObject.Create(await ReadAsync(client, ServiceNames.Coordinator, $"/sagas/{id}", cancel))!;
                var payment = await client.GetAsync(ServiceNames.Customer, $"/payments/{id}", cancel);
                saga["paymentDetails"] = payment.IsNotFound ? null : JsonObject.Create(BodyOf(payment));
                return saga;
            },
            cancel);

    Task<CallToolResult> IncidentsAsync(
        CancellationToken cancel, [Description("Filter by reason code.")] string? code = null) =>
        RunAsync(
            async client =>
            {
                var incidents = JsonObject.Create(await ReadAsync(
                    client, ServiceNames.Coordinator,
                    $"/incidents?limit=50{(code is null ? "" : $"&code={Uri.EscapeDataString(code)}")}", cancel))!;
                incidents["payments"] = JsonObject.Create(
                    await ReadAsync(client, ServiceNames.Customer, "/payments?attention=true&limit=50", cancel));
                return incidents;
            },
            cancel);

    Task<CallToolResult> OperateAsync(string order, string verb, string reason, bool doIt, CancellationToken cancel) =>
        RunAsync(
            async client => JsonObject.Create(BodyOf(await client.PostAsync(
                ServiceNames.Coordinator,
                $"/sagas/{await IdOfAsync(client, order, cancel)}/{verb}{(doIt ? "" : "?preview=true")}",
                new() { ["reason"] = reason }, cancel, doIt ? ApiClient.NewKey("mcp") : null)))!,
            cancel);

    static async Task<string> IdOfAsync(ApiClient client, string order, CancellationToken cancel)
    {
        if (Guid.TryParseExact(order, "D", out var id)) return id.ToString("D");
        try
        {
            return (await OrderLookUp.FindAsync(client, order, cancel)).Text("id");
        }
        catch (OrderNotNamedException error)
        {
            throw new RefusedException(Failure(error.IsAmbiguous ? Ambiguous : NotFound, error.Message));
        }
    }

    async Task<CallToolResult> RunAsync(Func<ApiClient, Task<JsonObject>> run, CancellationToken cancel)
    {
        try
        {
            var result = await run(await connect(cancel));
            return new CallToolResult
            {
                Content = [new TextContentBlock { Text = result.ToJsonString() }],
                StructuredContent = JsonElement.Parse(result.ToJsonString()),
            };
        }
        catch (RefusedException refusal)
        {
            return Refused(refusal.Problem);
        }
        catch (ApiException error) when (error.Reply.Code.Length > 0)
        {
            return Refused(error.Reply.Body);
        }
        catch (Exception error) when (error is ApiException or InvalidAddressException)
        {
            return Refused(Failure(NoReply, error.Message));
        }
    }

    internal static CallToolResult Refused(JsonElement problem) =>
        new() { IsError = true, Content = [new TextContentBlock { Text = problem.GetRawText() }] };

    internal static JsonElement Failure(string code, string detail, string? argument = null)
    {
        var failure = new JsonObject { ["code"] = code, ["detail"] = detail };
        if (argument is not null) failure["argument"] = argument;
        return JsonElement.Parse(failure.ToJsonString());
    }

    static async Task<JsonElement> ReadAsync(ApiClient client, string service, string path, CancellationToken cancel) =>
        BodyOf(await client.GetAsync(service, path, cancel));

    static JsonElement BodyOf(ApiReply reply) =>
        reply.IsSuccess ? reply.Body
        : throw new RefusedException(reply.Code.Length > 0 ? reply.Body : Failure(NoReply, reply.Error!));

    sealed class RefusedException(JsonElement problem) : Exception
    {
        public JsonElement Problem => problem;
    }
}
