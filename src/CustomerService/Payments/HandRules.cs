using Orderwright.Contracts;

namespace Orderwright.CustomerService.Payments;

/// <summary>What an operator wants done to a payment.</summary>
/// <param name="OrderId">The payment's id.</param>
/// <param name="Operation">Capture, void or refund, of <see cref="GatewayOperations"/>, or <see cref="Resolve"/>.</param>
/// <param name="AmountMinor">Of a refund; null: all that there is.</param>
/// <param name="Reason">In the operator's own words.</param>
/// <param name="Completed">With <see cref="Resolve"/>: it happened.</param>
/// <param name="Reference">With <see cref="Resolve"/>: the gateway's id of it.</param>
public sealed record HandAct(
    Guid OrderId, string Operation, long? AmountMinor, string? Reason, bool Completed = false, string? Reference = null)
{
    /// <summary>Beside capture, void and refund: says what became of an attempt.</summary>
    public const string Resolve = "resolve";
}

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

            // Without its money the order would stand unpaid; what cancels it releases the money, too.
            GatewayOperations.Void when payment.State == PaymentStates.Authorized => Refused(
                "order_stands",
                "The order that this pays for stands: cancel it (POST /api/v1/orders/{id}/cancel), which releases the money."),
            GatewayOperations.Void when payment is { State: PaymentStates.UndoFailed, CapturedMinor: 0, Voided: false } =>
                new(CallRules.Begin(
                    file.With(PaymentRules.Changed(
                        payment with { State = PaymentStates.Voiding, UndoStep = StepNames.AuthorizePayment }, now)),
                    act.Operation, payment.AuthorizedMinor, now, limits, actor, act.Reason)),
            GatewayOperations.Void => Refused("not_voidable", $"Nothing is held; the payment is {payment.State}."),

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

    /// <param name="file">The payment, under lock, with all its attempts.</param>
    /// <param name="act">A resolve.</param>
    /// <param name="actor">By whom.</param>
    /// <param name="id">New and time-ordered.</param>
    /// <param name="now">The batch's moment.</param>
    /// <param name="limits">For the lease of what is then asked.</param>
    public static HandDecision Resolve(
        PaymentFile file, HandAct act, string actor, Guid id, DateTimeOffset now, GatewayLimits limits)
    {
        var payment = file.Payment!;
        if (ResolutionRules.IsOpenToIt(file, act.Completed))
            return new(ResolutionRules.Hear(
                file, new Resolution(id, act.Completed, actor, act.Reason!, act.Reference), now, limits));
        if (payment.State == PaymentStates.UndoFailed)
            return Refused(
                "must_be_done", "The money has to be given back in the end: say when it is, or retry the order's undo.");
        return payment.Attention is null
            ? Refused("not_in_doubt", $"Nothing is in doubt; the payment is {payment.State}.")
            : new(new PaymentDecision(file.With(PaymentRules.Changed(payment with { Attention = null }, now))));
    }

    static HandDecision Refused(string code, string why) => new(null, code, why);
}
