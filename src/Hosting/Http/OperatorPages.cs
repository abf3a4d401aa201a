using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Runtime;
using Orderwright.Http;
using Orderwright.Http.Operators;

namespace Orderwright.Hosting.Http;

/// <summary>Dead letters and the audit log of all services in this process, each as a single list.</summary>
sealed class OperatorPages(IReadOnlyList<OperatedService> services)
{
    const int MaxReason = 500;

    public const string OnCursors =
        "Each service keeps its own list. To read several as one, merge their pages, newest first, and continue at each of " +
        "them with the same cursor, which is valid for every service.";

    public void Map(IEndpointRouteBuilder routes)
    {
        var letters = routes.MapGroup("/api/v1/dead-letters").WithTags("operators").RequireAllChannels(Scopes.OperatorRead);
        letters.MapGet("", (Delegate)ListLettersAsync).WithName("listDeadLetters").Lists("orderId", "type", "open")
            .WithSummary("List messages that could not be read or handled, newest first")
            .WithDescription(
                "Of the services in this process. `open=true`: only those not replayed yet. " + OnCursors)
            .Produces<Page<DeadLetterResponse>>();
        letters.MapGet("{id}", GetLetterAsync).WithName("getDeadLetter")
            .WithSummary("Get a dead letter with its message").Produces<DeadLetterResponse>();
        letters.MapPost("{id}/replay", ReplayAsync).RequireAllChannels(Scopes.Operator).WithName("replayDeadLetter")
            .WithSummary("Send a dead letter again")
            .Query("preview")
            .Accepts<ReasonRequest>("application/json").Produces<ReplayResponse>();
        routes.MapGet("/api/v1/audit", (Delegate)ListAuditAsync).WithTags("operators").Require(Scopes.OperatorRead)
            .WithName("listAudit").Lists("orderId", "actor", "action", "run")
            .WithSummary("List operator actions, newest first")
            .WithDescription(
                "Of the services in this process. `run`: actions of one bulk run. " + OnCursors)
            .Produces<Page<AuditEntry>>();
    }

    async Task<IResult> ListLettersAsync(HttpContext http)
    {
        var query = new ListQuery(http, "orderId", "type", "open");
        var orderId = query.Id("orderId");
        var open = query.OneOf("open", ["true", "false"]) == "true";
        if (query.Refusal is { } refusal) return refusal;
        if (!TryReadPosition(query.Position, out var before)) return Problem.InvalidCursor;
        var filter = new DeadLetterFilter(before, orderId, query.Text("type"), open);
        var found = await Task.WhenAll(services.Select(
            service => service.DeadLetters.ListAsync(filter, query.Limit + 1, http.RequestAborted)));
        // By the id's big-endian bytes, as both databases compare.
        var rows = found.SelectMany(list => list)
            .OrderByDescending(PositionOf, StringComparer.Ordinal).Take(query.Limit + 1).ToList();
        return Answer.Json(
            StatusCodes.Status200OK,
            Pages.Of(rows, query.Limit, PositionOf),
            OperatorJson.Default.PageDeadLetterResponse);
    }

    static string PositionOf(DeadLetterResponse letter) => DeadLetterResponse.PositionOf(letter.FailedAt, letter.Id);

    async Task<IResult> GetLetterAsync(string id, HttpContext http)
    {
        if (!Guid.TryParseExact(id, "D", out var letterId)) return InvalidId;
        foreach (var service in services)
            if (await service.DeadLetters.FindAsync(letterId, http.RequestAborted) is { } letter)
                return Answer.Json(StatusCodes.Status200OK, letter, OperatorJson.Default.DeadLetterResponse);
        return Problem.NotFound("dead letter");
    }

    async Task<IResult> ReplayAsync(string id, HttpContext http)
    {
        if (!Guid.TryParseExact(id, "D", out var letterId)) return InvalidId;
        var query = new ListQuery(http, "preview");
        var preview = query.OneOf("preview", ["true", "false"]) == "true";
        if (query.Refusal is { } unknown) return unknown;
        var (command, refusal) = await Commands.ReadAsync(http, OperatorJson.Default.ReasonRequest);
        if (command is null) return refusal!;
        if (new Check().Text("/reason", command.Body.Reason, MaxReason).Refusal is { } invalid) return invalid;
        foreach (var service in services)
            if (await service.DeadLetters.FindAsync(letterId, http.RequestAborted) is not null)
                return preview
                    ? await service.DeadLetters.PreviewAsync(letterId, http.RequestAborted)
                    : await service.DeadLetters.ReplayAsync(command.For(new Replay(letterId, command.Body.Reason)));
        return Problem.NotFound("dead letter");
    }

    async Task<IResult> ListAuditAsync(HttpContext http)
    {
        var query = new ListQuery(http, "orderId", "actor", "action", "run");
        var (orderId, run) = (query.Id("orderId"), query.Id("run"));
        if (query.Refusal is { } refusal) return refusal;
        var before = default(Guid);
        if (query.Position is { } position && !Guid.TryParseExact(position, "N", out before)) return Problem.InvalidCursor;
        var filter = new AuditFilter(
            query.Position is null ? null : before, orderId, query.Text("actor"), query.Text("action"), run,
            Caller.Of(http).Channels.Filter);
        var found = await Task.WhenAll(services.Select(
            service => service.Audit.ListAsync(filter, query.Limit + 1, http.RequestAborted)));
        var rows = found.SelectMany(list => list)
            .OrderByDescending(PositionOf, StringComparer.Ordinal).Take(query.Limit + 1).ToList();
        return Answer.Json(
            StatusCodes.Status200OK, Pages.Of(rows, query.Limit, PositionOf),
            OperatorJson.Default.PageAuditEntry);
    }

    static string PositionOf(AuditEntry entry) => AuditEntry.PositionOf(entry.Id);

    static bool TryReadPosition(string? position, out (DateTimeOffset At, Guid Id)? before)
    {
        before = null;
        if (position is null) return true;
        if (position.Split(' ') is not [var time, var id]
            || !long.TryParse(time, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            || !Guid.TryParseExact(id, "D", out var letterId))
            return false;
        before = (DateTimeOffset.FromUnixTimeMilliseconds(milliseconds), letterId);
        return true;
    }

    static Answer InvalidId => Problem.Invalid("id", ErrorCodes.InvalidId, "A dead letter's id is a UUID.");
}
