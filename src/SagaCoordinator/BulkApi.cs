using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Http;
using Orderwright.Http.Operators;

namespace Orderwright.SagaCoordinator;

/// <param name="Action"><c>retry</c> or <c>compensate</c>.</param>
/// <param name="Where">Which open sagas; it must narrow them to something.</param>
/// <param name="Reason">Why, in the operator's own words: 1 to 500 characters.</param>
/// <param name="Canary">How many first, 0 to 1,000; 10 where it is left out.</param>
public sealed record BulkRequest(string Action, SagaFilter Where, string Reason, int Canary = 10);

/// <summary>What a bulk action would take.</summary>
/// <param name="Total">How many sagas.</param>
/// <param name="IsCapped">There are more than one bulk action takes.</param>
/// <param name="First">The first of them.</param>
public sealed record BulkPreview(int Total, bool IsCapped, IReadOnlyList<Guid> First);

/// <summary>A saga that a bulk action found.</summary>
/// <param name="OrderId">Whose process.</param>
/// <param name="Outcome">One of <see cref="BulkOrders.Names"/>.</param>
/// <param name="Saga">How it stands by now.</param>
public sealed record BulkOrder(Guid OrderId, string Outcome, SagaItem Saga);

/// <summary>Acting on many sagas over HTTP: <c>/api/v1/bulk-actions</c>.</summary>
public sealed class BulkApi(BulkActions bulk, BulkStops stops, ServiceContext context)
{
    const int MaxReason = 500;
    const int MaxCanary = 1_000;
    const int Shown = 20;
    static readonly string[] Verbs = ["retry", "compensate"];

    public void Map(IEndpointRouteBuilder routes)
    {
        var runs = routes.MapGroup("/api/v1/bulk-actions").WithTags("operators").Require(Scopes.Operator);
        runs.MapPost("", (Delegate)BeginAsync).WithName("beginBulkAction")
            .WithSummary("Act on many sagas: a few first, then the others, until too many do not go on")
            .WithDescription("With `?preview=true` nothing is done: the answer says how many it would take.")
            .Accepts<BulkRequest>("application/json").Produces<BulkRun>(StatusCodes.Status202Accepted)
            .Produces<BulkPreview>();
        runs.MapGet("", List).WithName("listBulkActions").Produces<Page<BulkRun>>();
        runs.MapGet("{id}", Get).WithName("getBulkAction").Produces<BulkRun>();
        runs.MapGet("{id}/orders", OrdersAsync).WithName("listBulkActionOrders").Lists("outcome")
            .WithSummary("The sagas that it found, newest first, and what became of each")
            .WithDescription("`outcome=acted`: all that were acted on, whatever became of them.")
            .Produces<Page<BulkOrder>>();
        runs.MapPost("{id}/stop", StopAsync).WithName("stopBulkAction")
            .WithSummary("Act on no more sagas than those at hand")
            .Accepts<ReasonRequest>("application/json").Produces<BulkRun>(StatusCodes.Status202Accepted);
    }

