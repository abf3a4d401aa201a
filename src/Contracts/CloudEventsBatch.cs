using System.Buffers;
using System.Text.Json;

namespace Orderwright.Contracts;

/// <summary>A part of a batch that no version of ours can read: it goes to the dead letters, its neighbours go on.</summary>
/// <param name="Raw">The event as it came, or the whole body when not even the array could be read.</param>
/// <param name="Why">One sentence.</param>
/// <param name="OrderId">The subject, where it could be read.</param>
/// <param name="Type">The type, where it could be read.</param>
public sealed record UnreadableMessage(string Raw, string Why, Guid? OrderId, string? Type);

/// <summary>
/// CloudEvents 1.0 JSON batch format: an array of events, each with its data inline. Extensions: <c>step</c>,
/// <c>attempt</c>, <c>deadline</c>, <c>traceparent</c>. Source: cloudevents/spec, json-format.md, section 4.
/// </summary>
public static class CloudEventsBatch
{
    public const string ContentType = "application/cloudevents-batch+json";
    const string SourcePrefix = "/orderwright/";

    public static void Write(IBufferWriter<byte> output, IEnumerable<Message> messages)
    {
        using var json = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true });
        json.WriteStartArray();
        foreach (var message in messages)
            Write(json, message);
        json.WriteEndArray();
    }

    /// <summary>Reads what can be read. Never throws for what a sender wrote, however broken.</summary>
    public static (IReadOnlyList<Message> Messages, IReadOnlyList<UnreadableMessage> Unreadable) Read(
        ReadOnlyMemory<byte> body)
    {
        var messages = new List<Message>();
        var unreadable = new List<UnreadableMessage>();
        try
        {
            using var document = JsonDocument.Parse(body);
            if (document.RootElement.ValueKind != JsonValueKind.Array)
                return (messages, [Whole(body, "The body is not an array of CloudEvents.")]);
            foreach (var element in document.RootElement.EnumerateArray())
                Read(element, messages, unreadable);
            return (messages, unreadable);
        }
        catch (JsonException error)
        {
            return ([], [Whole(body, $"The body is not JSON: {error.Message}")]);
        }
    }

    static void Write(Utf8JsonWriter json, Message message)
    {
        json.WriteStartObject();
        json.WriteString("specversion"u8, "1.0"u8);
        json.WriteString("id"u8, message.Id);
        json.WriteString("source"u8, SourcePrefix + message.Source);
        json.WriteString("type"u8, message.Type);
        json.WriteString("subject"u8, message.OrderId);
        json.WriteString("time"u8, message.Time);
        json.WriteString("datacontenttype"u8, "application/json"u8);
        if (message.TraceParent is not null) json.WriteString("traceparent"u8, message.TraceParent);
        if (message.Step is not null) json.WriteString("step"u8, message.Step);
        json.WriteNumber("attempt"u8, message.Attempt);
        if (message.Deadline is { } deadline) json.WriteString("deadline"u8, deadline);
        json.WritePropertyName("data"u8);
        JsonSerializer.Serialize(json, message.Body, MessageCatalog.JsonOf(message.Type)!);
        json.WriteEndObject();
    }

    static void Read(JsonElement element, List<Message> messages, List<UnreadableMessage> unreadable)
    {
        string? type = null;
        Guid? orderId = null;
        try
        {
            type = element.GetProperty("type").GetString();
            orderId = element.GetProperty("subject").GetGuid();
            if (type is null || MessageCatalog.JsonOf(type) is not { } info)
            {
                unreadable.Add(new(element.GetRawText(), $"No message is called '{type}' here.", orderId, type));
                return;
            }
            var source = element.GetProperty("source").GetString() ?? "";
            messages.Add(new Message
            {
                Id = element.GetProperty("id").GetGuid(),
                Source = source.StartsWith(SourcePrefix, StringComparison.Ordinal) ? source[SourcePrefix.Length..] : source,
                OrderId = orderId.Value,
                Time = element.GetProperty("time").GetDateTimeOffset(),
                TraceParent = Optional(element, "traceparent")?.GetString(),
                Step = Optional(element, "step")?.GetString(),
                Attempt = Optional(element, "attempt")?.GetInt32() ?? 1,
                Deadline = Optional(element, "deadline")?.GetDateTimeOffset(),
                Body = (IMessageBody)(element.GetProperty("data").Deserialize(info)
                    ?? throw new JsonException("data is null.")),
            });
        }
        catch (Exception error) when (
            error is JsonException or FormatException or InvalidOperationException or KeyNotFoundException)
        {
            unreadable.Add(new(element.GetRawText(), error.Message, orderId, type));
        }
    }

    static JsonElement? Optional(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    static UnreadableMessage Whole(ReadOnlyMemory<byte> body, string why) =>
        new(System.Text.Encoding.UTF8.GetString(body.Span), why, null, null);
}
