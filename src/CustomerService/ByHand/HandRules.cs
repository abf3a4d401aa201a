using Orderwright.CustomerService.Gateways;

namespace Orderwright.CustomerService.ByHand;

/// <summary>What an operator wants done to a payment.</summary>
/// <param name="OrderId">The payment's id.</param>
/// <param name="Operation">Capture, void or refund, of <see cref="GatewayOperations"/>.</param>
/// <param name="AmountMinor">Of a refund; null: all that there is.</param>
/// <param name="Reason">In the operator's own words.</param>
public sealed record HandAct(Guid OrderId, string Operation, long? AmountMinor, string? Reason);

/// <summary>What comes of it: a decision, or the code and the sentence of a 409.</summary>
public sealed record HandDecision(PaymentDecision? Decision, string? Code = null, string? Why = null);

/// <summary>
/// What operators may do to a payment: one thing at a time, and never more than is held or was taken. Pure. At a gateway
/// it becomes an attempt like any other; store credit moves at once.
/// </summary>
public static class HandRules
{
    /// <param name="file">The payment, under lock, with all its attempts.</param>
    /// <param name="act">What is wanted.</param>
    /// <param name="actor">By whom.</param>
    /// <param name="capabilities">Of its gateway; null for store credit.</param>
    /// <param name="balanceMinor">The customer's, where it is paid from it.</param>
    /// <param name="now">The batch's moment.</param>
    /// <param name="limits">For the attempt's lease.</param>
    public static HandDecision Decide(
        PaymentFile file, HandAct act, string actor, ProviderCapabilities? capabilities, long balanceMinor,
        DateTimeOffset now, GatewayLimits limits)
    {
        var payment = file.Payment!;
        var left = payment.CapturedMinor - payment.RefundedMinor;
        if (file.Open is { } open)
            return Refused("payment_busy", $"A {open.Operation} of this payment is under way ({open.State}).");
        return act.Operation switch
        {
            GatewayOperations.Capture when payment.State != PaymentStates.Authorized =>
                Refused("not_authorized", $"Nothing is held; the payment is {payment.State}."),
            GatewayOperations.Capture when act.AmountMinor > payment.HeldMinor =>
                Refused("exceeds_authorized", $"Only {payment.HeldMinor} are held."),
            GatewayOperations.Capture when act.AmountMinor < payment.HeldMinor =>
                Refused("partial_capture", "By hand what is held is captured whole; what is too much of it is refunded."),
            GatewayOperations.Capture =>
                Begin(PaymentStates.Capturing, payment.HeldMinor),

            GatewayOperations.Void when payment.State != PaymentStates.Authorized =>
                Refused("not_voidable", $"Nothing is held; the payment is {payment.State}."),
            GatewayOperations.Void => Begin(PaymentStates.Voiding, payment.HeldMinor),

            _ when payment.CapturedMinor == 0 =>
                Refused("not_captured", $"Nothing was taken; the payment is {payment.State}."),
            _ when left == 0 || act.AmountMinor > left =>
                Refused("exceeds_captured", $"Of {payment.CapturedMinor} captured, {left} are not refunded yet."),
            _ when payment.State is not (PaymentStates.Captured or PaymentStates.Authorized) =>
                Refused("not_refundable", $"The payment is {payment.State}; the order's own undo has to be retried."),
            _ when capabilities is { PartialRefund: false } && act.AmountMinor < left =>
                Refused("partial_refund", "This gateway refunds a payment only whole."),
            _ when capabilities is null => GiveBack(act.AmountMinor ?? left),
            _ => Begin(PaymentStates.Refunding, act.AmountMinor ?? left),
        };

        HandDecision Begin(string state, long amount) => new(CallRules.Begin(
            file.With(PaymentRules.Changed(payment with { State = state }, now)), act.Operation, amount, now, limits,
            actor, act.Reason));

        HandDecision GiveBack(long amount)
        {
            var refunded = checked(payment.RefundedMinor + amount);
            var call = new GatewayCall
            {
                OrderId = file.OrderId,
                Operation = GatewayOperations.Refund,
                N = 1 + file.Calls.Count(earlier => earlier.Operation == GatewayOperations.Refund),
                State = CallStates.Succeeded,
                AmountMinor = amount,
                StartedAt = now,
                FinishedAt = now,
                AskedBy = actor,
                Reason = act.Reason,
            };
            var given = payment with
            {
                State = refunded == payment.CapturedMinor ? PaymentStates.Refunded : PaymentStates.Captured,
                RefundedMinor = refunded,
            };
            return new(new PaymentDecision(
                file.With(PaymentRules.Changed(given, now)).With(call), BalanceMinor: checked(balanceMinor + amount)));
        }
    }

    static HandDecision Refused(string code, string why) => new(null, code, why);
}
