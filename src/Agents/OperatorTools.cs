using System.ComponentModel;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.Agents;

/// <summary>
/// Calls a service's HTTP API as whoever the agent works for. The answer's JSON, that of a refusal included: an agent reads
/// its code and detail. <c>{"error":…}</c> where nobody answers.
/// </summary>
/// <param name="method">GET or POST.</param>
/// <param name="service">One of <see cref="ServiceNames"/>.</param>
/// <param name="path">Below <c>/api/v1</c>, with its query.</param>
/// <param name="body">Null for none.</param>
/// <param name="key">The Idempotency-Key; null for none.</param>
/// <param name="cancel">The agent went away.</param>
public delegate Task<JsonElement> CallApi(
    HttpMethod method, string service, string path, JsonObject? body, string? key, CancellationToken cancel);

/// <summary>
/// What agents that help an operator get over the Model Context Protocol: they find orders and explain what is stuck; they
/// repair with a reason, which is audited, and only when told to do it.
/// </summary>
public sealed class OperatorTools(CallApi call)
{
    /// <summary>A server with these tools, for any transport.</summary>
    /// <param name="call">Reads and acts.</param>
    /// <param name="readOnly">Leave out what changes something.</param>
    public static McpServerOptions Options(CallApi call, bool readOnly)
    {
        var tools = new McpServerPrimitiveCollection<McpServerTool>();
        foreach (var tool in new OperatorTools(call).All(readOnly)) tools.Add(tool);
        return new McpServerOptions
        {
            ServerInfo = new Implementation { Name = "orderwright", Version = "0.1.0" },
            ServerInstructions =
                "Orderwright carries orders out over several services. Explain an order before you repair it; preview a " +
                "repair before you do it; every repair is audited with its reason.",
            ToolCollection = tools,
        };
    }

    IEnumerable<McpServerTool> All(bool readOnly)
    {
        yield return Read("find_orders", "Orders by id, by reference, or by customer; newest first.", FindAsync);
        yield return Read(
            "explain_order", "What an order waits for and why, in a sentence, with its steps and its payment.", ExplainAsync);
        yield return Read(
            "list_incidents", "What needs a person: processes that are stuck, with code and last word, and payments.",
            IncidentsAsync);
        if (readOnly) yield break;
        yield return Repair(
            "retry_order", "Ask everything outstanding of an order again. Without doIt it only says what it would send.",
            "retry");
        yield return Repair(
            "compensate_order", "Undo everything of an unconfirmed order. Without doIt it only says what it would send.",
            "compensate");
    }

    static McpServerTool Read(string name, string description, Delegate run) =>
        McpServerTool.Create(run, new() { Name = name, Description = description, ReadOnly = true });

    McpServerTool Repair(string name, string description, string verb) =>
        McpServerTool.Create(
            async (
                [Description("The order's id or reference.")] string order,
                [Description("Why; it stands in the audit.")] string reason,
                [Description("True does it; false only previews it.")] bool doIt, CancellationToken cancel) =>
                await ActAsync(order, verb, reason, doIt, cancel),
            new() { Name = name, Description = description, ReadOnly = false, Destructive = true });

    async Task<string> FindAsync(
        [Description("An order's id, a reference, or a customer's id.")] string text, CancellationToken cancel)
    {
        var found = Guid.TryParseExact(text, "D", out _)
            ? await GetAsync(ServiceNames.Order, $"/orders/{text}", cancel)
            : await ByReferenceAsync(text, cancel) is var first && first.Items().Any()
                ? first
                : await GetAsync(ServiceNames.Order, $"/orders?customerId={Uri.EscapeDataString(text)}&limit=10", cancel);
        return found.GetRawText();
    }

    Task<string> ExplainAsync([Description("The order's id or reference.")] string order, CancellationToken cancel) =>
        WithIdAsync(
            order,
            async id => With(
                await GetAsync(ServiceNames.Coordinator, $"/sagas/{id}", cancel), "paymentDetails",
                await GetAsync(ServiceNames.Customer, $"/payments/{id}", cancel)),
            cancel);

    async Task<string> IncidentsAsync(
        CancellationToken cancel, [Description("Only those with this code.")] string? code = null) =>
        With(
            await GetAsync(
                ServiceNames.Coordinator,
                $"/incidents?limit=50{(code is null ? "" : $"&code={Uri.EscapeDataString(code)}")}", cancel),
            "payments", await GetAsync(ServiceNames.Customer, "/payments?attention=true&limit=50", cancel)).GetRawText();

    // What the process does not know: until when money is held, and what of it a person has to see to.
    static JsonElement With(JsonElement told, string name, JsonElement payments)
    {
        var both = JsonObject.Create(told)!;
        both[name] = JsonObject.Create(payments);
        using var document = JsonDocument.Parse(both.ToJsonString());
        return document.RootElement.Clone();
    }

    Task<string> ActAsync(string order, string verb, string reason, bool doIt, CancellationToken cancel) =>
        WithIdAsync(
            order,
            id => call(
                HttpMethod.Post, ServiceNames.Coordinator, $"/sagas/{id}/{verb}{(doIt ? "" : "?preview=true")}",
                new() { ["reason"] = reason }, doIt ? NewKey() : null, cancel),
            cancel);

    async Task<string> WithIdAsync(string order, Func<string, Task<JsonElement>> ask, CancellationToken cancel)
    {
        if (Guid.TryParseExact(order, "D", out var id)) return (await ask(id.ToString("D"))).GetRawText();
        var found = await ByReferenceAsync(order, cancel);
        return found.Items().FirstOrDefault().TextOrNull("id") is { } its ? (await ask(its)).GetRawText()
            : !found.TryGetProperty("items", out _) ? found.GetRawText()
            : new JsonObject { ["error"] = $"There is no order with the reference {order}." }.ToJsonString();
    }

    Task<JsonElement> ByReferenceAsync(string reference, CancellationToken cancel) =>
        GetAsync(ServiceNames.Order, $"/orders?reference={Uri.EscapeDataString(reference)}&limit=10", cancel);

    Task<JsonElement> GetAsync(string service, string path, CancellationToken cancel) =>
        call(HttpMethod.Get, service, path, null, null, cancel);

    static string NewKey() => $"mcp-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}";
}
