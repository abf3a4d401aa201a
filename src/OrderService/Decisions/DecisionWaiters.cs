using System.Collections.Concurrent;

namespace Orderwright.OrderService.Decisions;

/// <summary>
/// Requests waiting for the decision on an order they placed (<c>Prefer: wait=N</c>). <see cref="SettleOrders"/> completes
/// the waits for orders settled here, <see cref="WatchDecisions"/> the waits for orders settled by another instance.
/// </summary>
/// <param name="capacity">Maximum number of waiting requests; further requests get their reply without a wait.</param>
public sealed class DecisionWaiters(int capacity)
{
    readonly ConcurrentDictionary<Guid, TaskCompletionSource<Order>> waiting = new();

    /// <summary>
    /// Registers a wait; null when the capacity is used up. Call before the order is placed, so that no decision is missed.
    /// </summary>
    public Task<Order>? Register(Guid orderId)
    {
        if (waiting.Count >= capacity) return null;
        var decision = new TaskCompletionSource<Order>(TaskCreationOptions.RunContinuationsAsynchronously);
        return waiting.TryAdd(orderId, decision) ? decision.Task : null;
    }

    public void Forget(Guid orderId) => waiting.TryRemove(orderId, out _);

    /// <summary>Selects the orders with a waiting request.</summary>
    public IReadOnlyList<Guid> Among(IEnumerable<Guid> orderIds) =>
        waiting.IsEmpty ? [] : [.. orderIds.Where(waiting.ContainsKey)];

    public IReadOnlyList<Guid> All => waiting.IsEmpty ? [] : [.. waiting.Keys];

    /// <summary>Completes the waits for the decided orders among the given ones.</summary>
    public void Notify(IEnumerable<Order> orders)
    {
        foreach (var order in orders)
            if (OrderRules.IsDecided(order.State.Status) && waiting.TryRemove(order.Id, out var decision))
                decision.TrySetResult(order);
    }
}
