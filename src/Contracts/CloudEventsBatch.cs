using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Orderwright.Contracts;

/// <summary>
/// A part of a batch that no version of ours can read: it goes to the dead letters, its neighbours go on.
/// </summary>
/// <param name="Raw">The event as it came, or all from the place on where the body stops being JSON.</param>
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

    /// <summary>
    /// Writes from <paramref name="start"/> on as many as make about <paramref name="maxBytes"/>, at least
    /// one; returns the index after the last one written.
    /// </summary>
    public static int Write(
        IBufferWriter<byte> output, IReadOnlyList<Message> messages, int start = 0, int maxBytes = int.MaxValue)
    {
        using var json = new Utf8JsonWriter(output, JsonText.Compact);
        json.WriteStartArray();
        var next = start;
        do
        {
            Write(json, messages[next++]);
        }
        while (next < messages.Count && json.BytesCommitted + json.BytesPending < maxBytes);
        json.WriteEndArray();
        return next;
    }

    /// <summary>
    /// Reads what can be read, in order. Never throws for what a sender wrote, however broken: an event that
    /// is wrong is unreadable alone, and where the body stops being JSON, what came before still counts.
    /// </summary>
    public static (IReadOnlyList<Message> Messages, IReadOnlyList<UnreadableMessage> Unreadable) Read(
        ReadOnlyMemory<byte> body)
    {
        var messages = new List<Message>();
        var unreadable = new List<UnreadableMessage>();
        var bytes = body.Span;
        var reader = new Utf8JsonReader(bytes);
        var start = 0;
        try
        {
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartArray)
                return ([], [new(Text(bytes), "The body is not an array of CloudEvents.", null, null)]);
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                start = (int)reader.TokenStartIndex;
                var atStart = reader;
                var parts = new Parts();
                try
                {
                    parts.Read(ref reader);
                    messages.Add(parts.ToMessage(bytes));
                }
                catch (Exception error)
                {
                    reader = atStart;
                    reader.Skip();
                    unreadable.Add(new(
                        Text(bytes[start..(int)reader.BytesConsumed]), error.Message, parts.OrderId, parts.Type));
                }
                start = (int)reader.BytesConsumed;
            }
            start = (int)reader.BytesConsumed;
            reader.Read();
        }
        catch (JsonException error)
        {
            unreadable.Add(new(Text(bytes[start..]), $"The body is not JSON: {error.Message}", null, null));
        }
        return (messages, unreadable);
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

    static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);

    /// <summary>
    /// An event's attributes as they are met, in whatever order; its data is read last, when its type is
    /// known.
    /// </summary>
    ref struct Parts
    {
        string? version;
        Guid? id;
        string? source;
        DateTimeOffset? time;
        string? traceParent;
        string? step;
        int? attempt;
        DateTimeOffset? deadline;
        Range? data;

        public Guid? OrderId { get; private set; }

        public string? Type { get; private set; }

        public void Read(ref Utf8JsonReader reader)
        {
            if (reader.TokenType != JsonTokenType.StartObject) throw new JsonException("An event is not an object.");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName) ReadOne(ref reader);
        }

        void ReadOne(ref Utf8JsonReader reader)
        {
            if (Is(ref reader, "specversion"u8)) version = reader.GetString();
            else if (Is(ref reader, "id"u8)) id = reader.GetGuid();
            else if (Is(ref reader, "source"u8)) source = reader.GetString();
            else if (Is(ref reader, "type"u8)) Type = reader.GetString();
            else if (Is(ref reader, "subject"u8)) OrderId = reader.GetGuid();
            else if (Is(ref reader, "time"u8)) time = reader.GetDateTimeOffset();
            else if (Is(ref reader, "traceparent"u8)) traceParent = reader.GetString();
            else if (Is(ref reader, "step"u8)) step = reader.GetString();
            else if (Is(ref reader, "attempt"u8)) attempt = IsNull(ref reader) ? null : reader.GetInt32();
            else if (Is(ref reader, "deadline"u8)) deadline = IsNull(ref reader) ? null : reader.GetDateTimeOffset();
            else if (Is(ref reader, "data"u8))
            {
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                data = start..(int)reader.BytesConsumed;
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }

        public readonly Message ToMessage(ReadOnlySpan<byte> body)
        {
            if (version != "1.0") throw new JsonException($"This is CloudEvents 1.0, not '{version}'.");
            if (Type is null) throw Missing("type");
            return new Message
            {
                Id = id ?? throw Missing("id"),
                Source = Service(source ?? throw Missing("source")),
                OrderId = OrderId ?? throw Missing("subject"),
                Time = time ?? throw Missing("time"),
                TraceParent = traceParent,
                Step = step,
                Attempt = attempt ?? 1,
                Deadline = deadline,
                Body = MessageCatalog.Read(Type, body[data ?? throw Missing("data")])
                    ?? throw new JsonException($"No message is called '{Type}' here."),
            };
        }

        // True, and on to the value, when this is the property's name.
        static bool Is(ref Utf8JsonReader reader, ReadOnlySpan<byte> name) =>
            reader.ValueTextEquals(name) && reader.Read();

        static bool IsNull(ref Utf8JsonReader reader) => reader.TokenType == JsonTokenType.Null;

        static string Service(string source) =>
            source.StartsWith(SourcePrefix, StringComparison.Ordinal) ? source[SourcePrefix.Length..] : source;

        static JsonException Missing(string name) => new($"The event has no '{name}'.");
    }
}
