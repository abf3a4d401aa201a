using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;
using Orderwright.OrderService.Events;
using Orderwright.OrderService.Fulfilments;
using Orderwright.Runtime;
using Orderwright.Http;
using Orderwright.Http.Operators;

namespace Orderwright.OrderService;

/// <param name="OrderId">Order to update.</param>
/// <param name="Status">Target status.</param>
/// <param name="Goods">End of the unshipped goods, one of <see cref="GoodsEnds"/>; null for the default.</param>
/// <param name="IsForced">Consumes goods of an order whose money was returned.</param>
/// <param name="IfMatch">Version the order must have; null for any.</param>
/// <param name="Moment">Time, caller and trace of the request.</param>
public sealed record UpdateStatus(
    Guid OrderId, string Status, string? Goods, bool IsForced, Precondition? IfMatch, Moment Moment);

/// <summary>
/// Applies operators' status updates along the published graph. Completing an order closes the order: goods without a
/// fulfilment are consumed or released, and held money is released.
/// </summary>
/// <remarks>
/// The commands of a close are driven like those of a fulfilment, under number 0 (<see cref="ResendFulfilments"/>).
/// </remarks>
public sealed class UpdateStatuses(OrderStore store, FulfilmentStore fulfilments, EventFeed feed, Audit audit)
{
    public async Task<IReadOnlyList<Answer>> HandleAsync(IReadOnlyList<Command<UpdateStatus>> batch, Work work)
    {
        var orders = await OrderBatch.LockAsync(work, store, batch.Select(command => command.Body.OrderId));
        var answers = new List<Answer>(batch.Count);
        var entries = new List<AuditEntry>();
        foreach (var command in batch)
        {
            var update = command.Body;
            if (orders.Find(update.OrderId, command.Caller.Channels) is not { } order)
                answers.Add(Problem.NotFound("order"));
            else if (update.IfMatch is { } condition && !condition.Holds(order.State.Version))
                answers.Add(Precondition.Failed());
            else if (OrderRules.UpdateByOperator(order.State, update.Status, update.Goods, update.Moment) is not { } change)
                answers.Add(Problem.Of(
                    StatusCodes.Status409Conflict, "illegal_transition",
                    $"An operator cannot change the status from {order.State.Status} to {update.Status}.",
                    allowed: OrderRules.OperatorTransitions(order.State.Status)));
            else if (FulfilmentRules.RefuseConsumption(order.State, update) is { } refusal)
                answers.Add(refusal);
            else
            {
                answers.Add(OrderResponse.Answer(StatusCodes.Status200OK, orders.Apply(change)));
                entries.Add(new(
                    work.NewId(), ServiceNames.Order, work.Now, command.Caller.Name, "complete", order.Id, "order",
                    change.State.Goods is { } end ? $"Unshipped goods {end}." : "All goods were shipped.", JsonOf(order.State),
                    JsonOf(change.State), command.TraceId, Channel: order.Channel));
            }
        }
        await store.SaveAsync(work, orders.Changes);
        await CloseAsync(work, [.. orders.Changed]);
        await audit.AppendAsync(work, entries);
        work.AfterCommit(feed.Raise);
        return answers;
    }

    async Task CloseAsync(Work work, IReadOnlyList<Order> completed)
    {
        var closed = completed.Where(order => order.State.Goods is not null || order.State.IsTakenOnFulfilment).ToList();
        var shipped = (await fulfilments.LoadAsync(work, [.. closed.Select(order => order.Id)]))
            .ToLookup(fulfilment => fulfilment.OrderId);
        var open = new List<FulfilmentWork>();
        foreach (var order in closed)
        {
            if (order.State.Goods is not null) Send(order, ServiceNames.Stock, null);
            if (order.State.IsTakenOnFulfilment)
                Send(order, ServiceNames.Customer, shipped[order.Id].Sum(fulfilment => fulfilment.ValueMinor));
        }
        fulfilments.AddWork(work, open, work.Now + ResendUnsettledOrders.FirstPause);

        void Send(Order order, string participant, long? due)
        {
            var closing = new FulfilmentWork(order.Id, FulfilmentWork.Closing, participant, DueMinor: due);
            open.Add(closing);
            work.Send(order.Id, FulfilmentRules.ClosingCommandOf(closing, order, shipped[order.Id]));
        }
    }

    static JsonElement JsonOf(OrderState state) =>
        JsonSerializer.SerializeToElement(OrderSummary.Of(state), OrderJson.Default.OrderSummary);
}
