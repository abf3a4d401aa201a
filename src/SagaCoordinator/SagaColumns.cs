using System.Text.Json;
using Orderwright.Contracts;

namespace Orderwright.SagaCoordinator;

/// <summary>What the columns of sagas leave out: what is null, and the date of each moment.</summary>
static class SagaColumns
{
    /// <summary>Milliseconds since <paramref name="start"/>.</summary>
    public static DateTimeOffset GetTime(this ref Utf8JsonReader reader, DateTimeOffset start) =>
        start.AddTicks(reader.GetInt64() * TimeSpan.TicksPerMillisecond);

    /// <summary>The next element, likewise; null where there is no time.</summary>
    public static DateTimeOffset? NextTime(this ref Utf8JsonReader reader, DateTimeOffset start)
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.Null ? null : reader.GetTime(start);
    }

    /// <summary>The next element.</summary>
    public static long NextNumber(this ref Utf8JsonReader reader)
    {
        reader.Next(JsonTokenType.Number);
        return reader.GetInt64();
    }

    public static void WriteText(this Utf8JsonWriter json, ReadOnlySpan<byte> name, string? value)
    {
        if (value is not null) json.WriteString(name, value);
    }

    /// <summary>Milliseconds since <paramref name="start"/>; nothing where there is no value.</summary>
    public static void WriteTime(
        this Utf8JsonWriter json, ReadOnlySpan<byte> name, DateTimeOffset? value, DateTimeOffset start)
    {
        if (value is { } time) json.WriteNumber(name, Milliseconds(time, start));
    }

    /// <summary>Likewise, as an element; null where there is no value.</summary>
    public static void WriteTimeValue(this Utf8JsonWriter json, DateTimeOffset? value, DateTimeOffset start)
    {
        if (value is { } time) json.WriteNumberValue(Milliseconds(time, start));
        else json.WriteNullValue();
    }

    static long Milliseconds(DateTimeOffset time, DateTimeOffset start) =>
        (time - start).Ticks / TimeSpan.TicksPerMillisecond;
}
