using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.StockService;

/// <summary>
/// Reserve, renew, commit, release and ship: goods move between available, reserved and allocated, and out of the house. One
/// handler takes all six, because a batch has them mixed: so each row is loaded, locked and saved once a batch, a
/// release that follows its reserve in the same batch follows it here too, and every transaction locks in one
/// order (reservations by order, then levels by SKU), so that two instances never wait for each other.
/// </summary>
public sealed class MoveGoods(StockTables tables) : IBatchHandler
{
    public IReadOnlyList<Type> Takes { get; } =
    [
        typeof(ReserveStock), typeof(RenewHold), typeof(CommitStock), typeof(ReleaseStock), typeof(ShipGoods),
        typeof(ReleaseUnshipped),
    ];

    public async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
    {
        var known = await tables.LockReservationsAsync(work, [.. batch.Select(m => m.OrderId).Distinct()]);
        var shipping = batch.Where(command => command.Body is ShipGoods or ReleaseUnshipped)
            .Select(command => command.OrderId).Distinct();
        // Read after their reservations are locked, as all that touches them is.
        var shipped = await tables.ShipmentsAsync(work, [.. shipping]);
        var stock = new StockBatch(known, await tables.LockItemsAsync(work, SkusOf(batch, known)), work.Now, shipped);
        foreach (var command in batch)
            if (command.Body is ShipGoods ship)
                work.Answer(command, stock.Ship(command.OrderId, ship));
            else if (command.Body is ReleaseUnshipped rest)
                work.Answer(command, stock.ReleaseUnshipped(command.OrderId, rest));
            else if (stock.Decide(command.OrderId, command.Body) is { } answer)
                work.Answer(command, answer);
        tables.Save(work, stock, ServiceNames.Coordinator);
    }

    // Each goods that any command of the batch could move: what a new order asks for, and what a known one
    // has.
    static IEnumerable<string> SkusOf(IReadOnlyList<Message> batch, IReadOnlyList<Reservation> known)
    {
        var knownIds = known.Select(row => row.OrderId).ToHashSet();
        return known.SelectMany(row => row.Lines)
            .Concat(batch.Where(command => !knownIds.Contains(command.OrderId))
                .SelectMany(command => (command.Body as ReserveStock)?.Lines ?? []))
            .Select(line => line.Sku);
    }
}
