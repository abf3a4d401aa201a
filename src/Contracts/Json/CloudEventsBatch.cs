using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Orderwright.Contracts;

/// <summary>
/// Unreadable part of a batch. Becomes a dead letter; the other messages of the batch are handled.
/// </summary>
/// <param name="Raw">
/// The event as received, or everything from the position where the body stops being JSON; of an oversized part only the
/// beginning.
/// </param>
/// <param name="Why">One sentence.</param>
/// <param name="OrderId">The subject, if readable.</param>
/// <param name="Type">The type, if readable.</param>
/// <param name="Source">The claimed source, if readable.</param>
public sealed record UnreadableMessage(
    string Raw, string Why, Guid? OrderId = null, string? Type = null, string? Source = null);

/// <summary>
/// Limits of an inbox. Senders of ours stay far below; beyond a limit the part is unreadable, with name, size and limit.
/// </summary>
public static class MessageLimits
{
    /// <summary>Bytes of a body, an array of events.</summary>
    public const int BodyBytes = 10 << 20;

    /// <summary>Events in a body.</summary>
    public const int Events = 8_192;

    /// <summary>Bytes of an event.</summary>
    public const int EventBytes = 1 << 20;

    /// <summary>Bytes of a text attribute of an event, such as its type.</summary>
    public const int AttributeBytes = 512;

    /// <summary>Bytes of a text within the data.</summary>
    public const int FieldBytes = 16 << 10;

    /// <summary>Entries of an array within the data.</summary>
    public const int Entries = 2_000;

    /// <summary>Bytes kept of an oversized part.</summary>
    public const int KeptBytes = 64 << 10;
}

/// <summary>
/// CloudEvents 1.0 JSON batch format: an array of events, each with its data inline. A single event is read as well.
/// Extensions: <c>step</c>, <c>attempt</c>, <c>deadline</c>, <c>traceparent</c>, <c>tracestate</c>. Source: CloudEvents 1.0,
/// JSON event format, sections 3 and 4.
/// </summary>
public static class CloudEventsBatch
{
    public const string ContentType = "application/cloudevents-batch+json";
    const string SourcePrefix = "/orderwright/";

    /// <summary>
    /// Writes messages from index <paramref name="start"/> until about <paramref name="maxBytes"/> are written, and at least
    /// one, if there is one. Returns the index after the last message written.
    /// </summary>
    public static int Write(
        IBufferWriter<byte> output, IReadOnlyList<Message> messages, int start = 0, int maxBytes = int.MaxValue)
    {
        using var json = new Utf8JsonWriter(output, JsonText.Compact);
        json.WriteStartArray();
        var next = start;
        while (next < messages.Count && (next == start || json.BytesCommitted + json.BytesPending < maxBytes))
            Write(json, messages[next++]);
        json.WriteEndArray();
        return next;
    }

