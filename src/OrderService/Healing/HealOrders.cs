using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Http.Operators;
using Orderwright.OrderService.Events;
using Orderwright.OrderService.Fulfilments;
using Orderwright.Runtime;

namespace Orderwright.OrderService.Healing;

/// <summary>
/// Repairs orders that were lost or set back with the database, by the facts of the other services (docs/adr/0033). A lost order
/// is created as pending, under its id and at its time; the coordinator, asked again, repeats the outcome. Fulfilments follow
/// from the shipments that stock-service has booked. Every change is an ordinary version with an event.
/// </summary>
public sealed class HealOrders(
    OrderStore store, FulfilmentStore fulfilments, RowCache<Order> recent, EventFeed feed, Audit audit)
{
    public async Task<IReadOnlyList<Answer>> HandleAsync(IReadOnlyList<Command<HealOrdersRequest>> batch, Work work)
    {
        await feed.BeginEpochAsync(work);
        var answers = new List<Answer>(batch.Count);
        foreach (var command in batch)
        {
            List<OrderRepair> repairs = [.. command.Body.Orders.DistinctBy(repair => repair.OrderId)];
            var conflicts = new List<HealConflict>();
            List<Guid> repaired =
            [
                .. await CreateAsync(repairs, conflicts, work),
                .. await RepairAsync([.. repairs.Where(repair => repair.Placed is null)], work),
            ];
            await audit.AppendAsync(work, Repairs.EntryOf(ServiceNames.Order, command, repaired, work));
            answers.Add(Repairs.Answer(repaired, command.Body.Orders.Count - repaired.Count - conflicts.Count, conflicts));
        }
        work.AfterCommit(feed.Raise);
        return answers;
    }

    async Task<IReadOnlyCollection<Guid>> CreateAsync(
        IReadOnlyList<OrderRepair> repairs, List<HealConflict> conflicts, Work work)
    {
        var lost = repairs.Where(repair => repair is { Placed: not null, Version: null })
            .Select(repair => OrderOf(repair.OrderId, repair.Placed!)).ToList();
        if (lost.Count == 0) return [];
        var inserted = (await store.InsertAsync(work, lost)).ToHashSet();
        if (inserted.Count < lost.Count)
        {
            var known = await store.FindExistingAsync(work, [.. lost.Select(order => order.Id)]);
            List<Order> unnamed =
            [
                .. lost.Where(order => order.Reference is not null && !known.Contains(order.Id))
                    .Select(order => order with { Reference = null }),
            ];
            var created = await store.InsertAsync(work, unnamed);
            inserted.UnionWith(created);
            conflicts.AddRange(lost.Where(order => created.Contains(order.Id)).Select(order => new HealConflict(
                order.Id, HealConflicts.ReferenceTaken,
                $"The reference {order.Reference} belongs to another order now; the order was created without it.")));
        }
        List<Order> placed = [.. lost.Where(order => inserted.Contains(order.Id))];
        store.Append(work, [.. placed.Select(order => OrderRules.Placed(order, MomentOf(work)))]);
        store.RestartUnsettled(work, [.. placed.Select(order => order.Id)], work.Now);
        return inserted;
    }

    async Task<IReadOnlyCollection<Guid>> RepairAsync(IReadOnlyList<OrderRepair> repairs, Work work)
    {
        if (repairs.Count == 0) return [];
        var orders = (await store.LockOrdersAsync(work, [.. repairs.Select(repair => repair.OrderId)]))
            .ToDictionary(order => order.Id);
        var known = (await fulfilments.LoadAsync(work, [.. orders.Keys])).ToLookup(fulfilment => fulfilment.OrderId);
        var (changes, added, open) = (new List<OrderChange>(), new List<Fulfilment>(), new List<FulfilmentWork>());
        var repaired = new HashSet<Guid>();
        foreach (var repair in repairs)
        {
            if (!orders.TryGetValue(repair.OrderId, out var order) || order.State.Version != repair.Version) continue;
            var decision = OrderRecovery.Decide(order, [.. known[order.Id]], repair, work.NewId, MomentOf(work));
            if (decision.Change.IsToSave) changes.Add(decision.Change);
            added.AddRange(decision.Fulfilments);
            open.AddRange(decision.Work);
            if (decision.Change.IsToSave || decision.Work.Count > 0) repaired.Add(order.Id);
        }
        await store.SaveAsync(work, changes);
        // The outcome of a cancellation is asked for until it arrives.
        store.RestartUnsettled(
            work,
            [
                .. changes.Where(change => change.State.Status == OrderStatuses.CancelPending).Select(change => change.State.Id),
            ],
            work.Now);
        fulfilments.Insert(work, added);
        fulfilments.RestartWork(work, open, work.Now);
        work.AfterCommit(() =>
        {
            foreach (var id in repaired) recent.Forget(id);
        });
        return repaired;
    }

    // The split of the adjustments, the metadata, and the right of the caller were lost with the order.
    static Order OrderOf(Guid id, OrderPlaced placed)
    {
        IReadOnlyList<Adjustment> adjustments = placed.AdjustmentsMinor == 0
            ? []
            : [new(placed.AdjustmentsMinor < 0 ? "discount" : "fee", "recovered", placed.AdjustmentsMinor)];
        var at = Ids.TimeOf(id);
        return new(
            new OrderState(
                id, 1, OrderStatuses.Pending, PaymentStatuses.Pending, FulfilmentStatuses.Unfulfilled,
                placed.Lines.All(line => line.UnitPrice is not null) ? Money.Total(placed.Lines, placed.AdjustmentsMinor) : null,
                Reason: null, CancelReason: null, at, IsTakenOnFulfilment: placed.Capture == CapturePolicies.Fulfilment),
            placed.Channel ?? ChannelSet.Main, placed.Reference, placed.CustomerId, placed.Currency, placed.Lines,
            adjustments,
            new Dictionary<string, string>(), placed.Payment, placed.MaySetPrice, DiscountLimit: null, at);
    }

    static Moment MomentOf(Work work) => new(work.Now, HealRequests.Actor, null);
}
