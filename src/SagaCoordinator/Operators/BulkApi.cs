using System.ComponentModel.DataAnnotations;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Http.Operators;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.SagaCoordinator.Overview;
using Orderwright.SagaCoordinator.Process;

namespace Orderwright.SagaCoordinator.Operators;

/// <summary>Body of <c>POST /bulk-actions</c>.</summary>
/// <param name="Action"><c>retry</c>, <c>compensate</c> or <c>resolve</c>.</param>
/// <param name="Where">Filter of the open sagas; must not be empty.</param>
/// <param name="Reason">The operator's own words, 1 to 500 characters.</param>
/// <param name="Canary">Size of the canary batch, 0 to 1,000; by default a tenth, at most 10 and at least 1.</param>
/// <param name="Outcome">
/// With <c>resolve</c>: <c>completed</c> or <c>rejected</c>, recorded for the step that <paramref name="Where"/> names.
/// </param>
/// <param name="Undo">With <c>resolve</c>: true resolves the undo of the step, false the step.</param>
public sealed record BulkRequest(
    [OneOf("retry", "compensate", "resolve")] string Action, SagaFilter Where, [Length(1, BulkApi.MaxReason)] string Reason,
    [Range(0, BulkApi.MaxCanary)] int? Canary = null, [OneOf("completed", "rejected")] string? Outcome = null,
    bool? Undo = null);

/// <summary>Preview of a bulk action.</summary>
/// <param name="Total">Number of sagas.</param>
/// <param name="IsCapped">There are more sagas than one bulk action takes.</param>
/// <param name="First">The first sagas.</param>
/// <param name="Canary">Number of sagas that are acted on first.</param>
public sealed record BulkPreview(int Total, bool IsCapped, IReadOnlyList<Guid> First, int Canary);

/// <summary>Saga of a bulk action.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="Outcome">An element of <see cref="BulkOrders.Names"/>.</param>
/// <param name="Saga">Current state of the saga.</param>
public sealed record BulkOrder(Guid OrderId, [OneOf(typeof(BulkOutcomes))] string Outcome, SagaItem Saga);

/// <summary>HTTP API of bulk actions: <c>/api/v1/bulk-actions</c>.</summary>
public sealed class BulkApi(BulkActions bulk, BulkStops stops, ProcessVersions versions, ServiceContext context)
{
    public const int MaxReason = 500;
    public const int MaxCanary = 1_000;
    const int Shown = 20;
    static readonly string[] Verbs = ["retry", "compensate", "resolve"];

    public void Map(IEndpointRouteBuilder routes)
    {
        var runs = routes.MapGroup("/api/v1/bulk-actions").WithTags("operators").Require(Scopes.OperatorRead);
        runs.MapPost("", (Delegate)BeginAsync).Require(Scopes.Operator).WithName("beginBulkAction")
            .WithSummary("Act on many sagas: a canary batch first, then the others, until too many do not advance")
            .Accepts<BulkRequest>("application/json").Produces<BulkRun>(StatusCodes.Status202Accepted);
        routes.MapPost("/api/v1/bulk-action-previews", (Delegate)PreviewAsync).WithName("previewBulkAction")
            .WithTags("operators").Require(Scopes.OperatorRead).WithSummary("Count the sagas of a bulk action")
            .WithDescription("Nothing is done.")
            .Accepts<BulkRequest>("application/json").Produces<BulkPreview>();
        runs.MapGet("", List).WithName("listBulkActions").WithSummary("List bulk actions").Produces<Page<BulkRun>>();
        runs.MapGet("{id}", Get).WithName("getBulkAction").WithSummary("Get a bulk action").Produces<BulkRun>();
        runs.MapGet("{id}/orders", OrdersAsync).WithName("listBulkActionOrders").Lists("outcome")
            .Query("outcome", BulkOrders.Names)
            .WithSummary("Sagas of a bulk action with their outcomes, newest first")
            .WithDescription("`outcome=acted`: all sagas that were acted on, regardless of the result.")
            .Produces<Page<BulkOrder>>();
        runs.MapPost("{id}/stop", StopAsync).Require(Scopes.Operator).WithName("stopBulkAction")
            .WithSummary("Stop a bulk action after the current batch")
            .Accepts<ReasonRequest>("application/json").Produces<BulkRun>(StatusCodes.Status202Accepted);
    }

    Task<IResult> PreviewAsync(HttpContext http) => BeginOrPreviewAsync(http, preview: true, new ListQuery(http).Refusal);

    // `?preview=true` is the former form of the preview's path.
    Task<IResult> BeginAsync(HttpContext http)
    {
        var query = new ListQuery(http, "preview");
        return BeginOrPreviewAsync(http, query.OneOf("preview", ["true", "false"]) == "true", query.Refusal);
    }

