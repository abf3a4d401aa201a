using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.CustomerService.Payments;
using Orderwright.Http;

namespace Orderwright.CustomerService.Commands;

/// <summary>Body of <c>POST /payments/{id}/capture</c>: the whole amount, if any is said.</summary>
public sealed record CaptureBody(long? Amount = null, string? Reason = null);

/// <summary>Body of <c>POST /payments/{id}/void</c>.</summary>
public sealed record VoidBody(string? Reason = null);

/// <summary>Body of <c>POST /payments/{id}/refunds</c>; minor units of the payment's currency.</summary>
public sealed record RefundBody(long Amount, string Reason);

/// <summary>
/// Body of <c>POST /payments/{id}/resolve</c>: <paramref name="Outcome"/> is <c>completed</c> (it happened) or
/// <c>rejected</c> (it did not); <paramref name="Reference"/> the gateway's id of it.
/// </summary>
public sealed record ResolveBody(string Outcome, string Reason, string? Reference = null);

/// <summary>
/// What operators do to payments over HTTP. The answer is the payment with the attempt that was begun; how that ends, the
/// payment itself tells.
/// </summary>
public sealed class HandApi(CommandGroup<HandAct> acting)
{
    const int MaxReason = 500;
    const int MaxReference = 255;
    static readonly string[] Outcomes = ["completed", "rejected"];

    public void Map(IEndpointRouteBuilder routes)
    {
        var payments = routes.MapGroup("/api/v1/payments/{id}").WithTags("payments").Require(Scopes.Operator);
        payments.MapPost("/capture", CaptureAsync).WithName("capturePayment")
            .Accepts<CaptureBody>("application/json").Produces<PaymentView>();
        payments.MapPost("/void", VoidAsync).WithName("voidPayment")
            .Accepts<VoidBody>("application/json").Produces<PaymentView>();
        payments.MapPost("/refunds", RefundAsync).WithName("refundPayment")
            .Accepts<RefundBody>("application/json").Produces<PaymentView>(StatusCodes.Status201Created);
        payments.MapPost("/resolve", ResolveAsync).WithName("resolvePayment")
            .WithSummary("Say what became of an attempt in doubt, or that what needed attention was seen to")
            .Accepts<ResolveBody>("application/json").Produces<PaymentView>();
    }

    async Task<IResult> CaptureAsync(string id, HttpContext http)
    {
        var (command, refusal) = await Http.Commands.ReadAsync(http, CustomerJson.Default.CaptureBody);
        return command is null
            ? refusal!
            : await ActAsync(id, GatewayOperations.Capture, command.Body.Amount, command.Body.Reason, command);
    }

    async Task<IResult> VoidAsync(string id, HttpContext http)
    {
        var (command, refusal) = await Http.Commands.ReadAsync(http, CustomerJson.Default.VoidBody);
        return command is null ? refusal! : await ActAsync(id, GatewayOperations.Void, null, command.Body.Reason, command);
    }

    async Task<IResult> RefundAsync(string id, HttpContext http)
    {
        var (command, refusal) = await Http.Commands.ReadAsync(http, CustomerJson.Default.RefundBody);
        return command is null
            ? refusal!
            : await ActAsync(id, GatewayOperations.Refund, command.Body.Amount, command.Body.Reason, command);
    }

    async Task<IResult> ResolveAsync(string id, HttpContext http)
    {
        var (command, refusal) = await Http.Commands.ReadAsync(http, CustomerJson.Default.ResolveBody);
        if (command is null) return refusal!;
        if (!Guid.TryParseExact(id, "D", out var orderId)) return InvalidId;
        var (outcome, reason, reference) = command.Body;
        var check = new Check().OneOf("/outcome", outcome, Outcomes).Text("/reason", reason, MaxReason)
            .OptionalText("/reference", reference, MaxReference);
        return check.Refusal ?? await acting.SubmitAsync(command.For(new HandAct(
            orderId, HandAct.Resolve, null, reason, outcome == Outcomes[0], reference)));
    }

    static Answer InvalidId =>
        Problem.Invalid("id", "invalid_id", "A payment's id is a UUID, the same as its order's.");

    async Task<IResult> ActAsync<T>(string id, string operation, long? amount, string? reason, Command<T> command)
    {
        if (!Guid.TryParseExact(id, "D", out var orderId)) return InvalidId;
        var check = new Check().OptionalText("/reason", reason, MaxReason);
        if (amount is { } money) check.Range("/amount", money, 1, Check.Most);
        return check.Refusal ?? await acting.SubmitAsync(command.For(new HandAct(orderId, operation, amount, reason)));
    }
}
