using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Http;
using Orderwright.Http.Operators;

namespace Orderwright.SagaCoordinator;

/// <summary>
/// What operators do to a saga: retry, compensate, cancel, resolve. Each needs a reason and is audited; with
/// <c>?preview=true</c> it says what it would do and send, and does nothing.
/// </summary>
public sealed class OperatorApi(
    OperatorActions actions, CommandGroup<OperatorRequest> acting, ServiceContext context)
{
    const int MaxReason = 500;
    const int MaxReference = 255;
    static readonly string[] Outcomes = ["completed", "rejected"];

    public void Map(IEndpointRouteBuilder routes)
    {
        var sagas = routes.MapGroup("/api/v1/sagas/{orderId}").WithTags("operators").Require(Scopes.Operator);
        Map(sagas, OperatorVerb.Retry, "retry", "Ask everything outstanding again, now", OnPreview);
        Map(sagas, OperatorVerb.Compensate, "compensate", "Undo everything, without waiting for what is stuck", OnPreview);
        Map(
            sagas, OperatorVerb.Cancel, "cancel", "Undo everything, once what is outstanding has been answered",
            OnPreview + " With `&by=order-service`: what it would send once the order's own cancellation asks for it.");
        sagas.MapPost("/resolve", ResolveAsync).WithName("resolveStep")
            .WithSummary("Answer a step in its participant's place").WithDescription(OnPreview)
            .Accepts<ResolveRequest>("application/json").Produces<OperatorActionBody>();
    }

    const string OnPreview = "With `?preview=true` nothing is done: the answer says which messages it would send.";

    void Map(IEndpointRouteBuilder sagas, OperatorVerb verb, string name, string summary, string description) =>
        sagas.MapPost($"/{name}", (string orderId, HttpContext http) => ActAsync(orderId, verb, http))
            .WithName($"{name}Saga").WithSummary(summary).WithDescription(description)
            .Accepts<ReasonRequest>("application/json").Produces<OperatorActionBody>();

    async Task<IResult> ActAsync(string orderId, OperatorVerb verb, HttpContext http)
    {
        if (!Guid.TryParseExact(orderId, "D", out var id)) return InvalidId;
        var (command, refusal) = await Commands.ReadAsync(http, OperatorJson.Default.ReasonRequest);
        if (command is null) return refusal!;
        var reason = command.Body.Reason;
        return new Check().Text("/reason", reason, MaxReason).Refusal
            ?? await ActAsync(command.For(new OperatorRequest(id, verb, reason)), http);
    }

    async Task<IResult> ResolveAsync(string orderId, HttpContext http)
    {
        if (!Guid.TryParseExact(orderId, "D", out var id)) return InvalidId;
        var (command, refusal) = await Commands.ReadAsync(http, SagaJson.Default.ResolveRequest);
        if (command is null) return refusal!;
        var (step, outcome, reason, reference) = command.Body;
        var check = new Check()
            .OneOf("/step", step, [.. OrderSaga.Current.Steps.Select(known => known.Name)])
            .OneOf("/outcome", outcome, Outcomes)
            .Text("/reason", reason, MaxReason)
            .OptionalText("/reference", reference, MaxReference);
        return check.Refusal ?? await ActAsync(
            command.For(new OperatorRequest(
                id, OperatorVerb.Resolve, reason, step, outcome == Outcomes[0], Reference: reference)),
            http);
    }

    async Task<IResult> ActAsync(Command<OperatorRequest> command, HttpContext http)
    {
        var isCancel = command.Body.Verb == OperatorVerb.Cancel;
        var query = isCancel ? new ListQuery(http, "preview", "by") : new ListQuery(http, "preview");
        var preview = query.OneOf("preview", ["true", "false"]) == "true";
        var byOrders = query.OneOf("by", [ServiceNames.Order]) is not null;
        if (query.Refusal is { } refusal) return refusal;
        if (byOrders && !preview) return Problem.Invalid("by", "only_with_preview", "order-service asks by message.");
        if (!preview) return await acting.SubmitAsync(command);
        var found = await context.Database.QueryAsync(
            context.Sql["saga"], SqlArgs.With("order_id", command.Body.OrderId), StoredSaga.Read, http.RequestAborted);
        return found is not [var record] ? Problem.NotFound("saga")
            : byOrders ? actions.PreviewOrderCancel(record, command.Body, context.Time.Now())
            : actions.Preview(record, command.Body, context.Time.Now());
    }

    static Answer InvalidId => Problem.Invalid("orderId", "invalid_id", "A UUID.");
}
