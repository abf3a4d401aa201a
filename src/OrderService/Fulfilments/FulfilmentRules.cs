using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.OrderService.Fulfilments;

/// <summary>Requested fulfilment.</summary>
/// <param name="OrderId">Order to ship.</param>
/// <param name="Lines">Lines to ship; null for all remaining goods.</param>
/// <param name="Tracking">Tracking details of the parcel.</param>
/// <param name="IsForced">Ships although the order's money was returned.</param>
/// <param name="Moment">Time, caller and trace of the request.</param>
/// <param name="TraceParent">Trace context passed on to the participants.</param>
/// <param name="TraceState">State of the trace context.</param>
public sealed record ShipOrder(
    Guid OrderId, IReadOnlyList<ShippedLine>? Lines, Tracking? Tracking, bool IsForced, Moment Moment, string? TraceParent,
    string? TraceState = null);

/// <summary>Decision on a request: either a refusal, or a change with its fulfilment.</summary>
public sealed record ShipDecision(Answer? Refusal, OrderChange? Change = null, Fulfilment? Fulfilment = null);

/// <summary>
/// Decides on fulfilments. Only confirmed orders ship, and no line ships more than was ordered, over all fulfilments; a
/// request ships in full or not at all. Goods whose money was returned ship only when forced. Pure.
/// </summary>
/// <remarks>
/// The order's row is locked, so the first of a concurrent cancellation and fulfilment wins: a cancelled order cannot ship, and
/// a shipped order cannot be cancelled.
/// </remarks>
public static class FulfilmentRules
{
    /// <param name="order">Locked order.</param>
    /// <param name="earlier">All earlier fulfilments of the order.</param>
    /// <param name="request">Goods to ship.</param>
    /// <param name="id">Id for the new fulfilment.</param>
    public static ShipDecision Ship(Order order, IReadOnlyCollection<Fulfilment> earlier, ShipOrder request, Guid id)
    {
        if (order.State.Status != OrderStatuses.Confirmed)
            return new(Problem.Conflict(
                "not_fulfillable", $"Only confirmed orders can be shipped; the order is {order.State.Status}."));
        if (!request.IsForced && OrderRules.IsReturned(order.State)) return new(Returned(order.State));
        var shipped = ShippedOf(earlier);
        var wanted = request.Lines is { } lines ? Sum(lines) : LeftOf(order, shipped);
        if (wanted.Count == 0)
            return new(Problem.Conflict("not_fulfillable", "All goods of the order were shipped before."));

        var shipping = new List<OrderLine>(wanted.Count);
        foreach (var line in order.Lines)
        {
            if (!wanted.Remove(line.Line, out var quantity)) continue;
            var sent = shipped.GetValueOrDefault(line.Line);
            if (sent + quantity > line.Quantity)
                return new(Problem.Conflict(
                    "exceeds_ordered",
                    $"Line {line.Line}: {line.Quantity} ordered, {sent} shipped before, {quantity} now."));
            shipping.Add(new OrderLine(line.Line, line.Sku, (int)quantity));
            shipped[line.Line] = sent + quantity;
        }
        if (wanted.Count > 0) return new(Unknown(request.Lines!, wanted));

        var value = FulfilmentValue.Of(order, shipped);
        var before = earlier.Sum(each => each.ValueMinor);
        if (!request.IsForced && request.Lines is null && Uncovered(order.State, value, before) is { } uncovered)
            return new(uncovered);
        var fulfilment = new Fulfilment(
            order.Id, earlier.Select(each => each.Number).DefaultIfEmpty().Max() + 1, id, shipping, checked(value - before),
            request.Tracking, request.Moment.Actor, request.Moment.Now);
        var status = LeftOf(order, shipped).Count == 0
            ? FulfilmentStatuses.Fulfilled
            : FulfilmentStatuses.PartiallyFulfilled;
        return new(null, OrderRules.Ship(order.State, status, fulfilment, request.Moment), fulfilment);
    }

