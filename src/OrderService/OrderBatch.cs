using Orderwright.Http;
using Orderwright.Runtime;

namespace Orderwright.OrderService;

/// <summary>
/// Locked orders of a batch of commands, with the changes decided so far. Each command sees the effect of earlier commands, and
/// every order is saved once.
/// </summary>
public sealed class OrderBatch
{
    readonly Dictionary<Guid, Order> orders;
    readonly Dictionary<Guid, OrderChange> changes = [];

    OrderBatch(IReadOnlyList<Order> locked) => orders = locked.ToDictionary(order => order.Id);

    public static async Task<OrderBatch> LockAsync(Work work, OrderStore store, IEnumerable<Guid> orderIds) =>
        new(await store.LockOrdersAsync(work, [.. orderIds.Distinct()]));

    public IReadOnlyCollection<Guid> Ids => orders.Keys;

    /// <summary>Changes to save, merged per order.</summary>
    public IReadOnlyList<OrderChange> Changes => [.. changes.Values];

    /// <summary>Changed orders, in their new state.</summary>
    public IEnumerable<Order> Changed => changes.Keys.Select(id => orders[id]);

    /// <summary>Finds an order; null for an unknown order or another channel's.</summary>
    public Order? Find(Guid id, ChannelSet channels) =>
        orders.TryGetValue(id, out var order) && channels.Contains(order.Channel) ? order : null;

    /// <summary>Adds a change; returns the order after the change.</summary>
    public Order Apply(OrderChange change)
    {
        var id = change.State.Id;
        if (change.IsToSave)
            changes[id] = changes.TryGetValue(id, out var before) ? before.Then(_ => change) : change;
        return orders[id] = orders[id].With(change);
    }
}