    async Task<IResult> BeginOrPreviewAsync(HttpContext http, bool preview, Answer? unknown)
    {
        if (unknown is not null) return unknown;
        var (command, refusal) = await Commands.ReadAsync(http, OperatorSagaJson.Default.BulkRequest);
        if (command is null) return refusal!;
        var (verb, where, reason, canary, outcome, undo) = command.Body;
        var check = new Check().OneOf("/action", verb, Verbs).Text("/reason", reason, MaxReason)
            .Range("/canary", canary ?? 0, 0, MaxCanary);
        if (verb == Verbs[2] || outcome is not null) check.OneOf("/outcome", outcome ?? "", OperatorApi.Outcomes);
        if (verb == Verbs[2])
        {
            if (undo is null) check.Fail("/undo", "required", "True for the undo of the step, false for the step.");
            if (where.Step is null) check.Fail("/where/step", "required", "A resolution names its step.");
        }
        if (where.State is { } state) check.OneOf("/where/state", state, SagaStates.All);
        if (where.IsEmpty) check.Fail("/where", "required", "At least one filter is required.");
        foreach (var (name, age) in new[] { ("olderThan", where.OlderThan), ("youngerThan", where.YoungerThan) })
            if (!SagaFilter.TryReadAge(age, out _))
                check.Fail($"/where/{name}", "invalid_duration", "Seconds, or ISO 8601 such as PT15M.");
        if (check.Refusal is { } invalid) return invalid;
        var action = new BulkAction(
            Enum.Parse<OperatorVerb>(verb, ignoreCase: true), where, reason, canary, command.Caller,
            outcome == OperatorApi.Outcomes[0], undo ?? false);
        if (preview)
        {
            var found = await bulk.FindAsync(action, http.RequestAborted);
            return Answer.Json(
                StatusCodes.Status200OK,
                new(found.Count, found.Count >= BulkActions.MostSagas, [.. found.Take(Shown).Select(saga => saga.OrderId)],
                    action.CanaryFor(found.Count)),
                OperatorSagaJson.Default.BulkPreview);
        }
        // The id identifies key, caller and request, so a repeated request finds the run as long as the run is kept.
        var id = command.Key is null
            ? (Guid?)null
            : new Guid(SHA256.HashData([.. Encoding.UTF8.GetBytes($"{command.Scope} {command.Key} "), .. command.Hash])[..16]);
        return bulk.Begin(action, id) is { } run
            ? Answer.Json(
                StatusCodes.Status202Accepted, run, OperatorSagaJson.Default.BulkRun, $"/api/v1/bulk-actions/{run.Id}")
            : Problem.Of(StatusCodes.Status503ServiceUnavailable, "overloaded", "Too many bulk actions are waiting.")
                with { RetryAfter = TimeSpan.FromSeconds(10) };
    }

    async Task<IResult> OrdersAsync(string id, HttpContext http)
    {
        var (runId, invalid) = RouteId.Read(id);
        if (runId is null) return invalid!;
        var query = new ListQuery(http, "outcome");
        var outcome = query.OneOf("outcome", BulkOrders.Names);
        if (query.Refusal is { } refusal) return refusal;
        if (!OverviewApi.TryReadPosition(query.Position, out var before)) return Problem.InvalidCursor;
        if (bulk.Find(runId.Value, Caller.Of(http).Channels) is null) return Problem.NotFound("bulk action");
        var found = bulk.OrdersOf(runId.Value).Page(outcome, before, query.Limit + 1);
        var sagas = (await context.Database.QueryAsync(
            context.Sql["sagas_by_id"],
            SqlArgs.OfUuids("order_id", [.. found.Select(order => order.Id)]).And("channels", (string?)null),
            row => SagaItem.Of(versions.Read(row)), http.RequestAborted)).ToDictionary(saga => saga.OrderId);
        return Answer.Json(
            StatusCodes.Status200OK,
            Pages.Of(
                [.. found.Select(order => new BulkOrder(order.Id, BulkOrders.NameOf(order.Outcome), sagas[order.Id]))],
                query.Limit, order => order.OrderId.ToString("D")),
            OperatorSagaJson.Default.PageBulkOrder);
    }

    async Task<IResult> StopAsync(string id, HttpContext http)
    {
        var (runId, invalid) = RouteId.Read(id);
        if (runId is null) return invalid!;
        var (command, refusal) = await Commands.ReadAsync(http, OperatorJson.Default.ReasonRequest);
        if (command is null) return refusal!;
        return new Check().Text("/reason", command.Body.Reason, MaxReason).Refusal
            ?? await stops.SubmitAsync(command.For(new BulkStop(runId.Value, command.Body.Reason)));
    }

    Answer List(HttpContext http) => Answer.Json(
        StatusCodes.Status200OK,
        new Page<BulkRun>([.. bulk.Runs.Where(run => Caller.Of(http).Channels.Covers(run.Channels))], null),
        OperatorSagaJson.Default.PageBulkRun);

    Answer Get(HttpContext http, string id)
    {
        var (runId, invalid) = RouteId.Read(id);
        if (runId is null) return invalid!;
        return bulk.Find(runId.Value, Caller.Of(http).Channels) is { } run
            ? Answer.Json(StatusCodes.Status200OK, run, OperatorSagaJson.Default.BulkRun)
            : Problem.NotFound("bulk action");
    }
}
