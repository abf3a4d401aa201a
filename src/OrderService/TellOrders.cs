using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.OrderService;

/// <summary>
/// Tells the facts of an order: to customer-service, before money at a gateway is judged, and to a coordinator that has lost the
/// order's saga.
/// </summary>
public sealed class TellOrders(OrderStore store) : IBatchHandler
{
    public IReadOnlyList<Type> Takes { get; } = [typeof(AskOrder), typeof(RecallOrder)];

    public async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
    {
        var orders = (await store.LoadAsync(work, [.. batch.Select(message => message.OrderId).Distinct()]))
            .ToDictionary(order => order.Id);
        foreach (var message in batch)
        {
            var order = orders.GetValueOrDefault(message.OrderId);
            work.Answer(
                message, message.Body is AskOrder ? Told(order) : new OrderRecalled(order is null ? null : SagaOf(order)));
        }
    }

    static OrderTold Told(Order? order) => order is null
        ? new()
        : new(
            order.State.Status,
            new PaymentTerms(order.CustomerId, order.Currency, order.Payment, order.State.Total, order.Channel));

    /// <summary>The facts from which the coordinator recreates the order's saga.</summary>
    public static SagaRepair SagaOf(Order order) => order.State.Status switch
    {
        OrderStatuses.Pending => new(order.Id, SagaTargets.Running, Order: order.AsPlaced()),
        OrderStatuses.Confirmed or OrderStatuses.Completed => new(
            order.Id, SagaTargets.Confirmed, Order: order.AsPlaced(), Payment: SecuredOf(order.State),
            IsPaid: order.State.IsTakenOnFulfilment || OrderRules.IsTaken(order.State.PaymentStatus)),
        _ => new(order.Id, SagaTargets.Undone, Order: order.AsPlaced(), Ending: EndingOf(order.State)),
    };

    // An order of release 0.1.0 knows no version of its payment, so the announcement of the saga would take the status back.
    static PaymentTotals? SecuredOf(OrderState state) =>
        state is { PaymentStatus: PaymentStatuses.Authorized, Total: { } total } ? new(total, 0, 0, false) : null;

    static SagaEnding EndingOf(OrderState state) => new(
        state.Status, state.Reason?.Code ?? ReasonCodes.Cancelled, state.Reason?.Message ?? "Cancelled on request.",
        state.CancelReason);
}
