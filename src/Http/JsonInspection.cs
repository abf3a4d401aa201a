using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Orderwright.Http;

/// <summary>
/// One pass over a body before it is read into a type, for what the serializer lets through: nesting, text that no
/// database takes, and card numbers. Allocates nothing for a body that is in order.
/// </summary>
static class JsonInspection
{
    public const int MaxDepth = 32;

    /// <param name="json">The whole body.</param>
    /// <param name="hasNull">There is a null somewhere; whether it may be there depends on the type.</param>
    public static ProblemError? Find(ReadOnlySpan<byte> json, out bool hasNull)
    {
        hasNull = false;
        if (json.IsEmpty) return new("", "required", "A JSON body is required.");
        if (!Utf8.IsValid(json)) return new("", "invalid_text", "The body is not valid UTF-8.");
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth + 1 });
        try
        {
            while (reader.Read())
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.StartObject or JsonTokenType.StartArray when reader.CurrentDepth >= MaxDepth:
                        return new("", "too_deep", $"Nothing here nests deeper than {MaxDepth}.");
                    case JsonTokenType.Null:
                        hasNull = true;
                        break;
                    case JsonTokenType.PropertyName or JsonTokenType.String when !IsText(in reader):
                        return new(
                            PointerTo(json, reader.TokenStartIndex), "invalid_text",
                            "Text must not hold the NUL character or half of a surrogate pair.");
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
                "", "invalid_json",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The body stops being JSON at line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1}."));
        }
    }

    // What is not escaped was checked with the whole body; a raw control character is no JSON.
    static bool IsText(ref readonly Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped) return true;
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

    /// <summary>RFC 6901 to the value at this byte; for a property's name, to the object that holds it.</summary>
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

    /// <summary>A property's name as one segment of a pointer; cut short, as it is the client's own text.</summary>
    public static string Segment(string name) =>
        (name.Length <= 100 ? name : name[..100])
            .Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
}
