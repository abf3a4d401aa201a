using System.Text.Json;
using System.Text.Json.Serialization;
using Orderwright.Contracts;

namespace Orderwright.OrderService.Events;

/// <param name="Seq">Position in the feed: increasing, with gaps.</param>
/// <param name="OrderId">Id of the order.</param>
/// <param name="Version">Order's version after the event.</param>
/// <param name="Type">One of <see cref="OrderEventTypes"/>.</param>
/// <param name="Status">Order's status after the event.</param>
/// <param name="At">Time of the event.</param>
/// <param name="Actor">Name of a caller or a service.</param>
/// <param name="TraceId">Trace id for logs and traces.</param>
/// <param name="Data">JSON of an <see cref="EventData"/>.</param>
public sealed record EventResponse(
    long Seq, Guid OrderId, long Version, string Type, [OneOf(typeof(OrderStatuses))] string Status, DateTimeOffset At,
    string Actor,
    string? TraceId, [property: JsonConverter(typeof(RawJsonConverter))] string Data);

/// <summary>Copies JSON that the service wrote itself, without validation.</summary>
public sealed class RawJsonConverter : JsonConverter<string>
{
    public override string Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        return document.RootElement.GetRawText();
    }

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
        writer.WriteRawValue(value, skipInputValidation: true);
}
