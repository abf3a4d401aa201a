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
/// A tool returns the API's JSON, a refusal included: agents read its code and detail. Without a reply a tool returns
/// <c>{"error":…}</c>.
/// </remarks>
public sealed class OperatorTools
{
    readonly Func<CancellationToken, Task<ApiClient>> connect;

    OperatorTools(Func<CancellationToken, Task<ApiClient>> connect) => this.connect = connect;

    /// <summary>Options of a server with these tools, for any transport.</summary>
    /// <param name="connect">Creates a client with the operator's key, once per tool call.</param>
    /// <param name="readOnly">Leaves out the repairs.</param>
    public static McpServerOptions Options(Func<CancellationToken, Task<ApiClient>> connect, bool readOnly)
    {
        var tools = new McpServerPrimitiveCollection<McpServerTool>();
        foreach (var tool in new OperatorTools(connect).All(readOnly)) tools.Add(tool);
        return new McpServerOptions
        {
            ServerInfo = new Implementation
            {
                Name = "orderwright", Version = typeof(OperatorTools).Assembly.GetName().Version!.ToString(3),
            },
            ServerInstructions =
                "Orderwright processes orders across several services. Explain an order before repairing it, and preview a " +
                "repair before carrying it out. Every repair is audited with its reason.",
            ToolCollection = tools,
        };
    }

    IEnumerable<McpServerTool> All(bool readOnly)
    {
        yield return Read("find_orders", "Find orders by id, by reference or by customer, newest first.", FindAsync);
        yield return Read(
            "explain_order", "Explain in a sentence what an order is waiting for, with its steps and its payment.", ExplainAsync);
        yield return Read(
            "list_incidents",
            "List what needs an operator: stuck processes with their code and last response, and payments that need attention.",
            IncidentsAsync);
        if (readOnly) yield break;
        yield return Repair(
            "retry_order", "Resend every outstanding command of an order. Without doIt, only preview the messages.", "retry");
        yield return Repair(
            "compensate_order", "Compensate an unconfirmed order. Without doIt, only preview the messages.", "compensate");
    }

    static McpServerTool Read(string name, string description, Delegate run) =>
        McpServerTool.Create(run, new() { Name = name, Description = description, ReadOnly = true });

    McpServerTool Repair(string name, string description, string verb) =>
        McpServerTool.Create(
            async (
                [Description("Order id or reference.")] string order,
                [Description("Reason for the audit.")] string reason,
                [Description("True carries the repair out; false only previews it.")] bool doIt, CancellationToken cancel) =>
                await OperateAsync(order, verb, reason, doIt, cancel),
            new() { Name = name, Description = description, ReadOnly = false, Destructive = true });

    Task<string> FindAsync(
        [Description("Order id, order reference or customer id.")] string text, CancellationToken cancel) =>
        WithClientAsync(
            async client =>
            {
                if (Guid.TryParseExact(text, "D", out _))
                    return await ReadAsync(client, ServiceNames.Order, $"/orders/{text}", cancel);
                var found = await ByReferenceAsync(client, text, cancel);
                return found.Items().Any()
                    ? found
                    : await ReadAsync(
                        client, ServiceNames.Order, $"/orders?customerId={Uri.EscapeDataString(text)}&limit=10", cancel);
            },
            cancel);

    Task<string> ExplainAsync([Description("Order id or reference.")] string order, CancellationToken cancel) =>
        WithOrderAsync(
            order,
            async (client, id) => With(
                await ReadAsync(client, ServiceNames.Coordinator, $"/sagas/{id}", cancel), "paymentDetails",
                await ReadAsync(client, ServiceNames.Customer, $"/payments/{id}", cancel)),
            cancel);

    Task<string> IncidentsAsync(
        CancellationToken cancel, [Description("Filter by reason code.")] string? code = null) =>
        WithClientAsync(
            async client => With(
                await ReadAsync(
                    client, ServiceNames.Coordinator,
                    $"/incidents?limit=50{(code is null ? "" : $"&code={Uri.EscapeDataString(code)}")}", cancel),
                "payments", await ReadAsync(client, ServiceNames.Customer, "/payments?attention=true&limit=50", cancel)),
            cancel);

    // Only customer-service knows when an authorization expires and which payments need attention.
    static JsonElement With(JsonElement reply, string name, JsonElement payments)
    {
        var combined = JsonObject.Create(reply)!;
        combined[name] = JsonObject.Create(payments);
        return JsonElement.Parse(combined.ToJsonString());
    }

    Task<string> OperateAsync(string order, string verb, string reason, bool doIt, CancellationToken cancel) =>
        WithOrderAsync(
            order,
            async (client, id) => Body(await client.PostAsync(
                ServiceNames.Coordinator, $"/sagas/{id}/{verb}{(doIt ? "" : "?preview=true")}",
                new() { ["reason"] = reason }, cancel, doIt ? ApiClient.NewKey("mcp") : null)),
            cancel);

    Task<string> WithOrderAsync(string order, Func<ApiClient, string, Task<JsonElement>> run, CancellationToken cancel) =>
        WithClientAsync(
            async client =>
            {
                if (Guid.TryParseExact(order, "D", out var id)) return await run(client, id.ToString("D"));
                var found = await ByReferenceAsync(client, order, cancel);
                return found.Items().FirstOrDefault().TextOrNull("id") is { } first ? await run(client, first)
                    : !found.TryGetProperty("items", out _) ? found
                    : Error($"There is no order with the reference {order}.");
            },
            cancel);

    async Task<string> WithClientAsync(Func<ApiClient, Task<JsonElement>> run, CancellationToken cancel)
    {
        try
        {
            return (await run(await connect(cancel))).GetRawText();
        }
        catch (Exception error) when (error is ApiException or InvalidAddressException)
        {
            return Error(error.Message).GetRawText();
        }
    }

    static Task<JsonElement> ByReferenceAsync(ApiClient client, string reference, CancellationToken cancel) =>
        ReadAsync(client, ServiceNames.Order, $"/orders?reference={Uri.EscapeDataString(reference)}&limit=10", cancel);

    static async Task<JsonElement> ReadAsync(ApiClient client, string service, string path, CancellationToken cancel) =>
        Body(await client.GetAsync(service, path, cancel));

    static JsonElement Body(ApiReply reply) => reply.Status == 0 ? Error(reply.Error!) : reply.Body;

    static JsonElement Error(string sentence) =>
        JsonElement.Parse(new JsonObject { ["error"] = sentence }.ToJsonString());
}
