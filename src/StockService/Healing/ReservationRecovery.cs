using Orderwright.Contracts;
using static Orderwright.Contracts.ReservationStates;

namespace Orderwright.StockService.Healing;

/// <summary>
/// Brings the reservation of an order to the state that the other services know, after the database was restored to an earlier
/// moment. Pure. Goods of an order that stands are allocated only if they are there: a level never becomes impossible, and the
/// refusal names what is missing.
/// </summary>
static class ReservationRecovery
{
    public static StockDecision Decide(
        ReservationRepair repair, Reservation? known, Func<string, StockItem?> itemOf, DateTimeOffset now,
        IReadOnlyCollection<Shipment> shipped) => repair.To switch
        {
            Released => StockRules.Release(repair.OrderId, known, now, shipped),
            Committed => Take(repair, known, itemOf, now),
            _ => Hold(repair, known, itemOf, now),
        };

    static StockDecision Take(
        ReservationRepair repair, Reservation? known, Func<string, StockItem?> itemOf, DateTimeOffset now)
    {
        if (known?.State == Committed) return new(null);
        var held = known?.State == Held ? known.Goods().ToDictionary(goods => goods.Sku, goods => goods.Quantity) : [];
        List<(string Sku, long Quantity)> sold = [.. Reservation.GoodsOf(repair.Lines)];
        foreach (var (sku, quantity) in sold)
        {
            var available = itemOf(sku) is { } item ? item.Level.Available + held.GetValueOrDefault(sku) : 0;
            if (available < quantity)
                return new(
                    null,
                    Refusal: (HealConflicts.Oversold, $"{sku}: {quantity} were sold to the order, {available} are available."));
        }
        List<StockShift> shifts =
        [
            .. sold.Select(goods => new StockShift(goods.Sku, -held.GetValueOrDefault(goods.Sku), goods.Quantity)),
            .. held.Where(goods => sold.All(one => one.Sku != goods.Key))
                .Select(goods => new StockShift(goods.Key, -goods.Value, 0)),
        ];
        return new(null, Row(repair, known, Committed, now), shifts);
    }

    // Without the goods nothing is held; the order's commit takes them later, or is an incident.
    static StockDecision Hold(
        ReservationRepair repair, Reservation? known, Func<string, StockItem?> itemOf, DateTimeOffset now)
    {
        if (known is not null
            || Reservation.GoodsOf(repair.Lines).Any(goods => !(itemOf(goods.Sku)?.Level.Available >= goods.Quantity)))
            return new(null);
        var held = Row(repair, null, Held, now);
        return new(null, held, [.. held.Goods().Select(goods => new StockShift(goods.Sku, goods.Quantity, 0))]);
    }

    static Reservation Row(
        ReservationRepair repair, Reservation? known, string state, DateTimeOffset now) =>
        new(repair.OrderId, state, null, null, repair.Currency, repair.Lines, known?.CreatedAt ?? now, now);
}
