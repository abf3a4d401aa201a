using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;
using Orderwright.OrderService.Fulfilments;
using Orderwright.Runtime;
using Orderwright.Http;

namespace Orderwright.OrderService;

/// <param name="OrderId">Which order.</param>
/// <param name="Status">Where it is to go.</param>
/// <param name="IfMatch">In which version it must be.</param>
/// <param name="Moment">When it was asked for, by whom, in which trace.</param>
public sealed record UpdateStatus(Guid OrderId, string Status, Precondition? IfMatch, Moment Moment);

/// <summary>
/// An operator moves orders along the published graph, where that is not for the process to do. What is completed is
/// closed: what was held or allocated for it and not shipped is released.
/// </summary>
public sealed class UpdateStatuses(OrderStore store, FulfilmentStore fulfilments, EventFeed feed)
{
    public async Task<IReadOnlyList<Answer>> HandleAsync(IReadOnlyList<Command<UpdateStatus>> batch, Work work)
    {
        var orders = (await store.LockOrdersAsync([.. batch.Select(command => command.Body.OrderId).Distinct()], work))
            .ToDictionary(order => order.Id);
        var changes = new List<OrderChange>();
        var answers = new List<Answer>(batch.Count);
        foreach (var command in batch)
        {
            var update = command.Body;
            if (!orders.TryGetValue(update.OrderId, out var order) || order.Merchant != command.Caller.Merchant)
                answers.Add(Problem.NotFound("order"));
            else if (update.IfMatch is { } condition && !condition.Holds(order.State.Version))
                answers.Add(Precondition.Failed());
            else if (OrderRules.MoveByHand(order.State, update.Status, update.Moment) is not { } change)
                answers.Add(Problem.Of(
                    StatusCodes.Status409Conflict, "illegal_transition",
                    $"An order that is {order.State.Status} cannot be made {update.Status} by hand.",
                    allowed: OrderRules.AllowedByHand(order.State.Status)));
            else
            {
                changes.Add(change);
                orders[order.Id] = order with { State = change.State };
                answers.Add(OrderBody.Answer(StatusCodes.Status200OK, orders[order.Id]));
            }
        }
        await store.SaveAsync(changes, work);
        await CloseAsync([.. changes.Select(change => orders[change.State.Id])], work);
        work.AfterCommit(feed.Raise);
        return answers;
    }

    // A merchant who notes nothing of what is shipped has shipped what is completed: its goods are left alone.
    async Task CloseAsync(IReadOnlyList<Order> completed, Work work)
    {
        var closed = completed.Where(order => order.State.IsTakenOnFulfilment
            || order.State.FulfilmentStatus == FulfilmentStatuses.PartiallyFulfilled).ToList();
        var shipped = (await fulfilments.LoadAsync([.. closed.Select(order => order.Id)], work))
            .ToLookup(one => one.OrderId);
        var open = new List<FulfilmentWork>();
        foreach (var order in closed)
        {
            if (order.State.FulfilmentStatus != FulfilmentStatuses.Fulfilled) Ask(order, ServiceNames.Stock, null);
            if (order.State.IsTakenOnFulfilment)
                Ask(order, ServiceNames.Customer, shipped[order.Id].Sum(one => one.ValueMinor));
        }
        fulfilments.Await(open, work.Now + AskCoordinator.FirstAskAfter, work);

        void Ask(Order order, string participant, long? due)
        {
            var one = new FulfilmentWork(order.Id, FulfilmentWork.Closing, participant, DueMinor: due);
            open.Add(one);
            work.Send(order.Id, FulfilmentRules.QuestionOfClosing(one, order, shipped[order.Id]));
        }
    }
}
