using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.CustomerService.Payments;
using Orderwright.Http;
using Orderwright.Http.Approvals;

namespace Orderwright.CustomerService.Commands;

/// <summary>
/// Operators' actions on payments over HTTP. The response is the payment with the new attempt; poll the
/// payment for the attempt's result.
/// </summary>
public sealed class OperatorApi(CommandGroup<OperatorPaymentAction> actions, AdoptPayments adoptions)
{
    public const int MaxReason = 500;
    public const int MaxReference = 255;
    static readonly string[] Outcomes = ["completed", "rejected"];

    public const string OnApproval =
        "202 above the amount of `ORDERWRIGHT_APPROVAL_ABOVE`: the operation waits for a second person, see `/approvals`. 409 " +
        "`approval_pending` while another one of the order waits.";

    public void Map(IEndpointRouteBuilder routes)
    {
        var payments = routes.MapGroup("/api/v1/payments/{id}").WithTags("payments").Require(Scopes.PaymentsWrite);
        payments.MapPost("/capture", CaptureAsync).WithName("capturePayment").WithSummary("Capture the held amount")
            .Accepts<CapturePaymentRequest>("application/json").Produces<PaymentResponse>().HasVersion();
        payments.MapPost("/void", VoidAsync).WithName("voidPayment")
            .WithSummary("Release money left over from a failed undo")
            .Accepts<VoidPaymentRequest>("application/json").Produces<PaymentResponse>().HasVersion();
        payments.MapPost("/refunds", RefundAsync).Require(Scopes.PaymentsRefund).WithName("refundPayment")
            .WithSummary("Refund captured money")
            .Accepts<RefundPaymentRequest>("application/json").Produces<PaymentResponse>(StatusCodes.Status201Created)
            .Produces<ApprovalResponse>(StatusCodes.Status202Accepted).HasVersion()
            .WithDescription(OnApproval + " 403 `refund_not_allowed` beyond the caller's limit.");
        payments.MapPost("/resolve", ResolveAsync).WithName("resolvePayment")
            .WithSummary("Record the outcome of an attempt in doubt, or clear a payment's attention").WithDescription(OnApproval)
            .Produces<ApprovalResponse>(StatusCodes.Status202Accepted)
            .Accepts<ResolvePaymentRequest>("application/json").Produces<PaymentResponse>().HasVersion();
        payments.MapPost("/adopt", AdoptAsync).RequireAllChannels(Scopes.Operator).WithName("adoptPayment")
            .WithSummary("Take over the gateway's charge of an order whose payment was lost")
            .WithDescription(
                "For a confirmed or completed order without a payment here, as after a restore of the database. " +
                "order-service is asked for the order and the gateway for the charge; the payment is created with the " +
                "gateway's amounts and the missing journal entries.")
            .Query("preview").Accepts<AdoptPaymentRequest>("application/json").Produces<AdoptionResponse>();
    }

    async Task<IResult> CaptureAsync(string id, HttpContext http)
    {
        var (command, refusal) = await Http.Commands.ReadAsync(http, PaymentJson.Default.CapturePaymentRequest);
        return command is null
            ? refusal!
            : await ActAsync(id, GatewayOperations.Capture, command.Body.Amount, command.Body.Reason, command);
    }

    async Task<IResult> VoidAsync(string id, HttpContext http)
    {
        var (command, refusal) = await Http.Commands.ReadAsync(http, PaymentJson.Default.VoidPaymentRequest);
        return command is null ? refusal! : await ActAsync(id, GatewayOperations.Void, null, command.Body.Reason, command);
    }

    async Task<IResult> RefundAsync(string id, HttpContext http)
    {
        var (command, refusal) = await Http.Commands.ReadAsync(http, PaymentJson.Default.RefundPaymentRequest);
        return command is null
            ? refusal!
            : await ActAsync(id, GatewayOperations.Refund, command.Body.Amount, command.Body.Reason, command);
    }

    async Task<IResult> ResolveAsync(string id, HttpContext http)
    {
        var (command, refusal) = await Http.Commands.ReadAsync(http, PaymentJson.Default.ResolvePaymentRequest);
        if (command is null) return refusal!;
        var (orderId, invalid) = RouteId.Read(id);
        if (orderId is null) return invalid!;
        var (outcome, reason, reference) = command.Body;
        var check = new Check().OneOf("/outcome", outcome, Outcomes).Text("/reason", reason, MaxReason)
            .OptionalReference("/reference", reference, MaxReference);
        return check.Refusal ?? await actions.SubmitAsync(command.For(new OperatorPaymentAction(
            orderId.Value, OperatorPaymentAction.Resolve, null, reason, outcome == Outcomes[0], reference)));
    }

    async Task<IResult> AdoptAsync(string id, HttpContext http)
    {
        var (command, refusal) = await Http.Commands.ReadAsync(http, PaymentJson.Default.AdoptPaymentRequest);
        if (command is null) return refusal!;
        var (orderId, invalid) = RouteId.Read(id);
        if (orderId is null) return invalid!;
        var query = new ListQuery(http, "preview");
        var preview = query.OneOf("preview", ["true", "false"]) == "true";
        if (query.Refusal is { } malformed) return malformed;
        var check = new Check().Text("/reason", command.Body.Reason, MaxReason)
            .OptionalText("/provider", command.Body.Provider, MaxReference)
            .OptionalText("/reference", command.Body.Reference, MaxReference);
        return check.Refusal ?? await adoptions.RunAsync(orderId.Value, command, preview, http.RequestAborted);
    }

    async Task<IResult> ActAsync<T>(string id, string operation, long? amount, string? reason, Command<T> command)
    {
        var (orderId, invalid) = RouteId.Read(id);
        if (orderId is null) return invalid!;
        var check = new Check().OptionalText("/reason", reason, MaxReason);
        if (amount is { } money) check.Range("/amount", money, 1, Check.Most);
        return check.Refusal ?? await actions.SubmitAsync(
            command.For(new OperatorPaymentAction(orderId.Value, operation, amount, reason)));
    }
}
