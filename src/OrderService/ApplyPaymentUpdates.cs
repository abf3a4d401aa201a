using Orderwright.Contracts;
using Orderwright.OrderService.Events;
using Orderwright.OrderService.Fulfilments;
using Orderwright.Runtime;

namespace Orderwright.OrderService;

/// <summary>
/// Applies payment updates from customer-service: payments moved by operators, or captured with shipped goods. While the
/// process is still deciding on the order, the sender gets no acknowledgement and will retry.
/// </summary>
public sealed class ApplyPaymentUpdates(
    OrderStore store, FulfilmentStore fulfilments, RowCache<Order> recent, EventFeed feed) : IBatchHandler
{
    public IReadOnlyList<Type> Takes => [typeof(PaymentMoved)];

    public async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
    {
        var latest = batch.GroupBy(message => message.OrderId).ToDictionary(
            group => group.Key, group => group.MaxBy(message => ((PaymentMoved)message.Body).Version)!);
        var changes = new List<OrderChange>();
        foreach (var state in await store.LockStatesAsync(work, [.. latest.Keys]))
        {
            var message = latest[state.Id];
            var moved = (PaymentMoved)message.Body;
            var moment = new Moment(work.Now, moved.By ?? message.Source, message.TraceId);
            if (OrderRules.UpdatePayment(state, TotalsOf(moved), moment, moved.ApprovedBy) is not { } change) continue;
            changes.Add(change);
            work.Send(state.Id, new PaymentNoted(moved.Version));
        }
        await store.SaveAsync(work, changes);
        fulfilments.FinishCaptured(
            work, [.. changes.Select(change => (change.State.Id, ((PaymentMoved)latest[change.State.Id].Body).Payment))]);
        work.AfterCommit(() =>
        {
            foreach (var change in changes) recent.Forget(change.State.Id);
            feed.Raise();
        });
    }

    // Release 0.1.0 sent the version beside the totals only.
    static PaymentTotals TotalsOf(PaymentMoved moved) => moved.Payment with { Version = moved.Version };
}
