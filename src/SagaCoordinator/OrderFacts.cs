using Orderwright.Contracts;

namespace Orderwright.SagaCoordinator;

/// <summary>What a saga has to know of its order, to ask the participants and to tell how it ended.</summary>
/// <param name="Order">As it was placed; once the goods are reserved, with the prices that hold.</param>
/// <param name="Payment">Where the payment stands, as the last answer that counted said.</param>
/// <param name="TraceParent">The trace that placed the order: everything done for it belongs there.</param>
public sealed record OrderFacts(OrderPlaced Order, PaymentPosition Payment, string? TraceParent)
{
    /// <summary>
    /// What is to be paid, minor units; null when it is below 0, too much to count, or not priced.
    /// </summary>
    public long? TotalMinor =>
        Order.Lines.All(line => line.UnitPrice is not null)
            ? Money.Total(Order.Lines, Order.AdjustmentsMinor)
            : null;

    public OrderFacts Learn(StepAnswered answer) =>
        answer is { Priced: null, Payment: null }
            ? this
            : this with
            {
                Order = answer.Priced is null ? Order : Order with { Lines = answer.Priced },
                Payment = answer.Payment ?? Payment,
            };
}
