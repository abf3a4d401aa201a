using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Http;
using Orderwright.Http.Operators;

namespace Orderwright.OrderService;

/// <param name="OrderId">Which order.</param>
/// <param name="Reason">One of <see cref="CancelReasons.All"/>.</param>
/// <param name="Moment">When it was asked for, by whom, in which trace.</param>
/// <param name="TraceParent">Goes on to the coordinator.</param>
public sealed record CancelOrder(Guid OrderId, string Reason, Moment Moment, string? TraceParent);

/// <summary>
/// Notes that orders are to be cancelled, and asks the coordinator to undo what was done. Asked twice, it
/// answers the order as it stands.
/// </summary>
/// <remarks>One by who holds the scope of operators stands in the audit besides.</remarks>
public sealed class CancelOrders(OrderStore store, EventFeed feed, Audit audit)
{
    /// <summary>What <see cref="HandleAsync"/> would do and send, of the order as it was read.</summary>
    public static Answer Preview(Order order, string reason, Moment moment)
    {
        if (OrderRules.Cancel(order.State, reason, moment) is not { } change) return Refused(order.State);
        IReadOnlyList<IMessageBody> sent = change.Events.Count == 0 ? [] : [new CancelRequested(reason, order.AsPlaced())];
        return Answer.Json(
            StatusCodes.Status200OK,
            new CancelPreview(
                order.Id, "cancel", true, OrderGist.Of(order.State), OrderGist.Of(change.State),
                [.. sent.Select(PlannedMessage.Of)]),
            OrderJson.Default.CancelPreview);
    }

    public async Task<IReadOnlyList<Answer>> HandleAsync(IReadOnlyList<Command<CancelOrder>> batch, Work work)
    {
        var orders = (await store.LockOrdersAsync([.. batch.Select(command => command.Body.OrderId).Distinct()], work))
            .ToDictionary(order => order.Id);
        var changes = new List<OrderChange>();
        var answers = new List<Answer>(batch.Count);
        var entries = new List<AuditEntry>();
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
                answers.Add(Refused(order.State));
                continue;
            }
            var before = order.State;
            order = order with { State = change.State };
            orders[order.Id] = order;
            answers.Add(OrderBody.Answer(StatusCodes.Status202Accepted, order));
            if (change.Events.Count == 0) continue;
            changes.Add(change);
            if (command.Caller.May(Scopes.Operator))
                entries.Add(new(
                    work.NewId(), ServiceNames.Order, work.Now, command.Caller.Name, "cancel", order.Id, "order", cancel.Reason,
                    JsonOf(before), JsonOf(change.State), command.TraceId));
            work.Send(order.Id, new CancelRequested(cancel.Reason, order.AsPlaced()), traceParent: cancel.TraceParent);
        }
        await store.SaveAsync(changes, work);
        await audit.AppendAsync(work, entries);
        store.AwaitOtherAnswers(
            [.. changes.Select(change => change.State.Id)], work.Now + AskCoordinator.FirstAskAfter, work);
        work.AfterCommit(feed.Raise);
        return answers;
    }

    static Answer Refused(OrderState state) =>
        Problem.Conflict("not_cancellable", $"The order is {state.Status} and {state.FulfilmentStatus}.");

    static JsonElement JsonOf(OrderState state) =>
        JsonSerializer.SerializeToElement(OrderGist.Of(state), OrderJson.Default.OrderGist);
}
