using System.Text.Json;
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

    public async Task SaveAsync(Work work, StockBatch batch, string actor)
    {
        await UpdateLevelsAsync(work, batch.Levels);
        await InsertReservationsAsync(work, batch.Created);
        await UpdateReservationsAsync(work, batch.Changed);
        await HoldsAsync("delete_holds", work, batch.HoldsGone);
        await HoldsAsync("insert_holds", work, batch.HoldsNew);
        await InsertMovementsAsync(work, [.. batch.Movements.Select(moved => new NewMovement(
            moved.Sku, moved.OrderId,
            moved.AllocatedDelta > 0 ? MovementKinds.Allocated : MovementKinds.Deallocated,
            0, moved.AllocatedDelta, null, actor))]);
    }

    /// <summary>Writes absolute values; the rows are locked.</summary>
    public Task UpdateLevelsAsync(Work work, IReadOnlyList<StockLevel> levels) =>
        levels.Count == 0 ? Task.CompletedTask : work.ExecuteAsync(sql["update_levels"], LevelRows(levels));

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
        JsonSerializer.Deserialize(row.Text(5), StockJson.Default.IReadOnlyListOrderLine)!,
        row.Time(6), row.Time(7), row.Time(8));

    public static Movement ReadMovement(IRow row) => new(
        row.BigInt(0), row.Text(1), row.UuidOrNull(2), row.Text(3), row.BigInt(4), row.BigInt(5), row.Time(6),
        row.TextOrNull(7), row.Text(8));

    async Task InsertReservationsAsync(Work work, List<Reservation> reservations)
    {
        if (reservations.Count == 0) return;
        await work.ExecuteAsync(
            sql["insert_reservations"],
            SqlArgs.Over(reservations)
                .Uuid("order_id", r => r.OrderId)
                .Text("state", r => r.State)
                .Text("code", r => r.Code)
                .Text("message", r => r.Message)
                .Text("currency", r => r.Currency)
                .Text("lines", r => JsonSerializer.Serialize(r.Lines, StockJson.Default.IReadOnlyListOrderLine))
                .Time("expires_at", r => r.ExpiresAt)
                .Args.And("now", work.Now));
    }

    async Task UpdateReservationsAsync(Work work, List<Reservation> reservations)
    {
        if (reservations.Count == 0) return;
        await work.ExecuteAsync(
            sql["update_reservations"],
            SqlArgs.Over(reservations)
                .Uuid("order_id", r => r.OrderId)
                .Text("state", r => r.State)
                .Text("code", r => r.Code)
                .Text("message", r => r.Message)
                .Time("expires_at", r => r.ExpiresAt)
                .Args.And("now", work.Now));
    }

    async Task HoldsAsync(string query, Work work, List<Reservation> reservations)
    {
        if (reservations.Count == 0) return;
        await work.ExecuteAsync(
            sql[query],
            SqlArgs.Over(reservations)
                .Uuid("order_id", r => r.OrderId)
                .Time("expires_at", r => r.ExpiresAt));
    }
}
