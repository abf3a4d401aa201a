using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Orderwright.Http;

/// <summary>
/// Inspects a body, in one pass before deserialization, for problems accepted by the serializer: nesting, text that cannot be
/// stored or seen, and card numbers. Allocates nothing for a valid body of ASCII.
/// </summary>
static class JsonInspection
{
    public const int MaxDepth = 32;

    /// <param name="json">Complete body.</param>
    /// <param name="hasNull">True if the body contains a null; the type decides whether null is allowed.</param>
    /// <param name="isPlain">False if a text differs from its stored form (<see cref="PlainText"/>).</param>
    public static ProblemError? Find(ReadOnlySpan<byte> json, out bool hasNull, out bool isPlain)
    {
        (hasNull, isPlain) = (false, true);
        if (json.IsEmpty) return new("", ErrorCodes.Required, "A JSON body is required.");
        if (!Utf8.IsValid(json)) return new("", ProblemCodes.InvalidText, "The body is not valid UTF-8.");
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth + 1 });
        try
        {
            while (reader.Read())
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.StartObject or JsonTokenType.StartArray when reader.CurrentDepth >= MaxDepth:
                        return new("", ProblemCodes.TooDeep, $"The body nests deeper than {MaxDepth} levels.");
                    case JsonTokenType.Null:
                        hasNull = true;
                        break;
                    case JsonTokenType.PropertyName or JsonTokenType.String when !IsText(in reader, ref isPlain):
                        return new(PointerTo(json, reader.TokenStartIndex), ProblemCodes.InvalidText, PlainText.Rule);
                    case JsonTokenType.PropertyName or JsonTokenType.String or JsonTokenType.Number
                        when IsCardNumber(in reader):
                        return new(
                            PointerTo(json, reader.TokenStartIndex), CardNumbers.Code, CardNumbers.Advice);
                }
            }
            return null;
        }
        catch (JsonException error)
        {
            return new(
                "", ProblemCodes.InvalidJson,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The body stops being JSON at line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1}."));
        }
    }

    // A raw control character below the space is invalid JSON, so that nearly all text is judged by its bytes.
    static bool IsText(ref readonly Utf8JsonReader reader, ref bool isPlain)
    {
        var bytes = reader.ValueSpan;
        if (!reader.ValueIsEscaped && !bytes.ContainsAnyExceptInRange((byte)' ', (byte)'~'))
        {
            isPlain &= bytes.IsEmpty || (bytes[0] != ' ' && bytes[^1] != ' ');
            return true;
        }
        if (reader.ValueIsEscaped && !HasPairs(in reader)) return false;
        var text = reader.GetString()!;
        if (PlainText.HasForbidden(text)) return false;
        isPlain &= PlainText.Of(text) == text;
        return true;
    }

    static bool HasPairs(ref readonly Utf8JsonReader reader)
    {
        var text = reader.ValueSpan;
        var highSurrogateBefore = false;
        while (true)
        {
            var escape = text.IndexOf((byte)'\\');
            if (escape != 0 && highSurrogateBefore) return false;
            if (escape < 0) return true;
            var isUnicode = text[escape + 1] == 'u';
            var unit = '\x01';
            if (isUnicode && Utf8Parser.TryParse(text.Slice(escape + 2, 4), out ushort parsed, out _, 'x'))
                unit = (char)parsed;
            if (unit == '\0' || char.IsLowSurrogate(unit) != highSurrogateBefore) return false;
            highSurrogateBefore = char.IsHighSurrogate(unit);
            text = text[(escape + (isUnicode ? 6 : 2))..];
        }
    }

    static bool IsCardNumber(ref readonly Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped) return CardNumbers.Contains(reader.ValueSpan);
        var buffer = ArrayPool<byte>.Shared.Rent(reader.ValueSpan.Length);
        try
        {
            return CardNumbers.Contains(buffer.AsSpan(0, reader.CopyString(buffer)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Writes a body again with every text in its stored form. Numbers keep their digits.</summary>
    /// <param name="json">Well-formed and inspected.</param>
    public static byte[] WithPlainText(ReadOnlySpan<byte> json)
    {
        var output = new ArrayBufferWriter<byte>(json.Length);
        using (var writer = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true }))
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth + 1 });
            while (reader.Read())
                switch (reader.TokenType)
                {
                    case JsonTokenType.StartObject: writer.WriteStartObject(); break;
                    case JsonTokenType.EndObject: writer.WriteEndObject(); break;
                    case JsonTokenType.StartArray: writer.WriteStartArray(); break;
                    case JsonTokenType.EndArray: writer.WriteEndArray(); break;
                    case JsonTokenType.PropertyName: writer.WritePropertyName(PlainText.OfName(reader.GetString()!)); break;
                    case JsonTokenType.String: writer.WriteStringValue(PlainText.Of(reader.GetString()!)); break;
                    default: writer.WriteRawValue(reader.ValueSpan, skipInputValidation: true); break;
                }
        }
        return output.WrittenSpan.ToArray();
    }

    /// <summary>RFC 6901 pointer to the value at this byte; for a property name, to the containing object.</summary>
    static string PointerTo(ReadOnlySpan<byte> json, long tokenStart)
    {
        var path = new Stack<string>();
        var indexes = new Stack<int>();
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth + 1 });
        var name = "";
        while (reader.Read() && reader.TokenStartIndex < tokenStart)
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    name = Segment(reader.GetString()!);
                    break;
                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    if (indexes.Count > 0) path.Push(Place(indexes, name));
                    indexes.Push(reader.TokenType == JsonTokenType.StartArray ? 0 : -1);
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    indexes.Pop();
                    if (path.Count > 0) path.Pop();
                    CountItem(indexes);
                    break;
                default:
                    CountItem(indexes);
                    break;
            }
        }
        var last = reader.TokenType == JsonTokenType.PropertyName || indexes.Count == 0 ? "" : Place(indexes, name);
        return string.Concat(path.Reverse()) + last;
    }

    static string Place(Stack<int> indexes, string name) =>
        indexes.Peek() is >= 0 and var index ? $"/{index.ToString(CultureInfo.InvariantCulture)}" : $"/{name}";

    static void CountItem(Stack<int> indexes)
    {
        if (indexes.Count > 0 && indexes.Peek() >= 0) indexes.Push(indexes.Pop() + 1);
    }

    /// <summary>Property name as a segment of a pointer, shortened because the text comes from the client.</summary>
    public static string Segment(string name) =>
        (name.Length <= 100 ? name : name[..100])
            .Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
}
