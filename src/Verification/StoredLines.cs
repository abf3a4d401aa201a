using System.Text.Json;

namespace Orderwright.Verification;

/// <summary>
/// Reads the JSON of stored lines: <c>[[line, sku, quantity, unitPrice]]</c>, without the price while unknown.
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

    /// <summary>Sums of the positive and of the negative adjustments.</summary>
    public static (Int128 Added, Int128 Discounted) Adjustments(string adjustments)
    {
        if (adjustments == "[]") return (0, 0);
        Int128 added = 0, discounted = 0;
        using var document = JsonDocument.Parse(adjustments);
        foreach (var adjustment in document.RootElement.EnumerateArray())
            if (adjustment.GetProperty("amount").GetInt64() is > 0 and var amount) added += amount;
            else discounted -= adjustment.GetProperty("amount").GetInt64();
        return (added, discounted);
    }

    /// <summary>Units per SKU of committed lines, less those of the shipments; SKUs with none left are omitted.</summary>
    public static Dictionary<string, long> Left(string lines, IEnumerable<ShippedRow> shipments)
    {
        var left = Quantities(lines);
        foreach (var (sku, quantity) in shipments.SelectMany(shipment => Quantities(shipment.Lines)))
            if ((left[sku] = left.GetValueOrDefault(sku) - quantity) == 0) left.Remove(sku);
        return left;
    }

    /// <summary>Quantity per SKU, lines on the same SKU summed.</summary>
    public static Dictionary<string, long> Quantities(string lines)
    {
        var quantities = new Dictionary<string, long>();
        using var document = JsonDocument.Parse(lines);
        foreach (var line in document.RootElement.EnumerateArray())
        {
            var sku = line[1].GetString()!;
            quantities[sku] = quantities.GetValueOrDefault(sku) + QuantityOf(line);
        }
        return quantities;
    }

    /// <summary>Quantity per line number, summed over all the given texts.</summary>
    public static Dictionary<int, long> QuantitiesByLine(IEnumerable<string> all)
    {
        var quantities = new Dictionary<int, long>();
        foreach (var lines in all)
        {
            using var document = JsonDocument.Parse(lines);
            foreach (var line in document.RootElement.EnumerateArray())
            {
                var number = line[0].GetInt32();
                quantities[number] = quantities.GetValueOrDefault(number) + QuantityOf(line);
            }
        }
        return quantities;
    }

    /// <summary>Reads <c>[{"number","lines","value"}]</c>; empty for null.</summary>
    public static IReadOnlyList<ShippedRow> Shipped(string? json)
    {
        if (json is null or "[]") return [];
        using var document = JsonDocument.Parse(json);
        return
        [
            .. document.RootElement.EnumerateArray().Select(shipment => new ShippedRow(
                shipment.GetProperty("number").GetInt32(), shipment.GetProperty("lines").GetRawText(),
                shipment.TryGetProperty("value", out var value) ? value.GetInt64() : 0)),
        ];
    }

    public static bool SameQuantities(string lines, string others)
    {
        var (left, right) = (Quantities(lines), Quantities(others));
        return left.Count == right.Count && left.All(pair => right.GetValueOrDefault(pair.Key) == pair.Value);
    }

    static long QuantityOf(JsonElement line) => line[2].GetInt64();

    static long? PriceOf(JsonElement line) => line.GetArrayLength() > 3 ? line[3].GetInt64() : null;
}
