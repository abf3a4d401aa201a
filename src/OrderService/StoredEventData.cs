using System.Text.Json;
using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.OrderService;

/// <summary>
/// Between the <c>data</c> column of events and what the API hands on. The column keeps an <see cref="EventData"/> as the API
/// shows it, but for the steps: every order's last event tells all of them, so a step is an array, its times in milliseconds
/// since the event (mostly below 0): <c>["reserve-stock", undo 0 or 1, outcome, attempts, sentAt, answeredAt, code]</c>, the
/// last two only where there is something to say.
/// </summary>
public static class StoredEventData
{
    /// <summary>As the API shows it.</summary>
    /// <param name="stored">The column. Rows from before 2026-11-28 keep their steps as the API shows them.</param>
    /// <param name="at">When the event was.</param>
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
        foreach (var step in steps.EnumerateArray())
            if (step.ValueKind == JsonValueKind.Array) ReadStep(step, at, json);
            else step.WriteTo(json);
        json.WriteEndArray();
    }

    static void ReadStep(JsonElement step, DateTimeOffset at, Utf8JsonWriter json)
    {
        var kept = step.GetArrayLength();
        json.WriteStartObject();
        json.WriteString("step"u8, step[0].GetString());
        json.WriteBoolean("undo"u8, step[1].GetInt32() == 1);
        json.WriteString("outcome"u8, step[2].GetString());
        if (kept > 6) json.WriteString("code"u8, step[6].GetString());
        json.WritePropertyName("sentAt"u8);
        UtcMillisecondsConverter.Write(json, at.AddMilliseconds(step[4].GetInt64()));
        if (kept > 5 && step[5].ValueKind == JsonValueKind.Number)
        {
            json.WritePropertyName("answeredAt"u8);
            UtcMillisecondsConverter.Write(json, at.AddMilliseconds(step[5].GetInt64()));
        }
        json.WriteNumber("attempts"u8, step[3].GetInt32());
        json.WriteEndObject();
    }

    /// <summary>As the column keeps it: without what does not apply. By hand, as every order has two.</summary>
    /// <param name="data">What the event says.</param>
    /// <param name="at">When it was, by which it is read again.</param>
    public static string Write(EventData data, DateTimeOffset at) =>
        JsonText.Write((data, at), static (json, said) => Write(json, said.data, said.at));

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
        else if (stamp.Code is not null) json.WriteNullValue();
        if (stamp.Code is not null) json.WriteStringValue(stamp.Code);
        json.WriteEndArray();
    }

    static long Milliseconds(DateTimeOffset time, DateTimeOffset at) => (time - at).Ticks / TimeSpan.TicksPerMillisecond;

    static void Text(Utf8JsonWriter json, ReadOnlySpan<byte> name, string? value)
    {
        if (value is not null) json.WriteString(name, value);
    }
}
