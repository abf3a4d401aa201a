using System.Text.Json;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Orderwright.Client;

namespace Orderwright.Agents;

/// <summary>
/// Tool that checks its arguments against its input schema. The library would answer a missing or mistyped argument with a
/// sentence that names neither the argument nor the fault.
/// </summary>
sealed class CheckedTool(McpServerTool tool) : DelegatingMcpServerTool(tool)
{
    const string InvalidArgument = "invalid_argument";

    public override async ValueTask<CallToolResult> InvokeAsync(
        RequestContext<CallToolRequestParams> request, CancellationToken cancellationToken = default) =>
        Fault(request.Params?.Arguments ?? new Dictionary<string, JsonElement>()) is var (argument, why)
            ? OperatorTools.Refused(OperatorTools.Failure(InvalidArgument, $"{argument}: {why}", argument))
            : await base.InvokeAsync(request, cancellationToken);

    (string Argument, string Why)? Fault(IDictionary<string, JsonElement> arguments)
    {
        var schema = ProtocolTool.InputSchema;
        var known = schema.Part("properties") is { } properties
            ? properties.EnumerateObject().ToDictionary(property => property.Name, property => property.Value)
            : [];
        foreach (var name in arguments.Keys)
            if (!known.ContainsKey(name)) return (name, $"Unknown argument. Known are: {string.Join(", ", known.Keys)}.");
        foreach (var required in schema.Items("required").Select(name => name.GetString()!))
            if (!arguments.ContainsKey(required)) return (required, "A value is required.");
        foreach (var (name, value) in arguments)
            if (TypesOf(known[name]) is { Count: > 0 } types && !types.Contains(TypeOf(value)))
                return (name, $"Expected here: {string.Join(" or ", types)}.");
        return null;
    }

    static List<string> TypesOf(JsonElement schema) =>
        schema.TryGetProperty("type", out var type)
            ? type.ValueKind == JsonValueKind.Array
                ? [.. type.EnumerateArray().Select(one => one.GetString()!)]
                : [type.GetString()!]
            : [];

    static string TypeOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => "string",
        JsonValueKind.Number => "number",
        JsonValueKind.True or JsonValueKind.False => "boolean",
        JsonValueKind.Null => "null",
        JsonValueKind.Array => "array",
        _ => "object",
    };
}
