using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Orderwright.Contracts;
using Orderwright.Runtime.Http;

namespace Orderwright.OrderService;

/// <summary>
/// Writes what the events of a batch say, as the column keeps it and the API hands it on: without what does not apply, times
/// as everywhere in the API. By hand, as every order has two; through one buffer, so not for two threads.
/// </summary>
sealed class EventDataWriter : IDisposable
{
    readonly ArrayBufferWriter<byte> buffer = new(1_024);
    readonly Utf8JsonWriter json;

    public EventDataWriter() => json = new Utf8JsonWriter(
        buffer, new JsonWriterOptions { SkipValidation = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    public string Write(EventData data)
    {
        buffer.ResetWrittenCount();
        json.Reset(buffer);
        json.WriteStartObject();
        Text("paymentStatus"u8, data.PaymentStatus);
        if (data.Total is { } total) json.WriteNumber("total"u8, total);
        Text("code"u8, data.Code);
        Text("message"u8, data.Message);
        Text("step"u8, data.Step);
        Text("cancelReason"u8, data.CancelReason);
        Text("fulfilmentStatus"u8, data.FulfilmentStatus);
        if (data.FulfilmentId is { } fulfilment) json.WriteString("fulfilmentId"u8, fulfilment);
        if (data.NextAction is { } action)
        {
            json.WriteStartObject("nextAction"u8);
            Text("type"u8, action.Type);
            Text("url"u8, action.Url);
            json.WritePropertyName("expiresAt"u8);
            UtcMillisecondsConverter.Write(json, action.ExpiresAt);
            json.WriteEndObject();
        }
        if (data.Steps is { } steps)
        {
            json.WriteStartArray("steps"u8);
            foreach (var step in steps) Write(step);
            json.WriteEndArray();
        }
        json.WriteEndObject();
        json.Flush();
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    public void Dispose() => json.Dispose();

    void Write(StepStamp stamp)
    {
        json.WriteStartObject();
        json.WriteString("step"u8, stamp.Step);
        json.WriteBoolean("undo"u8, stamp.Undo);
        json.WriteString("outcome"u8, stamp.Outcome);
        Text("code"u8, stamp.Code);
        json.WritePropertyName("sentAt"u8);
        UtcMillisecondsConverter.Write(json, stamp.SentAt);
        if (stamp.AnsweredAt is { } answeredAt)
        {
            json.WritePropertyName("answeredAt"u8);
            UtcMillisecondsConverter.Write(json, answeredAt);
        }
        json.WriteNumber("attempts"u8, stamp.Attempts);
        json.WriteEndObject();
    }

    void Text(ReadOnlySpan<byte> name, string? value)
    {
        if (value is not null) json.WriteString(name, value);
    }
}
