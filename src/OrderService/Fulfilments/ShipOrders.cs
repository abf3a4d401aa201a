using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Http;

namespace Orderwright.OrderService.Fulfilments;

/// <summary>
/// Notes what left the house: fulfilment, the order's new version, its event and the rows that keep asking stock-service and,
/// where the money is taken with what is shipped, customer-service, in one transaction.
/// </summary>
public sealed class ShipOrders(OrderStore store, FulfilmentStore fulfilments, EventFeed feed)
{
    public async Task<IReadOnlyList<Answer>> HandleAsync(IReadOnlyList<Command<ShipOrder>> batch, Work work)
    {
        Guid[] ids = [.. batch.Select(command => command.Body.OrderId).Distinct()];
        var orders = (await store.LockOrdersAsync(ids, work)).ToDictionary(order => order.Id);
        // Read after the lock: nobody else adds to them until the end of this transaction.
        var known = (await fulfilments.LoadAsync([.. orders.Keys], work)).ToLookup(one => one.OrderId);
        var shipped = new List<Fulfilment>();
        var open = new List<FulfilmentWork>();
        var changes = new Dictionary<Guid, OrderChange>();
        var answers = new Answer[batch.Count];
        for (var i = 0; i < answers.Length; i++)
        {
            var wish = batch[i].Body;
            if (!orders.TryGetValue(wish.OrderId, out var order) || order.Merchant != batch[i].Caller.Merchant)
            {
                answers[i] = Problem.NotFound("order");
                continue;
            }
            List<Fulfilment> earlier = [.. known[order.Id], .. shipped.Where(one => one.OrderId == order.Id)];
            var decision = FulfilmentRules.Ship(order, earlier, wish, work.NewId());
            if (decision is not { Change: { } change, Fulfilment: { } fulfilment })
            {
                answers[i] = decision.Refusal!;
                continue;
            }
            orders[order.Id] = order with { State = change.State };
            changes[order.Id] = changes.TryGetValue(order.Id, out var before) ? before.Then(_ => change) : change;
            shipped.Add(fulfilment);
            work.Send(
                order.Id, new ShipGoods(fulfilment.Number, fulfilment.Lines), traceParent: wish.TraceParent);
            open.Add(new FulfilmentWork(order.Id, fulfilment.Number, ServiceNames.Stock));
            if (order.State.IsTakenOnFulfilment)
            {
                var due = checked(earlier.Sum(one => one.ValueMinor) + fulfilment.ValueMinor);
                work.Send(order.Id, new TakeShipped(due, Close: false), traceParent: wish.TraceParent);
                open.Add(new FulfilmentWork(order.Id, fulfilment.Number, ServiceNames.Customer, DueMinor: due));
            }
            answers[i] = FulfilmentBody.Answer(
                StatusCodes.Status201Created, fulfilment, FulfilmentBody.PathOf(fulfilment));
        }
        await store.SaveAsync([.. changes.Values], work);
        fulfilments.Insert(shipped, work);
        fulfilments.Await(open, work.Now + AskCoordinator.FirstAskAfter, work);
        work.AfterCommit(feed.Raise);
        return answers;
    }
}
