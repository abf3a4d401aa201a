using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator.Process;

/// <summary>Saga of an order, as stored.</summary>
/// <param name="OrderId">Primary key.</param>
/// <param name="State">State of the process.</param>
/// <param name="Payment">Totals of the payment, as of the last reply that counted.</param>
/// <param name="Facts">The order.</param>
/// <param name="UpdatedAt">Time of the last write of the row.</param>
public sealed record SagaRecord(
    Guid OrderId, SagaState State, PaymentTotals Payment, OrderFacts Facts, DateTimeOffset UpdatedAt)
{
    /// <summary>
    /// Instance of order-service that asked last, and gets the outcome. Not stored: from a loaded saga the outcome goes to any
    /// instance.
    /// </summary>
    public string? ReplyTo { get; init; }
}

/// <summary>Facts about an order, as needed for commands and for the notification of the outcome.</summary>
/// <param name="Order">The order as placed; once the goods are reserved, with the prices that apply.</param>
/// <param name="TraceParent">The trace that placed the order. All work for the order belongs to this trace.</param>
/// <param name="TraceState">State of the trace context, passed on as received.</param>
public sealed record OrderFacts(OrderPlaced Order, string? TraceParent, string? TraceState = null)
{
    /// <summary>Channel of the order.</summary>
    public string Channel => Order.Channel ?? ChannelSet.Main;

    /// <summary>Amount to pay in minor units; null if negative, out of range, or not priced yet.</summary>
    public long? TotalMinor =>
        Order.Lines.All(line => line.UnitPrice is not null)
            ? Money.Total(Order.Lines, Order.AdjustmentsMinor)
            : null;

    /// <summary>Applies prices; returns the same instance if these are the order's own.</summary>
    public OrderFacts With(IReadOnlyList<OrderLine> priced) =>
        priced.SequenceEqual(Order.Lines) ? this : this with { Order = Order with { Lines = priced } };
}
