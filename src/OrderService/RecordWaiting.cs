using Orderwright.Contracts;
using Orderwright.OrderService.Events;
using Orderwright.Runtime;

namespace Orderwright.OrderService;

/// <summary>
/// Records that a customer has to act before the process continues, with address and deadline. The coordinator sends the
/// notice when the wait begins, and again in reply to a resent <see cref="OrderPlaced"/>.
/// </summary>
public sealed class RecordWaiting(OrderStore store, RowCache<Order> recent, EventFeed feed) : IBatchHandler
{
    public IReadOnlyList<Type> Takes => [typeof(OrderWaiting)];

    public async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
    {
        // The last notice about an order wins.
        var latest = batch.GroupBy(message => message.OrderId).ToDictionary(group => group.Key, group => group.Last());
        var changes = (await store.LockStatesAsync(work, [.. latest.Keys])).ConvertAll(state =>
        {
            var message = latest[state.Id];
            return OrderRules.RecordWaiting(
                state, (OrderWaiting)message.Body, new Moment(work.Now, message.Source, message.TraceId));
        });
        await store.SaveAsync(work, changes);
        work.AfterCommit(() =>
        {
            foreach (var id in latest.Keys) recent.Forget(id);
            feed.Raise();
        });
    }
}
