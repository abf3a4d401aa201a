using System.Text.Json;

namespace Orderwright.Contracts;

/// <summary>Extensions of <see cref="Utf8JsonReader"/> for JSON that is read by hand, property by property.</summary>
public static class JsonReaderExtensions
{
    /// <summary>Moves to the name of the next property; false at the end of the object.</summary>
    public static bool NextProperty(this ref Utf8JsonReader reader) =>
        reader.Read() && reader.TokenType == JsonTokenType.PropertyName;

    /// <summary>Moves to the next element; false at the end of the array.</summary>
    public static bool NextElement(this ref Utf8JsonReader reader) =>
        reader.Read() && reader.TokenType != JsonTokenType.EndArray;

    /// <summary>True if the property has this name; the reader is then on its value.</summary>
    public static bool Is(this ref Utf8JsonReader reader, ReadOnlySpan<byte> name) =>
        reader.ValueTextEquals(name) && reader.Read();

    /// <inheritdoc cref="Is(ref Utf8JsonReader, ReadOnlySpan{byte})"/>
    public static bool Is(this ref Utf8JsonReader reader, string name) =>
        reader.ValueTextEquals(name) && reader.Read();

    /// <summary>True if the reader is on a null.</summary>
    public static bool IsNull(this ref Utf8JsonReader reader) => reader.TokenType == JsonTokenType.Null;

    /// <summary>Skips the value of the property, of any kind.</summary>
    public static void SkipValue(this ref Utf8JsonReader reader)
    {
        reader.Read();
        reader.Skip();
    }

    /// <summary>Moves to the next token; throws unless it is of <paramref name="type"/>.</summary>
    public static void Next(this ref Utf8JsonReader reader, JsonTokenType type)
    {
        reader.Read();
        reader.Expect(type);
    }

    /// <summary>Throws unless the current token is of <paramref name="type"/>.</summary>
    public static void Expect(this ref Utf8JsonReader reader, JsonTokenType type)
    {
        if (reader.TokenType != type)
            throw new JsonException($"Expected {NameOf(type)} but found {NameOf(reader.TokenType)}.");
    }

    static string NameOf(JsonTokenType token) => token switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => "text",
        JsonTokenType.Number => "a number",
        JsonTokenType.True or JsonTokenType.False => "true or false",
        JsonTokenType.Null => "null",
        _ => "something else",
    };
}
