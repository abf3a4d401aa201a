using Orderwright.Contracts;

namespace Orderwright.Verification;

/// <summary>
/// Agreement of what different services say about the same order: the saga with payment and goods, a payment's state with its
/// amounts, an erasure with the orders of the customer. Pure, and independent of the services' own rules.
/// </summary>
public static class AgreementRules
{
    /// <summary>Time for an erasure to reach the texts of all orders.</summary>
    public static readonly TimeSpan ErasureTime = TimeSpan.FromMinutes(10);

    /// <summary>
    /// I2 and I4: a saga that ended as undone left neither money nor goods behind. Orders that ended so too are judged by their
    /// own status.
    /// </summary>
    public static IEnumerable<Finding> SagaAgrees(OrderCase orderCase)
    {
        if (orderCase.Saga is not { State: SagaStates.Compensated } saga
            || (orderCase.Order is { } order && InvariantRules.IsOff(order.Status)))
            yield break;
        if (orderCase.Payment is { } payment && (payment.Captured > payment.Refunded || payment.Held > 0))
            yield return Of(
                "I2", orderCase,
                $"was undone according to its saga, but {payment.Captured - payment.Refunded} are kept and {payment.Held} held",
                payment.Captured > payment.Refunded ? Repairs.Refund(payment) : Repairs.Release(payment.OrderId));
        if (orderCase.Reservation is { State: "committed" or "held" } goods)
            yield return Of(
                "I4", orderCase, $"was undone according to its saga, but its goods are {goods.State}", Repairs.UndoAgain(saga));
    }

    /// <summary>I3: the state of a payment says the same as its amounts.</summary>
    public static IEnumerable<Finding> PaymentStateTells(OrderCase orderCase)
    {
        if (orderCase.Payment is not { } payment) yield break;
        var kept = payment.Captured - payment.Refunded;
        var agrees = payment.State switch
        {
            PaymentStates.Authorized => payment.Held > 0,
            PaymentStates.Captured => kept > 0 || payment.Amount == 0,
            PaymentStates.Refunded => payment.Captured > 0 && kept == 0,
            PaymentStates.Voided => payment is { Captured: 0, Held: 0 },
            PaymentStates.Declined or PaymentStates.Undone => kept == 0 && payment.Held == 0,
            _ => true,
        };
        if (!agrees)
            yield return Of(
                "I3", orderCase,
                $"has a payment in state {payment.State} with {payment.Authorized} authorized, {payment.Captured} captured and "
                + $"{payment.Refunded} refunded",
                Repairs.Journal);
    }

    /// <summary>I11: an erased customer has no open order, no later order, and no text left in the orders.</summary>
    public static IEnumerable<Finding> ErasedIsGone(OrderCase orderCase, DateTimeOffset now)
    {
        if (orderCase is not { Order: { } order, CustomerErasedAt: { } erasedAt }) yield break;
        var isOpen = order.Status is OrderStatuses.Pending or OrderStatuses.CancelPending
            || (order.Status == OrderStatuses.Confirmed && order.FulfilmentStatus != FulfilmentStatuses.Fulfilled);
        if (order.CreatedAt > erasedAt + Verifier.AllowedSkew && !InvariantRules.IsOff(order.Status))
            yield return Of(
                "I11", orderCase,
                $"was placed at {order.CreatedAt:u} under the id of {order.CustomerId}, a customer erased at {erasedAt:u}",
                $"Cancel the order, and let the customer order under another id: {Repairs.Cancel(order.Id)}");
        else if (isOpen && now - erasedAt > InvariantRules.Patience)
            yield return Of(
                "I11", orderCase, $"is {order.Status} and {order.FulfilmentStatus}, but {order.CustomerId} was erased",
                $"Ship or cancel the order: {Repairs.Cancel(order.Id)}");
        if (order.HasTexts && !isOpen && now - erasedAt > ErasureTime)
            yield return Of(
                "I11", orderCase, $"keeps metadata or labels, but {order.CustomerId} was erased at {erasedAt:u}",
                "Start customer-service and order-service: the erasure is repeated until all texts are gone. "
                + $"DELETE /api/v1/customers/{order.CustomerId} shows its state.");
    }

    /// <summary>I11: an erased customer has no store credit.</summary>
    public static IEnumerable<Finding> ErasedHasNoCredit(ErasedRow erased)
    {
        if (erased.Balance > 0)
            yield return new(
                "I11", erased.CustomerId, $"was erased at {erased.ErasedAt:u}, but has store credit of {erased.Balance}",
                "Pay the money out. The credit cannot be spent any more, and stays in the journal as owed to nobody.");
    }

    static Finding Of(string invariant, OrderCase orderCase, string text, string repair) =>
        new(invariant, orderCase.OrderId.ToString(), text, repair);
}
