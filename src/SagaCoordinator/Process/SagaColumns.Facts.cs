using System.Text.Json;
using Orderwright.Contracts;

namespace Orderwright.SagaCoordinator.Process;

// The column facts: the order, as JSON without absent values.
public static partial class SagaColumns
{
    static void WriteFacts(Utf8JsonWriter json, OrderFacts facts)
    {
        var order = facts.Order;
        json.WriteStartObject();
        json.WriteString("customerId"u8, order.CustomerId);
        json.WriteString("currency"u8, order.Currency);
        json.WritePropertyName("lines"u8);
        OrderLinesJson.Write(json, order.Lines);
        if (order.AdjustmentsMinor != 0) json.WriteNumber("adjustments"u8, order.AdjustmentsMinor);
        if (order.MaySetPrice) json.WriteBoolean("maySetPrice"u8, true);
        json.WriteString("provider"u8, order.Payment.Provider);
        WriteText(json, "token"u8, order.Payment.Token);
        WriteText(json, "capture"u8, order.Capture);
        WriteText(json, "channel"u8, order.Channel);
        WriteText(json, "reference"u8, order.Reference);
        WriteText(json, "traceParent"u8, facts.TraceParent);
        WriteText(json, "traceState"u8, facts.TraceState);
        json.WriteEndObject();
    }

    static OrderFacts ReadFacts(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        var (customerId, currency, adjustments, maySetPrice) = ("", "", 0L, false);
        var (provider, token, capture, traceParent) = ("", (string?)null, (string?)null, (string?)null);
        var (channel, reference, traceState) = ((string?)null, (string?)null, (string?)null);
        IReadOnlyList<OrderLine> lines = [];
        while (reader.NextProperty())
            if (reader.Is("customerId"u8)) customerId = reader.GetString()!;
            else if (reader.Is("currency"u8)) currency = reader.GetString()!;
            else if (reader.Is("lines"u8)) lines = OrderLinesJson.Read(ref reader);
            else if (reader.Is("adjustments"u8)) adjustments = reader.GetInt64();
            else if (reader.Is("maySetPrice"u8)) maySetPrice = reader.GetBoolean();
            else if (reader.Is("provider"u8)) provider = reader.GetString()!;
            else if (reader.Is("token"u8)) token = reader.GetString();
            else if (reader.Is("capture"u8)) capture = reader.GetString();
            // Release 0.1.0 wrote "merchant".
            else if (reader.Is("channel"u8) || reader.Is("merchant"u8)) channel = reader.GetString();
            else if (reader.Is("reference"u8)) reference = reader.GetString();
            else if (reader.Is("traceParent"u8)) traceParent = reader.GetString();
            else if (reader.Is("traceState"u8)) traceState = reader.GetString();
            else reader.SkipValue();
        var method = new PaymentMethod(provider, token);
        return new OrderFacts(
            new OrderPlaced(customerId, currency, lines, adjustments, method, maySetPrice, capture, channel, reference),
            traceParent, traceState);
    }
}
