using Orderwright.Contracts;

namespace Orderwright.StockService;

/// <summary>
/// A line of the ledger that one order writes: units become allocated, or with a minus stop being so; those that leave the
/// house are not on hand any more either.
/// </summary>
public sealed record OrderMovement(string Sku, Guid OrderId, long AllocatedDelta, long OnHandDelta);

/// <summary>
/// The rows of one batch in memory: decides command after command in order of arrival, each against what the
/// ones before it left, and in the end knows what has to be saved, each row once and with absolute values.
/// </summary>
/// <param name="known">Reservations of the batch's orders, read after locking them.</param>
/// <param name="items">The batch's SKUs, read after locking their levels.</param>
/// <param name="now">The batch's moment.</param>
/// <param name="shipped">What was shipped before of the orders of which more is.</param>
public sealed class StockBatch(
    IReadOnlyCollection<Reservation> known, IReadOnlyCollection<StockItem> items, DateTimeOffset now,
    IReadOnlyCollection<Shipment>? shipped = null)
{
    readonly Dictionary<Guid, Reservation> before = known.ToDictionary(row => row.OrderId);
    readonly Dictionary<Guid, Reservation> after = known.ToDictionary(row => row.OrderId);
    readonly Dictionary<string, StockItem> stock = items.ToDictionary(item => item.Level.Sku);
    readonly List<OrderMovement> movements = [];
    readonly List<Shipment> shipments = [];

    /// <summary>The answer to a stock command, or null where nobody waits for one.</summary>
    public StepAnswered? Decide(Guid orderId, IMessageBody command)
    {
        var reservation = after.GetValueOrDefault(orderId);
        return Apply(orderId, command switch
        {
            ReserveStock reserve => StockRules.Reserve(orderId, reserve, reservation, ItemOf, now),
            RenewHold renew => StockRules.Renew(renew, reservation, now),
            CommitStock => StockRules.Commit(orderId, reservation, ItemOf, now),
            ReleaseStock => StockRules.Release(orderId, reservation, now),
            _ => throw new InvalidOperationException($"{command.GetType().Name} is no command to the stock."),
        });
    }

    /// <summary>What order-service is told.</summary>
    public GoodsShipped Ship(Guid orderId, ShipGoods command)
    {
        Apply(orderId, StockRules.Ship(orderId, command, after.GetValueOrDefault(orderId), ShippedOf(orderId)));
        return new(command.Fulfilment);
    }

    /// <inheritdoc cref="Ship"/>
    public GoodsShipped ReleaseUnshipped(Guid orderId, ReleaseUnshipped command)
    {
        Apply(orderId, StockRules.ReleaseUnshipped(
            orderId, command, after.GetValueOrDefault(orderId), ShippedOf(orderId)));
        return new(GoodsShipped.Rest);
    }

    List<Shipment> ShippedOf(Guid orderId) =>
        [.. (shipped ?? []).Concat(shipments).Where(one => one.OrderId == orderId)];

    /// <summary>Ends the holds whose time is over.</summary>
    /// <param name="dueBefore">Now, less the grace.</param>
    public void Expire(DateTimeOffset dueBefore)
    {
        foreach (var reservation in known)
            Apply(reservation.OrderId, StockRules.Expire(reservation, dueBefore, now));
    }

    /// <summary>Reservations of orders that were not heard of before.</summary>
    public List<Reservation> Created => [.. after.Values.Where(row => !before.ContainsKey(row.OrderId))];

    public List<Reservation> Changed =>
        [.. after.Values.Where(row => before.TryGetValue(row.OrderId, out var was) && was != row)];

    /// <summary>Levels that differ from what was loaded, each one version later.</summary>
    public List<StockLevel> Levels =>
        [.. from item in items
            let now = stock[item.Level.Sku].Level
            where now != item.Level
            select now with { Version = now.Version + 1 }];

    /// <summary>In order of decision.</summary>
    public IReadOnlyList<OrderMovement> Movements => movements;

    public IReadOnlyList<Shipment> Shipments => shipments;

    /// <summary>Holds that no longer stand as they were loaded: they ended, or end at another time.</summary>
    public List<Reservation> HoldsGone =>
        [.. before.Values.Where(was => IsHold(was) && !SameHold(was, after[was.OrderId]))];

    /// <summary>Holds that are new, or end at another time.</summary>
    public List<Reservation> HoldsNew =>
        [.. after.Values.Where(row => IsHold(row)
            && !(before.TryGetValue(row.OrderId, out var was) && SameHold(was, row)))];

    StepAnswered? Apply(Guid orderId, StockDecision decision)
    {
        if (decision.Next is { } next) after[orderId] = next;
        if (decision.Shipment is { } shipment) shipments.Add(shipment);
        foreach (var shift in decision.Shifts)
        {
            var item = stock.GetValueOrDefault(shift.Sku) ?? throw new InvalidOperationException(
                $"Order {orderId} holds {shift.Sku}, which has no level.");
            stock[shift.Sku] = item with { Level = item.Level.Shift(shift.Reserved, shift.Allocated, shift.OnHand) };
            if (shift.Allocated != 0) movements.Add(new(shift.Sku, orderId, shift.Allocated, shift.OnHand));
        }
        return decision.Answer;
    }

    StockItem? ItemOf(string sku) => stock.GetValueOrDefault(sku);

    static bool IsHold(Reservation row) => row.State == ReservationStates.Held;

    static bool SameHold(Reservation was, Reservation row) =>
        IsHold(was) && IsHold(row) && was.ExpiresAt == row.ExpiresAt;
}
