using Orderwright.Contracts;

namespace Orderwright.CustomerService.Payments;

/// <summary>
/// Takes the money of an order with what is shipped of it (docs/adr/0018). Pure. The command says what is due in all, so that
/// it may come twice, late or out of order: only what is missing is captured. A gateway that captures once takes the whole
/// with the first; store credit was taken at once.
/// </summary>
public static class ShippedRules
{
    const string Shipped = "shipped";
    const string Closed = "closed";

    /// <summary>The payment is as the command wants it.</summary>
    public static bool IsDone(Payment payment, TakeShipped ask) =>
        payment.CapturedMinor >= ask.DueMinor && (!ask.Close || payment.HeldMinor == 0);

    /// <param name="file">Of an order that was confirmed; anything else is a broken invariant.</param>
    /// <param name="ask">The command.</param>
    /// <param name="capabilities">Of its gateway; null for store credit, or where the gateway is not configured any more.</param>
    /// <param name="now">The batch's moment.</param>
    /// <param name="limits">For the attempt's lease.</param>
    public static PaymentDecision Take(
        PaymentFile file, TakeShipped ask, ProviderCapabilities? capabilities, DateTimeOffset now, GatewayLimits limits)
    {
        var payment = file.Payment ?? throw new InvalidOperationException(
            $"Goods of order {file.OrderId} were shipped, and there is no payment.");
        if (IsDone(payment, ask) || payment.State != PaymentStates.Authorized || file.Open is not null || capabilities is null)
            return new(file);
        var missing = ask.DueMinor - payment.CapturedMinor;
        return missing <= 0 ? Begin(GatewayOperations.Void, PaymentStates.Voiding, payment.HeldMinor, Closed)
            : Begin(
                GatewayOperations.Capture, PaymentStates.Capturing,
                capabilities.SeveralCaptures ? Math.Min(missing, payment.HeldMinor) : payment.HeldMinor, Shipped);

        PaymentDecision Begin(string operation, string state, long amountMinor, string reason) =>
            FailedOf(file, operation) is { FinishedAt: { } ended } failed && (now - ended).Duration() < PauseAfter(failed)
                ? new(file)
                : CallRules.Begin(
                    file.With(PaymentRules.Changed(payment with { State = state }, now)), operation, amountMinor, now, limits,
                    ServiceNames.Order, reason);
    }

    // A gateway that was away may be back; one that said no will say so again.
    static TimeSpan PauseAfter(GatewayCall failed) =>
        failed.State == CallStates.Declined ? GatewayLimits.TakeAgainAfter : GatewayLimits.TryAgainAfter;

    /// <summary>The last attempt at this, if it was in vain and nothing came of it since.</summary>
    public static GatewayCall? FailedOf(PaymentFile file, string operation) =>
        file.Calls.Where(call => call.Operation == operation).MaxBy(call => call.N) is
            { AskedBy: ServiceNames.Order, State: CallStates.Declined or CallStates.Failed } failed
            ? failed
            : null;
}
