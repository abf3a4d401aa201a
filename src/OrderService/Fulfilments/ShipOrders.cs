using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Http;

namespace Orderwright.OrderService.Fulfilments;

/// <summary>
/// Notes what left the house: fulfilment, the order's new version, its event and the row that keeps asking stock-service, in
/// one transaction.
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
            var decision = FulfilmentRules.Ship(
                order, [.. known[order.Id], .. shipped.Where(one => one.OrderId == order.Id)], wish, work.NewId());
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
            answers[i] = FulfilmentBody.Answer(
                StatusCodes.Status201Created, fulfilment, FulfilmentBody.PathOf(fulfilment));
        }
        await store.SaveAsync([.. changes.Values], work);
        fulfilments.Insert(shipped, work);
        fulfilments.Await(
            [.. shipped.Select(one => new FulfilmentWork(one.OrderId, one.Number, ServiceNames.Stock, 0))],
            work.Now + AskCoordinator.FirstAskAfter, work);
        work.AfterCommit(feed.Raise);
        return answers;
    }
}
