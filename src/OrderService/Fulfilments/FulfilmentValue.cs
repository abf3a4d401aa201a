using Orderwright.Contracts;

namespace Orderwright.OrderService.Fulfilments;

/// <summary>
/// What share of an order's total a fulfilment is worth. Pure. Each unit has its price; shipping and fees come with the
/// first fulfilment, as they are earned by it; discounts and taxes are spread over the lines by their price. It is reckoned
/// from what was shipped so far, so that roundings never add up: the fulfilments of a whole order are worth exactly its total.
/// </summary>
public static class FulfilmentValue
{
    static readonly IReadOnlyList<string> WithTheFirst = ["shipping", "fee"];

    /// <summary>The value of all that was shipped, minor units, from 0 to the total; it never falls as more is.</summary>
    /// <param name="order">A confirmed one: every line has its price.</param>
    /// <param name="shipped">Units per line; nothing at all is worth nothing.</param>
    public static long Of(Order order, IReadOnlyDictionary<int, long> shipped)
    {
        var total = order.State.Total!.Value;
        if (shipped.Values.All(quantity => quantity == 0)) return 0;
        if (order.Lines.All(line => shipped.GetValueOrDefault(line.Line) == line.Quantity)) return total;
        Int128 goods = 0, gone = 0, first = 0, spread = 0;
        foreach (var line in order.Lines)
        {
            goods += (Int128)line.Quantity * line.UnitPrice!.Value;
            gone += (Int128)shipped.GetValueOrDefault(line.Line) * line.UnitPrice.Value;
        }
        foreach (var adjustment in order.Adjustments)
            if (WithTheFirst.Contains(adjustment.Type)) first += adjustment.Amount;
            else spread += adjustment.Amount;
        // Of goods that cost nothing the first to leave bring in all that there is.
        if (goods == 0) return total;
        // What is spread is cut off towards zero; the last fulfilment makes up for it.
        return (long)Int128.Clamp(first + gone + spread * gone / goods, 0, total);
    }
}
