using System.Text.Json;

namespace Orderwright.Client;

/// <summary>Order of a list with parts at several services.</summary>
/// <param name="PositionOf">Position of an item, as text with the sort order of the services' lists, newest last.</param>
/// <param name="CursorAfter">Cursor that continues every service's list after a position.</param>
public sealed record ListOrder(Func<JsonElement, string> PositionOf, Func<string, string> CursorAfter);

/// <summary>
/// Page of a list with a part at every process, such as dead letters: the newest items of all. A cursor names a position and no
/// service, so one cursor continues the lists of all services.
/// </summary>
/// <param name="Each">Page of each service.</param>
/// <param name="Items">The newest items, at most one page.</param>
/// <param name="NextCursor">Null on the last page.</param>
public sealed record MergedList(
    IReadOnlyList<(string Service, ApiReply Reply)> Each, IReadOnlyList<JsonElement> Items, string? NextCursor)
{
    /// <summary>Several processes hold a list each.</summary>
    public bool IsDistributed => Each.Count > 1;

    /// <summary>Every service replied, so an empty list is really empty.</summary>
    public bool IsComplete => Each.All(page => page.Reply.IsSuccess);

    /// <param name="each">Page of each service.</param>
    /// <param name="order">Order of the items.</param>
    /// <param name="limit">Items per page, of the services' lists and of the merged one.</param>
    public static MergedList Of(IReadOnlyList<(string Service, ApiReply Reply)> each, ListOrder order, int limit)
    {
        var all = each.SelectMany(page => page.Reply.Items).OrderByDescending(order.PositionOf, StringComparer.Ordinal).ToList();
        var hasMore = all.Count > limit || each.Any(page => page.Reply.NextCursor is not null);
        IReadOnlyList<JsonElement> items = [.. all.Take(limit)];
        return new(each, items, hasMore && items.Count > 0 ? order.CursorAfter(order.PositionOf(items[^1])) : null);
    }
}
