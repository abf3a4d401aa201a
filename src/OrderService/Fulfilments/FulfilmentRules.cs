using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.OrderService.Fulfilments;

/// <summary>A fulfilment that is wanted.</summary>
/// <param name="OrderId">Of which order.</param>
/// <param name="Lines">Null: all that is left.</param>
/// <param name="Tracking">Of the parcel.</param>
/// <param name="Moment">When it was asked for, by whom, in which trace.</param>
/// <param name="TraceParent">Goes on to those who take part.</param>
public sealed record ShipOrder(
    Guid OrderId, IReadOnlyList<ShippedLine>? Lines, Tracking? Tracking, Moment Moment, string? TraceParent);

/// <summary>A refusal, or what comes of it: exactly one.</summary>
public sealed record ShipDecision(Answer? Refusal, OrderChange? Change = null, Fulfilment? Fulfilment = null);

/// <summary>
/// What may be shipped of an order: only of one that is confirmed and not on its way to be cancelled, and of each line no
/// more than was ordered, over all fulfilments; all of a request or nothing. Pure.
/// </summary>
/// <remarks>
/// The order's row is locked: of a cancellation and a fulfilment that come at once the first wins. After a cancellation
/// nothing is shipped; once something was, nothing is cancelled.
/// </remarks>
public static class FulfilmentRules
{
    /// <param name="order">Under lock.</param>
    /// <param name="earlier">All its fulfilments.</param>
    /// <param name="wish">What is to be shipped.</param>
    /// <param name="id">For the fulfilment.</param>
    public static ShipDecision Ship(Order order, IReadOnlyCollection<Fulfilment> earlier, ShipOrder wish, Guid id)
    {
        if (order.State.Status != OrderStatuses.Confirmed)
            return new(Problem.Conflict(
                "not_fulfillable", $"Only what is confirmed can be shipped; the order is {order.State.Status}."));
        var shipped = ShippedOf(earlier);
        var wanted = wish.Lines is { } named ? Sum(named) : LeftOf(order, shipped);
        if (wanted.Count == 0)
            return new(Problem.Conflict("not_fulfillable", "Everything of the order was shipped already."));

        var lines = new List<OrderLine>(wanted.Count);
        foreach (var line in order.Lines)
        {
            if (!wanted.Remove(line.Line, out var quantity)) continue;
            var before = shipped.GetValueOrDefault(line.Line);
            if (before + quantity > line.Quantity)
                return new(Problem.Conflict(
                    "exceeds_ordered",
                    $"Line {line.Line}: {line.Quantity} ordered, {before} shipped before, {quantity} now."));
            lines.Add(new OrderLine(line.Line, line.Sku, (int)quantity));
            shipped[line.Line] = before + quantity;
        }
        if (wanted.Count > 0) return new(Unknown(wish.Lines!, wanted));

        var value = FulfilmentValue.Of(order, shipped);
        var fulfilment = new Fulfilment(
            order.Id, earlier.Count + 1, id, lines, checked(value - earlier.Sum(one => one.ValueMinor)), wish.Tracking,
            wish.Moment.Actor, wish.Moment.Now);
        var status = LeftOf(order, shipped).Count == 0
            ? FulfilmentStatuses.Fulfilled
            : FulfilmentStatuses.PartiallyFulfilled;
        return new(null, OrderRules.Ship(order.State, status, fulfilment, wish.Moment), fulfilment);
    }

    /// <summary>What a participant is asked when an order is closed.</summary>
    /// <param name="open">Whom.</param>
    /// <param name="order">Completed.</param>
    /// <param name="shipped">All that there will ever be.</param>
    public static IMessageBody QuestionOfClosing(FulfilmentWork open, Order order, IEnumerable<Fulfilment> shipped)
    {
        if (open.DueMinor is { } due) return new TakeShipped(due, Close: true);
        var left = LeftOf(order, ShippedOf(shipped));
        return new ReleaseUnshipped(
        [
            .. order.Lines.Where(line => left.ContainsKey(line.Line))
                .Select(line => new OrderLine(line.Line, line.Sku, (int)left[line.Line])),
        ]);
    }

    /// <summary>Units per line, over all of these.</summary>
    public static Dictionary<int, long> ShippedOf(IEnumerable<Fulfilment> fulfilments) =>
        fulfilments.SelectMany(fulfilment => fulfilment.Lines)
            .GroupBy(line => line.Line).ToDictionary(same => same.Key, same => same.Sum(line => (long)line.Quantity));

    static Dictionary<int, long> Sum(IReadOnlyList<ShippedLine> named) =>
        named.GroupBy(line => line.Line).ToDictionary(same => same.Key, same => same.Sum(line => (long)line.Quantity));

    static Dictionary<int, long> LeftOf(Order order, Dictionary<int, long> shipped) =>
        order.Lines.Select(line => (line.Line, Left: line.Quantity - shipped.GetValueOrDefault(line.Line)))
            .Where(line => line.Left > 0).ToDictionary(line => line.Line, line => line.Left);

    static Answer Unknown(IReadOnlyList<ShippedLine> named, Dictionary<int, long> unknown)
    {
        var at = Enumerable.Range(0, named.Count).First(i => unknown.ContainsKey(named[i].Line));
        return Problem.Invalid($"/lines/{at}/line", "unknown_line", $"The order has no line {named[at].Line}.");
    }
}
