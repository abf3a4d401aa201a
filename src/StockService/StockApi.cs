using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Runtime.Database;
using Orderwright.Http;

namespace Orderwright.StockService;

/// <summary>
/// Levels, the ledger and the holds over HTTP: <c>/api/v1/stock</c>, <c>/api/v1/reservations</c>.
/// </summary>
public sealed class StockApi(IDatabase database, SqlCatalog sql, ChangeCatalogue changes)
{
    const int MaxNoteLength = 500;

    public static Answer Tell(StockLevel level) => Answer.Json(
        StatusCodes.Status200OK, StockView.Of(level), StockJson.Default.StockView, version: level.Version);

    public void Map(IEndpointRouteBuilder routes)
    {
        var stock = routes.MapGroup("/api/v1/stock").WithTags("stock").Require(Scopes.Stock);
        stock.MapGet("", (Delegate)ListAsync).WithName("listStock").Lists("below").Produces<Page<StockView>>();
        stock.MapGet("/{sku}", GetAsync).WithName("getStock").Produces<StockView>();
        stock.MapPut("/{sku}", CountAsync).WithName("countStock")
            .Accepts<CountBody>("application/json").Produces<StockView>();
        stock.MapPost("/{sku}/adjustments", AdjustAsync).WithName("adjustStock")
            .Accepts<AdjustmentBody>("application/json").Produces<Movement>(StatusCodes.Status201Created);
        stock.MapGet("/{sku}/movements", ListMovementsAsync).WithName("listMovements").Lists()
            .Produces<Page<Movement>>();
        routes.MapGet("/api/v1/reservations", (Delegate)ListReservationsAsync).WithName("listReservations")
            .Lists("orderId", "sku").WithTags("stock").Require(Scopes.Stock).Produces<Page<Reservation>>();
    }

    async Task<IResult> ListAsync(HttpContext http)
    {
        var query = new ListQuery(http, "below");
        var below = query.Whole("below");
        if (query.Refusal is { } refusal) return refusal;
        var levels = await ReadAsync(
            "levels",
            SqlArgs.With("after", query.Position ?? "").And("below", below).And("most", query.Limit + 1),
            StockTables.ReadLevel, http);
        var (items, nextCursor) = Pages.Of(levels, query.Limit, level => level.Sku);
        return Answer.Json(
            StatusCodes.Status200OK, new([.. items.Select(StockView.Of)], nextCursor),
            StockJson.Default.PageStockView);
    }

    async Task<IResult> GetAsync(string sku, HttpContext http)
    {
        if (new Check().Id("sku", sku).Refusal is { } refusal) return refusal;
        return await ReadAsync("level", SqlArgs.With("sku", sku), StockTables.ReadLevel, http) is [var level]
            ? Tell(level)
            : Problem.NotFound("product");
    }

    async Task<IResult> CountAsync(string sku, HttpContext http)
    {
        var (command, refusal) = await Commands.ReadAsync(http, StockJson.Default.CountBody);
        if (command is null) return refusal!;
        var onHand = command.Body.OnHand;
        var check = new Check().Id("sku", sku).Range("/onHand", onHand, 0, Check.Most);
        return check.Refusal ?? await changes.SubmitAsync(command.For<CountBody, CatalogueChange>(
            new CatalogueChange.Count(sku, onHand, Precondition.Read(http))));
    }

    async Task<IResult> AdjustAsync(string sku, HttpContext http)
    {
        var (command, refusal) = await Commands.ReadAsync(http, StockJson.Default.AdjustmentBody);
        if (command is null) return refusal!;
        var (delta, reason, note) = command.Body;
        var check = new Check().Id("sku", sku)
            .Range("/delta", delta, -Check.Most, Check.Most)
            .OneOf("/reason", reason, MovementKinds.Adjustments)
            .OptionalText("/note", note, MaxNoteLength);
        if (delta == 0) check.Fail("/delta", "out_of_range", "It must not be 0.");
        return check.Refusal ?? await changes.SubmitAsync(command.For<AdjustmentBody, CatalogueChange>(
            new CatalogueChange.Adjust(sku, delta, reason, note)));
    }

    async Task<IResult> ListMovementsAsync(string sku, HttpContext http)
    {
        var query = new ListQuery(http);
        if ((new Check().Id("sku", sku).Refusal ?? query.Refusal) is { } refusal) return refusal;
        var before = long.MaxValue;
        if (query.Position is { } position
            && !long.TryParse(position, NumberStyles.None, CultureInfo.InvariantCulture, out before))
            return ForeignCursor();
        var movements = await ReadAsync(
            "movements", SqlArgs.With("sku", sku).And("before", before).And("most", query.Limit + 1),
            StockTables.ReadMovement, http);
        // The ledger outlives its product, so only a SKU that never was has no page at all.
        if (movements.Count == 0
            && await ReadAsync("level", SqlArgs.With("sku", sku), StockTables.ReadLevel, http) is [])
            return Problem.NotFound("product");
        return Answer.Json(
            StatusCodes.Status200OK,
            Pages.Of(movements, query.Limit, movement => movement.Seq.ToString(CultureInfo.InvariantCulture)),
            StockJson.Default.PageMovement);
    }

    // By order: what became of its goods, whatever that is. Else: the holds, newest order first.
    async Task<IResult> ListReservationsAsync(HttpContext http)
    {
        var query = new ListQuery(http, "orderId", "sku");
        var orderId = query.Id("orderId");
        var sku = query.Text("sku");
        var check = sku is null ? new Check() : new Check().Id("sku", sku);
        if ((query.Refusal ?? check.Refusal) is { } refusal) return refusal;
        var before = default(Guid);
        if (query.Position is { } position && !Guid.TryParseExact(position, "D", out before))
            return ForeignCursor();
        var reservations = orderId is not null
            ? await ReadAsync(
                "reservation", SqlArgs.With("order_id", orderId), StockTables.ReadReservation, http)
            : await ReadAsync(
                "held_reservations",
                SqlArgs.With("before", query.Position is null ? null : before).And("sku", sku)
                    .And("most", query.Limit + 1),
                StockTables.ReadReservation, http);
        if (orderId is not null && sku is not null)
            reservations.RemoveAll(reservation => reservation.Lines.All(line => line.Sku != sku));
        return Answer.Json(
            StatusCodes.Status200OK,
            Pages.Of(reservations, query.Limit, reservation => reservation.OrderId.ToString("D")),
            StockJson.Default.PageReservation);
    }

    Task<List<T>> ReadAsync<T>(string query, SqlArgs args, Func<IRow, T> map, HttpContext http) =>
        database.QueryAsync(sql[query], args, map, http.RequestAborted);

    static Answer ForeignCursor() =>
        Problem.Invalid("cursor", "invalid_cursor", "This cursor belongs to another list.");
}
