using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Http.Approvals;
using Orderwright.Http.Operators;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.SagaCoordinator.Process;

namespace Orderwright.SagaCoordinator.Operators;

/// <summary>
/// HTTP API of the actions on a saga: retry, compensate, cancel, resolve. Each needs a reason and is audited. With
/// <c>?preview=true</c> the response describes effect and messages, and nothing is done.
/// </summary>
public sealed class OperatorApi(
    OperateSagas actions, CommandGroup<OperatorAction> acting, ProcessVersions versions, ServiceContext context)
{
    public const int MaxReason = 500;
    public const int MaxReference = 255;
    internal static readonly string[] Outcomes = ["completed", "rejected"];

    public void Map(IEndpointRouteBuilder routes)
    {
        var sagas = routes.MapGroup("/api/v1/sagas/{orderId}").WithTags("operators").Require(Scopes.Operator);
        Map(sagas, OperatorVerb.Retry, "retry", "Resend everything outstanding now", OnPreview);
        Map(sagas, OperatorVerb.Compensate, "compensate", "Undo everything, without waiting for stuck steps", OnPreview);
        Map(
            sagas, OperatorVerb.Cancel, "cancel", "Undo everything, once all outstanding replies are in",
            OnPreview + " With `by=order-service`: the messages of a cancellation through order-service.")
            .Query("by", ServiceNames.Order);
        sagas.MapPost("/resolve", ResolveAsync).WithName("resolveStep")
            .WithSummary("Record the outcome of a step on behalf of its participant")
            .WithDescription(
                OnPreview + " 202 for an order above the amount of `ORDERWRIGHT_APPROVAL_ABOVE`: the resolution waits for a " +
                "second person, see `/approvals`.")
            .Query("preview").Produces<ApprovalResponse>(StatusCodes.Status202Accepted)
            .Accepts<ResolveRequest>("application/json").Produces<OperatorActionResponse>();
    }

    const string OnPreview = "With `preview=true` nothing is done: the response lists the messages that would be sent.";

    RouteHandlerBuilder Map(
        IEndpointRouteBuilder sagas, OperatorVerb verb, string name, string summary, string description) =>
        sagas.MapPost($"/{name}", (string orderId, HttpContext http) => ActAsync(orderId, verb, http))
            .WithName($"{name}Saga").WithSummary(summary).WithDescription(description).Query("preview")
            .Accepts<ReasonRequest>("application/json").Produces<OperatorActionResponse>();

    async Task<IResult> ActAsync(string orderId, OperatorVerb verb, HttpContext http)
    {
        var (id, invalid) = RouteId.Read(orderId, "orderId");
        if (id is null) return invalid!;
        var (command, refusal) = await Commands.ReadAsync(http, OperatorJson.Default.ReasonRequest);
        if (command is null) return refusal!;
        var reason = command.Body.Reason;
        return new Check().Text("/reason", reason, MaxReason).Refusal
            ?? await ActAsync(command.For(new OperatorAction(id.Value, verb, reason)), http);
    }

    async Task<IResult> ResolveAsync(string orderId, HttpContext http)
    {
        var (id, invalid) = RouteId.Read(orderId, "orderId");
        if (id is null) return invalid!;
        var (command, refusal) = await Commands.ReadAsync(http, OperatorSagaJson.Default.ResolveRequest);
        if (command is null) return refusal!;
        var (step, outcome, reason, reference, undo) = command.Body;
        var check = new Check()
            .OneOf("/step", step, [.. versions.StepNames])
            .OneOf("/outcome", outcome, Outcomes)
            .Text("/reason", reason, MaxReason)
            .OptionalReference("/reference", reference, MaxReference);
        return check.Refusal ?? await ActAsync(
            command.For(new OperatorAction(
                id.Value, OperatorVerb.Resolve, reason, step, outcome == Outcomes[0], Reference: reference, Undo: undo)),
            http);
    }

    async Task<IResult> ActAsync(Command<OperatorAction> command, HttpContext http)
    {
        var isCancel = command.Body.Verb == OperatorVerb.Cancel;
        var query = isCancel ? new ListQuery(http, "preview", "by") : new ListQuery(http, "preview");
        var preview = query.OneOf("preview", ["true", "false"]) == "true";
        var byOrders = query.OneOf("by", [ServiceNames.Order]) is not null;
        if (query.Refusal is { } refusal) return refusal;
        if (byOrders && !preview)
            return Problem.Invalid("by", "only_with_preview", "order-service requests cancellations by message.");
        if (!preview) return await acting.SubmitAsync(command);
        var found = await context.Database.QueryAsync(
            context.Sql["saga"], SqlArgs.With("order_id", command.Body.OrderId).And("channels", command.Caller.Channels.Filter),
            versions.Read, http.RequestAborted);
        return found is not [var saga] ? Problem.NotFound("saga")
            : byOrders ? actions.PreviewOrderCancel(saga, command.Body, command.Caller.Name, context.Time.Now())
            : actions.Preview(saga, command.Body, command.Caller.Name, context.Time.Now());
    }
}
