using Orderwright.Contracts;

namespace Orderwright.CustomerService.Payments;

/// <summary>
/// Captures an order's money as its goods are shipped (docs/adr/0018). Pure. The command carries the total due and may
/// arrive twice, late or out of order: only the missing amount is captured. A gateway with a single capture takes
/// the whole amount at once; store credit was taken when the order was placed.
/// </summary>
public static class ShipmentRules
{
    const string Shipped = "shipped";
    const string Closed = "closed";

    /// <summary>True when the command has nothing left to do.</summary>
    public static bool IsDone(Payment payment, TakeShipped command) =>
        payment.CapturedMinor >= command.DueMinor && (!command.Close || payment.HeldMinor == 0);

    /// <param name="paymentCase">The payment of a confirmed order.</param>
    /// <param name="command">The command.</param>
    /// <param name="capabilities">The gateway's; null for store credit, or when the gateway is no longer configured.</param>
    /// <param name="at">Time and limits.</param>
    public static PaymentDecision Take(
        PaymentCase paymentCase, TakeShipped command, ProviderCapabilities? capabilities, At at)
    {
        // Without a payment, the database was restored or changed; AuthorizePayments tells order-service.
        if (paymentCase.Payment is not { } payment) return new(paymentCase);
        if (IsDone(payment, command) || payment.State != PaymentStates.Authorized || paymentCase.Open is not null
            || capabilities is null)
            return new(paymentCase);
        var missing = command.DueMinor - payment.CapturedMinor;
        return missing <= 0 ? Begin(GatewayOperations.Void, PaymentStates.Voiding, payment.HeldMinor, Closed)
            : Begin(
                GatewayOperations.Capture, PaymentStates.Capturing,
                capabilities.SeveralCaptures ? Math.Min(missing, payment.HeldMinor) : payment.HeldMinor, Shipped);

        PaymentDecision Begin(string operation, string state, long amountMinor, string reason) =>
            FailedOf(paymentCase, operation) is { FinishedAt: { } ended } failed
                && (at.Now - ended).Duration() < PauseAfter(failed)
                ? new(paymentCase)
                : AttemptOutcomes.Begin(
                    paymentCase.With((payment with { State = state }).Changed(at.Now)), operation, amountMinor, at,
                    ServiceNames.Order, reason);
    }

    // An outage may end soon; a refusal will probably be repeated.
    static TimeSpan PauseAfter(PaymentAttempt failed) =>
        failed.State == AttemptStates.Declined ? GatewayLimits.TakeAgainAfter : GatewayLimits.TryAgainAfter;

    /// <summary>Latest attempt at an operation for shipped goods, if failed; else null.</summary>
    public static PaymentAttempt? FailedOf(PaymentCase paymentCase, string operation) =>
        paymentCase.Attempts.Where(attempt => attempt.Operation == operation).MaxBy(attempt => attempt.Number) is
            { RequestedBy: ServiceNames.Order, State: AttemptStates.Declined or AttemptStates.Failed } failed
            ? failed
            : null;
}
