using Orderwright.Contracts;
using Orderwright.OrderService.Fulfilments;

namespace Orderwright.OrderService.Healing;

/// <summary>Decision on the repair of an order: its change, lost fulfilments, and work to ask participants for again.</summary>
public sealed record OrderRecoveryDecision(
    OrderChange Change, IReadOnlyList<Fulfilment> Fulfilments, IReadOnlyList<FulfilmentWork> Work);

/// <summary>
/// Brings an order forward to what stock-service has booked, after the database was restored to an earlier moment. Pure.
/// Participants know fulfilments by number, so asking for one again is harmless.
/// </summary>
static class OrderRecovery
{
    /// <param name="order">Locked order.</param>
    /// <param name="known">Its fulfilments.</param>
    /// <param name="repair">The repair.</param>
    /// <param name="newId">Source of ids.</param>
    /// <param name="moment">Time and actor.</param>
    public static OrderRecoveryDecision Decide(
        Order order, IReadOnlyList<Fulfilment> known, OrderRepair repair, Func<Guid> newId, Moment moment)
    {
        var change = OrderChange.Nothing(order.State);
        List<Fulfilment> all = [.. known];
        var stands = order.State.Status is OrderStatuses.Confirmed or OrderStatuses.Completed;
        foreach (var booked in (repair.Shipped ?? []).OrderBy(shipment => shipment.Number))
            if (stands && all.TrueForAll(fulfilment => fulfilment.Number != booked.Number)
                && FulfilmentRules.Recover(order, all, booked, newId(), moment) is var (fulfilment, status))
            {
                all.Add(fulfilment);
                change = change.Then(state => OrderRules.Ship(state, status, fulfilment, moment));
            }
        if (repair.CancelReason is { } reason)
            change = change.Then(state => OrderRules.Cancel(state, reason, moment) ?? OrderChange.Nothing(state));
        if (repair.Goods is { } goods)
            change = change.Then(state =>
                OrderRules.UpdateByOperator(state, OrderStatuses.Completed, goods, moment) ?? OrderChange.Nothing(state));
        List<Fulfilment> added = [.. all.Except(known)];
        return new(change, added, [.. WorkOf(order.With(change), all, added.Count > 0, repair, change.IsToSave)]);
    }

    static IEnumerable<FulfilmentWork> WorkOf(
        Order order, IReadOnlyList<Fulfilment> all, bool hasAdded, OrderRepair repair, bool isChanged)
    {
        var (id, state) = (order.Id, order.State);
        var asked = repair.AskAgain ?? [];
        var isClosed = state.Status == OrderStatuses.Completed;
        if (asked.Contains(ServiceNames.Stock))
            foreach (var fulfilment in all)
                yield return new(id, fulfilment.Number, ServiceNames.Stock);
        if (isClosed && state.Goods is not null && (isChanged || asked.Contains(ServiceNames.Stock)))
            yield return new(id, FulfilmentWork.Closing, ServiceNames.Stock);
        if (!state.IsTakenOnFulfilment || !(isChanged || hasAdded || asked.Contains(ServiceNames.Customer))) yield break;
        var due = all.Sum(fulfilment => fulfilment.ValueMinor);
        if (due > 0) yield return new(id, all.Max(fulfilment => fulfilment.Number), ServiceNames.Customer, DueMinor: due);
        if (isClosed) yield return new(id, FulfilmentWork.Closing, ServiceNames.Customer, DueMinor: due);
    }
}
