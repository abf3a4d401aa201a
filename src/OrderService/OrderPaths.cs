using Orderwright.Runtime.Http;

namespace Orderwright.OrderService;

/// <summary>Ids in a path, and positions in a cursor that is sound but was made for another list.</summary>
public static class OrderPaths
{
    public static Answer InvalidId => Problem.Invalid("id", "invalid_id", "An order's id is a UUID.");

    public static Answer InvalidCursor =>
        Problem.Invalid("cursor", "invalid_cursor", "Use nextCursor of the previous page as it was given.");

    /// <summary>A UUID in its usual form, or null.</summary>
    public static Guid? IdOf(string text) => Guid.TryParseExact(text, "D", out var id) ? id : null;
}
