using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Http;

namespace Orderwright.OrderService;

/// <summary>Orders over HTTP: place, read, list, cancel, move.</summary>
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
    public void Map(IEndpointRouteBuilder routes)
    {
        var orders = routes.MapGroup("/api/v1/orders").WithTags("orders");
        orders.MapPost("", (Delegate)PlaceAsync).Require(Scopes.Orders).WithName("placeOrder")
            .WithSummary("Place an order")
            .WithDescription(
                "202 while it is undecided; with `Prefer: wait=N` (to 30 s) 201 once it is decided. Every adjustment is " +
                "added to the total as it stands: a discount is 0 or negative, shipping, tax and fee are 0 or more. " +
                "`total` is null until each line has its price. Takes an `Idempotency-Key`.")
            .Accepts<OrderRequest>("application/json").Produces<OrderBody>(202).Produces<OrderBody>(201);
        orders.MapGet("", (Delegate)ListAsync).Require(Scopes.Orders).WithName("listOrders")
            .Lists("status", "customerId", "reference", "createdAfter", "createdBefore")
            .WithSummary("List orders, newest first")
            .WithDescription(
                "Filters: status, customerId, reference, createdAfter (at or after), createdBefore (before). A page of a " +
                "narrow filter may hold fewer items than the limit and still have a `nextCursor`.")
            .Produces<Page<OrderBody>>();
        orders.MapGet("{id}", GetAsync).Require(Scopes.Orders).WithName("getOrder")
            .WithSummary("One order").WithDescription("The `ETag` is its version.")
            .Produces<OrderBody>();
        orders.MapPost("{id}/cancel", CancelAsync).Require(Scopes.Orders).WithName("cancelOrder")
            .WithSummary("Cancel an order before it is fulfilled")
            .WithDescription(
                "What was done for it is undone. Asked again, it answers the order as it stands. With `?preview=true` nothing " +
                "is done: the answer says which message it would send.")
            .Accepts<CancelRequest>("application/json").Produces<OrderBody>(202).Produces<CancelPreview>();
        orders.MapPatch("{id}", UpdateAsync).Require(Scopes.Operator).WithName("updateOrder")
            .WithSummary("Move an order along the published graph")
            .WithDescription("By an operator: `confirmed` to `completed`. `If-Match` is honoured.")
            .Accepts<StatusRequest>("application/json").Produces<OrderBody>();
    }

    public async Task<Answer> PlaceAsync(HttpContext http)
    {
        var (request, refusal) = await Commands.ReadAsync(
            http, OrderJson.Default.OrderRequest, StrictJson.OrderBodyLimit);
        if (request is null) return refusal!;
        if (OrderChecks.Refuse(request.Body) is { } invalid) return invalid;

        var moment = MomentOf(http);
        var order = Order.Place(
            request.Body, context.Ids.Next(moment.Now), request.Caller.Merchant, request.Caller.May(Scopes.OrdersPrice),
            moment.Now, capture.IsOnFulfilment(request.Caller.Merchant));
        var place = request.For(PlaceOrder.Of(order, moment, Activity.Current?.Id));

        using var room = await inFlight.EnterAsync();
        var wait = PreferWait.Read(http);
        if (wait == TimeSpan.Zero || waiters.Register(order.Id) is not { } decision)
            return await SubmitAsync(place, room);
        try
        {
            var answer = await SubmitAsync(place with { AnswersLater = true }, room);
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

    async Task<Answer> SubmitAsync(Command<PlaceOrder> place, OrdersInFlight.Place room)
    {
        var answer = await placing.SubmitAsync(place);
        if (IsPlaced(answer)) room.Keep();
        return answer;
    }

    static bool IsPlaced(Answer answer) => answer is { Status: StatusCodes.Status202Accepted, Replayed: false };

    // The key is settled whatever happens to the caller meanwhile: a repeated request gets what this one got,
    // or would have got.
    async Task<Answer> DecidedAsync(
        Command<PlaceOrder> place, Answer accepted, Task<Order> decision, TimeSpan wait, CancellationToken end)
    {
        var answer = accepted;
        try
        {
            var order = await AwaitAsync(decision).WaitAsync(wait, context.Time, end);
            answer = OrderBody.Answer(StatusCodes.Status201Created, order, accepted.Location);
        }
        catch (Exception error) when (error is TimeoutException or OperationCanceledException)
        {
            // Undecided in time, or nobody can wait any longer: what was said at the commit stands.
        }
        return await placing.SettleAsync(place, answer) with { PreferenceApplied = PreferWait.Applied(wait) };
    }

    // To wait for a promise with a limit hops on the thread pool; to wait for who awaits it stays with the caller.
    static async Task<Order> AwaitAsync(Task<Order> decision) => await decision;

    async Task<Answer> GetAsync(HttpContext http, string id) =>
        Requests.IdOf(id) is not { } orderId ? Requests.InvalidId
        : await find.FindAsync(orderId, Caller.Of(http).Merchant, http.RequestAborted) is { } order
            ? OrderBody.Answer(StatusCodes.Status200OK, order)
            : Problem.NotFound("order");

    async Task<Answer> ListAsync(HttpContext http)
    {
        var query = new ListQuery(http, "status", "customerId", "reference", "createdAfter", "createdBefore");
        var status = query.OneOf("status", OrderStatuses.All);
        var after = query.Time("createdAfter");
        var before = query.Time("createdBefore");
        if (query.Refusal is { } refusal) return refusal;

        var start = before is { } end ? Ids.FirstAt(end) : Guid.AllBitsSet;
        if (query.Position is { } position)
        {
            if (!Guid.TryParseExact(position, "N", out var last)) return Requests.InvalidCursor;
            if (last < start) start = last;
        }
        var page = await find.ListAsync(
            new OrderFilter(
                Caller.Of(http).Merchant, status, query.Text("customerId"), query.Text("reference"),
                after is { } from ? Ids.FirstAt(from) : Guid.Empty, start),
            query.Limit, http.RequestAborted);
        return Answer.Json(
            StatusCodes.Status200OK, new Page<OrderBody>([.. page.Items.Select(OrderBody.Of)], page.NextCursor),
            OrderJson.Default.PageOrderBody);
    }

    public async Task<Answer> CancelAsync(HttpContext http, string id)
    {
        if (Requests.IdOf(id) is not { } orderId) return Requests.InvalidId;
        var (request, refusal) = await Commands.ReadAsync(http, OrderJson.Default.CancelRequest);
        if (request is null) return refusal!;
        var query = new ListQuery(http, "preview");
        var preview = query.OneOf("preview", ["true", "false"]) == "true";
        var check = new Check().OneOf("/reason", request.Body.Reason, CancelReasons.All);
        if ((query.Refusal ?? check.Refusal) is { } invalid) return invalid;
        if (preview)
            return await find.FindAsync(orderId, request.Caller.Merchant, http.RequestAborted) is { } order
                ? CancelOrders.Preview(order, request.Body.Reason, MomentOf(http))
                : Problem.NotFound("order");
        return await cancelling.SubmitAsync(
            request.For(new CancelOrder(orderId, request.Body.Reason, MomentOf(http), Activity.Current?.Id)));
    }

    public async Task<Answer> UpdateAsync(HttpContext http, string id)
    {
        if (Requests.IdOf(id) is not { } orderId) return Requests.InvalidId;
        var (request, refusal) = await Commands.ReadAsync(http, OrderJson.Default.StatusRequest);
        if (request is null) return refusal!;
        var check = new Check().OneOf("/status", request.Body.Status, OrderStatuses.All);
        return check.Refusal ?? await updating.SubmitAsync(
            request.For(new UpdateStatus(orderId, request.Body.Status, Precondition.Read(http), MomentOf(http))));
    }

    Moment MomentOf(HttpContext http) =>
        new(context.Time.Now(), Caller.Of(http).Name, Activity.Current?.TraceId.ToHexString());
}
