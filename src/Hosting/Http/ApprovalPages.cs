using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Http;
using Orderwright.Http.Approvals;
using Orderwright.Http.Operators;

namespace Orderwright.Hosting.Http;

/// <summary>Approvals of all services in this process, as a single list.</summary>
sealed class ApprovalPages(IReadOnlyList<DecideApprovals> services)
{
    public void Map(IEndpointRouteBuilder routes)
    {
        var approvals = routes.MapGroup("/api/v1/approvals").WithTags("operators").Require(Scopes.ApprovalsRead);
        approvals.MapGet("", (Delegate)ListAsync).WithName("listApprovals").Lists("state", "orderId")
            .Query("state", [.. ApprovalStates.All])
            .WithSummary("List operations that wait for a second person, or waited, newest first")
            .WithDescription("Of the services in this process. " + OperatorPages.OnCursors)
            .Produces<Page<ApprovalResponse>>();
        approvals.MapGet("{id}", GetAsync).WithName("getApproval").WithSummary("Get an approval").Produces<ApprovalResponse>();
        approvals.MapPost("{id}/approve", ApproveAsync).Require(Scopes.Approvals).WithName("approveOperation")
            .WithSummary("Carry out the operation of another person")
            .WithDescription(
                "In the transaction of the decision, and once, however many people decide. An operation that is no longer " +
                "possible gets the refusal that a direct request would get, and stays pending. 403 `own_approval`, 409 " +
                "`already_decided`, `approval_expired`.")
            .Accepts<ApproveRequest>("application/json").Produces<ApprovalResponse>();
        approvals.MapPost("{id}/reject", RejectAsync).Require(Scopes.Approvals).WithName("rejectOperation")
            .WithSummary("Reject the operation of another person")
            .WithDescription("403 `own_approval`, 409 `already_decided`, `approval_expired`.")
            .Accepts<ReasonRequest>("application/json").Produces<ApprovalResponse>();
    }

    async Task<IResult> ListAsync(HttpContext http)
    {
        var query = new ListQuery(http, "state", "orderId");
        var (state, orderId) = (query.OneOf("state", ApprovalStates.All), query.Id("orderId"));
        if (query.Refusal is { } refusal) return refusal;
        var before = default(Guid);
        if (query.Position is { } position && !Guid.TryParseExact(position, "N", out before)) return Problem.InvalidCursor;
        var filter = new ApprovalFilter(
            query.Position is null ? null : before, orderId, state, Caller.Of(http).Channels.Filter);
        var found = await Task.WhenAll(services.Select(
            service => service.ListAsync(filter, query.Limit + 1, http.RequestAborted)));
        var rows = found.SelectMany(list => list)
            .OrderByDescending(PositionOf, StringComparer.Ordinal).Take(query.Limit + 1).ToList();
        return Answer.Json(
            StatusCodes.Status200OK, Pages.Of(rows, query.Limit, PositionOf), ApprovalJson.Default.PageApprovalResponse);
    }

    static string PositionOf(ApprovalResponse approval) => Approval.PositionOf(approval.Id);

    async Task<IResult> GetAsync(string id, HttpContext http)
    {
        var (approvalId, invalid) = RouteId.Read(id);
        if (approvalId is null) return invalid!;
        foreach (var service in services)
            if (await service.FindAsync(approvalId.Value, Caller.Of(http).Channels, http.RequestAborted) is { } approval)
                return Answer.Json(StatusCodes.Status200OK, approval, ApprovalJson.Default.ApprovalResponse);
        return NotFound;
    }

    async Task<IResult> ApproveAsync(string id, HttpContext http)
    {
        var (command, refusal) = await Commands.ReadAsync(http, ApprovalJson.Default.ApproveRequest);
        return command is null
            ? refusal!
            : new Check().OptionalText("/reason", command.Body.Reason, ReasonRequest.MaxReason).Refusal
                ?? await DecideAsync(id, command, command.Body.Reason, approves: true, http);
    }

    async Task<IResult> RejectAsync(string id, HttpContext http)
    {
        var (command, refusal) = await Commands.ReadAsync(http, OperatorJson.Default.ReasonRequest);
        return command is null
            ? refusal!
            : new Check().Text("/reason", command.Body.Reason, ReasonRequest.MaxReason).Refusal
                ?? await DecideAsync(id, command, command.Body.Reason, approves: false, http);
    }

    async Task<Answer> DecideAsync<T>(string id, Command<T> command, string? reason, bool approves, HttpContext http)
    {
        var (approvalId, invalid) = RouteId.Read(id);
        if (approvalId is null) return invalid!;
        foreach (var service in services)
            if (await service.FindAsync(approvalId.Value, command.Caller.Channels, http.RequestAborted) is not null)
                return await service.DecideAsync(command.For(new Verdict(approvalId.Value, approves, reason)));
        return NotFound;
    }

    static Answer NotFound => Problem.NotFound("approval");
}
