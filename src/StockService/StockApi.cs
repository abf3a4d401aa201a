using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Contracts;
using Orderwright.Runtime.Database;
using Orderwright.Http;

namespace Orderwright.StockService;

/// <summary>
/// Levels, ledger and reservations over HTTP: <c>/api/v1/stock</c>, <c>/api/v1/reservations</c>.
/// </summary>
public sealed class StockApi(IDatabase database, SqlCatalog sql, ChangeCatalogue changes)
{
    public const int MaxNoteLength = 500;

    public static Answer Respond(StockLevel level) => Answer.Json(
        StatusCodes.Status200OK, StockResponse.Of(level), StockJson.Default.StockResponse, version: level.Version);

    public void Map(IEndpointRouteBuilder routes)
    {
        var stock = routes.MapGroup("/api/v1/stock").WithTags("stock").Require(Scopes.StockRead);
        stock.MapGet("", (Delegate)ListAsync).WithName("listStock").WithSummary("List levels by SKU").Lists("below")
            .Produces<Page<StockResponse>>();
        stock.MapGet("/{sku}", GetAsync).WithName("getStock").WithSummary("Get the level of a product")
            .Produces<StockResponse>().Conditional();
        stock.MapPut("/{sku}", CountAsync).Require(Scopes.Stock).WithName("countStock").WithSummary("Set the counted level")
            .Accepts<CountRequest>("application/json").Produces<StockResponse>().Conditional();
        stock.MapPost("/{sku}/adjustments", AdjustAsync).Require(Scopes.Stock).WithName("adjustStock")
            .WithSummary("Change the level by a difference")
            .Accepts<AdjustmentRequest>("application/json").Produces<StockMovement>(StatusCodes.Status201Created);
        stock.MapGet("/{sku}/movements", ListMovementsAsync).WithName("listMovements").Lists()
            .WithSummary("List the movements of a product, newest first")
            .Produces<Page<StockMovement>>();
        routes.MapGet("/api/v1/reservations", (Delegate)ListReservationsAsync).WithName("listReservations")
            .WithSummary("List the reservation of an order, or all open holds")
            .Lists("orderId", "sku").WithTags("stock").Require(Scopes.StockRead).Produces<Page<Reservation>>();
    }

    async Task<IResult> ListAsync(HttpContext http)
    {
        var query = new ListQuery(http, "below");
        var below = query.Whole("below");
        if (query.Refusal is { } refusal) return refusal;
        var levels = await ReadAsync(
            "levels",
            SqlArgs.With("after", query.Position ?? "").And("below", below).And("most", query.Limit + 1),
            StockStore.ReadLevel, http);
        var (items, nextCursor) = Pages.Of(levels, query.Limit, level => level.Sku);
        return Answer.Json(
            StatusCodes.Status200OK, new([.. items.Select(StockResponse.Of)], nextCursor),
            StockJson.Default.PageStockResponse);
    }

    async Task<IResult> GetAsync(string sku, HttpContext http)
    {
        if (new Check().Id("sku", sku).Refusal is { } refusal) return refusal;
        return await ReadAsync("level", SqlArgs.With("sku", sku), StockStore.ReadLevel, http) is [var level]
            ? Respond(level)
            : Problem.NotFound("product");
    }

    async Task<IResult> CountAsync(string sku, HttpContext http)
    {
        var (command, refusal) = await Commands.ReadAsync(http, StockJson.Default.CountRequest);
        if (command is null) return refusal!;
        var onHand = command.Body.OnHand;
        var check = new Check().Id("sku", sku).Range("/onHand", onHand, 0, Check.Most);
        return check.Refusal ?? await changes.SubmitAsync(command.For<CountRequest, CatalogueChange>(
            new CatalogueChange.Count(sku, onHand, Precondition.Read(http))));
    }

    async Task<IResult> AdjustAsync(string sku, HttpContext http)
    {
        var (command, refusal) = await Commands.ReadAsync(http, StockJson.Default.AdjustmentRequest);
        if (command is null) return refusal!;
        var (delta, reason, note) = command.Body;
        var check = new Check().Id("sku", sku)
            .Range("/delta", delta, -Check.Most, Check.Most)
            .OneOf("/reason", reason, MovementKinds.Adjustments)
            .OptionalText("/note", note, MaxNoteLength);
        if (delta == 0) check.Fail("/delta", "out_of_range", "Must not be 0.");
        return check.Refusal ?? await changes.SubmitAsync(command.For<AdjustmentRequest, CatalogueChange>(
            new CatalogueChange.Adjust(sku, delta, reason, note)));
    }

    async Task<IResult> ListMovementsAsync(string sku, HttpContext http)
    {
        var query = new ListQuery(http);
        if ((new Check().Id("sku", sku).Refusal ?? query.Refusal) is { } refusal) return refusal;
        var before = long.MaxValue;
        if (query.Position is { } position
            && !long.TryParse(position, NumberStyles.None, CultureInfo.InvariantCulture, out before))
            return Problem.InvalidCursor;
        var movements = await ReadAsync(
            "movements", SqlArgs.With("sku", sku).And("before", before).And("most", query.Limit + 1),
            StockStore.ReadMovement, http);
        // The ledger outlives its product: 404 only for a SKU that never existed.
        if (movements.Count == 0
            && await ReadAsync("level", SqlArgs.With("sku", sku), StockStore.ReadLevel, http) is [])
            return Problem.NotFound("product");
        return Answer.Json(
            StatusCodes.Status200OK,
            Pages.Of(movements, query.Limit, movement => movement.Seq.ToString(CultureInfo.InvariantCulture)),
            StockJson.Default.PageStockMovement);
    }

    // By order: the reservation in any state. Otherwise: the current holds, newest order first.
    async Task<IResult> ListReservationsAsync(HttpContext http)
    {
        var query = new ListQuery(http, "orderId", "sku");
        var orderId = query.Id("orderId");
        var sku = query.Text("sku");
        var check = sku is null ? new Check() : new Check().Id("sku", sku);
        if ((query.Refusal ?? check.Refusal) is { } refusal) return refusal;
        var before = default(Guid);
        if (query.Position is { } position && !Guid.TryParseExact(position, "D", out before))
            return Problem.InvalidCursor;
        var reservations = orderId is not null
            ? await ReadAsync(
                "reservation", SqlArgs.With("order_id", orderId), StockStore.ReadReservation, http)
            : await ReadAsync(
                "held_reservations",
                SqlArgs.With("before", query.Position is null ? null : before).And("sku", sku)
                    .And("most", query.Limit + 1),
                StockStore.ReadReservation, http);
        if (orderId is not null && sku is not null)
            reservations.RemoveAll(reservation => reservation.Lines.All(line => line.Sku != sku));
        return Answer.Json(
            StatusCodes.Status200OK,
            Pages.Of(reservations, query.Limit, reservation => reservation.OrderId.ToString("D")),
            StockJson.Default.PageReservation);
    }

    Task<List<T>> ReadAsync<T>(string query, SqlArgs args, Func<IRow, T> map, HttpContext http) =>
        database.QueryAsync(sql[query], args, map, http.RequestAborted);
}
