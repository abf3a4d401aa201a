using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Orderwright.Contracts;

namespace Orderwright.Http;

/// <summary>
/// JSON of times: RFC 3339 in UTC with milliseconds and <c>Z</c>, always 24 characters: <c>2026-01-31T09:30:00.123Z</c>.
/// Reads any RFC 3339 offset; digits below a millisecond are dropped, as both databases store none.
/// </summary>
public sealed class UtcMillisecondsConverter : JsonConverter<DateTimeOffset>
{
    const string Format = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    public static string Text(DateTimeOffset time) => time.UtcDateTime.ToString(Format, CultureInfo.InvariantCulture);

    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var time = reader.GetTime();
        return new DateTimeOffset(time.Ticks - time.Ticks % TimeSpan.TicksPerMillisecond, TimeSpan.Zero);
    }

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Write(writer, value);
    }

    public static void Write(Utf8JsonWriter writer, DateTimeOffset value)
    {
        // The round-trip format has a fast path; the last four digits are cut off.
        Span<byte> text = stackalloc byte[28];
        value.UtcDateTime.TryFormat(text, out _, "O", CultureInfo.InvariantCulture);
        text[23] = (byte)'Z';
        writer.WriteStringValue(text[..24]);
    }
}
