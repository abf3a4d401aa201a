using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.StockService;

/// <summary>Loads and saves the rows of stock-service, a set per statement.</summary>
public sealed class StockTables(SqlCatalog sql)
{
    public Task<List<Reservation>> LockReservationsAsync(Work work, IReadOnlyList<Guid> orderIds) =>
        work.QueryAsync(sql["lock_reservations"], SqlArgs.OfUuids("order_id", orderIds), ReadReservation);

    /// <summary>
    /// Holds that ended at <paramref name="before"/> or earlier, but for those another instance works on.
    /// </summary>
    public Task<List<Reservation>> LockDueReservationsAsync(Work work, DateTimeOffset before, int most) =>
        work.QueryAsync(
            sql["lock_due_reservations"], SqlArgs.With("before", before).And("most", most), ReadReservation);

    /// <summary>The SKUs that exist, out of those asked for; each level is locked.</summary>
    public async Task<List<StockItem>> LockItemsAsync(Work work, IEnumerable<string> skus)
    {
        var distinct = skus.Distinct().ToArray();
        return distinct.Length == 0 ? [] : await work.QueryAsync(
            sql["lock_items"], SqlArgs.OfTexts("sku", distinct),
            row => new StockItem(ReadLevel(row), row.BigInt(5), row.Text(6)));
    }

    public void Save(Work work, StockBatch batch, string actor)
    {
        UpdateLevels(work, batch.Levels);
        InsertReservations(work, batch.Created);
        UpdateReservations(work, batch.Changed);
        Holds("delete_holds", work, batch.HoldsGone);
        Holds("insert_holds", work, batch.HoldsNew);
        if (batch.Movements.Count > 0)
            work.Defer(
                sql["insert_order_movements"],
                SqlArgs.Over(batch.Movements)
                    .Text("sku", moved => moved.Sku)
                    .Uuid("order_id", moved => moved.OrderId)
                    .BigInt("allocated_delta", moved => moved.AllocatedDelta)
                    .BigInt("on_hand_delta", moved => moved.OnHandDelta)
                    .Args.And("now", work.Now).And("actor", actor));
        if (batch.Shipments.Count > 0)
            work.Defer(
                sql["insert_shipments"],
                SqlArgs.Over(batch.Shipments)
                    .Uuid("order_id", shipment => shipment.OrderId)
                    .BigInt("fulfilment", shipment => shipment.Fulfilment)
                    .Text("lines", shipment => OrderLinesJson.Write(shipment.Lines))
                    .Args.And("now", work.Now));
    }

    /// <summary>All that was shipped of these orders.</summary>
    public async Task<IReadOnlyList<Shipment>> ShipmentsAsync(Work work, IReadOnlyList<Guid> orderIds) =>
        orderIds.Count == 0
            ? []
            : await work.QueryAsync(
                sql["shipments"], SqlArgs.OfUuids("order_id", orderIds),
                row => new Shipment(row.Uuid(0), row.Int(1), OrderLinesJson.Read(row.Text(2))));

    /// <summary>Writes absolute values; the rows are locked.</summary>
    public void UpdateLevels(Work work, IReadOnlyList<StockLevel> levels)
    {
        if (levels.Count > 0) work.Defer(sql["update_levels"], LevelRows(levels));
    }

    /// <summary>Returns each line's seq, in the order given.</summary>
    public async Task<IReadOnlyList<long>> InsertMovementsAsync(Work work, IReadOnlyList<NewMovement> movements)
    {
        if (movements.Count == 0) return [];
        var seqs = await work.QueryAsync(
            sql["insert_movements"],
            SqlArgs.Over(movements)
                .Text("sku", m => m.Sku)
                .UuidOrNull("order_id", m => m.OrderId)
                .Text("kind", m => m.Kind)
                .BigInt("on_hand_delta", m => m.OnHandDelta)
                .BigInt("allocated_delta", m => m.AllocatedDelta)
                .Text("note", m => m.Note)
                .Text("actor", m => m.Actor)
                .Args.And("now", work.Now),
            row => row.BigInt(0));
        seqs.Sort();
        return seqs;
    }

    public static SqlArgs LevelRows(IReadOnlyList<StockLevel> levels) => SqlArgs.Over(levels)
        .Text("sku", level => level.Sku)
        .BigInt("on_hand", level => level.OnHand)
        .BigInt("allocated", level => level.Allocated)
        .BigInt("reserved", level => level.Reserved)
        .BigInt("version", level => level.Version);

    public static StockLevel ReadLevel(IRow row) =>
        new(row.Text(0), row.BigInt(1), row.BigInt(2), row.BigInt(3), row.BigInt(4));

    public static Reservation ReadReservation(IRow row) => new(
        row.Uuid(0), row.Text(1), row.TextOrNull(2), row.TextOrNull(3), row.Text(4),
        OrderLinesJson.Read(row.Text(5)),
        row.Time(6), row.Time(7), row.Time(8));

    public static Movement ReadMovement(IRow row) => new(
        row.BigInt(0), row.Text(1), row.UuidOrNull(2), row.Text(3), row.BigInt(4), row.BigInt(5), row.Time(6),
        row.TextOrNull(7), row.Text(8));

    void InsertReservations(Work work, List<Reservation> reservations)
    {
        if (reservations.Count == 0) return;
        work.Defer(
            sql["insert_reservations"],
            SqlArgs.Over<Reservation>([.. reservations.OrderBy(r => r.OrderId)])
                .Uuid("order_id", r => r.OrderId)
                .Text("state", r => r.State)
                .Text("code", r => r.Code)
                .Text("message", r => r.Message)
                .Text("currency", r => r.Currency)
                .Text("lines", r => OrderLinesJson.Write(r.Lines))
                .Time("expires_at", r => r.ExpiresAt)
                .Args.And("now", work.Now));
    }

    void UpdateReservations(Work work, List<Reservation> reservations)
    {
        if (reservations.Count == 0) return;
        work.Defer(
            sql["update_reservations"],
            SqlArgs.Over(reservations)
                .Uuid("order_id", r => r.OrderId)
                .Text("state", r => r.State)
                .Text("code", r => r.Code)
                .Text("message", r => r.Message)
                .Time("expires_at", r => r.ExpiresAt)
                .Args.And("now", work.Now));
    }

    void Holds(string query, Work work, List<Reservation> reservations)
    {
        if (reservations.Count == 0) return;
        work.Defer(
            sql[query],
            SqlArgs.Over(reservations)
                .Uuid("order_id", r => r.OrderId)
                .Time("expires_at", r => r.ExpiresAt));
    }
}