    /// <summary>
    /// Reads all readable messages, in order. Never throws for malformed input: a wrong event is unreadable alone, and if the
    /// body stops being JSON, the events before that position are still returned.
    /// </summary>
    /// <param name="body">UTF-8 JSON.</param>
    /// <param name="receivedAt">Time of an event without a time.</param>
    /// <param name="replyTo">See <see cref="Message.ReplyTo"/>.</param>
    public static (IReadOnlyList<Message> Messages, IReadOnlyList<UnreadableMessage> Unreadable) Read(
        ReadOnlyMemory<byte> body, DateTimeOffset receivedAt, string? replyTo = null)
    {
        var messages = new List<Message>();
        var unreadable = new List<UnreadableMessage>();
        var bytes = body.Span;
        if (bytes.Length > MessageLimits.BodyBytes)
            return ([], [new(Beginning(bytes), TooLarge("body", bytes.Length, MessageLimits.BodyBytes))]);
        var reader = new Utf8JsonReader(bytes);
        var start = 0;
        try
        {
            reader.Read();
            var isOne = reader.TokenType == JsonTokenType.StartObject;
            if (!isOne && reader.TokenType != JsonTokenType.StartArray)
                return ([], [new(Beginning(bytes), "The body is neither a CloudEvent nor an array of them.")]);
            while (isOne ? start == 0 : reader.NextElement())
            {
                if (messages.Count + unreadable.Count == MessageLimits.Events)
                    return ([], [new(Beginning(bytes), $"The body holds more than {MessageLimits.Events} events.")]);
                start = (int)reader.TokenStartIndex;
                var atStart = reader;
                var parts = new Parts();
                try
                {
                    parts.Read(ref reader);
                    CheckSize(bytes[start..(int)reader.BytesConsumed]);
                    messages.Add(parts.ToMessage(bytes, receivedAt, replyTo));
                }
                catch (Exception error)
                {
                    reader = atStart;
                    reader.Skip();
                    unreadable.Add(new(
                        Beginning(bytes[start..(int)reader.BytesConsumed]), parts.Explain(error, bytes), parts.OrderId,
                        parts.Type, parts.Source));
                }
                start = (int)reader.BytesConsumed;
            }
            start = (int)reader.BytesConsumed;
            reader.Read();
        }
        catch (JsonException error)
        {
            unreadable.Add(new(Beginning(bytes[start..]), $"The body is not JSON: {error.Message}"));
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
        if (message.TraceState is not null) json.WriteString("tracestate"u8, message.TraceState);
        if (message.Step is not null) json.WriteString("step"u8, message.Step);
        json.WriteNumber("attempt"u8, message.Attempt);
        if (message.Deadline is { } deadline) json.WriteString("deadline"u8, deadline);
        json.WritePropertyName("data"u8);
        JsonSerializer.Serialize(json, message.Body, MessageCatalog.JsonOf(message.Type)!);
        json.WriteEndObject();
    }

    // An event up to a field's limit holds no larger field, so almost no event is scanned. An entry takes at least three bytes.
    static void CheckSize(ReadOnlySpan<byte> text)
    {
        if (text.Length > MessageLimits.EventBytes)
            throw new JsonException(TooLarge("event", text.Length, MessageLimits.EventBytes));
        if (text.Length <= Math.Min(MessageLimits.FieldBytes, 3 * MessageLimits.Entries)) return;
        var reader = new Utf8JsonReader(text);
        var name = "";
        // Name and number of entries of each open array or object.
        var open = new Stack<(string Name, int Entries)>();
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.EndArray or JsonTokenType.EndObject)
            {
                open.Pop();
                continue;
            }
            if (reader.ValueSpan.Length > MessageLimits.FieldBytes)
                throw new JsonException(TooLarge($"field '{name}'", reader.ValueSpan.Length, MessageLimits.FieldBytes));
            if (reader.TokenType == JsonTokenType.PropertyName)
            {
                name = reader.GetString()!;
                continue;
            }
            if (open.TryPop(out var parent))
            {
                if (parent.Entries == MessageLimits.Entries)
                    throw new JsonException($"The field '{parent.Name}' has more than {MessageLimits.Entries} entries.");
                open.Push((parent.Name, parent.Entries + 1));
            }
            if (reader.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject) open.Push((name, 0));
        }
    }

    static string TooLarge(string what, int bytes, int most) =>
        $"The {what} has {bytes} bytes; at most {most} are accepted.";

    static string Beginning(ReadOnlySpan<byte> bytes) =>
        Encoding.UTF8.GetString(bytes.Length > MessageLimits.KeptBytes ? bytes[..MessageLimits.KeptBytes] : bytes);

    /// <summary>
    /// Attributes of an event, collected in any order. The data is read last, because reading it needs the type.
    /// </summary>
    ref struct Parts
    {
        string? version;
        Guid? id;
        DateTimeOffset? time;
        string? traceParent;
        string? traceState;
        string? step;
        int? attempt;
        DateTimeOffset? deadline;
        Range? data;

        public Guid? OrderId { get; private set; }

        public string? Type { get; private set; }

        public string? Source { get; private set; }

        public void Read(ref Utf8JsonReader reader)
        {
            if (reader.TokenType != JsonTokenType.StartObject) throw new JsonException("An event is not an object.");
            while (reader.NextProperty()) ReadAttribute(ref reader);
        }

        /// <summary>Says in words why the event is unreadable; the serializer's own sentences name types of ours.</summary>
        public readonly string Explain(Exception error, ReadOnlySpan<byte> body) => error switch
        {
            JsonException { Path: null } => error.Message,
            _ when Type is not null && data is { } range && MessageCatalog.FaultIn(Type, body[range]) is { } path =>
                $"The data is incomplete, or has an unexpected type or value, at '{path}'.",
            _ => "The data has an unexpected type or value.",
        };

        void ReadAttribute(ref Utf8JsonReader reader)
        {
            if (reader.Is("specversion"u8)) version = Text(ref reader, "specversion");
            else if (reader.Is("id"u8))
                id = reader.TokenType == JsonTokenType.String && reader.TryGetGuid(out var uuid)
                    ? uuid
                    : IdOf(Text(ref reader, "id"));
            else if (reader.Is("source"u8)) Source = Text(ref reader, "source");
            else if (reader.Is("type"u8)) Type = Text(ref reader, "type");
            else if (reader.Is("subject"u8))
                OrderId = reader.TokenType == JsonTokenType.String && reader.TryGetGuid(out var order)
                    ? order
                    : throw Unexpected("subject", "a UUID");
            else if (reader.Is("time"u8)) time = reader.GetTime();
            else if (reader.Is("traceparent"u8)) traceParent = TraceContext.Read(Text(ref reader, "traceparent"));
            else if (reader.Is("tracestate"u8)) traceState = TraceContext.ReadState(Text(ref reader, "tracestate"));
            else if (reader.Is("step"u8)) step = Text(ref reader, "step");
            else if (reader.Is("attempt"u8))
                attempt = reader.IsNull() ? null
                    : reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var number) ? number
                    : throw Unexpected("attempt", "a whole number");
            else if (reader.Is("deadline"u8)) deadline = reader.IsNull() ? null : reader.GetTime();
            else if (reader.Is("data"u8))
            {
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                data = start..(int)reader.BytesConsumed;
            }
            else reader.SkipValue();
        }

        public readonly Message ToMessage(ReadOnlySpan<byte> body, DateTimeOffset receivedAt, string? replyTo)
        {
            if (version != "1.0") throw new JsonException($"Expected CloudEvents 1.0, not '{version}'.");
            if (Type is null) throw Missing("type");
            return new Message
            {
                Id = id ?? throw Missing("id"),
                Source = Service(Source ?? throw Missing("source")),
                OrderId = OrderId ?? throw Missing("subject"),
                Time = time ?? receivedAt,
                TraceParent = traceParent,
                TraceState = traceParent is null ? null : traceState,
                Step = step,
                Attempt = attempt ?? 1,
                Deadline = deadline,
                ReplyTo = replyTo,
                Body = MessageCatalog.Read(Type, body[data ?? throw Missing("data")])
                    ?? throw new JsonException($"The message type '{Type}' is unknown."),
            };
        }

        static string? Text(ref Utf8JsonReader reader, string name) =>
            reader.TokenType is not (JsonTokenType.String or JsonTokenType.Null) ? throw Unexpected(name, "text")
            : reader.ValueSpan.Length <= MessageLimits.AttributeBytes ? reader.GetString()
            : throw new JsonException(TooLarge($"attribute '{name}'", reader.ValueSpan.Length, MessageLimits.AttributeBytes));

        static JsonException Unexpected(string name, string expected) => new($"The attribute '{name}' is not {expected}.");

        // An id of another sender may be any text; the same text is the same id.
        static Guid? IdOf(string? id) =>
            id is { Length: > 0 } ? new(SHA256.HashData(Encoding.UTF8.GetBytes(id)).AsSpan(..16), bigEndian: true) : null;

        static string Service(string source) =>
            source.StartsWith(SourcePrefix, StringComparison.Ordinal) ? source[SourcePrefix.Length..] : source;

        static JsonException Missing(string name) => new($"The event has no '{name}'.");
    }
}
