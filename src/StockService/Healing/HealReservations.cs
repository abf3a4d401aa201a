using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Http.Operators;
using Orderwright.Runtime;

namespace Orderwright.StockService.Healing;

/// <summary>
/// Repairs reservations that were lost or set back with the database, by the facts of the other services (docs/adr/0033).
/// Products named by orders and lost are created first. A reservation that has changed since it was read is left alone.
/// </summary>
public sealed class HealReservations(StockStore store, CatalogueStore catalogue, Audit audit)
{
    public async Task<IReadOnlyList<Answer>> HandleAsync(
        IReadOnlyList<Command<HealReservationsRequest>> batch, Work work)
    {
        var answers = new List<Answer>(batch.Count);
        foreach (var command in batch)
        {
            await CreateAsync(command.Body.Products ?? [], work);
            var (repaired, conflicts) = await RepairAsync([.. command.Body.Orders.DistinctBy(repair => repair.OrderId)], work);
            await audit.AppendAsync(work, Repairs.EntryOf(ServiceNames.Stock, command, repaired, work));
            answers.Add(Repairs.Answer(
                repaired, command.Body.Orders.Count - repaired.Count - conflicts.Count, conflicts));
        }
        return answers;
    }

    async Task<(IReadOnlyList<Guid> Repaired, IReadOnlyList<HealConflict> Conflicts)> RepairAsync(
        IReadOnlyList<ReservationRepair> repairs, Work work)
    {
        if (repairs.Count == 0) return ([], []);
        Guid[] ids = [.. repairs.Select(repair => repair.OrderId)];
        var known = await store.LockReservationsAsync(work, ids);
        var shipped = await store.LoadShipmentsAsync(work, ids);
        var skus = known.SelectMany(row => row.Lines).Concat(repairs.SelectMany(repair => repair.Lines)).Select(line => line.Sku);
        var stock = new StockBatch(known, await store.LockItemsAsync(work, skus), work.Now, shipped);
        var states = known.ToDictionary(row => row.OrderId, row => row.State);
        var conflicts = new List<HealConflict>();
        foreach (var repair in repairs)
            if (states.GetValueOrDefault(repair.OrderId) == repair.From && stock.Recover(repair) is var (code, message))
                conflicts.Add(new(repair.OrderId, code, message));
        store.Save(work, stock, HealRequests.Actor);
        store.ReplaceLines(work, [.. stock.Changed.Where(row => row.State == ReservationStates.Committed)]);
        return ([.. stock.Created.Concat(stock.Changed).Select(row => row.OrderId)], conflicts);
    }

    async Task CreateAsync(IReadOnlyList<ProductRepair> products, Work work)
    {
        if (products.Count == 0) return;
        var known = (await catalogue.LockAsync(work, [.. products.Select(product => product.Sku)]))
            .Select(entry => entry.Product.Sku).ToHashSet();
        var lost = products.DistinctBy(product => product.Sku).Where(product => !known.Contains(product.Sku)).ToList();
        await catalogue.InsertAsync(
            work,
            [
                .. lost.Select(product => new CatalogueEntry(
                    new(product.Sku, product.Sku, product.UnitPrice, product.Currency, 1, work.Now, work.Now),
                    new(product.Sku, product.OnHand, 0, 0, 1))),
            ]);
        await store.InsertMovementsAsync(
            work,
            [
                .. lost.Where(product => product.OnHand > 0).Select(product => new NewMovement(
                    product.Sku, null, MovementKinds.Counted, product.OnHand, 0,
                    "Sold according to the orders; count the goods.", HealRequests.Actor)),
            ]);
    }
}
