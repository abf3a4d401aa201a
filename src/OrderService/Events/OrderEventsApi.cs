using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Http;

namespace Orderwright.OrderService.Events;

/// <summary>Timeline of an order and feed of all orders, as pages or as live streams.</summary>
public sealed class OrderEventsApi(FindOrders find, EventFeed feed, TimeProvider time)
{
    const string EventStreamType = "text/event-stream";

    public void Map(IEndpointRouteBuilder routes)
    {
        var events = routes.MapGroup("/api/v1").WithTags("events");
        events.MapGet("orders/{id}/events", OfOrderAsync).Require(Scopes.OrdersRead).WithName("listOrderEvents")
            .Lists("after")
            .WithSummary("An order's timeline across all services")
            .WithDescription(
                "With `Accept: text/event-stream`, a live stream: all events so far (or those after `Last-Event-ID`), then " +
                "each new event, until the order's status is terminal; 204 when no event can follow.")
            .Header("Last-Event-ID", "`id` of the last event received by a live stream.", "^[0-9]+$")
            .Produces<Page<EventResponse>>().Produces<string>(200, EventStreamType).Produces(204);
        events.MapGet("events", (Delegate)AllAsync).Require(Scopes.OrdersRead).WithName("listEvents").Lists("after")
            .WithSummary("The feed of all order events")
            .WithDescription(
                "In order of `seq`. Continue after the last event read with `after=SEQ`, or with `Last-Event-ID` for a live " +
                "stream, and miss none; a live stream without either begins with the next event. The feed has " +
                "the orders of the caller's channels. A page may be empty and still have a `nextCursor`.")
            .Header("Last-Event-ID", "`id` of the last event received by a live stream.", "^[0-9]+$")
            .Produces<Page<EventResponse>>().Produces<string>(200, EventStreamType).ProducesProblem(409);
    }

    async Task<IResult> OfOrderAsync(HttpContext http, string id)
    {
        var (routeId, invalid) = RouteId.Read(id);
        if (routeId is not { } orderId) return invalid!;
        var query = new ListQuery(http, "after");
        var (after, refusal) = PositionOf(http, query);
        if (refusal is not null) return refusal;
        if (await find.FindAsync(orderId, Caller.Of(http).Channels, http.RequestAborted) is not { } order)
            return Problem.NotFound("order");
        if (WantsStream(http))
            return feed.Subscribe(orderId, CallerOf(http)) is not { } subscription ? TooMany : new EventStream(
                subscription, time, after ?? 0)
            {
                ReadAsync = async (position, _, cancel) =>
                {
                    var read = await feed.ReadOrderAsync(orderId, position, ListQuery.MaxLimit, cancel);
                    return (read, read.Count == ListQuery.MaxLimit ? read[^1].Seq : null);
                },
                EndsWith = e => OrderRules.IsTerminal(e.Status),
                HasEnded = OrderRules.IsTerminal(order.State.Status),
            };
        var events = await feed.ReadOrderAsync(orderId, after ?? 0, query.Limit + 1, http.RequestAborted);
        return events.Count > query.Limit
            ? PageOf(events[..query.Limit], events[query.Limit - 1].Seq)
            : PageOf(events, null);
    }

    async Task<IResult> AllAsync(HttpContext http)
    {
        var query = new ListQuery(http, "after");
        var (after, refusal) = PositionOf(http, query);
        if (refusal is not null) return refusal;
        if (after is { } position && await feed.IsAheadAsync(position, http.RequestAborted)) return Rewound;
        var channels = Caller.Of(http).Channels.Filter;
        if (WantsStream(http))
        {
            // Before the subscription, which a failing read would leave open.
            var start = after ?? await feed.HorizonAsync(http.RequestAborted);
            return feed.Subscribe(orderId: null, CallerOf(http)) is not { } subscription ? TooMany : new EventStream(
                subscription, time, start)
            {
                ReadAsync = (position, isFirst, cancel) =>
                    feed.ReadAsync(channels, position, ListQuery.MaxLimit, isFirst, cancel),
            };
        }
        var (events, next) = await feed.ReadAsync(
            channels, after ?? 0, query.Limit, isFresh: true, http.RequestAborted);
        return PageOf(events, next);
    }

    // A cursor takes precedence over `Last-Event-ID`, and the header, sent by a reconnecting browser, over `after`.
    static (long? After, Answer? Refusal) PositionOf(HttpContext http, ListQuery query)
    {
        var after = query.Whole("after");
        if (query.Refusal is { } refusal) return (null, refusal);
        if (query.Position is { } position)
            return long.TryParse(position, NumberStyles.None, CultureInfo.InvariantCulture, out var seq)
                ? (seq, null)
                : (null, Problem.InvalidCursor);
        if (!http.Request.Headers.TryGetValue("Last-Event-ID", out var header)) return (after, null);
        return long.TryParse(header.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var last)
            ? (last, null)
            : (null, Problem.Invalid(
                "Last-Event-ID", "invalid_number", "Send the `id` of the last event received."));
    }

    static Answer Rewound => Problem.Conflict(
        ProblemCodes.FeedWasRewound,
        "The position lies beyond the feed: the database was restored to an earlier moment, and later events are lost. Read the "
        + "orders concerned again, and continue without a position, or after the last event that the feed has.");

    static Answer TooMany => Problem.Of(
        StatusCodes.Status429TooManyRequests, ProblemCodes.TooManyStreams,
        "This caller has too many live event streams open.") with { RetryAfter = TimeSpan.FromSeconds(5) };

    static string CallerOf(HttpContext http) => $"{Caller.Of(http).Channels.Default}/{Caller.Of(http).Name}";

    static bool WantsStream(HttpContext http) =>
        http.Request.Headers.Accept.Any(
            accept => accept?.Contains(EventStreamType, StringComparison.OrdinalIgnoreCase) == true);

    static Answer PageOf(IReadOnlyList<EventResponse> events, long? next) => Answer.Json(
        StatusCodes.Status200OK,
        new Page<EventResponse>(
            events, next is { } seq ? Cursor.Write(seq.ToString(CultureInfo.InvariantCulture)) : null),
        OrderJson.Default.PageEventResponse);
}
