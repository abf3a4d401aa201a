using System.Text.Json;

namespace Orderwright.SagaCoordinator;

/// <summary>Small words for JSON that is written and read by hand, property by property.</summary>
static class JsonByHand
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

    /// <summary>Milliseconds since <paramref name="start"/>.</summary>
    public static DateTimeOffset GetTime(this ref Utf8JsonReader reader, DateTimeOffset start) =>
        start.AddTicks(reader.GetInt64() * TimeSpan.TicksPerMillisecond);

    public static void WriteText(this Utf8JsonWriter json, ReadOnlySpan<byte> name, string? value)
    {
        if (value is not null) json.WriteString(name, value);
    }

    /// <summary>Milliseconds since <paramref name="start"/>; nothing where there is no value.</summary>
    public static void WriteTime(
        this Utf8JsonWriter json, ReadOnlySpan<byte> name, DateTimeOffset? value, DateTimeOffset start)
    {
        if (value is { } time) json.WriteNumber(name, (time - start).Ticks / TimeSpan.TicksPerMillisecond);
    }
}
