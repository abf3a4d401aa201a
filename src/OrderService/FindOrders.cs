using System.Globalization;
using Orderwright.Contracts;
using Orderwright.Runtime.Database;
using Orderwright.Http;

namespace Orderwright.OrderService;

/// <summary>Filter of a list of orders; null matches all.</summary>
/// <param name="Channels">Channels of the orders.</param>
/// <param name="Status">One of <see cref="OrderStatuses"/>.</param>
/// <param name="CustomerId">Customer of the order.</param>
/// <param name="Reference">The shop's own number.</param>
/// <param name="From">Lowest id, inclusive.</param>
/// <param name="Before">Highest id, exclusive.</param>
public sealed record OrderFilter(
    ChannelSet Channels, string? Status, string? CustomerId, string? Reference, Guid From, Guid Before);

/// <summary>
/// Finds orders by id, and lists orders, newest first. Each kind of list has a statement that an index serves. The general
/// list reads a bounded number of orders and then returns a cursor, so that no filter scans the whole table.
/// </summary>
public sealed class FindOrders(IDatabase database, SqlCatalog sql)
{
    // Orders read per page of a filtered list, in growing windows: most filters match early.
    static readonly IReadOnlyList<int> Windows = [1_000, 4_000, 15_000, 30_000];

    /// <summary>Finds an order; null for an unknown order or another channel's.</summary>
    public async Task<Order?> FindAsync(Guid id, ChannelSet channels, CancellationToken cancel)
    {
        var found = await database.QueryAsync(
            sql["load_orders"], SqlArgs.OfUuids("id", [id]), OrderStore.ReadOrder, cancel);
        return found.Find(order => channels.Contains(order.Channel));
    }

    /// <summary>
    /// Reads at most <paramref name="limit"/> orders; a page may have fewer and still have a cursor.
    /// </summary>
    public Task<Page<Order>> ListAsync(OrderFilter filter, int limit, CancellationToken cancel) =>
        database.ReadAsync(
            async queries =>
            {
                if (StatementOf(filter) is { } statement)
                    return PageOf(await QueryAsync(statement, filter, limit + 1, queries, cancel), limit, null);
                var found = new List<Order>();
                Guid? floor = null;
                foreach (var window in Windows)
                {
                    floor = await FloorAsync(filter, window, queries, cancel);
                    found.AddRange(await QueryAsync(
                        "list_orders", filter with { From = floor ?? filter.From }, limit + 1 - found.Count, queries,
                        cancel));
                    if (floor is null || found.Count > limit) break;
                    filter = filter with { Before = floor.Value };
                }
                return PageOf(found, limit, floor);
            },
            cancel);

    static string? StatementOf(OrderFilter filter) => filter switch
    {
        { Reference: not null } => "list_orders_of_reference",
        { CustomerId: not null } => "list_orders_of_customer",
        { Status: OrderStatuses.Pending or OrderStatuses.CancelPending } => "list_waiting_orders",
        _ => null,
    };

    Task<List<Order>> QueryAsync(
        string statement, OrderFilter filter, int limit, IQueries queries, CancellationToken cancel) =>
        queries.QueryAsync(
            sql[statement],
            SqlArgs.With("channels", filter.Channels.Filter).And("status", filter.Status)
                .And("customer_id", filter.CustomerId).And("reference", filter.Reference)
                .And("from", filter.From).And("before", filter.Before).And("limit", limit),
            OrderStore.ReadOrder, cancel);

    // Id of the last order within the window; null when the window reaches the end of the list.
    async Task<Guid?> FloorAsync(OrderFilter filter, int window, IQueries queries, CancellationToken cancel)
    {
        var floor = await queries.QueryAsync(
            sql["window_floor"],
            SqlArgs.With("from", filter.From).And("before", filter.Before).And("skip", window - 1),
            row => row.Uuid("id"), cancel);
        return floor.Count == 0 ? null : floor[0];
    }

    static Page<Order> PageOf(List<Order> found, int limit, Guid? seenTo) =>
        found.Count > limit
            ? new(found[..limit], CursorAt(found[limit - 1].Id))
            : new(found, seenTo is { } floor ? CursorAt(floor) : null);

    static string CursorAt(Guid id) => Cursor.Write(id.ToString("N", CultureInfo.InvariantCulture));
}
