using System.Net;
using Orderwright.CustomerService.Payments;

namespace Orderwright.CustomerService.Providers.Stripe;

/// <summary>
/// What Stripe's words mean for the money. Pure. What is not listed here settles nothing
/// (https://docs.stripe.com/error-low-level: a 5xx, a conflict or a broken call may have happened).
/// </summary>
static class StripeAnswers
{
    public static GatewayResult OfAuthorization(StripeIntent intent) => intent switch
    {
        { Status: "requires_capture" } => new GatewayResult.Succeeded(intent.Id) { HoldsUntil = intent.CaptureBefore },
        { Status: "succeeded" } => new GatewayResult.Succeeded(intent.Id, Captured: true),
        { Status: "requires_action", NextAction.RedirectToUrl.Url: { Length: > 0 } url } =>
            new GatewayResult.ActionRequired(intent.Id, url),
        // Without an error it was not tried yet.
        { Status: "requires_payment_method", LastPaymentError: { } fault } => Declined(fault),
        { Status: "canceled" } => new GatewayResult.Declined("canceled", "The payment was cancelled at the gateway."),
        _ => Unsettled(intent),
    };

    /// <param name="intent">As it stands now.</param>
    /// <param name="amount">What was to be captured, in Stripe's unit.</param>
    public static GatewayResult OfCapture(StripeIntent intent, long amount) => intent.Status switch
    {
        "succeeded" when intent.AmountReceived == amount => new GatewayResult.Succeeded(intent.Id),
        "succeeded" => new GatewayResult.Declined("captured_otherwise", "Another amount was captured at the gateway."),
        "requires_capture" => new GatewayResult.NeverHappened(Final: false),
        "canceled" => new GatewayResult.Declined("canceled", "The payment was cancelled at the gateway."),
        _ => Unsettled(intent),
    };

    public static GatewayResult OfVoid(StripeIntent intent) => intent.Status switch
    {
        "canceled" => new GatewayResult.Succeeded(intent.Id),
        "succeeded" => new GatewayResult.Declined("captured", "The money was taken; it can only be refunded."),
        "processing" => Unsettled(intent),
        _ => new GatewayResult.NeverHappened(Final: false),
    };

    public static GatewayResult OfRefund(StripeRefund refund) => refund.Status switch
    {
        "succeeded" => new GatewayResult.Succeeded(refund.Id),
        "failed" or "canceled" => new GatewayResult.Declined(
            refund.FailureReason ?? refund.Status, "The refund did not reach the customer's bank."),
        _ => new GatewayResult.Unknown($"The refund is {refund.Status ?? "not settled"}.") { IsAnswer = true },
    };

    /// <summary>An answer that is no object: only what certainly had no effect is not in doubt.</summary>
    public static GatewayResult OfFault(HttpStatusCode status, StripeFault? fault, string operation)
    {
        if (status == HttpStatusCode.PaymentRequired && fault is { Type: "card_error" }) return Declined(fault);
        // The key was used for another request before: what that one did is not known here.
        if (fault is { Type: "idempotency_error" })
            return new GatewayResult.Unknown("The key was used for another request.");
        if (status is HttpStatusCode.BadRequest or HttpStatusCode.NotFound && fault is { Type: "invalid_request_error" }
            && (operation != GatewayOperations.Authorize || IsAboutTheOrder(fault)))
            return Declined(fault);
        return status is >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError
            and not (HttpStatusCode.RequestTimeout or HttpStatusCode.Conflict or HttpStatusCode.FailedDependency)
            // A key, an address or a limit that is wrong: it says nothing about the customer's means of payment.
            ? new GatewayResult.Unavailable($"Stripe does not take our requests: {(int)status} {fault?.Code}")
            : new GatewayResult.Unknown($"Stripe answered {(int)status}.");
    }

    static GatewayResult.Declined Declined(StripeFault fault) => new(
        fault.DeclineCode ?? fault.Code ?? "declined", fault.Message ?? "The payment was declined.");

    static GatewayResult.Unknown Unsettled(StripeIntent intent) =>
        new($"The payment intent is {intent.Status}.") { IsAnswer = true };

    static bool IsAboutTheOrder(StripeFault fault) =>
        fault.Param is { } param
        && (param.StartsWith("payment_method", StringComparison.Ordinal) || param is "amount" or "currency");
}
