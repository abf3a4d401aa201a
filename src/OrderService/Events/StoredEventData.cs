using System.Text.Json;
using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.OrderService.Events;

/// <summary>
/// Codec of the <c>data</c> column of events. The column holds an <see cref="EventData"/> in the form of the API, except for
/// the steps: the last event of every order lists all steps, so a step is stored as an array,
/// <c>["reserve-stock", undo 0 or 1, outcome, attempts, sentAt, answeredAt, code, detail]</c>. Times are milliseconds relative
/// to the event, mostly negative; trailing values without content are omitted.
/// </summary>
public static class StoredEventData
{
    /// <summary>Converts a stored value to the form of the API.</summary>
    /// <param name="stored">Value of the column.</param>
    /// <param name="at">Time of the event.</param>
    public static string Read(string stored, DateTimeOffset at)
    {
        if (!stored.Contains("\"steps\"", StringComparison.Ordinal)) return stored;
        using var document = JsonDocument.Parse(stored);
        return JsonText.Write((document.RootElement, at), static (json, data) =>
        {
            json.WriteStartObject();
            foreach (var property in data.RootElement.EnumerateObject())
                if (property.NameEquals("steps"u8)) ReadSteps(property.Value, data.at, json);
                else property.WriteTo(json);
            json.WriteEndObject();
        });
    }

    static void ReadSteps(JsonElement steps, DateTimeOffset at, Utf8JsonWriter json)
    {
        json.WriteStartArray("steps"u8);
        foreach (var step in steps.EnumerateArray()) ReadStep(step, at, json);
        json.WriteEndArray();
    }

    static void ReadStep(JsonElement step, DateTimeOffset at, Utf8JsonWriter json)
    {
        var length = step.GetArrayLength();
        json.WriteStartObject();
        json.WriteString("step"u8, step[0].GetString());
        json.WriteBoolean("undo"u8, step[1].GetInt32() == 1);
        json.WriteString("outcome"u8, step[2].GetString());
        if (length > 6 && step[6].ValueKind == JsonValueKind.String) json.WriteString("code"u8, step[6].GetString());
        json.WritePropertyName("sentAt"u8);
        UtcMillisecondsConverter.Write(json, at.AddMilliseconds(step[4].GetInt64()));
        if (length > 5 && step[5].ValueKind == JsonValueKind.Number)
        {
            json.WritePropertyName("answeredAt"u8);
            UtcMillisecondsConverter.Write(json, at.AddMilliseconds(step[5].GetInt64()));
        }
        json.WriteNumber("attempts"u8, step[3].GetInt32());
        if (length > 7)
        {
            json.WritePropertyName("detail"u8);
            step[7].WriteTo(json);
        }
        json.WriteEndObject();
    }

    /// <summary>Writes the stored form, without nulls. Written by hand for speed: every order has two events.</summary>
    /// <param name="data">Details of the event.</param>
    /// <param name="at">Time of the event.</param>
    public static string Write(EventData data, DateTimeOffset at) =>
        JsonText.Write((data, at), static (json, e) => Write(json, e.data, e.at));

    static void Write(Utf8JsonWriter json, EventData data, DateTimeOffset at)
    {
        json.WriteStartObject();
        Text(json, "paymentStatus"u8, data.PaymentStatus);
        if (data.Total is { } total) json.WriteNumber("total"u8, total);
        Text(json, "code"u8, data.Code);
        Text(json, "message"u8, data.Message);
        Text(json, "step"u8, data.Step);
        Text(json, "cancelReason"u8, data.CancelReason);
        Text(json, "fulfilmentStatus"u8, data.FulfilmentStatus);
        Text(json, "goods"u8, data.Goods);
        Text(json, "approvedBy"u8, data.ApprovedBy);
        if (data.FulfilmentId is { } fulfilment) json.WriteString("fulfilmentId"u8, fulfilment);
        if (data.NextAction is { } action)
        {
            json.WriteStartObject("nextAction"u8);
            Text(json, "type"u8, action.Type);
            Text(json, "url"u8, action.Url);
            json.WritePropertyName("expiresAt"u8);
            UtcMillisecondsConverter.Write(json, action.ExpiresAt);
            json.WriteEndObject();
        }
        if (data.Steps is { } steps)
        {
            json.WriteStartArray("steps"u8);
            foreach (var step in steps) Write(json, step, at);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    static void Write(Utf8JsonWriter json, StepStamp stamp, DateTimeOffset at)
    {
        json.WriteStartArray();
        json.WriteStringValue(stamp.Step);
        json.WriteNumberValue(stamp.Undo ? 1 : 0);
        json.WriteStringValue(stamp.Outcome);
        json.WriteNumberValue(stamp.Attempts);
        json.WriteNumberValue(Milliseconds(stamp.SentAt, at));
        if (stamp.AnsweredAt is { } answeredAt) json.WriteNumberValue(Milliseconds(answeredAt, at));
        else if (stamp.Code is not null || stamp.Detail is not null) json.WriteNullValue();
        if (stamp.Code is not null) json.WriteStringValue(stamp.Code);
        else if (stamp.Detail is not null) json.WriteNullValue();
        if (stamp.Detail is not null) json.WriteRawValue(stamp.Detail);
        json.WriteEndArray();
    }

    static long Milliseconds(DateTimeOffset time, DateTimeOffset at) => (time - at).Ticks / TimeSpan.TicksPerMillisecond;

    static void Text(Utf8JsonWriter json, ReadOnlySpan<byte> name, string? value)
    {
        if (value is not null) json.WriteString(name, value);
    }
}
