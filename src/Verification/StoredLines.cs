using System.Text.Json;

namespace Orderwright.Verification;

/// <summary>
/// Reads lines as they stand in the tables: <c>[[line, sku, quantity, unitPrice]]</c>, in rows from before 2026-11-28
/// <c>[{"line","sku","quantity","unitPrice"}]</c>; a price that is not known is not there.
/// </summary>
public static class StoredLines
{
    /// <summary>Σ quantity × unit price + adjustments; null while a line has no price.</summary>
    public static long? Total(string lines, long adjustmentsMinor)
    {
        var total = (Int128)adjustmentsMinor;
        using var document = JsonDocument.Parse(lines);
        foreach (var line in document.RootElement.EnumerateArray())
        {
            if (PriceOf(line) is not { } price) return null;
            total += (Int128)QuantityOf(line) * price;
        }
        return (long)total;
    }

    /// <summary>Quantity per SKU, lines on the same SKU summed.</summary>
    public static Dictionary<string, long> Quantities(string lines)
    {
        var quantities = new Dictionary<string, long>();
        using var document = JsonDocument.Parse(lines);
        foreach (var line in document.RootElement.EnumerateArray())
        {
            var sku = Of(line, "sku", 1).GetString()!;
            quantities[sku] = quantities.GetValueOrDefault(sku) + QuantityOf(line);
        }
        return quantities;
    }

    /// <summary>Quantity per line of the order, over all of these.</summary>
    public static Dictionary<int, long> QuantitiesByLine(IEnumerable<string> all)
    {
        var quantities = new Dictionary<int, long>();
        foreach (var lines in all)
        {
            using var document = JsonDocument.Parse(lines);
            foreach (var line in document.RootElement.EnumerateArray())
            {
                var number = Of(line, "line", 0).GetInt32();
                quantities[number] = quantities.GetValueOrDefault(number) + QuantityOf(line);
            }
        }
        return quantities;
    }

    /// <summary>Reads <c>[{"number","lines","value"}]</c>; null where nothing was shipped.</summary>
    public static IReadOnlyList<ShippedRow> Shipped(string? json)
    {
        if (json is null or "[]") return [];
        using var document = JsonDocument.Parse(json);
        return
        [
            .. document.RootElement.EnumerateArray().Select(one => new ShippedRow(
                one.GetProperty("number").GetInt32(), one.GetProperty("lines").GetRawText(),
                one.TryGetProperty("value", out var value) ? value.GetInt64() : 0)),
        ];
    }

    public static bool SameQuantities(string lines, string others)
    {
        var (one, other) = (Quantities(lines), Quantities(others));
        return one.Count == other.Count && one.All(pair => other.GetValueOrDefault(pair.Key) == pair.Value);
    }

    static JsonElement Of(JsonElement line, string name, int place) =>
        line.ValueKind == JsonValueKind.Array ? line[place] : line.GetProperty(name);

    static long QuantityOf(JsonElement line) => Of(line, "quantity", 2).GetInt64();

    static long? PriceOf(JsonElement line) =>
        line.ValueKind == JsonValueKind.Array ? line.GetArrayLength() > 3 ? line[3].GetInt64() : null
        : line.TryGetProperty("unitPrice", out var price) && price.ValueKind == JsonValueKind.Number ? price.GetInt64()
        : null;
}
