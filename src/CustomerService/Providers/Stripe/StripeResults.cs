using System.Net;
using Orderwright.CustomerService.Payments;

namespace Orderwright.CustomerService.Providers.Stripe;

/// <summary>
/// Meaning of Stripe's objects and errors for the money. Pure. Anything not listed here settles nothing: a request that
/// ended in a 5xx, a conflict or a broken connection may have taken effect (https://docs.stripe.com/error-low-level).
/// </summary>
static class StripeResults
{
    public static GatewayResult OfAuthorization(StripeIntent intent) => intent switch
    {
        { Status: "requires_capture" } => new GatewayResult.Succeeded(intent.Id) { HoldsUntil = intent.CaptureBefore },
        { Status: "succeeded" } => new GatewayResult.Succeeded(intent.Id, Captured: true),
        { Status: "requires_action", NextAction.RedirectToUrl.Url: { Length: > 0 } url } =>
            new GatewayResult.ActionRequired(intent.Id, url),
        // Without an error the payment method was not tried yet.
        { Status: "requires_payment_method", LastPaymentError: { } fault } => Declined(fault),
        { Status: "canceled" } => new GatewayResult.Declined("canceled", "The payment was cancelled at the gateway."),
        _ => Unsettled(intent),
    };

    /// <param name="intent">Current state.</param>
    /// <param name="amount">Amount to capture, in Stripe's unit.</param>
    public static GatewayResult OfCapture(StripeIntent intent, long amount) => intent.Status switch
    {
        "succeeded" when intent.AmountReceived == amount => new GatewayResult.Succeeded(intent.Id),
        "succeeded" => new GatewayResult.Declined("captured_otherwise", "A different amount was captured at the gateway."),
        "requires_capture" => new GatewayResult.NeverHappened(Final: false),
        "canceled" => new GatewayResult.Declined("canceled", "The payment was cancelled at the gateway."),
        _ => Unsettled(intent),
    };

    public static GatewayResult OfVoid(StripeIntent intent) => intent.Status switch
    {
        "canceled" => new GatewayResult.Succeeded(intent.Id),
        "succeeded" => new GatewayResult.Declined("captured", "The money was captured and can only be refunded."),
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

    /// <summary>Result of an error response: in doubt, unless the request certainly had no effect.</summary>
    public static GatewayResult OfFault(HttpStatusCode status, StripeFault? fault, string operation)
    {
        if (status == HttpStatusCode.PaymentRequired && fault is { Type: "card_error" }) return Declined(fault);
        // The effect of the earlier request under the key is unknown.
        if (fault is { Type: "idempotency_error" })
            return new GatewayResult.Unknown("The key was used for another request.");
        if (status is HttpStatusCode.BadRequest or HttpStatusCode.NotFound && fault is { Type: "invalid_request_error" }
            && (operation != GatewayOperations.Authorize || IsAboutTheOrder(fault)))
            return Declined(fault);
        return status is >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError
            and not (HttpStatusCode.RequestTimeout or HttpStatusCode.Conflict or HttpStatusCode.FailedDependency)
            // Caused by a wrong key, address or limit: no statement about the customer's payment method.
            ? new GatewayResult.Unavailable($"Stripe refuses our requests with {(int)status} {fault?.Code}".TrimEnd() + ".")
            : new GatewayResult.Unknown($"Stripe responded with {(int)status}.");
    }

    static GatewayResult.Declined Declined(StripeFault fault) => new(
        fault.DeclineCode ?? fault.Code ?? "declined", fault.Message ?? "The payment was declined.");

    static GatewayResult.Unknown Unsettled(StripeIntent intent) =>
        new($"The payment intent is {intent.Status}.") { IsAnswer = true };

    static bool IsAboutTheOrder(StripeFault fault) =>
        fault.Param is { } param
        && (param.StartsWith("payment_method", StringComparison.Ordinal) || param is "amount" or "currency");
}
