using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.StockService;

/// <summary>
/// Reserves, commits, releases and ships goods. A single handler takes all six commands, because a batch mixes them:
/// each row is loaded, locked and saved once per batch, and the commands of an order keep their sequence. Every transaction
/// locks reservations by order, then levels by SKU, so two instances never deadlock.
/// </summary>
public sealed class MoveGoods(StockStore store) : IBatchHandler
{
    public IReadOnlyList<Type> Takes { get; } =
    [
        typeof(ReserveStock), typeof(CommitStock), typeof(ReleaseStock), typeof(ShipGoods), typeof(ReleaseUnshipped),
        typeof(ConsumeUnshipped),
    ];

    public async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
    {
        var known = await store.LockReservationsAsync(work, [.. batch.Select(m => m.OrderId).Distinct()]);
        var shipping = batch
            .Where(command => command.Body is ShipGoods or ReleaseUnshipped or ConsumeUnshipped or ReleaseStock)
            .Select(command => command.OrderId).Distinct();
        // Loaded under the reservation locks, which every writer of shipments holds.
        var shipped = await store.LoadShipmentsAsync(work, [.. shipping]);
        var stock = new StockBatch(known, await store.LockItemsAsync(work, SkusOf(batch, known)), work.Now, shipped);
        foreach (var command in batch)
            if (command.Body is ShipGoods ship)
                work.Answer(command, stock.Ship(command.OrderId, ship));
            else if (command.Body is ReleaseUnshipped released)
                work.Answer(command, stock.Close(command.OrderId, released.Lines, consumed: false));
            else if (command.Body is ConsumeUnshipped consumed)
                work.Answer(command, stock.Close(command.OrderId, consumed.Lines, consumed: true));
            else
                work.Answer(command, stock.Decide(command.OrderId, command.Body));
        store.Save(work, stock, ServiceNames.Coordinator);
    }

    // All SKUs a command of the batch may move: from known reservations and from new orders.
    static IEnumerable<string> SkusOf(IReadOnlyList<Message> batch, IReadOnlyList<Reservation> known)
    {
        var knownIds = known.Select(row => row.OrderId).ToHashSet();
        return known.SelectMany(row => row.Lines)
            .Concat(batch.Where(command => !knownIds.Contains(command.OrderId))
                .SelectMany(command => (command.Body as ReserveStock)?.Lines ?? (command.Body as CommitStock)?.Lines ?? []))
            .Select(line => line.Sku);
    }
}
