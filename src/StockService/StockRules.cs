using Orderwright.Contracts;
using static Orderwright.Contracts.ReservationStates;

namespace Orderwright.StockService;

/// <summary>Decision on one command about one order.</summary>
/// <param name="Answer">Reply; null for a command without reply.</param>
/// <param name="Next">Reservation after the command; null when unchanged.</param>
/// <param name="Shifts">Changes of levels.</param>
/// <param name="Shipment">Shipment to store.</param>
/// <param name="Refusal">Why goods cannot be shipped or released: code and sentence.</param>
public sealed record StockDecision(
    StepAnswered? Answer, Reservation? Next = null, IReadOnlyList<StockShift>? Shifts = null, Shipment? Shipment = null,
    (string Code, string Message)? Refusal = null)
{
    public IReadOnlyList<StockShift> Shifts { get; } = Shifts ?? [];
}

/// <summary>Changes of a level's reserved, allocated and on-hand quantities.</summary>
public sealed record StockShift(string Sku, long Reserved, long Allocated, long OnHand = 0);

/// <summary>
/// Decides on stock commands of one order. Pure: no clock, no database. A command may arrive twice, late, or after its undo;
/// the reservation gives the same command the same reply.
/// <code>
///   none ──reserve──▶ held ──commit──▶ committed
///     └──reserve, not available──▶ refused
///   any ──release──▶ released (from none: a tombstone)
///   held, committed ──ship──▶ committed, with less allocated and less on hand
///   held, committed ──release or consume the unshipped──▶ committed, with nothing allocated
/// </code>
/// </summary>
public static class StockRules
{
    /// <summary>
    /// Reserves all lines or none. A missing price is filled in from the catalogue; a given price must match the catalogue,
    /// unless the caller may set prices.
    /// </summary>
    public static StockDecision Reserve(
        Guid orderId, ReserveStock command, Reservation? known, Func<string, StockItem?> itemOf,
        DateTimeOffset now)
    {
        if (known is not null) return new(AnswerToReserve(known));
        if (command.Lines.Count == 0 || command.Lines.Any(line => line.Quantity < 1 || line.UnitPrice < 0))
            throw new InvalidOperationException(
                $"Order {orderId} has no lines, a quantity below 1 or a price below 0.");

        var priced = new OrderLine[command.Lines.Count];
        for (var i = 0; i < priced.Length; i++)
        {
            var (line, refusal) = Price(command.Lines[i], command, itemOf);
            if (refusal is var (code, message)) return Refuse(code, message);
            priced[i] = line;
        }
        if (Missing(priced, itemOf) is { } missing) return Refuse(ReasonCodes.OutOfStock, missing);

        var held = Row(Held, priced);
        return new(AnswerToReserve(held), held, Move(held, reserved: 1, allocated: 0));

        StockDecision Refuse(string code, string message)
        {
            var refused = Row(Refused, []) with { Code = code, Message = message };
            return new(AnswerToReserve(refused), refused);
        }

        Reservation Row(string state, IReadOnlyList<OrderLine> lines) =>
            new(orderId, state, null, null, command.Currency, lines, now, now);
    }

    /// <summary>
    /// Turns the hold into an allocation. Without a reservation, this database was restored or changed: the goods are taken again
    /// if all are available, once the command names them.
    /// </summary>
    public static StockDecision Commit(
        Guid orderId, CommitStock command, Reservation? known, Func<string, StockItem?> itemOf, DateTimeOffset now) =>
        known switch
        {
            { State: Held } => new(Completed, In(known, Committed, now), Move(known, reserved: -1, allocated: 1)),
            { State: Committed } => new(Completed),
            { State: Refused } => new(Rejected(known.Code!, known.Message!)),
            { State: Released } => new(AlreadyUndone),
            null when command.Lines is null => new(NothingHeld),
            null when Missing(command.Lines, itemOf) is { } missing => new(Rejected(ReasonCodes.OutOfStock, missing)),
            null => TakeAgain(new(orderId, Committed, null, null, command.Currency ?? "", command.Lines, now, now)),
            _ => throw Unknown(known),
        };

