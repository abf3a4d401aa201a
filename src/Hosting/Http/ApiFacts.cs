using System.Text.Json.Nodes;
using Orderwright.Http;

namespace Orderwright.Hosting.Http;

/// <summary>Types, limits and examples of names that mean the same wherever the API has them.</summary>
static class ApiFacts
{
    const string OrderId = "01a22947-5904-776b-98eb-820908e514b5";
    const string Time = "2026-01-31T09:30:00.123Z";
    const string IdPattern = "^[A-Za-z0-9._-]{1,64}$";

    // Texts by the name of the property.
    static readonly Dictionary<string, (string? Pattern, string Example)> Texts = new()
    {
        ["sku"] = (IdPattern, "MUG-01"),
        ["customerId"] = (IdPattern, "ada"),
        ["currency"] = ("^[A-Z]{3}$", "GBP"),
        ["traceId"] = ("^[0-9a-f]{32}$", "553cf8e5799702bec0b3e3af0300d503"),
        ["code"] = (null, "out_of_stock"),
        ["nextCursor"] = ("^[A-Za-z0-9_-]+$", "q83vEjAxYTIyOTQ3"),
        ["channel"] = (null, "main"),
        ["carrier"] = (null, "Royal Mail"),
        ["detail"] = (null, "A whole number from 1 to 1000000."),
        ["email"] = (null, "ada@example.com"),
        ["label"] = (null, "Royal Mail"),
        ["message"] = (null, "MUG-01 is out of stock."),
        ["name"] = (null, "Mug"),
        ["note"] = (null, "The bank was called."),
        ["owner"] = (null, "payments team"),
        ["participant"] = (null, "stock-service"),
        ["pointer"] = (null, "/lines/0/quantity"),
        ["parameter"] = (null, "limit"),
        ["provider"] = (null, "balance"),
        ["reason"] = (null, "The customer called."),
        ["reference"] = (null, "536365"),
        ["secret"] = ("^whsec_[A-Za-z0-9+/=]+$", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ["step"] = (null, "reserve-stock"),
        ["token"] = (null, "tok_visa"),
        ["url"] = (null, "https://shop.example.com/hooks"),
    };

    static readonly Dictionary<string, long> Numbers = new()
    {
        ["allocated"] = 2, ["amount"] = 895, ["amountMinor"] = 895, ["available"] = 98, ["canary"] = 10, ["delta"] = -3,
        ["onHand"] = 100, ["quantity"] = 2, ["total"] = 895, ["unitPrice"] = 895, ["value"] = 895, ["version"] = 2,
    };

    /// <summary>Adds what the name of a property says about its schema.</summary>
    public static void Complete(JsonObject schema, string name)
    {
        var type = (string?)(schema["type"] is JsonArray types ? types[0] : schema["type"]);
        if (type == "integer" && Numbers.TryGetValue(name, out var number)) schema["examples"] = new JsonArray(number);
        if (type != "string" || schema.ContainsKey("enum")) return;
        switch ((string?)schema["format"])
        {
            case "uuid":
                schema["examples"] = new JsonArray(OrderId);
                break;
            case "date-time":
                schema["examples"] = new JsonArray(Time);
                break;
            case null when Texts.TryGetValue(name, out var text):
                if (text.Pattern is not null && !schema.ContainsKey("pattern")) schema["pattern"] = text.Pattern;
                schema["examples"] = new JsonArray(text.Example);
                break;
        }
    }

    /// <summary>Facts about a parameter of a path.</summary>
    public static JsonObject RouteParameter(string name, string path) => name switch
    {
        "sku" => Fact("SKU of the product.", Text(IdPattern, "MUG-01")),
        "id" when path.StartsWith("/api/v1/customers/", StringComparison.Ordinal) =>
            Fact("Id of the customer.", Text(IdPattern, "ada")),
        "provider" => Fact("Name of the payment provider.", Text(IdPattern, "sandbox")),
        "service" => Fact("Name of the service.", Text("^[a-z-]+$", "order-service")),
        "step" => Fact("Name of the step.", Text("^[a-z0-9-]+$", "check-fraud")),
        "orderId" => Fact("Id of the order.", Uuid()),
        "deliveryId" => Fact("Id of the delivery.", Uuid()),
        "fulfilmentId" => Fact("Id of the fulfilment.", Uuid()),
        "id" => Fact("Id of the resource.", Uuid()),
        _ => throw new InvalidOperationException($"The description of the API does not know the path parameter {name}."),
    };

    /// <summary>Facts about a query parameter.</summary>
    public static JsonObject Query(string name, IReadOnlyList<string> values)
    {
        if (values.Count > 0)
            return Fact(
                "Filter by one value.",
                new JsonObject
                {
                    ["type"] = "string", ["enum"] = new JsonArray([.. values.Select(value => (JsonNode)value)]),
                });
        return name switch
        {
            "limit" => Fact(
                "Items per page.",
                new JsonObject
                {
                    ["type"] = "integer", ["format"] = "int32", ["minimum"] = 1, ["maximum"] = ListQuery.MaxLimit,
                    ["default"] = ListQuery.DefaultLimit,
                }),
            "cursor" => Fact(
                "`nextCursor` of the previous page.", Text("^[A-Za-z0-9_-]+$", null, Cursor.MaxLength)),
            "preview" => Fact(
                "True describes the effect, and changes nothing.", new JsonObject { ["type"] = "boolean", ["default"] = false }),
            "open" or "overdue" or "inDoubt" => Fact("Only these.", new JsonObject { ["type"] = "boolean" }),
            "after" => Fact("Last `seq` read.", Whole("int64", 17)),
            "below" => Fact("Available units below this number.", Whole("int64", 10)),
            "version" => Fact("Version of the process.", Whole("int32", 1)),
            "createdAfter" => Fact("Start of a range of time, inclusive.", Moment()),
            "createdBefore" => Fact("End of a range of time, exclusive.", Moment()),
            "orderId" => Fact("Id of the order.", Uuid()),
            "run" => Fact("Id of the bulk action.", Uuid()),
            "sku" => Fact("SKU of the product.", Text(IdPattern, "MUG-01")),
            "ids" => WithoutRepeats(Fact(
                "Ids of orders; other filters are ignored.",
                new JsonObject { ["type"] = "array", ["maxItems"] = ListQuery.MaxLimit, ["items"] = Uuid() })),
            "olderThan" or "youngerThan" => Fact(
                "Age in seconds, or ISO 8601.", Text("^([0-9]+|P[0-9DTHMS.]+)$", "PT15M")),
            "customerId" => Fact("Id of the customer.", Text(null, "ada")),
            "reference" => Fact("The shop's own number.", Text(null, "536365")),
            "search" => Fact("Id, its first or last 8 or more digits, or reference.", Text(null, "98eb820908e5")),
            "action" or "actor" or "channel" or "code" or "owner" or "provider" or "step" or "type" or "waitingFor" =>
                Fact("Filter by one value.", Text(null, null)),
            _ => throw new InvalidOperationException($"The description of the API does not know the parameter {name}."),
        };
    }

    /// <summary>Header of a response.</summary>
    public static JsonObject Header(string description, string example) => new()
    {
        ["description"] = description,
        ["schema"] = new JsonObject { ["type"] = "string", ["examples"] = new JsonArray(example) },
    };

    static JsonObject Fact(string description, JsonObject schema) => new()
    {
        ["description"] = description, ["schema"] = schema,
    };

    // One parameter with commas, not one for each value.
    static JsonObject WithoutRepeats(JsonObject parameter)
    {
        parameter["style"] = "form";
        parameter["explode"] = false;
        return parameter;
    }

    static JsonObject Text(string? pattern, string? example, int most = RequestGuard.MaxTarget)
    {
        var schema = new JsonObject { ["type"] = "string" };
        if (pattern?.Contains('{', StringComparison.Ordinal) != true) schema["maxLength"] = most;
        if (pattern is not null) schema["pattern"] = pattern;
        if (example is not null) schema["examples"] = new JsonArray(example);
        return schema;
    }

    static JsonObject Whole(string format, long example) => new()
    {
        ["type"] = "integer", ["format"] = format, ["examples"] = new JsonArray(example),
    };

    static JsonObject Uuid() => new() { ["type"] = "string", ["format"] = "uuid", ["examples"] = new JsonArray(OrderId) };

    static JsonObject Moment() => new()
    {
        ["type"] = "string", ["format"] = "date-time", ["examples"] = new JsonArray(Time),
    };
}
