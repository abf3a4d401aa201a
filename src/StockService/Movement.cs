namespace Orderwright.StockService;

/// <summary>
/// A line of the ledger that is to be written. Per SKU the deltas sum to the level's on hand and allocated;
/// what is reserved is no part of it, being the sum over the holds.
/// </summary>
/// <param name="Sku">Which level moved.</param>
/// <param name="OrderId">For whom; null where a person moved it.</param>
/// <param name="Kind">One of <see cref="MovementKinds"/>.</param>
/// <param name="OnHandDelta">Units that came, or with a minus went.</param>
/// <param name="AllocatedDelta">Units that became, or with a minus stopped being, allocated.</param>
/// <param name="Note">What the person said about it.</param>
/// <param name="Actor">Who did it: a service or a caller.</param>
public sealed record NewMovement(
    string Sku, Guid? OrderId, string Kind, long OnHandDelta, long AllocatedDelta, string? Note,
    string Actor);

/// <summary>A line of the ledger as it stands; <paramref name="Seq"/> grows, with gaps.</summary>
public sealed record Movement(
    long Seq, string Sku, Guid? OrderId, string Kind, long OnHandDelta, long AllocatedDelta,
    DateTimeOffset At, string? Note, string Actor);