    /// <summary>
    /// Releases the goods held or allocated, and blocks any later reserve or commit. Goods that left, or whose allocation ended
    /// with the order, are not released again: only an order-service restored to before the completion cancels such an order.
    /// </summary>
    public static StockDecision Release(
        Guid orderId, Reservation? known, DateTimeOffset now, IReadOnlyCollection<Shipment>? earlier = null) => known switch
    {
        null => new(Undone, Tombstone(orderId, now)),
        { State: Released } => new(Undone),
        { State: Refused } => new(Undone, In(known, Released, now)),
        { State: Held } => new(Undone, In(known, Released, now), Move(known, -1, 0)),
        { State: Committed } => new(Undone, In(known, Released, now), Free(known, earlier ?? [])),
        _ => throw Unknown(known),
    };

    /// <summary>
    /// Deducts shipped goods from the allocated and on-hand quantities. order-service ships confirmed orders only, never more
    /// than was ordered, and cancels no shipped order. The commit of a confirmed order may arrive later, so goods still held are
    /// committed first. Where the goods are not held or allocated, this database was restored or changed: nothing is booked, and
    /// the refusal says why. The reply is always the same.
    /// </summary>
    /// <param name="orderId">Id of the order.</param>
    /// <param name="command">Fulfilment and its lines.</param>
    /// <param name="known">Reservation, loaded under lock.</param>
    /// <param name="earlier">All earlier shipments of the order.</param>
    /// <param name="now">Time of the command.</param>
    public static StockDecision Ship(
        Guid orderId, ShipGoods command, Reservation? known, IReadOnlyCollection<Shipment> earlier, DateTimeOffset now) =>
        Deduct(new Shipment(orderId, command.Fulfilment, command.Lines), onHand: -1, known, earlier, now);

    /// <summary>
    /// Ends the allocation of a completed order's unshipped goods: they are available again or, when consumed, no longer on
    /// hand. Stored among the shipments as number 0, so the first of both commands counts.
    /// </summary>
    public static StockDecision Close(
        Guid orderId, IReadOnlyList<OrderLine> lines, bool consumed, Reservation? known,
        IReadOnlyCollection<Shipment> earlier, DateTimeOffset now) =>
        Deduct(new Shipment(orderId, GoodsShipped.Rest, lines), onHand: consumed ? -1 : 0, known, earlier, now);

    static StockDecision Deduct(
        Shipment shipment, int onHand, Reservation? known, IReadOnlyCollection<Shipment> earlier, DateTimeOffset now)
    {
        if (earlier.Any(before => before.Fulfilment == shipment.Fulfilment)) return new(null);
        if (known is not { State: Held or Committed })
            return NotAllocated($"The goods are not allocated to the order: its reservation is {known?.State ?? "missing"}.");
        var left = known.Goods().ToDictionary(goods => goods.Sku, goods => goods.Quantity);
        foreach (var (sku, quantity) in earlier.SelectMany(before => Reservation.GoodsOf(before.Lines))) left[sku] -= quantity;
        List<(string Sku, long Quantity)> deducted = [.. Reservation.GoodsOf(shipment.Lines)];
        foreach (var (sku, quantity) in deducted)
            if (quantity < 1 || left.GetValueOrDefault(sku) < quantity)
                return NotAllocated(
                    $"{quantity} {sku} were shipped, and {left.GetValueOrDefault(sku)} are allocated to the order.");
        var isHeld = known.State == Held;
        return new(
            null,
            isHeld ? In(known, Committed, now) : null,
            [
                .. isHeld ? Move(known, reserved: -1, allocated: 1) : [],
                .. deducted.Select(goods => new StockShift(goods.Sku, 0, -goods.Quantity, goods.Quantity * onHand)),
            ],
            shipment);
    }

