using System.Text.Json;

namespace Orderwright.Contracts;

/// <summary>Small words for JSON that is written and read by hand, property by property.</summary>
public static class JsonByHand
{
    /// <summary>Moves to the next property's name; false at the end of the object.</summary>
    public static bool NextProperty(this ref Utf8JsonReader reader) =>
        reader.Read() && reader.TokenType == JsonTokenType.PropertyName;

    /// <summary>Moves on to the next element; false at the end of the array.</summary>
    public static bool NextElement(this ref Utf8JsonReader reader) =>
        reader.Read() && reader.TokenType != JsonTokenType.EndArray;

    /// <summary>Whether the property has this name; if so, the reader is on its value.</summary>
    public static bool Is(this ref Utf8JsonReader reader, ReadOnlySpan<byte> name) =>
        reader.ValueTextEquals(name) && reader.Read();

    /// <inheritdoc cref="Is(ref Utf8JsonReader, ReadOnlySpan{byte})"/>
    public static bool Is(this ref Utf8JsonReader reader, string name) =>
        reader.ValueTextEquals(name) && reader.Read();

    /// <summary>Steps over the property's value, whatever it is.</summary>
    public static void SkipValue(this ref Utf8JsonReader reader)
    {
        reader.Read();
        reader.Skip();
    }

    /// <summary>Moves on, and throws unless what comes is what must.</summary>
    public static void Next(this ref Utf8JsonReader reader, JsonTokenType type)
    {
        reader.Read();
        reader.Expect(type);
    }

    /// <summary>Throws unless the value begins as it must.</summary>
    public static void Expect(this ref Utf8JsonReader reader, JsonTokenType type)
    {
        if (reader.TokenType != type) throw new JsonException($"A {type} was expected, and a {reader.TokenType} stands there.");
    }
}
