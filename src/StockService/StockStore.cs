using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.StockService;

/// <summary>Loads and saves reservations, holds, levels, movements and shipments, a statement per set.</summary>
public sealed class StockStore(SqlCatalog sql)
{
    public Task<List<Reservation>> LockReservationsAsync(Work work, IReadOnlyList<Guid> orderIds) =>
        work.QueryAsync(sql["lock_reservations"], SqlArgs.OfUuids("order_id", orderIds), ReadReservation);

    /// <summary>Finds orders with a hold, between two order ids and in their order.</summary>
    public Task<List<Guid>> FindHoldsAsync(Work work, Guid after, Guid before, int most) =>
        work.QueryAsync(
            sql["find_holds"], SqlArgs.With("after", after).And("before", before).And("most", most),
            row => row.Uuid("order_id"));

    /// <summary>Locks and loads levels with prices; unknown SKUs are omitted.</summary>
    public async Task<List<StockItem>> LockItemsAsync(Work work, IEnumerable<string> skus)
    {
        var distinct = skus.Distinct().ToArray();
        return distinct.Length == 0 ? [] : await work.QueryAsync(
            sql["lock_items"], SqlArgs.OfTexts("sku", distinct),
            row => new StockItem(ReadLevel(row), row.BigInt("unit_price"), row.Text("currency")));
    }

    public void Save(Work work, StockBatch batch, string actor)
    {
        UpdateLevels(work, batch.Levels);
        InsertReservations(work, batch.Created);
        UpdateReservations(work, batch.Changed);
        Holds(work, "delete_holds", batch.HoldsGone);
        Holds(work, "insert_holds", batch.HoldsNew);
        if (batch.Movements.Count > 0)
            work.Defer(
                sql["insert_order_movements"],
                SqlArgs.Over(batch.Movements)
                    .Text("sku", moved => moved.Sku)
                    .Uuid("order_id", moved => moved.OrderId)
                    .Text("kind", moved => moved.Kind)
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

    /// <summary>Replaces lines and currency, as only a repair does.</summary>
    public void ReplaceLines(Work work, IReadOnlyList<Reservation> reservations)
    {
        if (reservations.Count == 0) return;
        work.Defer(
            sql["replace_reservation_lines"],
            SqlArgs.Over(reservations)
                .Uuid("order_id", r => r.OrderId)
                .Text("lines", r => OrderLinesJson.Write(r.Lines))
                .Text("currency", r => r.Currency));
    }

    /// <summary>Loads all shipments of the given orders.</summary>
    public async Task<IReadOnlyList<Shipment>> LoadShipmentsAsync(Work work, IReadOnlyList<Guid> orderIds) =>
        orderIds.Count == 0
            ? []
            : await work.QueryAsync(
                sql["load_shipments"], SqlArgs.OfUuids("order_id", orderIds),
                row => new Shipment(row.Uuid("order_id"), row.Int("fulfilment"), OrderLinesJson.Read(row.Text("lines"))));

    /// <summary>Writes absolute values; the rows must be locked.</summary>
    public void UpdateLevels(Work work, IReadOnlyList<StockLevel> levels)
    {
        if (levels.Count > 0) work.Defer(sql["update_levels"], LevelRows(levels));
    }

    /// <summary>Appends to the ledger; returns each movement's <c>seq</c>, in the order given.</summary>
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
            row => row.BigInt("seq"));
        seqs.Sort();
        return seqs;
    }

    public static SqlArgs LevelRows(IReadOnlyList<StockLevel> levels) => SqlArgs.Over(levels)
        .Text("sku", level => level.Sku)
        .BigInt("on_hand", level => level.OnHand)
        .BigInt("allocated", level => level.Allocated)
        .BigInt("reserved", level => level.Reserved)
        .BigInt("version", level => level.Version);

    /// <summary>Reads the columns <c>level</c>, or <c>catalogue_level</c> with another name for the version.</summary>
    public static StockLevel ReadLevel(IRow row, string version) => new(
        row.Text("sku"), row.BigInt("on_hand"), row.BigInt("allocated"), row.BigInt("reserved"), row.BigInt(version));

    public static StockLevel ReadLevel(IRow row) => ReadLevel(row, "version");

    public static Reservation ReadReservation(IRow row) => new(
        row.Uuid("order_id"), row.Text("state"), row.TextOrNull("code"), row.TextOrNull("message"), row.Text("currency"),
        OrderLinesJson.Read(row.Text("lines")), row.Time("created_at"), row.Time("updated_at"));

    public static StockMovement ReadMovement(IRow row) => new(
        row.BigInt("seq"), row.Text("sku"), row.UuidOrNull("order_id"), row.Text("kind"), row.BigInt("on_hand_delta"),
        row.BigInt("allocated_delta"), row.Time("at"), row.TextOrNull("note"), row.Text("actor"));

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
                .Args.And("now", work.Now));
    }

    void Holds(Work work, string query, List<Guid> orderIds)
    {
        if (orderIds.Count > 0) work.Defer(sql[query], SqlArgs.OfUuids("order_id", orderIds));
    }
}
