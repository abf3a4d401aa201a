using System.Text.Json;
using Orderwright.Contracts;

namespace Orderwright.SagaCoordinator;

/// <summary>
/// The <c>facts</c> column: what a saga knows of its order, as JSON; by hand, as <see cref="StoredSteps"/>. A line is
/// <c>[line, sku, quantity, unitPrice]</c>, the last where it is known; rows from before 2026-11-28 name these.
/// </summary>
static class StoredFacts
{
    public static void Write(Utf8JsonWriter json, OrderFacts facts)
    {
        var order = facts.Order;
        json.WriteStartObject();
        json.WriteString("customerId"u8, order.CustomerId);
        json.WriteString("currency"u8, order.Currency);
        json.WriteStartArray("lines"u8);
        foreach (var line in order.Lines)
        {
            json.WriteStartArray();
            json.WriteNumberValue(line.Line);
            json.WriteStringValue(line.Sku);
            json.WriteNumberValue(line.Quantity);
            if (line.UnitPrice is { } price) json.WriteNumberValue(price);
            json.WriteEndArray();
        }
        json.WriteEndArray();
        if (order.AdjustmentsMinor != 0) json.WriteNumber("adjustments"u8, order.AdjustmentsMinor);
        if (order.MaySetPrice) json.WriteBoolean("maySetPrice"u8, true);
        json.WriteString("provider"u8, order.Payment.Provider);
        json.WriteText("token"u8, order.Payment.Token);
        json.WriteText("capture"u8, order.Capture);
        json.WriteText("traceParent"u8, facts.TraceParent);
        json.WriteEndObject();
    }

    public static OrderFacts Read(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        var (customerId, currency, adjustments, maySetPrice) = ("", "", 0L, false);
        var (provider, token, capture, traceParent) = ("", (string?)null, (string?)null, (string?)null);
        IReadOnlyList<OrderLine> lines = [];
        while (reader.NextProperty())
            if (reader.Is("customerId"u8)) customerId = reader.GetString()!;
            else if (reader.Is("currency"u8)) currency = reader.GetString()!;
            else if (reader.Is("lines"u8)) lines = ReadLines(ref reader);
            else if (reader.Is("adjustments"u8)) adjustments = reader.GetInt64();
            else if (reader.Is("maySetPrice"u8)) maySetPrice = reader.GetBoolean();
            else if (reader.Is("provider"u8)) provider = reader.GetString()!;
            else if (reader.Is("token"u8)) token = reader.GetString();
            else if (reader.Is("capture"u8)) capture = reader.GetString();
            else if (reader.Is("traceParent"u8)) traceParent = reader.GetString();
            else reader.SkipValue();
        var method = new PaymentMethod(provider, token);
        var order = new OrderPlaced(customerId, currency, lines, adjustments, method, maySetPrice, capture);
        return new OrderFacts(order, traceParent);
    }

    static List<OrderLine> ReadLines(ref Utf8JsonReader reader)
    {
        var lines = new List<OrderLine>();
        while (reader.NextElement())
        {
            var (line, sku, quantity, price) = (0, "", 0, (long?)null);
            if (reader.TokenType == JsonTokenType.StartArray)
            {
                line = (int)reader.NextNumber();
                reader.Read();
                sku = reader.GetString()!;
                quantity = (int)reader.NextNumber();
                while (reader.NextElement()) price = reader.GetInt64();
            }
            else
                while (reader.NextProperty())
                    if (reader.Is("line"u8)) line = reader.GetInt32();
                    else if (reader.Is("sku"u8)) sku = reader.GetString()!;
                    else if (reader.Is("quantity"u8)) quantity = reader.GetInt32();
                    else if (reader.Is("unitPrice"u8)) price = reader.GetInt64();
                    else reader.SkipValue();
            lines.Add(new OrderLine(line, sku, quantity, price));
        }
        return lines;
    }
}
