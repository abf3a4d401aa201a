using System.Diagnostics;
using Orderwright.Contracts;
using Orderwright.OrderService.Fulfilments;
using Orderwright.Runtime;

namespace Orderwright.OrderService;

/// <summary>
/// What customer-service tells of payments that operators moved, or that were taken with what was shipped. An order that the
/// process is still deciding on is left to it: who told is not answered, and tells again.
/// </summary>
public sealed class NotePayments(
    OrderStore store, FulfilmentStore fulfilments, RowCache<Order> recent, EventFeed feed) : IBatchHandler
{
    public IReadOnlyList<Type> Takes => [typeof(PaymentMoved)];

    public async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
    {
        var told = batch.GroupBy(message => message.OrderId).ToDictionary(
            group => group.Key, group => group.MaxBy(message => ((PaymentMoved)message.Body).Version)!);
        var changes = new List<OrderChange>();
        foreach (var state in await store.LockStatesAsync([.. told.Keys], work))
        {
            var message = told[state.Id];
            var moved = (PaymentMoved)message.Body;
            var traceId = ActivityContext.TryParse(message.TraceParent, null, out var context)
                ? context.TraceId.ToHexString()
                : null;
            var moment = new Moment(work.Now, message.Source, traceId);
            if (OrderRules.NotePayment(state, moved.Payment.Status, moment) is not { } change) continue;
            changes.Add(change);
            work.Send(state.Id, new PaymentNoted(moved.Version));
        }
        await store.SaveAsync(changes, work);
        fulfilments.FinishTaken(
            [.. changes.Select(change => (change.State.Id, ((PaymentMoved)told[change.State.Id].Body).Payment))], work);
        work.AfterCommit(() =>
        {
            foreach (var change in changes) recent.Forget(change.State.Id);
            feed.Raise();
        });
    }
}
