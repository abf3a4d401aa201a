using System.Text.Json;

namespace Orderwright.SagaCoordinator;

/// <summary>What the columns of sagas leave out: what is null, and the date of each moment.</summary>
static class SagaColumns
{
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
