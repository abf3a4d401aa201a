using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;
using Orderwright.OrderService.Events;
using Orderwright.Runtime;
using Orderwright.Http;
using Orderwright.Http.Operators;

namespace Orderwright.OrderService.Fulfilments;

/// <summary>
/// Records shipments in one transaction: the fulfilment, the order's new version, its event, and the work rows for
/// stock-service and, when payment is captured on fulfilment, customer-service.
/// </summary>
/// <remarks>Shipments forced by an operator are also audited.</remarks>
public sealed class ShipOrders(OrderStore store, FulfilmentStore fulfilments, EventFeed feed, Audit audit)
{
    public async Task<IReadOnlyList<Answer>> HandleAsync(IReadOnlyList<Command<ShipOrder>> batch, Work work)
    {
        var orders = await OrderBatch.LockAsync(work, store, batch.Select(command => command.Body.OrderId));
        // Loaded under the lock: no other transaction adds fulfilments to these orders.
        var known = (await fulfilments.LoadAsync(work, [.. orders.Ids])).ToLookup(fulfilment => fulfilment.OrderId);
        var shipped = new List<Fulfilment>();
        var open = new List<FulfilmentWork>();
        var entries = new List<AuditEntry>();
        var answers = new Answer[batch.Count];
        for (var i = 0; i < answers.Length; i++)
        {
            var request = batch[i].Body;
            if (orders.Find(request.OrderId, batch[i].Caller.Channels) is not { } order)
            {
                answers[i] = Problem.NotFound("order");
                continue;
            }
            List<Fulfilment> earlier =
                [.. known[order.Id], .. shipped.Where(before => before.OrderId == order.Id)];
            var decision = FulfilmentRules.Ship(order, earlier, request, work.NewId());
            if (decision is not { Change: { } change, Fulfilment: { } fulfilment })
            {
                answers[i] = decision.Refusal!;
                continue;
            }
            orders.Apply(change);
            shipped.Add(fulfilment);
            if (request.IsForced)
                entries.Add(new(
                    work.NewId(), ServiceNames.Order, work.Now, batch[i].Caller.Name, "ship", order.Id,
                    $"fulfilment {fulfilment.Number}", $"Forced; the payment is {order.State.PaymentStatus}.", null, null,
                    batch[i].TraceId, Channel: order.Channel));
            work.Send(
                order.Id, new ShipGoods(fulfilment.Number, fulfilment.Lines), traceParent: request.TraceParent,
                traceState: request.TraceState);
            open.Add(new FulfilmentWork(order.Id, fulfilment.Number, ServiceNames.Stock));
            if (order.State.IsTakenOnFulfilment)
            {
                var due = checked(earlier.Sum(before => before.ValueMinor) + fulfilment.ValueMinor);
                work.Send(
                    order.Id, new TakeShipped(due, Close: false), traceParent: request.TraceParent,
                    traceState: request.TraceState);
                open.Add(new FulfilmentWork(order.Id, fulfilment.Number, ServiceNames.Customer, DueMinor: due));
            }
            answers[i] = FulfilmentResponse.Answer(
                StatusCodes.Status201Created, fulfilment, FulfilmentResponse.PathOf(fulfilment));
        }
        await store.SaveAsync(work, orders.Changes);
        await audit.AppendAsync(work, entries);
        fulfilments.Insert(work, shipped);
        fulfilments.AddWork(work, open, work.Now + ResendUnsettledOrders.FirstPause);
        work.AfterCommit(feed.Raise);
        return answers;
    }
}
