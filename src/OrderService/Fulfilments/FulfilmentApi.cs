using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Http;

namespace Orderwright.OrderService.Fulfilments;

/// <summary>What left the house, over HTTP: <c>/api/v1/orders/{id}/fulfilments</c>.</summary>
public sealed class FulfilmentApi(
    FindOrders find, FulfilmentStore fulfilments, CommandGroup<ShipOrder> shipping, IDatabase database, TimeProvider time)
{
    const int MaxTracking = 100;

    public void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/v1/orders/{id}/fulfilments").WithTags("fulfilments").Require(Scopes.Orders);
        group.MapPost("", ShipAsync).WithName("fulfilOrder")
            .WithSummary("Ship some of an order, or all that is left")
            .WithDescription(
                "All of the request or nothing. Without `lines` all that is left is shipped; a line named twice counts " +
                "twice. 409 `not_fulfillable` unless the order is confirmed, `exceeds_ordered` for more than was ordered; " +
                "once something was shipped the order cannot be cancelled. Takes an `Idempotency-Key`.")
            .Accepts<FulfilmentRequest>("application/json").Produces<FulfilmentBody>(201);
        group.MapGet("", ListAsync).WithName("listFulfilments").Lists()
            .WithSummary("An order's fulfilments, in their order").Produces<Page<FulfilmentBody>>();
        group.MapGet("/{fulfilmentId}", GetAsync).WithName("getFulfilment")
            .WithSummary("One fulfilment").Produces<FulfilmentBody>();
    }

    public async Task<Answer> ShipAsync(HttpContext http, string id)
    {
        if (Requests.IdOf(id) is not { } orderId) return Requests.InvalidId;
        var (request, refusal) = await Commands.ReadAsync(http, OrderJson.Default.FulfilmentRequest);
        if (request is null) return refusal!;
        var (lines, tracking) = request.Body;
        var check = new Check().OptionalText("/tracking/carrier", tracking?.Carrier, MaxTracking)
            .OptionalText("/tracking/number", tracking?.Number, MaxTracking);
        if (lines is { Count: < 1 or > OrderChecks.MaxLines })
            check.Fail("/lines", "out_of_range", $"1 to {OrderChecks.MaxLines} lines; leave it out for all that is left.");
        for (var i = 0; i < Math.Min(lines?.Count ?? 0, OrderChecks.MaxLines); i++)
            check.Range($"/lines/{i}/line", lines![i].Line, 1, OrderChecks.MaxLines)
                .Range($"/lines/{i}/quantity", lines[i].Quantity, 1, OrderChecks.MaxQuantity);
        return check.Refusal ?? await shipping.SubmitAsync(request.For(new ShipOrder(
            orderId, lines, tracking,
            new Moment(time.Now(), Caller.Of(http).Name, Activity.Current?.TraceId.ToHexString()), Activity.Current?.Id)));
    }

    async Task<Answer> ListAsync(HttpContext http, string id)
    {
        var query = new ListQuery(http);
        if (query.Refusal is { } refusal) return refusal;
        var after = 0;
        if (query.Position is { } position && !int.TryParse(position, out after)) return Requests.InvalidCursor;
        var (found, none) = await FindAsync(http, id);
        return none ?? Answer.Json(
            StatusCodes.Status200OK,
            Pages.Of(
                [.. found.Where(one => one.Number > after).Take(query.Limit + 1).Select(FulfilmentBody.Of)], query.Limit,
                one => $"{one.Number}"),
            OrderJson.Default.PageFulfilmentBody);
    }

    async Task<Answer> GetAsync(HttpContext http, string id, string fulfilmentId)
    {
        if (!Guid.TryParseExact(fulfilmentId, "D", out var wanted))
            return Problem.Invalid("fulfilmentId", "invalid_id", "A fulfilment's id is a UUID.");
        var (found, none) = await FindAsync(http, id);
        return none ?? (found.Find(one => one.Id == wanted) is { } fulfilment
            ? FulfilmentBody.Answer(StatusCodes.Status200OK, fulfilment)
            : Problem.NotFound("fulfilment"));
    }

    async Task<(List<Fulfilment> Found, Answer? Refusal)> FindAsync(HttpContext http, string id)
    {
        if (Requests.IdOf(id) is not { } orderId) return ([], Requests.InvalidId);
        return await find.FindAsync(orderId, Caller.Of(http).Merchant, http.RequestAborted) is null
            ? ([], Problem.NotFound("order"))
            : (await database.ReadAsync(
                read => fulfilments.LoadAsync(orderId, read, http.RequestAborted), http.RequestAborted), null);
    }
}
