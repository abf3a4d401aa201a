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
public sealed class SagaApi(ServiceContext context, ProcessVersions versions, Heartbeats heartbeats)
{
    // Pseudo-state of all open sagas.
    const string Open = "open";
    static readonly string[] Ages = ["olderThan", "youngerThan"];
    static readonly string[] Filters = ["state", "step", "code", "waitingFor", "olderThan", "youngerThan", "ids"];

    public void Map(IEndpointRouteBuilder routes)
    {
        var sagas = routes.MapGroup("/api/v1/sagas").WithTags("sagas").Require(Scopes.OperatorRead);
        sagas.MapGet("", (Delegate)ListAsync).WithName("listSagas").Lists(Filters)
            .Query("state", [.. SagaStates.All, Open, SagaFilter.RolledBack]).WithSummary("List sagas, newest first")
            .WithDescription(
                "A state, or `open` for all open sagas, `rolled_back` for all that are " +
                "undone or being undone. Ages in seconds, or ISO 8601 such as `PT15M`.")
            .Produces<Page<SagaItem>>();
        sagas.MapGet("/{orderId}", GetAsync).WithName("getSaga")
            .WithSummary("Get the saga of an order, with its timeline").Produces<SagaResponse>().HasVersion();
        // The former path, which looks like that of a saga.
        sagas.MapGet("/definition", (Delegate)GetDefinition).ExcludeFromDescription();
        routes.MapGet("/api/v1/process/definition", (Delegate)GetDefinition).WithName("getSagaDefinition").WithTags("sagas")
            .Require(Scopes.OperatorRead).Query("version").WithSummary("Get the process with its retry policies")
            .WithDescription("Without a version, the process of new orders. As JSON, or as a Mermaid diagram.")
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

        if (query.Text("ids") is { } ids) return await ListByIdAsync(ids, Caller.Of(http).Channels, http.RequestAborted);

        var onlyOpen = waitingFor is not null || state is not (null or "completed" or "compensated" or SagaFilter.RolledBack);
        var sagas = await context.Database.QueryAsync(
            context.Sql[onlyOpen ? "open_sagas" : "sagas"],
            filter.Args(before, query.Limit + 1, context.Time.Now(), Caller.Of(http).Channels),
            versions.Read, http.RequestAborted);
        return Answer.Json(
            StatusCodes.Status200OK,
            Pages.Of([.. sagas.Select(SagaItem.Of)], query.Limit, saga => saga.OrderId.ToString("D")),
            SagaJson.Default.PageSagaItem);
    }

    // Callers with a list of orders get all their sagas in one call; other filters are ignored.
    async Task<IResult> ListByIdAsync(string ids, ChannelSet channels, CancellationToken cancel)
    {
        var orderIds = new List<Guid>();
        foreach (var text in ids.Split(','))
            if (Guid.TryParseExact(text, "D", out var id)) orderIds.Add(id);
            else return Problem.Invalid("ids", "invalid_id", "UUIDs, separated by commas.");
        if (orderIds.Count > ListQuery.MaxLimit)
            return Problem.Invalid("ids", "out_of_range", $"At most {ListQuery.MaxLimit}.");
        var sagas = await context.Database.QueryAsync(
            context.Sql["sagas_by_id"],
            SqlArgs.OfUuids("order_id", [.. orderIds.Distinct()]).And("channels", channels.Filter), versions.Read, cancel);
        return Answer.Json(
            StatusCodes.Status200OK, new Page<SagaItem>([.. sagas.Select(SagaItem.Of)], null),
            SagaJson.Default.PageSagaItem);
    }

    async Task<IResult> GetAsync(string orderId, HttpContext http)
    {
        var (id, refusal) = RouteId.Read(orderId, "orderId");
        if (id is null) return refusal!;
        var found = await context.Database.QueryAsync(
            context.Sql["saga"], SqlArgs.With("order_id", id).And("channels", Caller.Of(http).Channels.Filter), versions.Read,
            http.RequestAborted);
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

    IResult GetDefinition(HttpContext http)
    {
        var query = new ListQuery(http, "version");
        var text = query.Text("version");
        if (query.Refusal is { } refusal) return refusal;
        if (!versions.TryFind(text, out var definition)) return Problem.NotFound("version");
        var accept = http.Request.Headers.Accept.ToString();
        return accept.Contains(Mermaid.ContentType, StringComparison.OrdinalIgnoreCase)
            ? new Answer(StatusCodes.Status200OK, Encoding.UTF8.GetBytes(Mermaid.Of(definition)), Mermaid.ContentType)
            : Answer.Json(
                StatusCodes.Status200OK, DefinitionResponse.Of(definition), SagaJson.Default.DefinitionResponse);
    }
}
