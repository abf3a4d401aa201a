using Orderwright.Contracts;

namespace Orderwright.StockService;

/// <summary>Claim of an order on goods.</summary>
/// <param name="OrderId">Natural key: one reservation per order.</param>
/// <param name="State">One of <see cref="ReservationStates"/>.</param>
/// <param name="Code">Reason of a refusal, one of <see cref="ReasonCodes"/>; otherwise null.</param>
/// <param name="Message">Refusal in a sentence for people.</param>
/// <param name="Currency">Currency of the order.</param>
/// <param name="Lines">Lines of the order with their prices; empty if nothing was ever held.</param>
/// <param name="CreatedAt">Time of the order's first command.</param>
/// <param name="UpdatedAt">Time of the last change.</param>
public sealed record Reservation(
    Guid OrderId,
    [OneOf(typeof(ReservationStates))] string State,
    string? Code,
    string? Message,
    string Currency,
    IReadOnlyList<OrderLine> Lines,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt)
{
    /// <summary>Sums the units per SKU, in order of first appearance.</summary>
    public IEnumerable<(string Sku, long Quantity)> Goods() => GoodsOf(Lines);

    public static IEnumerable<(string Sku, long Quantity)> GoodsOf(IReadOnlyList<OrderLine> lines) =>
        lines.Count == 1
            ? [(lines[0].Sku, lines[0].Quantity)]
            : lines.GroupBy(line => line.Sku, (sku, same) => (sku, same.Sum(line => (long)line.Quantity)));
}

/// <summary>Shipped goods of a committed order; immutable.</summary>
/// <param name="OrderId">Id of the order.</param>
/// <param name="Fulfilment">Number of the fulfilment in order-service, 1 and up; 0 is the release or the consumption of unshipped
/// goods. Order and number are the natural key.</param>
/// <param name="Lines">Shipped lines and quantities.</param>
public sealed record Shipment(Guid OrderId, int Fulfilment, IReadOnlyList<OrderLine> Lines);

/// <summary>Stock of a SKU, in units. A CHECK in the database enforces the same bounds.</summary>
/// <param name="Sku">Key of the product.</param>
/// <param name="OnHand">Physical stock, at least <paramref name="Allocated"/> + <paramref name="Reserved"/>.</param>
/// <param name="Allocated">Sold, not yet shipped.</param>
/// <param name="Reserved">Held for undecided orders.</param>
/// <param name="Version">Raised by every transaction that changes the row.</param>
public sealed record StockLevel(string Sku, long OnHand, long Allocated, long Reserved, long Version)
{
    public long Available => OnHand - Allocated - Reserved;

    public StockLevel Shift(long reserved, long allocated, long onHand = 0)
    {
        var level = this with
        {
            OnHand = checked(OnHand + onHand),
            Reserved = checked(Reserved + reserved),
            Allocated = checked(Allocated + allocated),
        };
        return level is { Reserved: >= 0, Allocated: >= 0, Available: >= 0 }
            ? level
            : throw new InvalidOperationException($"{level} is impossible; it was {this}.");
    }
}

/// <summary>Stock and price of a SKU, as orders need them.</summary>
public sealed record StockItem(StockLevel Level, long UnitPrice, string Currency);
