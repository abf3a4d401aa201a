using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Http;

namespace Orderwright.OrderService;

/// <param name="OrderId">Which order.</param>
/// <param name="Reason">One of <see cref="OrderRules.CancelReasons"/>.</param>
/// <param name="Moment">When it was asked for, by whom, in which trace.</param>
/// <param name="TraceParent">Goes on to the coordinator.</param>
public sealed record CancelOrder(Guid OrderId, string Reason, Moment Moment, string? TraceParent);

/// <summary>
/// Notes that orders are to be cancelled, and asks the coordinator to undo what was done. Asked twice, it
/// answers the order as it stands.
/// </summary>
public sealed class CancelOrders(OrderStore store, EventFeed feed)
{
    public async Task<IReadOnlyList<Answer>> HandleAsync(IReadOnlyList<Command<CancelOrder>> batch, Work work)
    {
        var orders = (await store.LockOrdersAsync([.. batch.Select(command => command.Body.OrderId).Distinct()], work))
            .ToDictionary(order => order.Id);
        var changes = new List<OrderChange>();
        var answers = new List<Answer>(batch.Count);
        foreach (var command in batch)
        {
            var cancel = command.Body;
            if (!orders.TryGetValue(cancel.OrderId, out var order) || order.Merchant != command.Caller.Merchant)
            {
                answers.Add(Problem.NotFound("order"));
                continue;
            }
            if (OrderRules.Cancel(order.State, cancel.Reason, cancel.Moment) is not { } change)
            {
                answers.Add(Problem.Conflict(
                    "not_cancellable", $"The order is {order.State.Status} and {order.State.FulfilmentStatus}."));
                continue;
            }
            order = order with { State = change.State };
            orders[order.Id] = order;
            answers.Add(OrderBody.Answer(StatusCodes.Status202Accepted, order));
            if (change.Events.Count == 0) continue;
            changes.Add(change);
            work.Send(order.Id, new CancelRequested(cancel.Reason, order.AsPlaced()), traceParent: cancel.TraceParent);
        }
        await store.SaveAsync(changes, work);
        store.AwaitOtherAnswers(
            [.. changes.Select(change => change.State.Id)], work.Now + AskCoordinator.FirstAskAfter, work);
        work.AfterCommit(feed.Raise);
        return answers;
    }
}
