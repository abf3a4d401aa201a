using System.Collections.Concurrent;

namespace Orderwright.OrderService;

/// <summary>
/// Requests that wait for the decision of an order they placed (<c>Prefer: wait=N</c>). Whoever settles the
/// order here wakes them; for orders that another instance settles, <see cref="WatchDecisions"/> looks at the
/// table.
/// </summary>
/// <param name="capacity">Requests that wait, at most; one more is answered without a wait.</param>
public sealed class DecisionWaiters(int capacity)
{
    readonly ConcurrentDictionary<Guid, TaskCompletionSource<Order>> waiting = new();

    /// <summary>
    /// To be asked before the order comes in, so that no decision is too quick; null when there is no room.
    /// </summary>
    public Task<Order>? Register(Guid orderId)
    {
        if (waiting.Count >= capacity) return null;
        var decision = new TaskCompletionSource<Order>(TaskCreationOptions.RunContinuationsAsynchronously);
        return waiting.TryAdd(orderId, decision) ? decision.Task : null;
    }

    public void Forget(Guid orderId) => waiting.TryRemove(orderId, out _);

    /// <summary>Those of these orders that somebody waits for.</summary>
    public IReadOnlyList<Guid> Among(IEnumerable<Guid> orderIds) =>
        waiting.IsEmpty ? [] : [.. orderIds.Where(waiting.ContainsKey)];

    public IReadOnlyList<Guid> All => waiting.IsEmpty ? [] : [.. waiting.Keys];

    /// <summary>Wakes whoever waits for one of these, where it is decided.</summary>
    public void Tell(IEnumerable<Order> orders)
    {
        foreach (var order in orders)
            if (OrderRules.IsDecided(order.State.Status) && waiting.TryRemove(order.Id, out var decision))
                decision.TrySetResult(order);
    }
}
