using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.SagaCoordinator.Process;

namespace Orderwright.SagaCoordinator.Overview;

/// <summary>Timer of a saga.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="DueAt">Time at which the timer fires. A timer may fire early and find nothing to do.</param>
/// <param name="Overdue">The timer is late by more than five seconds.</param>
/// <param name="State">State of the saga.</param>
/// <param name="Step">The current step.</param>
/// <param name="WaitingFor">The awaited party.</param>
/// <param name="NextActionAt">Time of the saga's next action.</param>
public sealed record TimerItem(
    Guid OrderId, DateTimeOffset DueAt, bool Overdue, [OneOf(typeof(SagaStates))] string State, string? Step, string? WaitingFor,
    DateTimeOffset? NextActionAt)
{
    public static TimerItem Of(SagaRecord saga, DateTimeOffset dueAt, DateTimeOffset now)
    {
        var (step, waitingFor, _) = SagaHeadline.Of(saga.State);
        return new(
            saga.OrderId, dueAt, dueAt < now - OverviewReader.OverdueAfter, SagaNames.Of(saga.State.Status), step, waitingFor,
            saga.State.NextActionAt);
    }
}

/// <summary>HTTP API of the overview and of the timers.</summary>
public sealed class OverviewApi(ServiceContext context, ProcessVersions versions, OverviewReader overview)
{
    public void Map(IEndpointRouteBuilder routes)
    {
        var operators = routes.MapGroup("/api/v1").WithTags("operators").Require(Scopes.OperatorRead);
        operators.MapGet("/overview", (Delegate)OverviewAsync).WithName("getOverview")
            .WithSummary("Counts, rates and ages per step").Produces<OverviewResponse>();
        operators.MapGet("/timers", (Delegate)TimersAsync).WithName("listTimers").Lists("overdue")
            .WithSummary("Scheduled and overdue actions of the coordinator").Produces<Page<TimerItem>>();
    }

    async Task<IResult> OverviewAsync(HttpContext http) => Answer.Json(
        StatusCodes.Status200OK,
        await overview.ReadAsync(Caller.Of(http).Channels, http.RequestAborted), SagaJson.Default.OverviewResponse);

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
                return Problem.InvalidCursor;
            (afterAt, afterId) = (DateTimeOffset.FromUnixTimeMilliseconds(milliseconds), orderId);
        }
        var now = context.Time.Now();
        var timers = await context.Database.QueryAsync(
            context.Sql["due_timers"],
            SqlArgs.With("until", overdue ? now - OverviewReader.OverdueAfter : DateTimeOffset.MaxValue)
                .And("channels", Caller.Of(http).Channels.Filter).And("after_at", afterAt)
                .And("after_id", afterId).And("most", query.Limit + 1),
            row => TimerItem.Of(versions.Read(row), row.Time("due_at"), now), http.RequestAborted);
        return Answer.Json(
            StatusCodes.Status200OK,
            Pages.Of(timers, query.Limit, timer => string.Create(
                CultureInfo.InvariantCulture, $"{timer.DueAt.ToUnixTimeMilliseconds()} {timer.OrderId:D}")),
            SagaJson.Default.PageTimerItem);
    }

    /// <summary>Reads a position that is an order id.</summary>
    internal static bool TryReadPosition(string? position, out Guid? before)
    {
        before = Guid.TryParseExact(position, "D", out var id) ? id : null;
        return position is null || before is not null;
    }
}
