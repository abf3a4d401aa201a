using System.Globalization;
using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Http;

namespace Orderwright.OrderService;

/// <summary>An order that is to come in, with the answer it gets if it does.</summary>
/// <param name="Order">As it will stand: pending, version 1.</param>
/// <param name="Accepted">202 with the order. Made before the transaction, beside which other requests
/// wait.</param>
/// <param name="Moment">When it was asked for, by whom, in which trace.</param>
/// <param name="TraceParent">Goes on to the coordinator.</param>
public sealed record PlaceOrder(Order Order, Answer Accepted, Moment Moment, string? TraceParent)
{
    public static PlaceOrder Of(Order order, Moment moment, string? traceParent) => new(
        order,
        OrderBody.Answer(StatusCodes.Status202Accepted, order, $"/api/v1/orders/{order.Id}"),
        moment, traceParent);
}

/// <summary>
/// Takes all orders that wait, in one transaction: order, event and the row that keeps asking the
/// coordinator. A reference that the merchant has used before refuses the order and names the first.
/// </summary>
public sealed class PlaceOrders(OrderStore store, RowCache<Order> recent, EventFeed feed)
{
    // Larger orders are loaded when they are settled: what is remembered of a few thousand must stay small.
    const int WorthRemembering = 4_096;

    public async Task<IReadOnlyList<Answer>> HandleAsync(IReadOnlyList<Command<PlaceOrder>> batch, Work work)
    {
        var owners = new Dictionary<(string Merchant, string Reference), Guid>();
        var fresh = batch.Where(command => KeyOf(command) is not { } key || owners.TryAdd(key, command.Body.Order.Id))
            .Select(command => command.Body).ToList();
        var inserted = await store.InsertAsync([.. fresh.Select(place => place.Order)], work);

        var known = inserted;
        if (inserted.Count < fresh.Count)
        {
            owners = await store.FindReferencesAsync([.. owners.Keys], work);
            // Also those that came in with an earlier attempt of this batch, whose commit was durable all the
            // same.
            known = await store.FindIdsAsync([.. fresh.Select(place => place.Order.Id)], work);
        }

        var placed = fresh.Where(place => inserted.Contains(place.Order.Id)).ToList();
        store.Append([.. placed.Select(place => OrderRules.Placed(place.Order, place.Moment))], work);
        store.AwaitAnswers(
            [.. placed.Select(place => place.Order.Id)], work.Now + AskCoordinator.FirstAskAfter, work);
        foreach (var place in placed)
            work.Send(place.Order.Id, place.Order.AsPlaced(), traceParent: place.TraceParent);
        work.AfterCommit(() =>
        {
            foreach (var place in placed)
                if (place.Accepted.Body.Length <= WorthRemembering)
                    recent.Remember(place.Order.Id, place.Order);
            feed.Raise();
        });

        return [.. batch.Select(command =>
            known.Contains(command.Body.Order.Id) ? command.Body.Accepted : Duplicate(owners[KeyOf(command)!.Value]))];
    }

    static (string Merchant, string Reference)? KeyOf(Command<PlaceOrder> command) =>
        command.Body.Order is { Reference: { } reference } order ? (order.Merchant, reference) : null;

    static Answer Duplicate(Guid first) => Problem.Of(
        StatusCodes.Status409Conflict, "duplicate_reference", "An order with this reference was placed before.",
        orderId: first.ToString("D", CultureInfo.InvariantCulture));
}
