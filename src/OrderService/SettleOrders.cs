using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.OrderService.Decisions;
using Orderwright.OrderService.Events;
using Orderwright.Runtime;

namespace Orderwright.OrderService;

/// <summary>
/// Applies the coordinator's outcomes to orders. Messages about the same order are merged first; late and duplicate messages
/// are ignored.
/// </summary>
/// <remarks>
/// Orders that this instance has just placed are saved optimistically, without loading them. An order whose row is in another
/// version is not written; the handler then locks and loads the order, and decides again.
/// </remarks>
public sealed partial class SettleOrders(
    OrderStore store, RowCache<Order> recent, OrdersInFlight inFlight, DecisionWaiters waiters, EventFeed feed,
    ILogger<SettleOrders> log)
    : IBatchHandler
{
    public IReadOnlyList<Type> Takes { get; } =
        [typeof(OrderConfirmed), typeof(OrderRejected), typeof(OrderCancelled), typeof(OrderExpired)];

    public async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
    {
        var messages = batch.GroupBy(message => message.OrderId)
            .ToDictionary(group => group.Key, group => group.ToList());
        var cached = messages.Keys.Select(recent.Find).OfType<Order>().ToDictionary(order => order.Id);
        var optimistic = await store.SaveUnlockedAsync(
            work,
            [.. cached.Values.Select(order => Settle(order.State, messages[order.Id], work.Now))
                .Where(change => change.IsToSave)]);

        var open = messages.Keys.Except(optimistic.Select(change => change.State.Id)).ToList();
        var states = await store.LockStatesAsync(work, open);
        foreach (var unknown in open.Except(states.Select(state => state.Id)))
            LogUnknown(messages[unknown][0].Type, unknown);
        var locked = states.ConvertAll(state => Settle(state, messages[state.Id], work.Now));
        await store.SaveAsync(work, locked);

        List<OrderChange> changes = [.. optimistic, .. locked];
        var settled = changes.Where(change => OrderRules.IsSettled(change.State)).ToList();
        store.RemoveUnsettled(work, [.. settled.Select(change => change.State.Id)]);
        var decided = optimistic.Select(change => cached[change.State.Id].With(change)).ToList();
        decided.AddRange(await store.LoadAsync(work, waiters.Among(states.Select(state => state.Id))));
        work.AfterCommit(() =>
        {
            foreach (var id in messages.Keys) recent.Forget(id);
            inFlight.Settled(settled.Count(change => change.Events.Count > 0));
            waiters.Notify(decided);
            feed.Raise();
            Metrics.Decided(changes.SelectMany(change => change.Events));
        });
    }

    static OrderChange Settle(OrderState state, List<Message> messages, DateTimeOffset now)
    {
        var moment = new Moment(now, messages[0].Source, messages[0].TraceId);
        return OrderRules.Merge(messages.Select(message => message.Body)).Aggregate(
            OrderChange.Nothing(state),
            (change, outcome) => change.Then(next => OrderRules.Settle(next, outcome, moment)));
    }

    [LoggerMessage(4001, LogLevel.Error, "Received {Type} for the unknown order {OrderId}")]
    partial void LogUnknown(string type, Guid orderId);
}
