using System.Globalization;
using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;
using Orderwright.OrderService.Events;
using Orderwright.Runtime;
using Orderwright.Http;

namespace Orderwright.OrderService;

/// <summary>Order to be placed, with the response for the case of success.</summary>
/// <param name="Order">Order as it will be stored: pending, version 1.</param>
/// <param name="Accepted">202 with the order; built before the transaction, to keep the transaction short.</param>
/// <param name="Moment">Time, caller and trace of the request.</param>
/// <param name="TraceParent">Trace context passed on to the coordinator.</param>
/// <param name="TraceState">State of the trace context.</param>
public sealed record PlaceOrder(Order Order, Answer Accepted, Moment Moment, string? TraceParent, string? TraceState)
{
    public static PlaceOrder Of(Order order, Moment moment, string? traceParent, string? traceState = null) => new(
        order,
        OrderResponse.Answer(StatusCodes.Status202Accepted, order, $"/api/v1/orders/{order.Id}"),
        moment, traceParent, traceState);
}

/// <summary>
/// Places all waiting orders in a single transaction: order, event and the row for the resend sweep. A reference already used
/// by the channel is refused, and the refusal names the first order. The id of an erased customer is refused.
/// </summary>
public sealed class PlaceOrders(OrderStore store, RowCache<Order> recent, EventFeed feed)
{
    // Larger orders are loaded again on settlement, so that a cache of a few thousand orders stays small.
    const int MaxCachedBytes = 4_096;

    public async Task<IReadOnlyList<Answer>> HandleAsync(IReadOnlyList<Command<PlaceOrder>> batch, Work work)
    {
        var owners = new Dictionary<(string Channel, string Reference), Guid>();
        var fresh = batch.Where(command => KeyOf(command) is not { } key || owners.TryAdd(key, command.Body.Order.Id))
            .Select(command => command.Body).ToList();
        var inserted = await store.InsertAsync(work, [.. fresh.Select(place => place.Order)]);

        var known = inserted;
        var erased = new HashSet<string>();
        if (inserted.Count < fresh.Count)
        {
            erased = await store.FindErasedAsync(
                work,
                [
                    .. fresh.Where(place => !inserted.Contains(place.Order.Id)).Select(place => place.Order.CustomerId)
                        .Distinct(),
                ]);
            owners = await store.FindReferencesAsync(work, [.. owners.Keys]);
            // Includes orders of an earlier attempt of the batch, with a durable commit and a lost reply.
            known = await store.FindExistingAsync(work, [.. fresh.Select(place => place.Order.Id)]);
        }

        var placed = fresh.Where(place => inserted.Contains(place.Order.Id)).ToList();
        store.Append(work, [.. placed.Select(place => OrderRules.Placed(place.Order, place.Moment))]);
        store.AddUnsettled(
            work, [.. placed.Select(place => place.Order.Id)], work.Now + ResendUnsettledOrders.FirstPause);
        foreach (var place in placed)
            work.Send(place.Order.Id, place.Order.AsPlaced(), traceParent: place.TraceParent, traceState: place.TraceState);
        work.AfterCommit(() =>
        {
            foreach (var place in placed)
                if (place.Accepted.Body.Length <= MaxCachedBytes)
                    recent.Remember(place.Order.Id, place.Order);
            feed.Raise();
            Metrics.Placed(placed.Count);
        });

        return [.. batch.Select(command =>
            known.Contains(command.Body.Order.Id) ? command.Body.Accepted
            : erased.Contains(command.Body.Order.CustomerId) ? Problem.Conflict(
                "erased", "The customer was erased, and an erased id is not used again. Use another id for another person.")
            // The first order with the reference, in the same batch, was refused: the next attempt is the first.
            : !owners.TryGetValue(KeyOf(command)!.Value, out var first) ? Problem.Conflict(
                "duplicate_reference", "Another request with this reference was refused at the same moment; repeat the request.")
            : Duplicate(first))];
    }

    static (string Channel, string Reference)? KeyOf(Command<PlaceOrder> command) =>
        command.Body.Order is { Reference: { } reference } order ? (order.Channel, reference) : null;

    static Answer Duplicate(Guid first) => Problem.Of(
        StatusCodes.Status409Conflict, "duplicate_reference", "An order with this reference was placed before.",
        orderId: first.ToString("D", CultureInfo.InvariantCulture));
}
