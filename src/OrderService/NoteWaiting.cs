using System.Diagnostics;
using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.OrderService;

/// <summary>
/// The customer has to act before the process goes on: the order says where, until when. The coordinator says it when it
/// begins, and again when it is asked about the order.
/// </summary>
public sealed class NoteWaiting(OrderStore store, RowCache<Order> recent, EventFeed feed) : IBatchHandler
{
    public IReadOnlyList<Type> Takes => [typeof(OrderWaiting)];

    public async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
    {
        // The last one said is the one that holds.
        var told = batch.GroupBy(message => message.OrderId).ToDictionary(group => group.Key, group => group.Last());
        var changes = (await store.LockStatesAsync([.. told.Keys], work)).ConvertAll(state =>
        {
            var message = told[state.Id];
            var traceId = ActivityContext.TryParse(message.TraceParent, null, out var context)
                ? context.TraceId.ToHexString()
                : null;
            return OrderRules.NoteWaiting(
                state, (OrderWaiting)message.Body, new Moment(work.Now, message.Source, traceId));
        });
        await store.SaveAsync(changes, work);
        work.AfterCommit(() =>
        {
            foreach (var id in told.Keys) recent.Forget(id);
            feed.Raise();
        });
    }
}
