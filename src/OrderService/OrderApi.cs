using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Contracts;
using Orderwright.OrderService.Decisions;
using Orderwright.Runtime;
using Orderwright.Http;

namespace Orderwright.OrderService;

/// <summary>Orders over HTTP: place, read, list, cancel, update.</summary>
public sealed class OrderApi(
    FindOrders find,
    CommandGroup<PlaceOrder> placing,
    CommandGroup<CancelOrder> cancelling,
    CommandGroup<UpdateStatus> updating,
    OrdersInFlight inFlight,
    DecisionWaiters waiters,
    CaptureSettings capture,
    ServiceContext context)
{
    static readonly string[] ListParameters =
        ["status", "customerId", "reference", "search", "channel", "createdAfter", "createdBefore"];

    public void Map(IEndpointRouteBuilder routes)
    {
        var orders = routes.MapGroup("/api/v1/orders").WithTags("orders");
        orders.MapPost("", (Delegate)PlaceAsync).Require(Scopes.Orders).WithName("placeOrder")
            .WithSummary("Place an order")
            .WithDescription(
                "202 while the order is undecided; with `Prefer: wait=N` (up to 30 s), 201 once decided. Adjustments are " +
                "signed and added to the total: a discount is 0 or negative; shipping, tax and fee are 0 or positive. A " +
                "discount requires the scope `orders:price` or stays within the key's limit (403 `discount_not_allowed`). " +
                "`total` is null until every line has a price. Accepts an `Idempotency-Key`.")
            .Header("Prefer", "`wait=N`: respond once the order is decided, or after N seconds, at most 30.", "^wait=[0-9]+$")
            .Accepts<OrderRequest>("application/json").Produces<OrderResponse>(201).Produces<OrderResponse>(202).HasVersion();
        orders.MapGet("", (Delegate)ListAsync).Require(Scopes.OrdersRead).WithName("listOrders")
            .Lists(ListParameters)
            .Query("status", OrderStatuses.All)
            .WithSummary("List orders, newest first")
            .WithDescription(
                "Filters: status, customerId, reference, channel, createdAfter (inclusive), createdBefore (exclusive), and " +
                "search: an id, its first or last 8 or more digits with or without dashes, or a reference. An exact reference " +
                "precedes a part of an id; ids that begin with the digits precede those that end with them. With a narrow " +
                "filter a page may have fewer items than the limit and still have a `nextCursor`: last digits are searched " +
                "among 200,000 orders per page.")
            .Produces<Page<OrderResponse>>();
        orders.MapGet("{id}", GetAsync).Require(Scopes.OrdersRead).WithName("getOrder")
            .WithSummary("Get an order").WithDescription("The `ETag` is the version.")
            .Produces<OrderResponse>().Conditional();
        orders.MapPost("{id}/cancel", CancelAsync).Require(Scopes.OrdersCancel).WithName("cancelOrder")
            .WithSummary("Cancel an order before fulfilment")
            .WithDescription(
                "Completed steps are compensated. A repeated request returns the order unchanged.")
            .Accepts<CancelRequest>("application/json").Produces<OrderResponse>(202).HasVersion();
        orders.MapPost("{id}/cancel/preview", PreviewAsync).Require(Scopes.OrdersCancel).WithName("previewCancellation")
            .WithSummary("Describe what a cancellation would change")
            .WithDescription("Nothing changes: the response lists the message that would be sent.")
            .Accepts<CancelRequest>("application/json").Produces<CancelPreview>();
        orders.MapPatch("{id}", UpdateAsync).Require(Scopes.Operator).WithName("updateOrder")
            .WithSummary("Update an order's status")
            .WithDescription(
                "For operators, along the published graph: `confirmed` to `completed`. Goods without a fulfilment are consumed " +
                "with `goods: consume` and available again with `goods: release`. By default they are consumed, unless the " +
                "money was returned or is captured with fulfilments. 409 `refunded` for consuming goods whose money was " +
                "returned, unless `force` is true. Honours `If-Match`.")
            .Accepts<StatusRequest>("application/json").Produces<OrderResponse>().Conditional();
    }

    public async Task<Answer> PlaceAsync(HttpContext http)
    {
        var (request, refusal) = await Commands.ReadAsync(
            http, OrderJson.Default.OrderRequest, StrictJson.OrderBodyLimit);
        if (request is null) return refusal!;
        var limit = request.Caller.DiscountLimit;
        if ((OrderChecks.Refuse(request.Body) ?? OrderChecks.RefuseDiscount(request.Body, limit)) is { } invalid) return invalid;

        var channel = request.Body.Channel ?? request.Caller.Channels.Default;
        if (!request.Caller.Channels.Contains(channel))
            return Problem.Of(
                StatusCodes.Status403Forbidden, ProblemCodes.ChannelNotGranted, $"The key does not reach the channel {channel}.");

        var moment = Requests.MomentOf(http, context.Time);
        var order = Order.Place(
            request.Body, context.Ids.Next(moment.Now), channel, request.Caller.May(Scopes.OrdersPrice),
            moment.Now, capture.IsOnFulfilment(channel), limit);
        var place = request.For(PlaceOrder.Of(order, moment, Activity.Current?.Id, Activity.Current?.TraceStateString));

        using var slot = await inFlight.EnterAsync();
        var wait = PreferWait.Read(http);
        if (wait == TimeSpan.Zero || waiters.Register(order.Id) is not { } decision)
            return await SubmitAsync(place, slot);
        try
        {
            var answer = await SubmitAsync(place with { AnswersLater = true }, slot);
            if (!IsPlaced(answer)) return answer;
            using var end = CancellationTokenSource.CreateLinkedTokenSource(
                http.RequestAborted, Requests.StoppingOf(http));
            return await DecidedAsync(place, answer, decision, wait, end.Token);
        }
        finally
        {
            waiters.Forget(order.Id);
        }
    }

    async Task<Answer> SubmitAsync(Command<PlaceOrder> place, OrdersInFlight.Slot slot)
    {
        var answer = await placing.SubmitAsync(place);
        if (IsPlaced(answer)) slot.Keep();
        return answer;
    }

    static bool IsPlaced(Answer answer) => answer is { Status: StatusCodes.Status202Accepted, Replayed: false };

    // The key is settled even when the caller has disconnected: a repeated request gets the same response.
    async Task<Answer> DecidedAsync(
        Command<PlaceOrder> place, Answer accepted, Task<Order> decision, TimeSpan wait, CancellationToken end)
    {
        var answer = accepted;
        try
        {
            var order = await AwaitAsync(decision).WaitAsync(wait, context.Time, end);
            answer = OrderResponse.Answer(StatusCodes.Status201Created, order, accepted.Location);
        }
        catch (Exception error) when (error is TimeoutException or OperationCanceledException)
        {
            // Undecided in time, or the wait was aborted: the response of the commit stands.
        }
        return await placing.SettleAsync(place, answer) with { PreferenceApplied = PreferWait.Applied(wait) };
    }

    // WaitAsync on the completion source's task resumes on the thread pool; on an async method's task it resumes inline.
    static async Task<Order> AwaitAsync(Task<Order> decision) => await decision;

    async Task<Answer> GetAsync(HttpContext http, string id)
    {
        var (routeId, invalid) = RouteId.Read(id);
        if (routeId is not { } orderId) return invalid!;
        return await find.FindAsync(orderId, Caller.Of(http).Channels, http.RequestAborted) is { } order
            ? OrderResponse.Answer(StatusCodes.Status200OK, order)
            : Problem.NotFound("order");
    }

    async Task<Answer> ListAsync(HttpContext http)
    {
        var query = new ListQuery(http, ListParameters);
        var status = query.OneOf("status", OrderStatuses.All);
        var after = query.Time("createdAfter");
        var before = query.Time("createdBefore");
        if (query.Refusal is { } refusal) return refusal;

        var position = query.Position is { } cursor ? OrderPosition.Read(cursor) : null;
        if (position is null && query.Position is not null) return Problem.InvalidCursor;
        var filter = new OrderFilter(
            Caller.Of(http).Channels.Only(query.Text("channel")), status, query.Text("customerId"), query.Text("reference"),
            after is { } from ? Ids.FirstAt(from) : Guid.Empty, before is { } end ? Ids.FirstAt(end) : Guid.AllBitsSet);
        var page = query.Text("search") is { } text
            ? await find.SearchAsync(text, filter, position, query.Limit, http.RequestAborted)
            : await find.ListAsync(position?.Limit(filter) ?? filter, query.Limit, http.RequestAborted);
        return Answer.Json(
            StatusCodes.Status200OK, new Page<OrderResponse>([.. page.Items.Select(OrderResponse.Of)], page.NextCursor),
            OrderJson.Default.PageOrderResponse);
    }

    async Task<Answer> PreviewAsync(HttpContext http, string id)
    {
        var query = new ListQuery(http);
        return query.Refusal ?? await CancelOrPreviewAsync(http, id, preview: true);
    }

    // `?preview=true` is the former form of the preview's path.
    public async Task<Answer> CancelAsync(HttpContext http, string id)
    {
        var query = new ListQuery(http, "preview");
        var preview = query.OneOf("preview", ["true", "false"]) == "true";
        return query.Refusal ?? await CancelOrPreviewAsync(http, id, preview);
    }

    async Task<Answer> CancelOrPreviewAsync(HttpContext http, string id, bool preview)
    {
        var (routeId, malformed) = RouteId.Read(id);
        if (routeId is not { } orderId) return malformed!;
        var (request, refusal) = await Commands.ReadAsync(http, OrderJson.Default.CancelRequest);
        if (request is null) return refusal!;
        if (new Check().OneOf("/reason", request.Body.Reason, CancelReasons.All).Refusal is { } invalid) return invalid;
        if (preview)
            return await find.FindAsync(orderId, request.Caller.Channels, http.RequestAborted) is { } order
                ? CancelOrders.Preview(order, request.Body.Reason, Requests.MomentOf(http, context.Time))
                : Problem.NotFound("order");
        return await cancelling.SubmitAsync(
            request.For(new CancelOrder(
                orderId, request.Body.Reason, Requests.MomentOf(http, context.Time), Activity.Current?.Id,
                Activity.Current?.TraceStateString)));
    }

    public async Task<Answer> UpdateAsync(HttpContext http, string id)
    {
        var (routeId, malformed) = RouteId.Read(id);
        if (routeId is not { } orderId) return malformed!;
        var (request, refusal) = await Commands.ReadAsync(http, OrderJson.Default.StatusRequest);
        if (request is null) return refusal!;
        var (status, goods, force) = request.Body;
        var check = new Check().OneOf("/status", status, OrderStatuses.All);
        if (goods is not null) check.OneOf("/goods", goods, [StatusRequest.Consume, StatusRequest.Release]);
        return check.Refusal ?? await updating.SubmitAsync(
            request.For(new UpdateStatus(
                orderId, status,
                goods switch
                {
                    null => null,
                    StatusRequest.Consume => GoodsEnds.Consumed,
                    _ => GoodsEnds.Released,
                },
                force, Precondition.Read(http), Requests.MomentOf(http, context.Time))));
    }
}
