using System.Text.Json;
using System.Text.Json.Serialization;

namespace Orderwright.Contracts.Json;

/// <summary>Times of messages: read as strictly as by the hand-written readers, written as by default.</summary>
sealed class Rfc3339Converter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetTime();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value);
}
