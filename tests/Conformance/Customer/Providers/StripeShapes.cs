using System.Text.Json.Nodes;

namespace Orderwright.Conformance.Customer.Providers;

/// <summary>Error response of Stripe.</summary>
sealed record Refusal(int Status, string Type, string? Code, string Message, string? Param = null, string? DeclineCode = null)
{
    public JsonObject Fault()
    {
        var fault = new JsonObject { ["type"] = Type, ["message"] = Message };
        if (Code is not null) fault["code"] = Code;
        if (DeclineCode is not null) fault["decline_code"] = DeclineCode;
        if (Param is not null) fault["param"] = Param;
        return fault;
    }

    public string Body(JsonObject? intent)
    {
        var fault = Fault();
        if (intent is not null) fault["payment_intent"] = intent.DeepClone();
        return new JsonObject { ["error"] = fault }.ToJsonString();
    }
}

/// <summary>Stripe's objects with all documented fields and no others.</summary>
static class StripeShapes
{
    public static readonly JsonNode Names = JsonNode.Parse(
        typeof(StripeMock).Assembly.GetManifestResourceStream("stripe-names.json")!)!;

    public static JsonObject Metadata(IReadOnlyDictionary<string, string> form) => new(
        form.Where(pair => pair.Key.StartsWith("metadata[", StringComparison.Ordinal))
            .Select(pair => KeyValuePair.Create(pair.Key[9..^1], (JsonNode?)pair.Value)));

    public static JsonObject Shape(string kind, params (string Name, JsonNode? Value)[] known)
    {
        var shape = new JsonObject(
            Names["fields"]![kind]!.AsArray().Select(name => KeyValuePair.Create((string)name!, (JsonNode?)null)));
        foreach (var (name, value) in known)
        {
            Assert.True(shape.ContainsKey(name), $"{kind} has no field {name}");
            shape[name] = value;
        }
        return shape;
    }

    public static string EventOf(JsonObject thing, string type)
    {
        Assert.Contains(type, Names["eventTypes"]!.AsArray().Select(name => (string)name!));
        return Shape(
            "event",
            ("id", $"evt_{(string)thing["id"]!}_{type}"), ("object", "event"), ("type", type),
            ("api_version", (string)Names["version"]!), ("created", 1_769_851_800), ("livemode", false),
            ("pending_webhooks", 1), ("data", new JsonObject { ["object"] = thing.DeepClone() })).ToJsonString();
    }
}
