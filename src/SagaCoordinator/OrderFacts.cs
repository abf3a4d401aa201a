using Orderwright.Contracts;

namespace Orderwright.SagaCoordinator;

/// <summary>What a saga has to know of its order, to ask the participants and to tell how it ended.</summary>
/// <param name="Order">As it was placed; once the goods are reserved, with the prices that hold.</param>
/// <param name="TraceParent">The trace that placed the order: everything done for it belongs there.</param>
public sealed record OrderFacts(OrderPlaced Order, string? TraceParent)
{
    /// <summary>
    /// What is to be paid, minor units; null when it is below 0, too much to count, or not priced.
    /// </summary>
    public long? TotalMinor =>
        Order.Lines.All(line => line.UnitPrice is not null)
            ? Money.Total(Order.Lines, Order.AdjustmentsMinor)
            : null;

    /// <summary>With the prices that hold; itself where these were the order's own.</summary>
    public OrderFacts With(IReadOnlyList<OrderLine> priced) =>
        priced.SequenceEqual(Order.Lines) ? this : this with { Order = Order with { Lines = priced } };
}
