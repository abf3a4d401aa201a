using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.OrderService;

/// <summary>
/// The coordinator's answers become the orders' statuses. What several messages say of one order is put
/// together first; what is late or doubled changes nothing.
/// </summary>
public sealed partial class SettleOrders(
    OrderStore store, OrdersInFlight inFlight, DecisionWaiters waiters, EventFeed feed, ILogger<SettleOrders> log)
    : IBatchHandler
{
    public IReadOnlyList<Type> Takes { get; } =
        [typeof(OrderConfirmed), typeof(OrderRejected), typeof(OrderCancelled), typeof(OrderExpired)];

    public async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
    {
        var told = batch.GroupBy(message => message.OrderId).ToDictionary(group => group.Key, group => group.ToList());
        var states = await store.LockStatesAsync([.. told.Keys], work);
        foreach (var unknown in told.Keys.Except(states.Select(state => state.Id)))
            LogUnknown(unknown, told[unknown][0].Type);

        var changes = states.ConvertAll(state => Settle(state, told[state.Id], work.Now));
        await store.SaveAsync(changes, work);
        var settled = await store.StopAwaitingAsync(
            [.. changes.Where(change => OrderRules.IsSettled(change.State)).Select(change => change.State.Id)], work);

        var awaited = waiters.Among(changes
            .Where(change => OrderRules.IsDecided(change.State.Status)).Select(change => change.State.Id));
        var decided = awaited.Count == 0 ? [] : await store.LoadAsync(awaited, work);
        work.AfterCommit(() =>
        {
            inFlight.Settled(settled);
            waiters.Tell(decided);
            feed.Raise();
        });
    }

    static OrderChange Settle(OrderState state, List<Message> told, DateTimeOffset now)
    {
        var moment = new Moment(now, told[0].Source, TraceIdOf(told[0].TraceParent));
        return OrderRules.Merge(told.Select(message => message.Body)).Aggregate(
            OrderChange.Nothing(state),
            (change, outcome) => change.Then(next => OrderRules.Settle(next, outcome, moment)));
    }

    static string? TraceIdOf(string? traceParent) =>
        ActivityContext.TryParse(traceParent, null, out var context) ? context.TraceId.ToHexString() : null;

    [LoggerMessage(4001, LogLevel.Error, "Order {OrderId} is not known here, and somebody answered {Type} about it")]
    partial void LogUnknown(Guid orderId, string type);
}
