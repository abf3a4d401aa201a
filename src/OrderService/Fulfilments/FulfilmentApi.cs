using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Http;

namespace Orderwright.OrderService.Fulfilments;

/// <summary>Fulfilments over HTTP: <c>/api/v1/orders/{id}/fulfilments</c>.</summary>
public sealed class FulfilmentApi(
    FindOrders find, FulfilmentStore fulfilments, CommandGroup<ShipOrder> shipping, IDatabase database, TimeProvider time)
{
    public const int MaxTracking = 100;

    public void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/v1/orders/{id}/fulfilments").WithTags("fulfilments").Require(Scopes.OrdersRead);
        group.MapPost("", ShipAsync).Require(Scopes.OrdersShip).WithName("fulfilOrder")
            .WithSummary("Ship part of an order, or all remaining goods")
            .WithDescription(
                "Ships the request in full or not at all. Without `lines`, all remaining goods ship; a line listed twice " +
                "counts twice. 409 `not_fulfillable` unless the order is confirmed, `exceeds_ordered` for more than was " +
                "ordered, `refunded` when the order's money was returned, or when what is left of it does not cover goods that " +
                "the request does not name; an operator ships them with `force`. An order with a fulfilment cannot be " +
                "cancelled. Accepts an `Idempotency-Key`.")
            .Accepts<FulfilmentRequest>("application/json").Produces<FulfilmentResponse>(201);
        group.MapGet("", ListAsync).WithName("listFulfilments").Lists()
            .WithSummary("List an order's fulfilments, in order of their numbers").Produces<Page<FulfilmentResponse>>();
        group.MapGet("/{fulfilmentId}", GetAsync).WithName("getFulfilment")
            .WithSummary("Get a fulfilment").Produces<FulfilmentResponse>();
    }

    public async Task<Answer> ShipAsync(HttpContext http, string id)
    {
        var (routeId, malformed) = RouteId.Read(id);
        if (routeId is not { } orderId) return malformed!;
        var (request, refusal) = await Commands.ReadAsync(http, OrderJson.Default.FulfilmentRequest);
        if (request is null) return refusal!;
        var (lines, tracking, force) = request.Body;
        if (force && !request.Caller.May(Scopes.Operator))
            return Problem.Of(
                StatusCodes.Status403Forbidden, ProblemCodes.MissingScope, "Only the scope operator may ship with force.");
        var check = new Check().OptionalText("/tracking/carrier", tracking?.Carrier, MaxTracking)
            .OptionalReference("/tracking/number", tracking?.Number, MaxTracking);
        if (lines is { Count: < 1 or > OrderChecks.MaxLines })
            check.Fail("/lines", "out_of_range", $"1 to {OrderChecks.MaxLines} lines; omit for all remaining goods.");
        for (var i = 0; i < Math.Min(lines?.Count ?? 0, OrderChecks.MaxLines); i++)
            check.Range($"/lines/{i}/line", lines![i].Line, 1, OrderChecks.MaxLines)
                .Range($"/lines/{i}/quantity", lines[i].Quantity, 1, OrderChecks.MaxQuantity);
        return check.Refusal ?? await shipping.SubmitAsync(request.For(new ShipOrder(
            orderId, lines, tracking, force, Requests.MomentOf(http, time), Activity.Current?.Id,
            Activity.Current?.TraceStateString)));
    }

    async Task<Answer> ListAsync(HttpContext http, string id)
    {
        var query = new ListQuery(http);
        if (query.Refusal is { } refusal) return refusal;
        var after = 0;
        if (query.Position is { } position && !int.TryParse(position, out after)) return Problem.InvalidCursor;
        var (found, refused, missing) = await FindAsync(http, id);
        return missing ?? Answer.Json(
            StatusCodes.Status200OK,
            Pages.Of(
                [
                    .. found.Where(row => row.Number > after).Take(query.Limit + 1)
                        .Select(row => FulfilmentResponse.Of(row, refused.GetValueOrDefault(row.Number))),
                ],
                query.Limit, row => $"{row.Number}"),
            OrderJson.Default.PageFulfilmentResponse);
    }

    async Task<Answer> GetAsync(HttpContext http, string id, string fulfilmentId)
    {
        var (routeId, malformed) = RouteId.Read(fulfilmentId, "fulfilmentId");
        if (routeId is not { } wanted) return malformed!;
        var (found, refused, refusal) = await FindAsync(http, id);
        return refusal ?? (found.Find(fulfilment => fulfilment.Id == wanted) is { } fulfilment
            ? FulfilmentResponse.Answer(
                StatusCodes.Status200OK, fulfilment, attention: refused.GetValueOrDefault(fulfilment.Number))
            : Problem.NotFound("fulfilment"));
    }

    async Task<(List<Fulfilment> Found, Dictionary<int, string> Refused, Answer? Refusal)> FindAsync(HttpContext http, string id)
    {
        var (routeId, malformed) = RouteId.Read(id);
        if (routeId is not { } orderId) return ([], [], malformed);
        if (await find.FindAsync(orderId, Caller.Of(http).Channels, http.RequestAborted) is null)
            return ([], [], Problem.NotFound("order"));
        return await database.ReadAsync(
            async queries =>
            {
                var found = await fulfilments.LoadAsync(queries, orderId, http.RequestAborted);
                var refused = (await fulfilments.LoadRefusedAsync(queries, orderId, http.RequestAborted))
                    .GroupBy(row => row.Number).ToDictionary(
                        rows => rows.Key, rows => string.Join(" ", rows.Select(row => $"{row.Participant}: {row.Why}")));
                return (found, refused, (Answer?)null);
            },
            http.RequestAborted);
    }
}
