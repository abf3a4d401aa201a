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
/// <param name="Ending">End of the id, without the ids that begin so.</param>
public sealed record OrderFilter(
    ChannelSet Channels, string? Status, string? CustomerId, string? Reference, Guid From, Guid Before,
    OrderIdPart? Ending = null);

/// <summary>Position in a list of orders, as a cursor names it.</summary>
/// <param name="Before">The list continues below this id.</param>
/// <param name="IsAmongStarts">
/// A search by digits has not yet listed all ids that begin with them; those that end with them follow.
/// </param>
public sealed record OrderPosition(Guid Before, bool IsAmongStarts)
{
    const string StartsMark = "s";

    /// <summary>Reads the position of a cursor; null for that of another list.</summary>
    public static OrderPosition? Read(string text)
    {
        var isAmongStarts = text.StartsWith(StartsMark, StringComparison.Ordinal);
        return Guid.TryParseExact(isAmongStarts ? text[StartsMark.Length..] : text, "N", out var before)
            ? new(before, isAmongStarts)
            : null;
    }

    /// <summary>Writes the cursor.</summary>
    public string Write() =>
        Cursor.Write($"{(IsAmongStarts ? StartsMark : "")}{Before.ToString("N", CultureInfo.InvariantCulture)}");

    /// <summary>Limits a filter to the orders after the position.</summary>
    public OrderFilter Limit(OrderFilter filter) => Before < filter.Before ? filter with { Before = Before } : filter;
}

/// <summary>
/// Finds orders by id, and lists orders, newest first. Each kind of list has a statement that an index serves. The general
/// list reads a bounded number of orders and then returns a cursor, so that no filter scans the whole table.
/// </summary>
/// <param name="database">Database of order-service.</param>
/// <param name="sql">Its statements.</param>
/// <param name="idWindows">Numbers of ids read per page of a search by their end; null for the usual ones.</param>
public sealed class FindOrders(IDatabase database, SqlCatalog sql, IReadOnlyList<int>? idWindows = null)
{
    // Orders read per page of a filtered list, in growing windows: most filters match early.
    static readonly IReadOnlyList<int> Windows = [1_000, 4_000, 15_000, 30_000];

    // Ids read per page of a search by their end: an entry of an index costs less than an order.
    static readonly IReadOnlyList<int> IdWindows = [20_000, 180_000];

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
                var (found, floor) = await ScanAsync("list_orders", Windows, filter, limit + 1, queries, cancel);
                return PageOf(found, limit, floor);
            },
            cancel);

    /// <summary>
    /// Lists the orders that a text names: by their reference, else by the digits with which their ids begin, followed by those
    /// whose ids end so. A complete id comes before a reference.
    /// </summary>
    /// <param name="text">Id, part of an id, or reference.</param>
    /// <param name="filter">Orders to search.</param>
    /// <param name="position">Position of the cursor; null on the first page.</param>
    /// <param name="limit">Page size.</param>
    /// <param name="cancel">Ends the search.</param>
    public Task<Page<Order>> SearchAsync(
        string text, OrderFilter filter, OrderPosition? position, int limit, CancellationToken cancel) =>
        database.ReadAsync(
            async queries =>
            {
                var part = OrderIdPart.Read(text);
                var rest = position?.Limit(filter) ?? filter;
                List<Order> found = [];
                if (part?.IsComplete == true)
                    found = await QueryAsync("list_orders_by_start", Within(part, rest), limit + 1, queries, cancel);
                if (found.Count == 0 && (filter.Reference ?? text) == text)
                    found = await QueryAsync(
                        "list_orders_of_reference", rest with { Reference = text }, limit + 1, queries, cancel);
                return found.Count > 0 || part is null or { IsComplete: true }
                    ? PageOf(found, limit, null)
                    : await SearchPartAsync(part, filter, position, limit, queries, cancel);
            },
            cancel);

    async Task<Page<Order>> SearchPartAsync(
        OrderIdPart part, OrderFilter filter, OrderPosition? position, int limit, IQueries queries, CancellationToken cancel)
    {
        List<Order> found = [];
        Guid? floor;
        if (position is null or { IsAmongStarts: true })
        {
            var starts = Within(part, position?.Limit(filter) ?? filter);
            (found, floor) = await ScanAsync("list_orders_by_start", Windows, starts, limit + 1, queries, cancel);
            if (found.Count > limit || floor is not null) return PageOf(found, limit, floor, isAmongStarts: true);
            // Ids that end with the digits begin at the newest again.
            position = null;
        }
        var ends = (position?.Limit(filter) ?? filter) with { Ending = part };
        var room = limit - found.Count;
        (var ending, floor) = await ScanAsync(
            "list_orders_by_end", idWindows ?? IdWindows, ends, room + 1, queries, cancel);
        if (room == 0 && ending.Count > 0) return new(found, new OrderPosition(ends.Before, false).Write());
        return PageOf([.. found, .. ending], limit, floor);
    }

    static OrderFilter Within(OrderIdPart part, OrderFilter filter) => filter with
    {
        From = filter.From < part.First ? part.First : filter.From,
        Before = filter.Before < part.End ? filter.Before : part.End,
    };

    // Reads window after window, newest first. The floor is where the next page continues; null at the end of the list.
    async Task<(List<Order> Found, Guid? Floor)> ScanAsync(
        string statement, IReadOnlyList<int> windows, OrderFilter filter, int most, IQueries queries, CancellationToken cancel)
    {
        var found = new List<Order>();
        Guid? floor = null;
        foreach (var window in windows)
        {
            floor = await FloorAsync(filter, window, queries, cancel);
            found.AddRange(await QueryAsync(
                statement, filter with { From = floor ?? filter.From }, most - found.Count, queries, cancel));
            if (floor is null || found.Count >= most) break;
            filter = filter with { Before = floor.Value };
        }
        return (found, floor);
    }

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
                .And("from", filter.From).And("before", filter.Before).And("limit", limit)
                .And("digits", filter.Ending?.Digits).And("first", filter.Ending?.First).And("end", filter.Ending?.End),
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

    static Page<Order> PageOf(List<Order> found, int limit, Guid? seenTo, bool isAmongStarts = false) =>
        found.Count > limit
            ? new(found[..limit], new OrderPosition(found[limit - 1].Id, isAmongStarts).Write())
            : new(found, seenTo is { } floor ? new OrderPosition(floor, isAmongStarts).Write() : null);
}
