using Orderwright.Contracts;

namespace Orderwright.OrderService.Fulfilments;

/// <summary>
/// Computes a fulfilment's share of the order's total. Pure. Every unit counts at its price; shipping and fees belong to the
/// first fulfilment, which earns them; discounts and taxes are spread over the lines by price. The value is cumulative, so
/// rounding errors never add up: the fulfilments of a whole order sum to exactly the total.
/// </summary>
public static class FulfilmentValue
{
    static readonly IReadOnlyList<string> WithTheFirst = ["shipping", "fee"];

    /// <summary>Values the goods shipped so far: minor units, from 0 to the total, never falling as more ships.</summary>
    /// <param name="order">Confirmed order: every line has a price.</param>
    /// <param name="shipped">Units shipped per line.</param>
    public static long Of(Order order, IReadOnlyDictionary<int, long> shipped)
    {
        var total = order.State.Total!.Value;
        if (shipped.Values.All(quantity => quantity == 0)) return 0;
        if (order.Lines.All(line => shipped.GetValueOrDefault(line.Line) == line.Quantity)) return total;
        Int128 goods = 0, sent = 0, first = 0, spread = 0;
        foreach (var line in order.Lines)
        {
            goods += (Int128)line.Quantity * line.UnitPrice!.Value;
            sent += (Int128)shipped.GetValueOrDefault(line.Line) * line.UnitPrice.Value;
        }
        foreach (var adjustment in order.Adjustments)
            if (WithTheFirst.Contains(adjustment.Type)) first += adjustment.Amount;
            else spread += adjustment.Amount;
        // When all goods are free, the first fulfilment carries the whole total.
        if (goods == 0) return total;
        // Spread amounts are truncated towards zero; the last fulfilment makes up the difference.
        return (long)Int128.Clamp(first + sent + spread * sent / goods, 0, total);
    }
}
