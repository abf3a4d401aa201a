using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Http;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator;

/// <summary>Sagas over HTTP, for operators: search, one with its timeline, the process itself.</summary>
public sealed class SagaApi(ServiceContext context, SagaMemory memory, SignsOfLife signs, IncidentNotes notes)
{
    // As a state: all that have not ended.
    const string Open = "open";
    static readonly string[] Ages = ["olderThan", "youngerThan"];
    static readonly string[] Filters = ["state", "step", "code", "waitingFor", "olderThan", "youngerThan", "ids"];

    public void Map(IEndpointRouteBuilder routes)
    {
        var sagas = routes.MapGroup("/api/v1/sagas").WithTags("sagas").Require(Scopes.Operator);
        sagas.MapGet("", (Delegate)ListAsync).WithName("listSagas").Lists(Filters)
            .WithDescription(
                "Newest first. As a state: `open` for all that have not ended, `turned_back` for all that are undone or being " +
                "undone. Ages in seconds, or ISO 8601 such as `PT15M`.")
            .Produces<Page<SagaItem>>();
        sagas.MapGet("/{orderId}", GetAsync).WithName("getSaga").Produces<SagaBody>();
        sagas.MapGet("/definition", (Delegate)GetDefinition).WithName("getSagaDefinition")
            .Produces<DefinitionBody>(StatusCodes.Status200OK, "application/json", Mermaid.ContentType);
    }

    async Task<IResult> ListAsync(HttpContext http)
    {
        var query = new ListQuery(http, Filters);
        var state = query.OneOf("state", [.. SagaStates.All, Open, SagaFilter.TurnedBack]);
        var waitingFor = query.Text("waitingFor");
        if (query.Refusal is { } refusal) return refusal;
        var filter = new SagaFilter(
            state == Open ? null : state, query.Text("step"), query.Text("code"), waitingFor, query.Text("olderThan"),
            query.Text("youngerThan"));
        foreach (var name in Ages)
            if (!SagaFilter.TryReadAge(query.Text(name), out _))
                return Problem.Invalid(name, "invalid_duration", "Seconds, or ISO 8601 such as PT15M.");
        if (!TryReadPosition(query.Position, out var before))
            return Problem.Invalid("cursor", "invalid_cursor", "This cursor belongs to another list.");

        if (query.Text("ids") is { } ids) return await ListByIdAsync(ids, http.RequestAborted);

        var onlyOpen = waitingFor is not null || state is not (null or "completed" or "compensated" or SagaFilter.TurnedBack);
        var sagas = await context.Database.QueryAsync(
            context.Sql[onlyOpen ? "open_sagas" : "sagas"],
            filter.Args(before, query.Limit + 1, context.Time.Now()),
            ReadView, http.RequestAborted);
        return Answer.Json(
            StatusCodes.Status200OK,
            Pages.Of([.. sagas.Select(SagaItem.Of)], query.Limit, saga => saga.OrderId.ToString("D")),
            SagaJson.Default.PageSagaItem);
    }

    // For whoever has a list of orders: their processes at one call; other filters do not count then.
    async Task<IResult> ListByIdAsync(string ids, CancellationToken cancel)
    {
        var asked = new List<Guid>();
        foreach (var text in ids.Split(','))
            if (Guid.TryParseExact(text, "D", out var id)) asked.Add(id);
            else return Problem.Invalid("ids", "invalid_id", "UUIDs with commas between them.");
        if (asked.Count > ListQuery.MaxLimit)
            return Problem.Invalid("ids", "out_of_range", $"At most {ListQuery.MaxLimit}.");
        var sagas = await context.Database.QueryAsync(
            context.Sql["sagas_by_id"], SqlArgs.OfUuids("order_id", [.. asked.Distinct()]), ReadView, cancel);
        return Answer.Json(
            StatusCodes.Status200OK, new Page<SagaItem>([.. sagas.Select(SagaItem.Of)], null),
            SagaJson.Default.PageSagaItem);
    }

    async Task<IResult> GetAsync(string orderId, HttpContext http)
    {
        if (!Guid.TryParseExact(orderId, "D", out var id))
            return Problem.Invalid("orderId", "invalid_id", "A UUID.");
        var found = await context.Database.QueryAsync(
            context.Sql["saga"], SqlArgs.With("order_id", id), ReadView, http.RequestAborted);
        if (found is not [var saga]) return Problem.NotFound("saga");
        var note = saga.Record.State.Status == SagaStatus.Failed ? await notes.FindAsync(id, http.RequestAborted) : null;
        return Answer.Json(
            StatusCodes.Status200OK, SagaBody.Of(saga, context.Time.Now(), signs, note), SagaJson.Default.SagaBody,
            version: saga.Record.State.Version);
    }

    static Answer GetDefinition(HttpContext http)
    {
        var definition = OrderSaga.Current;
        var accept = http.Request.Headers.Accept.ToString();
        return accept.Contains(Mermaid.ContentType, StringComparison.OrdinalIgnoreCase)
            ? new(StatusCodes.Status200OK, Encoding.UTF8.GetBytes(Mermaid.Of(definition)), Mermaid.ContentType)
            : Answer.Json(
                StatusCodes.Status200OK, DefinitionBody.Of(definition), SagaJson.Default.DefinitionBody);
    }

    // What this instance knows beyond the row is shown as well.
    SagaView ReadView(IRow row) => new(memory.LookBeyond(StoredSaga.Read(row)).Saga, row.Time(7));

    static bool TryReadPosition(string? position, out Guid? before)
    {
        before = null;
        if (position is null) return true;
        if (!Guid.TryParseExact(position, "D", out var id)) return false;
        before = id;
        return true;
    }
}
