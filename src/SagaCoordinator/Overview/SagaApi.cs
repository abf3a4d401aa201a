using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Http;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.SagaCoordinator.Process;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator.Overview;

/// <summary>HTTP API of sagas, for operators: search, a saga with its timeline, the process definition.</summary>
public sealed class SagaApi(ServiceContext context, Heartbeats heartbeats)
{
    // Pseudo-state of all open sagas.
    const string Open = "open";
    static readonly string[] Ages = ["olderThan", "youngerThan"];
    static readonly string[] Filters = ["state", "step", "code", "waitingFor", "olderThan", "youngerThan", "ids"];

    public void Map(IEndpointRouteBuilder routes)
    {
        var sagas = routes.MapGroup("/api/v1/sagas").WithTags("sagas").Require(Scopes.Operator);
        sagas.MapGet("", (Delegate)ListAsync).WithName("listSagas").Lists(Filters)
            .WithDescription(
                "Newest first. Besides the states: `open` for all open sagas, `rolled_back` for all that are " +
                "undone or being undone. Ages in seconds, or ISO 8601 such as `PT15M`.")
            .Produces<Page<SagaItem>>();
        sagas.MapGet("/{orderId}", GetAsync).WithName("getSaga").Produces<SagaResponse>();
        sagas.MapGet("/definition", (Delegate)GetDefinition).WithName("getSagaDefinition")
            .Produces<DefinitionResponse>(StatusCodes.Status200OK, "application/json", Mermaid.ContentType);
    }

    async Task<IResult> ListAsync(HttpContext http)
    {
        var query = new ListQuery(http, Filters);
        var state = query.OneOf("state", [.. SagaStates.All, Open, SagaFilter.RolledBack]);
        var waitingFor = query.Text("waitingFor");
        if (query.Refusal is { } refusal) return refusal;
        var filter = new SagaFilter(
            state == Open ? null : state, query.Text("step"), query.Text("code"), waitingFor, query.Text("olderThan"),
            query.Text("youngerThan"));
        foreach (var name in Ages)
            if (!SagaFilter.TryReadAge(query.Text(name), out _))
                return Problem.Invalid(name, "invalid_duration", "Seconds, or ISO 8601 such as PT15M.");
        if (!OverviewApi.TryReadPosition(query.Position, out var before)) return Problem.InvalidCursor;

        if (query.Text("ids") is { } ids) return await ListByIdAsync(ids, http.RequestAborted);

        var onlyOpen = waitingFor is not null || state is not (null or "completed" or "compensated" or SagaFilter.RolledBack);
        var sagas = await context.Database.QueryAsync(
            context.Sql[onlyOpen ? "open_sagas" : "sagas"],
            filter.Args(before, query.Limit + 1, context.Time.Now()),
            SagaColumns.Read, http.RequestAborted);
        return Answer.Json(
            StatusCodes.Status200OK,
            Pages.Of([.. sagas.Select(SagaItem.Of)], query.Limit, saga => saga.OrderId.ToString("D")),
            SagaJson.Default.PageSagaItem);
    }

    // Callers with a list of orders get all their sagas in one call; other filters are ignored.
    async Task<IResult> ListByIdAsync(string ids, CancellationToken cancel)
    {
        var orderIds = new List<Guid>();
        foreach (var text in ids.Split(','))
            if (Guid.TryParseExact(text, "D", out var id)) orderIds.Add(id);
            else return Problem.Invalid("ids", "invalid_id", "UUIDs, separated by commas.");
        if (orderIds.Count > ListQuery.MaxLimit)
            return Problem.Invalid("ids", "out_of_range", $"At most {ListQuery.MaxLimit}.");
        var sagas = await context.Database.QueryAsync(
            context.Sql["sagas_by_id"], SqlArgs.OfUuids("order_id", [.. orderIds.Distinct()]), SagaColumns.Read, cancel);
        return Answer.Json(
            StatusCodes.Status200OK, new Page<SagaItem>([.. sagas.Select(SagaItem.Of)], null),
            SagaJson.Default.PageSagaItem);
    }

    async Task<IResult> GetAsync(string orderId, HttpContext http)
    {
        var (id, refusal) = RouteId.Read(orderId, "orderId");
        if (id is null) return refusal!;
        var found = await context.Database.QueryAsync(
            context.Sql["saga"], SqlArgs.With("order_id", id), SagaColumns.Read, http.RequestAborted);
        if (found is not [var saga]) return Problem.NotFound("saga");
        var note = saga.State.Status == SagaStatus.Failed ? await FindNoteAsync(id.Value, http.RequestAborted) : null;
        return Answer.Json(
            StatusCodes.Status200OK, SagaResponse.Of(saga, context.Time.Now(), heartbeats, note),
            SagaJson.Default.SagaResponse, version: saga.State.Version);
    }

    async Task<IncidentNote?> FindNoteAsync(Guid orderId, CancellationToken cancel) =>
        (await context.Database.QueryAsync(
            context.Sql["incident_notes"], SqlArgs.OfUuids("order_id", [orderId]), IncidentNote.Read, cancel))
        .SingleOrDefault();

    static Answer GetDefinition(HttpContext http)
    {
        var definition = OrderSaga.Current;
        var accept = http.Request.Headers.Accept.ToString();
        return accept.Contains(Mermaid.ContentType, StringComparison.OrdinalIgnoreCase)
            ? new(StatusCodes.Status200OK, Encoding.UTF8.GetBytes(Mermaid.Of(definition)), Mermaid.ContentType)
            : Answer.Json(
                StatusCodes.Status200OK, DefinitionResponse.Of(definition), SagaJson.Default.DefinitionResponse);
    }
}
