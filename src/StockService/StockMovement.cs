using Orderwright.Contracts;

namespace Orderwright.StockService;

/// <summary>
/// Movement to append to the ledger. Per SKU, the deltas sum to the level's on hand and allocated quantities. Reserved
/// quantities are not part of the ledger: the sum over the holds gives them.
/// </summary>
/// <param name="Sku">SKU of the level.</param>
/// <param name="OrderId">Order that caused the movement; null when a caller did.</param>
/// <param name="Kind">One of <see cref="MovementKinds"/>.</param>
/// <param name="OnHandDelta">Change of the quantity on hand.</param>
/// <param name="AllocatedDelta">Change of the quantity allocated.</param>
/// <param name="Note">Caller's note.</param>
/// <param name="Actor">Name of a service or a caller.</param>
public sealed record NewMovement(
    string Sku, Guid? OrderId, string Kind, long OnHandDelta, long AllocatedDelta, string? Note,
    string Actor);

/// <summary>Movement stored in the ledger; <paramref name="Seq"/> increases, with gaps.</summary>
public sealed record StockMovement(
    long Seq, string Sku, Guid? OrderId,
    [OneOf(
        MovementKinds.Allocated, MovementKinds.Deallocated, MovementKinds.Counted, MovementKinds.Shipped, MovementKinds.Consumed,
        "received", "damaged", "lost", "found", "returned", "other")]
    string Kind, long OnHandDelta, long AllocatedDelta, DateTimeOffset At, string? Note, string Actor);
