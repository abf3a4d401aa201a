using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Http;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.SagaCoordinator.Process;

namespace Orderwright.SagaCoordinator.Overview;

/// <summary>Owner and note of an incident.</summary>
/// <param name="Owner">Person or team in charge.</param>
/// <param name="Note">Findings.</param>
/// <param name="UpdatedAt">Time of the last change.</param>
/// <param name="UpdatedBy">Name of the caller of the last change.</param>
public sealed record IncidentNote(string? Owner, string? Note, DateTimeOffset UpdatedAt, string UpdatedBy)
{
    /// <summary>Reads the columns <c>note</c> of <c>sagas.sql</c>; null where a left join found no note.</summary>
    public static IncidentNote? Read(IRow row) => row.TextOrNull("noted_by") is { } by
        ? new(row.TextOrNull("owner"), row.TextOrNull("note"), row.Time("noted_at"), by)
        : null;
}

/// <summary>Open incident: a saga that needs an operator, or a late reply.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="Step">The stuck step.</param>
/// <param name="Undo">The undo of the step is stuck.</param>
/// <param name="Participant">Service in charge of the step.</param>
/// <param name="Code">Stable.</param>
/// <param name="Message">Last response of the participant, or a message of the coordinator.</param>
/// <param name="Attempts">Number of attempts.</param>
/// <param name="AskedAt">Time of the first attempt.</param>
/// <param name="StuckAt">Start of the incident.</param>
/// <param name="CustomerId">Customer of the order.</param>
/// <param name="Currency">Currency of the order.</param>
/// <param name="Total">Minor units; null until the order is priced.</param>
/// <param name="Summary">The same as a sentence.</param>
/// <param name="Note">Owner and note; null without either.</param>
/// <param name="Compensating">Completed steps of the order are being undone.</param>
public sealed record IncidentItem(
    Guid OrderId, string Step, bool Undo, string Participant, string Code, string? Message, int Attempts,
    DateTimeOffset? AskedAt, DateTimeOffset StuckAt, string CustomerId, string Currency, long? Total, string Summary,
    IncidentNote? Note, bool Compensating)
{
    public static IncidentItem Of(SagaRecord saga, IncidentNote? note, DateTimeOffset now, Heartbeats heartbeats)
    {
        var (step, undo, leg) = SagaHeadline.MostUrgent(saga.State)!.Value;
        return new(
            saga.OrderId, step, undo, saga.State.Definition.Find(step)!.Participant,
            leg.Code ?? saga.State.Reason?.Code ?? "", leg.Message, leg.Attempts, leg.FirstSentAt, saga.UpdatedAt,
            saga.Facts.Order.CustomerId, saga.Facts.Order.Currency, saga.Facts.TotalMinor,
            SagaSummary.Of(saga.State, now, heartbeats), note, saga.State.Reason is not null);
    }
}

/// <summary>HTTP API that lists incidents.</summary>
public sealed class IncidentApi(ServiceContext context, ProcessVersions versions, Heartbeats heartbeats)
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapGroup("/api/v1").WithTags("operators").Require(Scopes.OperatorRead)
            .MapGet("/incidents", (Delegate)ListAsync).WithName("listIncidents").Lists("step", "code", "owner")
            .WithSummary("Open incidents, newest order first").Produces<Page<IncidentItem>>();

    async Task<IResult> ListAsync(HttpContext http)
    {
        var query = new ListQuery(http, "step", "code", "owner");
        if (query.Refusal is { } refusal) return refusal;
        if (!OverviewApi.TryReadPosition(query.Position, out var before)) return Problem.InvalidCursor;
        var now = context.Time.Now();
        var incidents = await context.Database.QueryAsync(
            context.Sql["incidents"],
            SqlArgs.With("before", before).And("step", query.Text("step")).And("code", query.Text("code"))
                .And("owner", query.Text("owner")).And("channels", Caller.Of(http).Channels.Filter)
                .And("most", query.Limit + 1),
            row => IncidentItem.Of(versions.Read(row), IncidentNote.Read(row), now, heartbeats), http.RequestAborted);
        return Answer.Json(
            StatusCodes.Status200OK, Pages.Of(incidents, query.Limit, incident => incident.OrderId.ToString("D")),
            SagaJson.Default.PageIncidentItem);
    }
}
