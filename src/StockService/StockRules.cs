using Orderwright.Contracts;
using static Orderwright.Contracts.ReservationStates;

namespace Orderwright.StockService;

/// <summary>What follows from one command about one order.</summary>
/// <param name="Answer">Null where nobody waits for one.</param>
/// <param name="Next">The reservation from now on; null where it stays as it is.</param>
/// <param name="Shifts">How the levels move.</param>
/// <param name="Shipment">What left the house.</param>
public sealed record StockDecision(
    StepAnswered? Answer, Reservation? Next = null, IReadOnlyList<StockShift>? Shifts = null, Shipment? Shipment = null)
{
    public IReadOnlyList<StockShift> Shifts { get; } = Shifts ?? [];
}

/// <summary>Units that become, or with a negative number stop being, reserved, allocated or on hand.</summary>
public sealed record StockShift(string Sku, long Reserved, long Allocated, long OnHand = 0);

/// <summary>
/// What stock-service decides about one order, given all it knows: pure, no clock, no database. Each command
/// may come twice, late, or after its undo; the same command gets the same answer, out of the reservation.
/// <code>
///   none ──reserve──▶ held ──commit──▶ committed
///     │                └──expire──▶ expired ──commit──▶ committed, or refused where the goods are gone
///     └──reserve, not to be had──▶ refused
///   any ──release──▶ released (from none: a tombstone)
///   committed ──ship──▶ committed, with less allocated and less on hand
///   committed ──release the unshipped──▶ committed, with nothing allocated
/// </code>
/// </summary>
public static class StockRules
{
    /// <summary>
    /// Holds every line or nothing. A price that is absent comes from the catalogue; one that is given must
    /// be the catalogue's, unless the caller may set it.
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
            if (refusal is { } because) return Refuse(because.Code, because.Message);
            priced[i] = line;
        }
        foreach (var (sku, quantity) in Reservation.GoodsOf(priced))
            if (itemOf(sku)!.Level.Available is var available && available < quantity)
                return Refuse(ReasonCodes.OutOfStock, $"{sku}: {quantity} wanted, {available} available.");

        var held = Row(Held, priced);
        return new(AnswerToReserve(held), held, Move(held, reserved: 1, allocated: 0));

        StockDecision Refuse(string code, string message)
        {
            var refused = Row(Refused, []) with { Code = code, Message = message };
            return new(AnswerToReserve(refused), refused);
        }

        Reservation Row(string state, IReadOnlyList<OrderLine> lines) =>
            new(orderId, state, null, null, command.Currency, lines, command.HoldUntil, now, now);
    }

    /// <summary>
    /// Turns the hold into an allocation. Where it has expired, the goods are taken again if they are all
    /// still there; else, and where nothing was ever held, the answer is <c>hold_lost</c>, for good.
    /// </summary>
    public static StockDecision Commit(
        Guid orderId, Reservation? known, Func<string, StockItem?> itemOf, DateTimeOffset now) => known switch
        {
            { State: Held } => Take(known, reserved: -1, now),
            { State: Committed } => new(Completed),
            { State: Expired } when Missing(known, itemOf) is { } missing => Lose(
                known, $"The hold expired, and the goods went elsewhere: {missing}.", now),
            { State: Expired } => Take(known, reserved: 0, now),
            { State: Refused } => new(Rejected(known.Code!, known.Message!)),
            { State: Released } => new(AlreadyUndone),
            null => Lose(Unheard(orderId, now), "Nothing is held for this order.", now),
            _ => throw Unknown(known),
        };

    /// <summary>
    /// Gives back whatever is held or allocated, and sees to it that nothing can be taken any more.
    /// </summary>
    public static StockDecision Release(Guid orderId, Reservation? known, DateTimeOffset now) => known switch
    {
        null => new(Undone, Unheard(orderId, now)),
        { State: Released } => new(Undone),
        { State: Expired or Refused } => new(Undone, In(known, Released, now)),
        { State: Held } => new(Undone, In(known, Released, now), Move(known, -1, 0)),
        { State: Committed } => new(Undone, In(known, Released, now), Move(known, 0, -1)),
        _ => throw Unknown(known),
    };

    /// <summary>
    /// Moves the end of a hold, only ever to a later time. What is not held is not taken again here.
    /// </summary>
    public static StockDecision Renew(RenewHold command, Reservation? known, DateTimeOffset now) =>
        known is { State: Held } && command.HoldUntil > known.ExpiresAt
            ? new(null, known with { ExpiresAt = command.HoldUntil, UpdatedAt = now })
            : new(null);

    /// <summary>
    /// Ends a hold whose time is over; a hold that was renewed, committed or released meanwhile stays.
    /// </summary>
    /// <param name="known">The reservation, read after locking it.</param>
    /// <param name="before">Now, less the grace.</param>
    /// <param name="now">The moment of the change.</param>
    public static StockDecision Expire(Reservation known, DateTimeOffset before, DateTimeOffset now) =>
        known.State == Held && known.ExpiresAt <= before
            ? new(null, In(known, Expired, now), Move(known, reserved: -1, allocated: 0))
            : new(null);

    /// <summary>
    /// Takes what was shipped off what is allocated and on hand. order-service ships only what was confirmed, never more
    /// than was ordered, and cancels nothing that was shipped: anything else is a broken invariant. No step of the process:
    /// its answer is always the same.
    /// </summary>
    /// <param name="orderId">The order.</param>
    /// <param name="command">Which fulfilment, and what is in it.</param>
    /// <param name="known">The reservation, read after locking it.</param>
    /// <param name="earlier">All that was shipped of the order before.</param>
    public static StockDecision Ship(
        Guid orderId, ShipGoods command, Reservation? known, IReadOnlyCollection<Shipment> earlier) =>
        Leave(new Shipment(orderId, command.Fulfilment, command.Lines), onHand: -1, known, earlier);

    /// <summary>
    /// Nothing more is shipped: the rest is available again. It stands beside the shipments, as number 0.
    /// </summary>
    public static StockDecision ReleaseUnshipped(
        Guid orderId, ReleaseUnshipped command, Reservation? known, IReadOnlyCollection<Shipment> earlier) =>
        Leave(new Shipment(orderId, GoodsShipped.Rest, command.Lines), onHand: 0, known, earlier);

    static StockDecision Leave(
        Shipment shipment, int onHand, Reservation? known, IReadOnlyCollection<Shipment> earlier)
    {
        if (earlier.Any(one => one.Fulfilment == shipment.Fulfilment)) return new(null);
        if (known is not { State: Committed })
            throw new InvalidOperationException(
                $"Fulfilment {shipment.Fulfilment} of order {shipment.OrderId} is of goods that are "
                + $"{known?.State ?? "unheard of"}.");
        var left = known.Goods().ToDictionary(goods => goods.Sku, goods => goods.Quantity);
        foreach (var (sku, quantity) in earlier.SelectMany(one => Reservation.GoodsOf(one.Lines))) left[sku] -= quantity;
        List<(string Sku, long Quantity)> leaving = [.. Reservation.GoodsOf(shipment.Lines)];
        foreach (var (sku, quantity) in leaving)
            if (quantity < 1 || left.GetValueOrDefault(sku) < quantity)
                throw new InvalidOperationException(
                    $"Fulfilment {shipment.Fulfilment} of order {shipment.OrderId} is of {quantity} {sku}; "
                    + $"{left.GetValueOrDefault(sku)} are left.");
        return new(
            null,
            Shifts: [.. leaving.Select(goods =>
                new StockShift(goods.Sku, 0, -goods.Quantity, goods.Quantity * onHand))],
            Shipment: shipment);
    }

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
        Held or Committed or Expired => Completed with { Priced = known.Lines },
        Refused => Rejected(known.Code!, known.Message!),
        Released => AlreadyUndone,
        _ => throw Unknown(known),
    };

    static StockDecision Take(Reservation known, int reserved, DateTimeOffset now) =>
        new(Completed, In(known, Committed, now), Move(known, reserved, allocated: 1));

    static StockDecision Lose(Reservation known, string message, DateTimeOffset now) => new(
        Rejected(ReasonCodes.HoldLost, message),
        In(known, Refused, now) with { Code = ReasonCodes.HoldLost, Message = message });

    static List<StockShift> Move(Reservation known, int reserved, int allocated) =>
        [.. known.Goods().Select(g => new StockShift(g.Sku, g.Quantity * reserved, g.Quantity * allocated))];

    static string? Missing(Reservation known, Func<string, StockItem?> itemOf) => known.Goods()
        .Where(g => itemOf(g.Sku) is not { } item || item.Level.Available < g.Quantity)
        .Select(g => $"{g.Sku}, {g.Quantity} wanted, {itemOf(g.Sku)?.Level.Available ?? 0} available")
        .FirstOrDefault();

    static Reservation In(Reservation known, string state, DateTimeOffset now) =>
        known with { State = state, UpdatedAt = now };

    // An undo without a do knows no currency; nothing of this row is ever priced.
    static Reservation Unheard(Guid orderId, DateTimeOffset now) =>
        new(orderId, Released, null, null, "", [], now, now, now);

    static readonly StepAnswered Completed = new(Undo: false, StepOutcome.Completed);
    static readonly StepAnswered Undone = new(Undo: true, StepOutcome.Completed);
    static readonly StepAnswered AlreadyUndone =
        Rejected(ReasonCodes.AlreadyUndone, "The order was undone here before.");

    static StepAnswered Rejected(string code, string message) =>
        new(Undo: false, StepOutcome.Rejected, code, message);

    static InvalidOperationException Unknown(Reservation known) =>
        new($"The reservation of order {known.OrderId} is '{known.State}', which is no state.");
}