    async Task<IResult> BeginAsync(HttpContext http)
    {
        var query = new ListQuery(http, "preview");
        var preview = query.OneOf("preview", ["true", "false"]) == "true";
        if (query.Refusal is { } unknown) return unknown;
        var (command, refusal) = await Commands.ReadAsync(http, SagaJson.Default.BulkRequest);
        if (command is null) return refusal!;
        var (action, where, reason, canary) = command.Body;
        var check = new Check().OneOf("/action", action, Verbs).Text("/reason", reason, MaxReason)
            .Range("/canary", canary, 0, MaxCanary);
        if (where.State is { } state) check.OneOf("/where/state", state, SagaStates.All);
        if (where.IsEmpty) check.Fail("/where", "required", "It has to narrow the sagas to something.");
        foreach (var (name, age) in new[] { ("olderThan", where.OlderThan), ("youngerThan", where.YoungerThan) })
            if (!SagaFilter.TryReadAge(age, out _))
                check.Fail($"/where/{name}", "invalid_duration", "Seconds, or ISO 8601 such as PT15M.");
        if (check.Refusal is { } invalid) return invalid;
        if (preview)
        {
            var found = await bulk.FindAsync(where, http.RequestAborted);
            return Answer.Json(
                StatusCodes.Status200OK,
                new(found.Count, found.Count >= BulkActions.MostSagas, [.. found.Take(Shown).Select(saga => saga.OrderId)]),
                SagaJson.Default.BulkPreview);
        }
        var verb = action == Verbs[0] ? OperatorVerb.Retry : OperatorVerb.Compensate;
        // What was begun is kept as long as the run; the key, the caller and the whole request name it.
        var id = command.Key is null
            ? (Guid?)null
            : new Guid(SHA256.HashData([.. Encoding.UTF8.GetBytes($"{command.Scope} {command.Key} "), .. command.Hash])[..16]);
        return bulk.Begin(new BulkWish(verb, where, reason, canary, command.Caller), id) is { } run
            ? Answer.Json(
                StatusCodes.Status202Accepted, run, SagaJson.Default.BulkRun, $"/api/v1/bulk-actions/{run.Id}")
            : Problem.Of(StatusCodes.Status503ServiceUnavailable, "overloaded", "Too many bulk actions wait already.")
                with { RetryAfter = TimeSpan.FromSeconds(10) };
    }

    async Task<IResult> OrdersAsync(string id, HttpContext http)
    {
        if (!Guid.TryParseExact(id, "D", out var runId)) return Problem.Invalid("id", "invalid_id", "A UUID.");
        var query = new ListQuery(http, "outcome");
        var outcome = query.OneOf("outcome", BulkOrders.Names);
        if (query.Refusal is { } refusal) return refusal;
        var before = default(Guid);
        if (query.Position is { } position && !Guid.TryParseExact(position, "D", out before))
            return Problem.Invalid("cursor", "invalid_cursor", "This cursor belongs to another list.");
        if (bulk.Find(runId) is null) return Problem.NotFound("bulk action");
        var found = bulk.OrdersOf(runId).Page(outcome, query.Position is null ? null : before, query.Limit + 1);
        var sagas = (await context.Database.QueryAsync(
            context.Sql["sagas_by_id"], SqlArgs.OfUuids("order_id", [.. found.Select(one => one.Id)]),
            row => SagaItem.Of(SagaView.Read(row)), http.RequestAborted)).ToDictionary(saga => saga.OrderId);
        return Answer.Json(
            StatusCodes.Status200OK,
            Pages.Of(
                [.. found.Select(one => new BulkOrder(one.Id, BulkOrders.NameOf(one.Outcome), sagas[one.Id]))],
                query.Limit, one => one.OrderId.ToString("D")),
            SagaJson.Default.PageBulkOrder);
    }

    async Task<IResult> StopAsync(string id, HttpContext http)
    {
        if (!Guid.TryParseExact(id, "D", out var runId)) return Problem.Invalid("id", "invalid_id", "A UUID.");
        var (command, refusal) = await Commands.ReadAsync(http, OperatorJson.Default.ReasonRequest);
        if (command is null) return refusal!;
        return new Check().Text("/reason", command.Body.Reason, MaxReason).Refusal
            ?? await stops.SubmitAsync(command.For(new BulkStop(runId, command.Body.Reason)));
    }

    Answer List() => Answer.Json(
        StatusCodes.Status200OK, new Page<BulkRun>(bulk.Runs, null), SagaJson.Default.PageBulkRun);

    Answer Get(string id) =>
        !Guid.TryParseExact(id, "D", out var runId) ? Problem.Invalid("id", "invalid_id", "A UUID.")
        : bulk.Find(runId) is { } run ? Answer.Json(StatusCodes.Status200OK, run, SagaJson.Default.BulkRun)
        : Problem.NotFound("bulk action");
}
