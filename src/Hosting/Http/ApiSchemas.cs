using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.Hosting.Http;

/// <summary>
/// JSON Schemas of the records that the API reads and writes, one component for each. Limits and values are the attributes of the
/// record's properties; formats and examples of well-known names are <see cref="ApiFacts"/>.
/// </summary>
sealed class ApiSchemas
{
    // The contexts of the services have the same rules. Unknown properties of a request are refused.
    static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    };

    // Records written without their nulls.
    static readonly Type[] OmitNulls = [typeof(Problem), typeof(ProblemError)];

    readonly NullabilityInfoContext nullability = new();
    readonly SortedDictionary<string, (Type Type, JsonObject Schema)> all = new(StringComparer.Ordinal);
    readonly JsonSchemaExporterOptions exporter;

    public ApiSchemas() => exporter = new() { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = Transform };

    public JsonObject Json
    {
        get
        {
            var json = new JsonObject();
            foreach (var (name, (_, schema)) in all) json[name] = schema.DeepClone();
            return json;
        }
    }

    /// <summary>Returns the schema of a type; a reference for a record.</summary>
    public JsonNode Of(Type type) =>
        type == typeof(string) ? new JsonObject { ["type"] = "string" }
        : type == typeof(object) ? new JsonObject { ["type"] = "object" }
        : IsRecord(type) ? Reference(type)
        : Options.GetJsonSchemaAsNode(type, exporter);

    /// <summary>
    /// Completes the schemas by their use: a body is refused with unknown properties, and a response contains every property.
    /// </summary>
    public void Settle(IEnumerable<JsonNode> bodies, IEnumerable<JsonNode> answers)
    {
        var (read, written) = (Reachable(bodies), Reachable(answers));
        foreach (var (name, (type, schema)) in all)
            if (schema["properties"] is not JsonObject properties)
                continue;
            else if (OmitNulls.Contains(type))
                schema["required"] = new JsonArray(
                [
                    .. Options.GetTypeInfo(type).Properties.Where(property => !property.IsGetNullable)
                        .Select(property => (JsonNode)property.Name),
                ]);
            else if (!written.Contains(name))
                schema["additionalProperties"] = false;
            else if (!read.Contains(name))
                schema["required"] = new JsonArray([.. properties.Select(property => (JsonNode)property.Key)]);
    }

    /// <summary>Returns an example of a body; null for a body of any form.</summary>
    public JsonNode? ExampleOf(JsonNode schema)
    {
        if (schema["$ref"] is { } reference) return ExampleOf(all[((string)reference!).Split('/')[^1]].Schema);
        if (schema["oneOf"] is JsonArray choices) return ExampleOf(choices[^1]!);
        if (schema["examples"] is JsonArray examples) return examples[0]!.DeepClone();
        if (schema["enum"] is JsonArray values) return values[0]!.DeepClone();
        if (schema["default"] is { } standard) return standard.DeepClone();
        switch ((string?)(schema["type"] is JsonArray types ? types[0] : schema["type"]))
        {
            case "boolean": return true;
            case "integer": return 1;
            case "number": return 0.5;
            case "string": return "text";
            case "array": return ExampleOf(schema["items"]!) is { } item ? new JsonArray(item) : new JsonArray();
            case "object":
                var example = new JsonObject();
                var required = (schema["required"] as JsonArray)?.Select(name => (string)name!).ToHashSet() ?? [];
                foreach (var (name, property) in schema["properties"] as JsonObject ?? [])
                    if (required.Contains(name) || (required.Count == 0 && example.Count == 0))
                        example[name] = ExampleOf(property!);
                return example;
            default: return null;
        }
    }

    static bool IsRecord(Type type) =>
        type is { IsClass: true, Namespace: { } name } && name.StartsWith(nameof(Orderwright), StringComparison.Ordinal);

    JsonObject Reference(Type type)
    {
        var name = type.IsGenericType
            ? $"{type.Name.Split('`')[0]}Of{string.Concat(type.GenericTypeArguments.Select(argument => argument.Name))}"
            : type.Name;
        if (!all.TryGetValue(name, out var known))
        {
            all[name] = known = (type, []);
            foreach (var (key, value) in Options.GetJsonSchemaAsNode(type, exporter).AsObject().ToList())
                known.Schema[key] = value?.DeepClone();
        }
        return known.Type == type
            ? new JsonObject { ["$ref"] = $"#/components/schemas/{name}" }
            : throw new InvalidOperationException($"{type} and {known.Type} have the same name in the description of the API.");
    }

    JsonNode Transform(JsonSchemaExporterContext context, JsonNode node)
    {
        var property = context.PropertyInfo;
        var omitsNulls = property is not null && OmitNulls.Contains(property.DeclaringType);
        var isNullable = !omitsNulls
            && (property?.IsGetNullable ?? Nullable.GetUnderlyingType(context.TypeInfo.Type) is not null);
        var type = Nullable.GetUnderlyingType(context.TypeInfo.Type) ?? context.TypeInfo.Type;
        var attributes = AttributesOf(property);
        if (type == typeof(JsonElement)) return new JsonObject();
        if (attributes.OfType<JsonConverterAttribute>().Any()) return OrNull(new JsonObject { ["type"] = "object" }, isNullable);
        if (!context.Path.IsEmpty && IsRecord(type)) return OrNull(Reference(type), isNullable);
        if (node is not JsonObject schema)
            throw new InvalidOperationException($"The description of the API does not know the JSON of {type}.");

        if (!isNullable && schema["type"] is JsonArray { Count: 2 } types) schema["type"] = (string)types[0]!;
        if (schema.TryGetPropertyValue("default", out var standard) && standard is null) schema.Remove("default");
        if (type == typeof(int)) schema["format"] = "int32";
        if (type == typeof(long)) schema["format"] = "int64";
        if (type == typeof(double)) schema["format"] = "double";
        if (property?.AttributeProvider is PropertyInfo { DeclaringType.IsGenericType: false } member)
            AllowNullItems(schema, member);
        if (property is not null)
        {
            foreach (var attribute in attributes) Limit(schema, attribute);
            ApiFacts.Complete(schema, property.Name);
        }
        return schema;
    }

    static IReadOnlyList<object> AttributesOf(JsonPropertyInfo? property) =>
    [
        .. property?.AttributeProvider?.GetCustomAttributes(inherit: false) ?? [],
        .. property?.AssociatedParameter?.AttributeProvider?.GetCustomAttributes(inherit: false) ?? [],
    ];

    // Serialization does not know whether the items of a list or the values of a map may be null.
    void AllowNullItems(JsonObject schema, PropertyInfo member)
    {
        foreach (var items in (string[])["items", "additionalProperties"])
            if (schema[items] is JsonObject item
                && nullability.Create(member).GenericTypeArguments is [.., { ReadState: NullabilityState.Nullable }])
                schema[items] = OrNull(item.DeepClone().AsObject(), isNullable: true);
    }

    static void Limit(JsonObject schema, object attribute)
    {
        var target = schema["items"] as JsonObject ?? schema;
        var size = schema.ContainsKey("items") ? "Items" : schema.ContainsKey("additionalProperties") ? "Properties" : "Length";
        switch (attribute)
        {
            case OneOfAttribute values:
                target["enum"] = new JsonArray([.. values.Values.Select(value => (JsonNode)value)]);
                if (target["type"] is JsonArray) target["enum"]!.AsArray().Add(null);
                break;
            case LengthAttribute length:
                (schema[$"min{size}"], schema[$"max{size}"]) = (length.MinimumLength, length.MaximumLength);
                break;
            case MaxLengthAttribute length:
                schema[$"max{size}"] = length.Length;
                break;
            case RangeAttribute range:
                schema["minimum"] = Convert.ToInt64(range.Minimum, null);
                // The largest whole number is no limit, and as a double lies beyond the range.
                if (Convert.ToDouble(range.Maximum, null) is < long.MaxValue and var most) schema["maximum"] = (long)most;
                break;
            case RegularExpressionAttribute text:
                schema["pattern"] = text.Pattern;
                break;
        }
    }

    static JsonObject OrNull(JsonObject schema, bool isNullable)
    {
        if (!isNullable) return schema;
        if (schema["$ref"] is not null)
            return new JsonObject { ["oneOf"] = new JsonArray(new JsonObject { ["type"] = "null" }, schema) };
        if (schema["type"] is JsonValue type) schema["type"] = new JsonArray((string)type!, "null");
        return schema;
    }

    HashSet<string> Reachable(IEnumerable<JsonNode> roots)
    {
        var found = new HashSet<string>();
        var open = new Stack<JsonNode?>(roots);
        while (open.TryPop(out var node))
            switch (node)
            {
                case JsonObject schema:
                    foreach (var (key, value) in schema)
                        if (key != "$ref") open.Push(value);
                        else if (((string)value!).Split('/')[^1] is var name && found.Add(name)) open.Push(all[name].Schema);
                    break;
                case JsonArray items:
                    foreach (var item in items) open.Push(item);
                    break;
            }
        return found;
    }
}
