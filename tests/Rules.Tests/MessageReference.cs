using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Orderwright.Contracts;

namespace Orderwright.Rules.Tests;

/// <summary>
/// Writes docs/reference/asyncapi.json, the messages as an AsyncAPI 3 document with a JSON Schema for each body, from the
/// catalog and the summaries in the source.
/// </summary>
static partial class MessageReference
{
    const string Envelope = "CloudEvent";

    static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n",
    };

    static readonly JsonSchemaExporterOptions Exporter = new()
    {
        TreatNullObliviousAsNonNullable = true, TransformSchemaNode = Transform,
    };

    /// <param name="version">Version of the product.</param>
    /// <param name="source">Text of the file that defines the bodies.</param>
    public static string Write(string version, string source)
    {
        var types = MessageCatalog.Types.Order(StringComparer.Ordinal).ToList();
        var document = new JsonObject
        {
            ["asyncapi"] = "3.0.0",
            ["info"] = new JsonObject
            {
                ["title"] = "Orderwright messages",
                ["version"] = version,
                ["description"] = "Messages between the services, on the topic exchange orderwright of RabbitMQ. Each queue "
                    + "belongs to a service and receives the routing keys SERVICE.TYPE. A delivery holds an array of "
                    + "CloudEvents, and receivers also take a single event. docs/reference/messages.md has the rules.",
                ["license"] = new JsonObject { ["name"] = "Apache-2.0" },
            },
            ["defaultContentType"] = "application/json",
            ["channels"] = Object(ServiceNames.All, service => new JsonObject
            {
                ["address"] = service,
                ["description"] = $"Queue of {service}.",
                ["messages"] = Object(
                    types.Where(type => ReceiversOf(type).Contains(service)),
                    type => Reference($"components/messages/{type}")),
                ["bindings"] = new JsonObject
                {
                    ["amqp"] = new JsonObject
                    {
                        ["is"] = "queue", ["bindingVersion"] = "0.3.0",
                        ["queue"] = new JsonObject
                        {
                            ["name"] = service, ["durable"] = true, ["exclusive"] = false, ["autoDelete"] = false,
                        },
                    },
                },
            }),
            ["operations"] = Object(ServiceNames.All, service => new JsonObject
            {
                ["action"] = "receive",
                ["channel"] = Reference($"channels/{service}"),
                ["summary"] = $"{service} handles the messages in its queue.",
            }),
            ["components"] = new JsonObject
            {
                ["messages"] = Object(types, type => new JsonObject
                {
                    ["name"] = type,
                    ["title"] = BodyOf(type).Type.Name,
                    ["summary"] = SummaryOf(BodyOf(type).Type.Name, source),
                    ["contentType"] = "application/cloudevents+json",
                    ["payload"] = new JsonObject
                    {
                        ["allOf"] = new JsonArray(
                            Reference($"components/schemas/{Envelope}"),
                            new JsonObject
                            {
                                ["properties"] = new JsonObject
                                {
                                    ["type"] = new JsonObject { ["const"] = type },
                                    ["data"] = Reference($"components/schemas/{BodyOf(type).Type.Name}"),
                                },
                            }),
                    },
                }),
                ["schemas"] = Schemas(types),
            },
        };
        return document.ToJsonString(Readable) + "\n";
    }

    static JsonObject Schemas(IEnumerable<string> types)
    {
        var schemas = Object(
            types.DistinctBy(type => BodyOf(type).Type), type => BodyOf(type).GetJsonSchemaAsNode(Exporter).AsObject(),
            type => BodyOf(type).Type.Name);
        schemas[Envelope] = JsonNode.Parse("""
            {
              "type": "object",
              "required": ["specversion", "id", "source", "type", "subject", "data"],
              "properties": {
                "specversion": { "const": "1.0" },
                "id": { "type": "string", "minLength": 1, "maxLength": 512 },
                "source": { "type": "string", "description": "/orderwright/ and the name of the sending service." },
                "type": { "type": "string" },
                "subject": { "type": "string", "format": "uuid", "description": "The order." },
                "time": { "type": "string", "format": "date-time" },
                "datacontenttype": { "const": "application/json" },
                "traceparent": { "type": "string", "maxLength": 512 },
                "step": { "type": "string", "maxLength": 512, "description": "Step of a command or a reply." },
                "attempt": { "type": "integer", "minimum": 1 },
                "deadline": { "type": "string", "format": "date-time" }
              }
            }
            """);
        return schemas;
    }

    // Absent where null: no property is ever written as null.
    static JsonNode Transform(JsonSchemaExporterContext context, JsonNode schema)
    {
        var type = Nullable.GetUnderlyingType(context.TypeInfo.Type) ?? context.TypeInfo.Type;
        var format = type == typeof(DateTimeOffset) ? "date-time"
            : type == typeof(TimeSpan) ? "duration"
            : type == typeof(Guid) ? "uuid"
            : null;
        if (format is not null) return new JsonObject { ["type"] = "string", ["format"] = format };
        if (schema is not JsonObject node) return schema;
        if (node["type"] is JsonArray { Count: 2 } either && (string?)either[1] == "null") node["type"] = (string?)either[0];
        if (node["enum"] is JsonArray values)
            foreach (var none in values.Where(value => value is null).ToList()) values.Remove(none);
        node.Remove("default");
        return node;
    }

    static JsonTypeInfo BodyOf(string type) => MessageCatalog.JsonOf(type)!;

    static IEnumerable<string> ReceiversOf(string type) => MessageCatalog.ReceiversOf(type);

    static JsonObject Reference(string to) => new() { ["$ref"] = $"#/{to}" };

    static JsonObject Object(IEnumerable<string> names, Func<string, JsonNode> value, Func<string, string>? key = null)
    {
        var result = new JsonObject();
        foreach (var name in names) result[key?.Invoke(name) ?? name] = value(name);
        return result;
    }

    static string SummaryOf(string record, string source)
    {
        var match = Regex.Match(
            source, $@"/// <summary>((?:(?!</summary>)[\s\S])*)</summary>(?:(?!/// <summary>)[\s\S])*?record {record}\b");
        Assert.True(match.Success, $"{record} has no summary.");
        var text = Tags().Replace(match.Groups[1].Value.Replace("///", "", StringComparison.Ordinal), "$1$2");
        return Blanks().Replace(text, " ").Trim();
    }

    [GeneratedRegex("""<(?:see|paramref) (?:cref|name)="(?:[^"]*\.)?([^".]*)"/>|</?c>|</?para>|()""")]
    private static partial Regex Tags();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
