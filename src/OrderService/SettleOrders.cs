using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.OrderService;

/// <summary>
/// The coordinator's answers become the orders' statuses. What several messages say of one order is put
/// together first; what is late or doubled changes nothing.
/// </summary>
/// <remarks>
/// An order that this instance placed a moment ago is taken to be as it was placed, and is not loaded; where the write finds
/// another version, nothing was written, and the order is locked, loaded and decided on again.
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
        var told = batch.GroupBy(message => message.OrderId).ToDictionary(group => group.Key, group => group.ToList());
        var placed = told.Keys.Select(recent.Find).OfType<Order>().ToDictionary(order => order.Id);
        var guessed = await store.SaveUnlockedAsync(
            [.. placed.Values.Select(order => Settle(order.State, told[order.Id], work.Now))
                .Where(change => change.Events.Count > 0)],
            work);

        var open = told.Keys.Except(guessed.Select(change => change.State.Id)).ToList();
        var states = await store.LockStatesAsync(open, work);
        foreach (var unknown in open.Except(states.Select(state => state.Id)))
            LogUnknown(unknown, told[unknown][0].Type);
        var loaded = states.ConvertAll(state => Settle(state, told[state.Id], work.Now));
        await store.SaveAsync(loaded, work);

        List<OrderChange> changes = [.. guessed, .. loaded];
        var settled = changes.Where(change => OrderRules.IsSettled(change.State)).ToList();
        store.StopAwaiting([.. settled.Select(change => change.State.Id)], work);
        var decided = guessed.Select(change => placed[change.State.Id].With(change)).ToList();
        decided.AddRange(await store.LoadAsync(waiters.Among(states.Select(state => state.Id)), work));
        work.AfterCommit(() =>
        {
            foreach (var id in told.Keys) recent.Forget(id);
            inFlight.Settled(settled.Count(change => change.Events.Count > 0));
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
