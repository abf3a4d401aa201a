using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;
using Orderwright.OrderService.Events;
using Orderwright.Runtime;
using Orderwright.Http;
using Orderwright.Http.Operators;

namespace Orderwright.OrderService;

/// <param name="OrderId">Order to cancel.</param>
/// <param name="Reason">One of <see cref="CancelReasons.All"/>.</param>
/// <param name="Moment">Time, caller and trace of the request.</param>
/// <param name="TraceParent">Trace context passed on to the coordinator.</param>
/// <param name="TraceState">State of the trace context.</param>
public sealed record CancelOrder(Guid OrderId, string Reason, Moment Moment, string? TraceParent, string? TraceState);

/// <summary>
/// Requests cancellations: marks the order, and asks the coordinator to compensate. A repeated request returns the order
/// unchanged.
/// </summary>
/// <remarks>Cancellations by callers who may open the console are also audited.</remarks>
public sealed class CancelOrders(OrderStore store, EventFeed feed, Audit audit)
{
    /// <summary>Describes the effect of <see cref="HandleAsync"/> on the order, without changing anything.</summary>
    public static Answer Preview(Order order, string reason, Moment moment)
    {
        if (OrderRules.Cancel(order.State, reason, moment) is not { } change) return Refused(order.State);
        IReadOnlyList<IMessageBody> sent = change.Events.Count == 0 ? [] : [order.AsCancelled(reason)];
        return Answer.Json(
            StatusCodes.Status200OK,
            new CancelPreview(
                order.Id, "cancel", true, OrderSummary.Of(order.State), OrderSummary.Of(change.State),
                [.. sent.Select(PreviewMessage.Of)]),
            OrderJson.Default.CancelPreview);
    }

    public async Task<IReadOnlyList<Answer>> HandleAsync(IReadOnlyList<Command<CancelOrder>> batch, Work work)
    {
        var orders = await OrderBatch.LockAsync(work, store, batch.Select(command => command.Body.OrderId));
        var answers = new List<Answer>(batch.Count);
        var entries = new List<AuditEntry>();
        foreach (var command in batch)
        {
            var cancel = command.Body;
            if (orders.Find(cancel.OrderId, command.Caller.Channels) is not { } order)
            {
                answers.Add(Problem.NotFound("order"));
                continue;
            }
            if (OrderRules.Cancel(order.State, cancel.Reason, cancel.Moment) is not { } change)
            {
                answers.Add(Refused(order.State));
                continue;
            }
            var before = order.State;
            order = orders.Apply(change);
            answers.Add(OrderResponse.Answer(StatusCodes.Status202Accepted, order));
            if (change.Events.Count == 0) continue;
            if (command.Caller.May(Scopes.OperatorRead))
                entries.Add(new(
                    work.NewId(), ServiceNames.Order, work.Now, command.Caller.Name, "cancel", order.Id, "order", cancel.Reason,
                    JsonOf(before), JsonOf(change.State), command.TraceId, Channel: order.Channel));
            work.Send(order.Id, order.AsCancelled(cancel.Reason), traceParent: cancel.TraceParent, traceState: cancel.TraceState);
        }
        var changes = orders.Changes;
        await store.SaveAsync(work, changes);
        await audit.AppendAsync(work, entries);
        store.RestartUnsettled(
            work, [.. changes.Select(change => change.State.Id)], work.Now + ResendUnsettledOrders.FirstPause);
        work.AfterCommit(feed.Raise);
        return answers;
    }

    static Answer Refused(OrderState state) =>
        Problem.Conflict("not_cancellable", $"The order is {state.Status} and {state.FulfilmentStatus}.");

    static JsonElement JsonOf(OrderState state) =>
        JsonSerializer.SerializeToElement(OrderSummary.Of(state), OrderJson.Default.OrderSummary);
}