    static StockDecision NotAllocated(string message) => new(null, Refusal: (ReasonCodes.NotAllocated, message));

    static (OrderLine Line, (string Code, string Message)? Refusal) Price(
        OrderLine line, ReserveStock command, Func<string, StockItem?> itemOf)
    {
        if (itemOf(line.Sku) is not { } item)
            return (line, (ReasonCodes.UnknownSku, $"{line.Sku} is not in the catalogue."));
        if (line.UnitPrice is not null && command.MaySetPrice)
            return (line, null);
        if (item.Currency != command.Currency)
            return (line, (ReasonCodes.CurrencyMismatch,
                $"{line.Sku} is sold in {item.Currency}, the order is in {command.Currency}."));
        if (line.UnitPrice is { } price && price != item.UnitPrice)
            return (line, (ReasonCodes.PriceChanged,
                $"{line.Sku} costs {Money.Format(item.UnitPrice, item.Currency)}, " +
                $"the order says {Money.Format(price, item.Currency)}."));
        return (line with { UnitPrice = item.UnitPrice }, null);
    }

    static StepAnswered AnswerToReserve(Reservation known) => known.State switch
    {
        Held or Committed => Completed with { Priced = known.Lines },
        Refused => Rejected(known.Code!, known.Message!),
        Released => AlreadyUndone,
        _ => throw Unknown(known),
    };

    static StockDecision TakeAgain(Reservation taken) => new(Completed, taken, Move(taken, reserved: 0, allocated: 1));

    static List<StockShift> Move(Reservation known, int reserved, int allocated) =>
        [.. known.Goods().Select(g => new StockShift(g.Sku, g.Quantity * reserved, g.Quantity * allocated))];

    static List<StockShift> Free(Reservation known, IReadOnlyCollection<Shipment> earlier)
    {
        var gone = earlier.SelectMany(before => Reservation.GoodsOf(before.Lines))
            .GroupBy(goods => goods.Sku).ToDictionary(goods => goods.Key, goods => goods.Sum(one => one.Quantity));
        return
        [
            .. known.Goods().Select(goods => new StockShift(goods.Sku, 0, gone.GetValueOrDefault(goods.Sku) - goods.Quantity))
                .Where(shift => shift.Allocated != 0),
        ];
    }

    static string? Missing(IReadOnlyList<OrderLine> lines, Func<string, StockItem?> itemOf) => Reservation.GoodsOf(lines)
        .Where(goods => !(itemOf(goods.Sku)?.Level.Available >= goods.Quantity))
        .Select(goods => $"{goods.Sku}: {goods.Quantity} wanted, {itemOf(goods.Sku)?.Level.Available ?? 0} available.")
        .FirstOrDefault();

    static Reservation In(Reservation known, string state, DateTimeOffset now) =>
        known with { State = state, UpdatedAt = now };

    // An undo without its do carries no currency; a tombstone has no prices.
    static Reservation Tombstone(Guid orderId, DateTimeOffset now) =>
        new(orderId, Released, null, null, "", [], now, now);

    static readonly StepAnswered Completed = new(Undo: false, StepOutcome.Completed);
    static readonly StepAnswered Undone = new(Undo: true, StepOutcome.Completed);
    static readonly StepAnswered NothingHeld = new(
        Undo: false, StepOutcome.Retry, ReasonCodes.NotReserved, "Nothing is held for this order.", TimeSpan.Zero);
    static readonly StepAnswered AlreadyUndone =
        Rejected(ReasonCodes.AlreadyUndone, "The order was released before.");

    static StepAnswered Rejected(string code, string message) =>
        new(Undo: false, StepOutcome.Rejected, code, message);

    static InvalidOperationException Unknown(Reservation known) =>
        new($"The reservation of order {known.OrderId} has the unknown state '{known.State}'.");
}
