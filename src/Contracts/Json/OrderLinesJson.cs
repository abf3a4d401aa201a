using System.Text.Json;

namespace Orderwright.Contracts;

/// <summary>
/// Lines of an order as stored in a column: <c>[[line, sku, quantity, unitPrice], …]</c>, the price only if known.
/// </summary>
public static class OrderLinesJson
{
    public static string Write(IReadOnlyList<OrderLine> lines) =>
        JsonText.Write(lines, static (json, lines) => Write(json, lines));

    /// <summary>Throws <see cref="JsonException"/> for anything but lines.</summary>
    public static IReadOnlyList<OrderLine> Read(string json) => JsonText.Read(json, 0, static (bytes, _) =>
    {
        var reader = new Utf8JsonReader(bytes);
        reader.Read();
        return Read(ref reader);
    });

    /// <summary>Writes the lines as a value of a larger document.</summary>
    public static void Write(Utf8JsonWriter json, IReadOnlyList<OrderLine> lines)
    {
        json.WriteStartArray();
        foreach (var line in lines) Write(json, line);
        json.WriteEndArray();
    }

    /// <summary>Reads the lines within a larger document, from the first token of the value to its last.</summary>
    public static IReadOnlyList<OrderLine> Read(ref Utf8JsonReader reader)
    {
        var lines = new List<OrderLine>(4);
        reader.Expect(JsonTokenType.StartArray);
        while (reader.NextElement()) lines.Add(ReadLine(ref reader));
        return [.. lines];
    }

    static void Write(Utf8JsonWriter json, OrderLine line)
    {
        json.WriteStartArray();
        json.WriteNumberValue(line.Line);
        json.WriteStringValue(line.Sku);
        json.WriteNumberValue(line.Quantity);
        if (line.UnitPrice is { } price) json.WriteNumberValue(price);
        json.WriteEndArray();
    }

    static OrderLine ReadLine(ref Utf8JsonReader reader)
    {
        reader.Expect(JsonTokenType.StartArray);
        reader.Next(JsonTokenType.Number);
        var line = reader.GetInt32();
        reader.Next(JsonTokenType.String);
        var sku = reader.GetString()!;
        reader.Next(JsonTokenType.Number);
        var quantity = reader.GetInt32();
        long? price = null;
        if (reader.NextElement())
        {
            price = reader.GetInt64();
            reader.Next(JsonTokenType.EndArray);
        }
        return new OrderLine(line, sku, quantity, price);
    }
}
