using Orderwright.Contracts;

namespace Orderwright.StockService;

/// <summary>An order's claim on goods.</summary>
/// <param name="OrderId">The natural key: one reservation per order.</param>
/// <param name="State">One of <see cref="ReservationStates"/>.</param>
/// <param name="Code">Why it was refused, one of <see cref="ReasonCodes"/>; null else.</param>
/// <param name="Message">The same for people.</param>
/// <param name="Currency">The order's.</param>
/// <param name="Lines">The order's lines with the prices that hold; empty where nothing was ever
/// held.</param>
/// <param name="ExpiresAt">When an uncommitted hold ends.</param>
/// <param name="CreatedAt">When the order was first heard of here.</param>
/// <param name="UpdatedAt">When the state last changed.</param>
public sealed record Reservation(
    Guid OrderId,
    string State,
    string? Code,
    string? Message,
    string Currency,
    IReadOnlyList<OrderLine> Lines,
    DateTimeOffset ExpiresAt,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt)
{
    /// <summary>Units per SKU, lines of one SKU summed, in order of first appearance.</summary>
    public IEnumerable<(string Sku, long Quantity)> Goods() => GoodsOf(Lines);

    public static IEnumerable<(string Sku, long Quantity)> GoodsOf(IReadOnlyList<OrderLine> lines) =>
        lines.Count == 1
            ? [(lines[0].Sku, lines[0].Quantity)]
            : lines.GroupBy(line => line.Sku, (sku, same) => (sku, same.Sum(line => (long)line.Quantity)));
}

/// <summary>Goods of a committed order that left the house; never changed.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="Fulfilment">1 and up, order-service's; with the order the natural key. 0 is the rest, which was released and
/// has not left.</param>
/// <param name="Lines">What was shipped of which line.</param>
public sealed record Shipment(Guid OrderId, int Fulfilment, IReadOnlyList<OrderLine> Lines);

/// <summary>How much there is of a SKU, in units. The database has the same bounds as a CHECK.</summary>
/// <param name="Sku">The catalogue's key.</param>
/// <param name="OnHand">In the house, at least <paramref name="Allocated"/> + <paramref
/// name="Reserved"/>.</param>
/// <param name="Allocated">Sold, not yet shipped.</param>
/// <param name="Reserved">Held for orders that are not decided yet.</param>
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

/// <summary>What an order needs to know of a SKU: how much there is, and what one unit costs.</summary>
public sealed record StockItem(StockLevel Level, long UnitPrice, string Currency);
