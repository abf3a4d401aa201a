using Orderwright.Contracts;
using Orderwright.StockService.Healing;

namespace Orderwright.StockService;

/// <summary>
/// Movement caused by an order: a change of the allocated quantity and, for shipped goods, of the quantity on hand.
/// </summary>
/// <param name="Sku">SKU of the level.</param>
/// <param name="OrderId">Order that caused the movement.</param>
/// <param name="Kind">One of <see cref="MovementKinds"/>.</param>
/// <param name="AllocatedDelta">Change of the quantity allocated.</param>
/// <param name="OnHandDelta">Change of the quantity on hand.</param>
public sealed record OrderMovement(string Sku, Guid OrderId, string Kind, long AllocatedDelta, long OnHandDelta);

/// <summary>
/// Rows of one batch in memory. Decides the commands in order of arrival, each on the result of the commands before, and
/// collects the rows to save: each once, with absolute values.
/// </summary>
/// <param name="known">Reservations of the batch's orders, loaded under lock.</param>
/// <param name="items">SKUs of the batch, loaded under the locks of their levels.</param>
/// <param name="now">Time of the batch.</param>
/// <param name="shipped">Earlier shipments of the orders that are shipped in the batch.</param>
public sealed class StockBatch(
    IReadOnlyCollection<Reservation> known, IReadOnlyCollection<StockItem> items, DateTimeOffset now,
    IReadOnlyCollection<Shipment>? shipped = null)
{
    readonly Dictionary<Guid, Reservation> before = known.ToDictionary(row => row.OrderId);
    readonly Dictionary<Guid, Reservation> after = known.ToDictionary(row => row.OrderId);
    readonly Dictionary<string, StockItem> stock = items.ToDictionary(item => item.Level.Sku);
    readonly List<OrderMovement> movements = [];
    readonly List<Shipment> shipments = [];

    /// <summary>Decides a stock command; returns the reply.</summary>
    public StepAnswered Decide(Guid orderId, IMessageBody command)
    {
        var reservation = after.GetValueOrDefault(orderId);
        return Apply(orderId, command switch
        {
            ReserveStock reserve => StockRules.Reserve(orderId, reserve, reservation, ItemOf, now),
            CommitStock commit => StockRules.Commit(orderId, commit, reservation, ItemOf, now),
            ReleaseStock => StockRules.Release(orderId, reservation, now, ShippedOf(orderId)),
            _ => throw new InvalidOperationException($"{command.GetType().Name} is not a stock command."),
        })!;
    }

    /// <summary>Ships goods; returns the reply to order-service.</summary>
    public IMessageBody Ship(Guid orderId, ShipGoods command) => Deduct(
        orderId, command.Fulfilment,
        StockRules.Ship(orderId, command, after.GetValueOrDefault(orderId), ShippedOf(orderId), now));

    /// <summary>Releases or consumes the unshipped goods of a completed order; returns the reply to order-service.</summary>
    public IMessageBody Close(Guid orderId, IReadOnlyList<OrderLine> lines, bool consumed) => Deduct(
        orderId, GoodsShipped.Rest,
        StockRules.Close(orderId, lines, consumed, after.GetValueOrDefault(orderId), ShippedOf(orderId), now));

    /// <summary>Repairs a reservation; returns the code and the sentence of a conflict, or null.</summary>
    public (string Code, string Message)? Recover(ReservationRepair repair)
    {
        var decision = ReservationRecovery.Decide(
            repair, after.GetValueOrDefault(repair.OrderId), ItemOf, now, ShippedOf(repair.OrderId));
        Apply(repair.OrderId, decision);
        return decision.Refusal;
    }

    IMessageBody Deduct(Guid orderId, int fulfilment, StockDecision decision)
    {
        Apply(orderId, decision);
        return decision.Refusal is var (code, message)
            ? new FulfilmentRefused(code, message, fulfilment)
            : new GoodsShipped(fulfilment);
    }

    List<Shipment> ShippedOf(Guid orderId) =>
        [.. (shipped ?? []).Concat(shipments).Where(shipment => shipment.OrderId == orderId)];

    /// <summary>Reservations of new orders.</summary>
    public List<Reservation> Created => [.. after.Values.Where(row => !before.ContainsKey(row.OrderId))];

    public List<Reservation> Changed =>
        [.. after.Values.Where(row => before.TryGetValue(row.OrderId, out var was) && was != row)];

    /// <summary>Levels that changed, each with the next version.</summary>
    public List<StockLevel> Levels =>
        [.. from item in items
            let now = stock[item.Level.Sku].Level
            where now != item.Level
            select now with { Version = now.Version + 1 }];

    /// <summary>Movements in order of decision.</summary>
    public IReadOnlyList<OrderMovement> Movements => movements;

    public IReadOnlyList<Shipment> Shipments => shipments;

    /// <summary>Orders whose holds have ended.</summary>
    public List<Guid> HoldsGone =>
        [.. before.Values.Where(was => IsHold(was) && !IsHold(after[was.OrderId])).Select(was => was.OrderId)];

    /// <summary>Orders with a new hold.</summary>
    public List<Guid> HoldsNew =>
        [.. after.Values.Where(row => IsHold(row) && !(before.TryGetValue(row.OrderId, out var was) && IsHold(was)))
            .Select(row => row.OrderId)];

    StepAnswered? Apply(Guid orderId, StockDecision decision)
    {
        if (decision.Next is { } next) after[orderId] = next;
        if (decision.Shipment is { } shipment) shipments.Add(shipment);
        foreach (var shift in decision.Shifts)
        {
            var item = stock.GetValueOrDefault(shift.Sku) ?? throw new InvalidOperationException(
                $"Order {orderId} holds {shift.Sku}, which has no level.");
            stock[shift.Sku] = item with { Level = item.Level.Shift(shift.Reserved, shift.Allocated, shift.OnHand) };
            if (shift.Allocated != 0)
                movements.Add(new(shift.Sku, orderId, KindOf(shift, decision.Shipment), shift.Allocated, shift.OnHand));
        }
        return decision.Answer;
    }

    static string KindOf(StockShift shift, Shipment? shipment) =>
        shift.OnHand < 0 ? shipment!.Fulfilment == GoodsShipped.Rest ? MovementKinds.Consumed : MovementKinds.Shipped
        : shift.Allocated > 0 ? MovementKinds.Allocated
        : MovementKinds.Deallocated;

    StockItem? ItemOf(string sku) => stock.GetValueOrDefault(sku);

    static bool IsHold(Reservation row) => row.State == ReservationStates.Held;
}