    /// <summary>
    /// Fulfilment of goods that stock-service has booked and order-service has lost, with the order's fulfilment status
    /// afterwards. The tracking details were lost. Null if the goods do not belong to the order.
    /// </summary>
    public static (Fulfilment Fulfilment, string Status)? Recover(
        Order order, IReadOnlyCollection<Fulfilment> earlier, BookedShipment booked, Guid id, Moment moment)
    {
        var shipped = ShippedOf(earlier);
        foreach (var line in booked.Lines)
        {
            var sent = shipped[line.Line] = shipped.GetValueOrDefault(line.Line) + line.Quantity;
            if (order.Lines.FirstOrDefault(each => each.Line == line.Line) is not { } ordered || sent > ordered.Quantity)
                return null;
        }
        var value = Math.Max(0, FulfilmentValue.Of(order, shipped) - earlier.Sum(each => each.ValueMinor));
        return (
            new(order.Id, booked.Number, id, booked.Lines, value, null, moment.Actor, moment.Now),
            LeftOf(order, shipped).Count == 0 ? FulfilmentStatuses.Fulfilled : FulfilmentStatuses.PartiallyFulfilled);
    }

    /// <summary>
    /// Refuses to consume a completed order's unshipped goods that nobody pays for; null when the update may go on.
    /// </summary>
    public static Answer? RefuseConsumption(OrderState state, UpdateStatus update) =>
        update.Goods != GoodsEnds.Consumed || update.IsForced ? null
        : OrderRules.IsReturned(state) ? Returned(state)
        : state is { IsTakenOnFulfilment: true, Status: OrderStatuses.Confirmed } ? Problem.Conflict(
            "not_fulfillable", "The money of these goods is captured with a fulfilment: report one before completing the order.")
        : null;

    static Answer Returned(OrderState state) => Problem.Conflict(
        ProblemCodes.Refunded,
        $"The order's money was returned; the payment is {state.PaymentStatus}. An operator can repeat the request with "
        + "\"force\": true.");

    // A request that names no lines means the goods paid for. After a partial refund the money kept has to cover them: all
    // goods shipped so far where the whole order was captured, and these goods where each fulfilment is captured.
    static Answer? Uncovered(OrderState state, long valueMinor, long beforeMinor)
    {
        if (state is not { PaymentStatus: PaymentStatuses.PartiallyRefunded, SecuredMinor: { } kept }) return null;
        var due = state.IsTakenOnFulfilment ? valueMinor - beforeMinor : valueMinor;
        return kept >= due ? null : Problem.Conflict(
            ProblemCodes.Refunded,
            $"Part of the order was refunded: the goods are worth {due} minor units, and {kept} are left of the order's money. "
            + "Name the lines that ship; an operator can also repeat the request with \"force\": true.");
    }

    /// <summary>Builds a participant's command for closing an order.</summary>
    /// <param name="open">Work of the participant.</param>
    /// <param name="order">Completed order.</param>
    /// <param name="shipped">All fulfilments of the order.</param>
    public static IMessageBody ClosingCommandOf(FulfilmentWork open, Order order, IEnumerable<Fulfilment> shipped)
    {
        if (open.DueMinor is { } due) return new TakeShipped(due, Close: true);
        var left = LeftOf(order, ShippedOf(shipped));
        OrderLine[] lines =
        [
            .. order.Lines.Where(line => left.ContainsKey(line.Line))
                .Select(line => new OrderLine(line.Line, line.Sku, (int)left[line.Line])),
        ];
        return order.State.Goods == GoodsEnds.Consumed ? new ConsumeUnshipped(lines) : new ReleaseUnshipped(lines);
    }

    /// <summary>Sums the units shipped per line.</summary>
    public static Dictionary<int, long> ShippedOf(IEnumerable<Fulfilment> fulfilments) =>
        fulfilments.SelectMany(fulfilment => fulfilment.Lines)
            .GroupBy(line => line.Line).ToDictionary(same => same.Key, same => same.Sum(line => (long)line.Quantity));

    static Dictionary<int, long> Sum(IReadOnlyList<ShippedLine> lines) =>
        lines.GroupBy(line => line.Line).ToDictionary(same => same.Key, same => same.Sum(line => (long)line.Quantity));

    static Dictionary<int, long> LeftOf(Order order, Dictionary<int, long> shipped) =>
        order.Lines.Select(line => (line.Line, Left: line.Quantity - shipped.GetValueOrDefault(line.Line)))
            .Where(line => line.Left > 0).ToDictionary(line => line.Line, line => line.Left);

    static Answer Unknown(IReadOnlyList<ShippedLine> lines, Dictionary<int, long> unknown)
    {
        var at = Enumerable.Range(0, lines.Count).First(i => unknown.ContainsKey(lines[i].Line));
        return Problem.Invalid($"/lines/{at}/line", "unknown_line", $"The order has no line {lines[at].Line}.");
    }
}
