using System.Buffers;
using System.Text.Json;
using Orderwright.Contracts;

namespace Orderwright.Fuzz.Targets;

/// <summary>
/// Reads a batch of CloudEvents. Promises: the reader never throws, every message is the same when written and read again, and
/// the readers written by hand accept exactly what the serializer accepts, with the same result.
/// </summary>
static class EnvelopeTarget
{
    public static void Check(byte[] input)
    {
        CheckBatch(input);
        CheckBodies(input);
    }

    static void CheckBatch(byte[] input)
    {
        var (messages, unreadable) = CloudEventsBatch.Read(input, default);
        FuzzTarget.Require(unreadable.All(message => message.Why.Length > 0), "an unreadable message without a reason");
        if (messages.Count == 0) return;
        var written = Write(messages);
        var (again, lost) = CloudEventsBatch.Read(written, default);
        FuzzTarget.Require(
            lost.Count == 0 && again.Count == messages.Count, "a message is lost when it is written and read again");
        FuzzTarget.Require(Write(again).AsSpan().SequenceEqual(written), "a message changes when it is written and read again");
    }

    // An input that is one JSON value is also tried as the body of every message.
    static void CheckBodies(byte[] input)
    {
        if (!IsOneValue(input)) return;
        foreach (var type in MessageCatalog.Types)
        {
            var info = MessageCatalog.JsonOf(type)!;
            var byHand = Outcome(() => MessageCatalog.Read(type, input));
            var bySerializer = Outcome(() => JsonSerializer.Deserialize(input, info));
            FuzzTarget.Require(
                byHand == bySerializer || (byHand is null && HasNullElement(input))
                || (bySerializer is null && HasUndecodableName(input)),
                $"{type}: '{byHand}' by hand, '{bySerializer}' by the serializer");

            string? Outcome(Func<object?> read)
            {
                try
                {
                    return read() is { } value ? JsonSerializer.Serialize(value, info) : null;
                }
                catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
                {
                    return null;
                }
            }
        }
    }

    static bool IsOneValue(byte[] input)
    {
        try
        {
            using var document = JsonDocument.Parse(input);
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    // The serializer accepts a null in a list of records, the readers by hand do not.
    static bool HasNullElement(byte[] input)
    {
        var reader = new Utf8JsonReader(input);
        var lists = new Stack<bool>();
        while (reader.Read())
            if (reader.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject)
                lists.Push(reader.TokenType == JsonTokenType.StartArray);
            else if (reader.TokenType is JsonTokenType.EndArray or JsonTokenType.EndObject)
                lists.Pop();
            else if (reader.TokenType == JsonTokenType.Null && lists.TryPeek(out var isList) && isList)
                return true;
        return false;
    }

    // The readers by hand do not decode the names of the properties that they skip.
    static bool HasUndecodableName(byte[] input)
    {
        var reader = new Utf8JsonReader(input);
        try
        {
            while (reader.Read())
                if (reader.TokenType == JsonTokenType.PropertyName) reader.GetString();
            return false;
        }
        catch (InvalidOperationException)
        {
            return true;
        }
    }

    static byte[] Write(IReadOnlyList<Message> messages)
    {
        var output = new ArrayBufferWriter<byte>();
        CloudEventsBatch.Write(output, messages);
        return output.WrittenSpan.ToArray();
    }
}
