using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Http;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator;

/// <summary>An open incident: a process that goes on only when a person acts, or an answer comes after all.</summary>
/// <param name="OrderId">Whose process.</param>
/// <param name="Step">Which step is stuck.</param>
/// <param name="Undo">It is the undo of the step.</param>
/// <param name="Participant">Who was asked.</param>
/// <param name="Code">Stable.</param>
/// <param name="Message">The participant's last word, or ours.</param>
/// <param name="Attempts">How often it was asked.</param>
/// <param name="AskedAt">When it was first asked.</param>
/// <param name="StuckAt">When the process last moved, which is when it got stuck.</param>
/// <param name="CustomerId">The order's.</param>
/// <param name="Currency">The order's.</param>
/// <param name="Total">Minor units; null until the order is priced.</param>
/// <param name="Summary">The same as a sentence.</param>
/// <param name="Note">Who minds it and what they found out; null where nobody wrote anything.</param>
public sealed record IncidentItem(
    Guid OrderId, string Step, bool Undo, string Participant, string Code, string? Message, int Attempts,
    DateTimeOffset? AskedAt, DateTimeOffset StuckAt, string CustomerId, string Currency, long? Total, string Summary,
    IncidentNote? Note);

/// <summary>A timer of a process.</summary>
/// <param name="OrderId">Whose.</param>
/// <param name="DueAt">When it looks at the process again; it may do so early, and find nothing to do.</param>
/// <param name="Overdue">It should have done so more than five seconds ago.</param>
/// <param name="State">Of the process.</param>
/// <param name="Step">Where the process stands.</param>
/// <param name="WaitingFor">For whom.</param>
/// <param name="NextActionAt">When there is something to do.</param>
public sealed record TimerItem(
    Guid OrderId, DateTimeOffset DueAt, bool Overdue, string State, string? Step, string? WaitingFor,
    DateTimeOffset? NextActionAt);

/// <summary>What needs a person, what comes next, and how it all goes: over HTTP.</summary>
public sealed class OverviewApi(ServiceContext context, Overview overview, SignsOfLife signs, IncidentNotes notes)
{
    public void Map(IEndpointRouteBuilder routes)
    {
        var operators = routes.MapGroup("/api/v1").WithTags("operators").Require(Scopes.Operator);
        operators.MapGet("/overview", (Delegate)OverviewAsync).WithName("getOverview")
            .WithSummary("Counts, rates and ages per step").Produces<OverviewBody>();
        operators.MapGet("/incidents", (Delegate)IncidentsAsync).WithName("listIncidents").Lists("step", "code", "owner")
            .WithSummary("What needs a person, newest order first").Produces<Page<IncidentItem>>();
        operators.MapPut("/incidents/{orderId}", (Delegate)notes.WriteAsync).WithName("noteIncident")
            .WithSummary("Say who minds an incident, and what they found out")
            .WithDescription("It replaces what stood there. Audited.")
            .Accepts<IncidentNoteRequest>("application/json").Produces<IncidentNote>();
        operators.MapGet("/timers", (Delegate)TimersAsync).WithName("listTimers").Lists("overdue")
            .WithSummary("What the coordinator does next, and what it should have done").Produces<Page<TimerItem>>();
    }

    async Task<IResult> OverviewAsync(HttpContext http) => Answer.Json(
        StatusCodes.Status200OK, await overview.ReadAsync(http.RequestAborted), SagaJson.Default.OverviewBody);

    async Task<IResult> IncidentsAsync(HttpContext http)
    {
        var query = new ListQuery(http, "step", "code", "owner");
        if (query.Refusal is { } refusal) return refusal;
        var before = default(Guid);
        if (query.Position is { } position && !Guid.TryParseExact(position, "D", out before)) return ForeignCursor;
        var now = context.Time.Now();
        var stuck = await context.Database.QueryAsync(
            context.Sql["incidents"],
            SqlArgs.With("before", query.Position is null ? null : before).And("step", query.Text("step"))
                .And("code", query.Text("code")).And("owner", query.Text("owner")).And("most", query.Limit + 1),
            row => Incident(StoredSaga.Read(row), row.Time(7), IncidentNotes.Read(row, 8), now), http.RequestAborted);
        return Answer.Json(
            StatusCodes.Status200OK, Pages.Of(stuck, query.Limit, incident => incident.OrderId.ToString("D")),
            SagaJson.Default.PageIncidentItem);
    }

    IncidentItem Incident(SagaRecord saga, DateTimeOffset updatedAt, IncidentNote? note, DateTimeOffset now)
    {
        var (step, undo, leg) = Headline.TheOneThatMatters(saga.State)!.Value;
        return new(
            saga.OrderId, step, undo, OrderSaga.Version(saga.State.DefinitionVersion).Find(step)!.Participant,
            leg.Code ?? saga.State.Reason?.Code ?? "", leg.Message, leg.Attempts, leg.FirstSentAt, updatedAt,
            saga.Facts.Order.CustomerId, saga.Facts.Order.Currency, saga.Facts.TotalMinor,
            Explain.Sentence(saga.State, now, signs), note);
    }

    async Task<IResult> TimersAsync(HttpContext http)
    {
        var query = new ListQuery(http, "overdue");
        var overdue = query.OneOf("overdue", ["true", "false"]) == "true";
        if (query.Refusal is { } refusal) return refusal;
        DateTimeOffset? afterAt = null;
        Guid? afterId = null;
        if (query.Position is { } position)
        {
            if (position.Split(' ') is not [var at, var id]
                || !long.TryParse(at, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
                || !Guid.TryParseExact(id, "D", out var orderId))
                return ForeignCursor;
            (afterAt, afterId) = (DateTimeOffset.FromUnixTimeMilliseconds(milliseconds), orderId);
        }
        var now = context.Time.Now();
        var timers = await context.Database.QueryAsync(
            context.Sql["due_timers"],
            SqlArgs.With("until", overdue ? now - Overview.OverdueAfter : DateTimeOffset.MaxValue)
                .And("after_at", afterAt).And("after_id", afterId).And("most", query.Limit + 1),
            row => Timer(StoredSaga.Read(row), row.Time(8), now), http.RequestAborted);
        return Answer.Json(
            StatusCodes.Status200OK,
            Pages.Of(timers, query.Limit, timer => string.Create(
                CultureInfo.InvariantCulture, $"{timer.DueAt.ToUnixTimeMilliseconds()} {timer.OrderId:D}")),
            SagaJson.Default.PageTimerItem);
    }

    static TimerItem Timer(SagaRecord saga, DateTimeOffset dueAt, DateTimeOffset now)
    {
        var headline = Headline.Of(saga.State);
        return new(
            saga.OrderId, dueAt, dueAt < now - Overview.OverdueAfter, SagaNames.Of(saga.State.Status), headline.Step,
            headline.WaitingFor, saga.State.NextActionAt);
    }

    static Answer ForeignCursor =>
        Problem.Invalid("cursor", "invalid_cursor", "Use nextCursor of the previous page as it was given.");
}
