using Orderwright.Contracts;

namespace Orderwright.CustomerService.Payments;

/// <summary>Action on a payment requested by an operator.</summary>
/// <param name="OrderId">The payment's id.</param>
/// <param name="Operation">Capture, void or refund, of <see cref="GatewayOperations"/>, or <see cref="Resolve"/>.</param>
/// <param name="AmountMinor">Amount of a refund; null for everything left.</param>
/// <param name="Reason">The operator's reason.</param>
/// <param name="Completed">For <see cref="Resolve"/>: the operation happened.</param>
/// <param name="Reference">For <see cref="Resolve"/>: the gateway's id of the operation.</param>
/// <param name="Adoption">For <see cref="Adopt"/>: the charge, and the order that it pays.</param>
/// <param name="ApprovedBy">Second person who approved the action; null for none.</param>
public sealed record OperatorPaymentAction(
    Guid OrderId, string Operation, long? AmountMinor, string? Reason, bool Completed = false, string? Reference = null,
    Adoption? Adoption = null, string? ApprovedBy = null)
{
    /// <summary>Takes over the gateway's charge of an order whose payment was lost.</summary>
    public const string Adopt = "adopt";

    /// <summary>Records the outcome of an attempt in doubt.</summary>
    public const string Resolve = "resolve";
}

/// <summary>Charge of a gateway to take over.</summary>
/// <param name="Provider">The gateway's provider.</param>
/// <param name="Charge">The charge as the gateway lists it at this moment.</param>
/// <param name="Status">Status of the order, according to order-service.</param>
/// <param name="Terms">Terms of the order's payment, according to order-service.</param>
public sealed record Adoption(string Provider, ListedCharge Charge, string Status, PaymentTerms Terms);

/// <summary>A decision, or the code and the sentence of a 409.</summary>
public sealed record OperatorDecision(PaymentDecision? Decision, string? Code = null, string? Why = null);

/// <summary>
/// Actions of operators on a payment: one at a time, and never for more than is held or was captured. Pure. At a gateway
/// an action becomes an ordinary attempt; store credit moves at once.
/// </summary>
public static class OperatorPaymentRules
{
    /// <param name="paymentCase">The locked payment, with all its attempts.</param>
    /// <param name="action">The requested action.</param>
    /// <param name="actor">Name of the operator.</param>
    /// <param name="capabilities">The gateway's; null for store credit.</param>
    /// <param name="balanceMinor">The customer's balance, for payments from store credit.</param>
    /// <param name="at">Time and limits.</param>
    public static OperatorDecision Decide(
        PaymentCase paymentCase, OperatorPaymentAction action, string actor, ProviderCapabilities? capabilities,
        long balanceMinor, At at)
    {
        var payment = paymentCase.Payment!;
        var left = payment.CapturedMinor - payment.RefundedMinor;
        if (paymentCase.Open is { } open)
            return Refused("payment_busy", $"A {open.Operation} of this payment is in progress ({open.State}).");
        return action.Operation switch
        {
            GatewayOperations.Capture when payment.State != PaymentStates.Authorized =>
                Refused("not_authorized", $"No money is held; the payment is {payment.State}."),
            GatewayOperations.Capture when action.AmountMinor > payment.HeldMinor =>
                Refused("exceeds_authorized", $"Only {payment.HeldMinor} are held."),
            GatewayOperations.Capture when action.AmountMinor < payment.HeldMinor => Refused(
                "partial_capture", "Operators can capture only everything that is held; refund the excess afterwards."),
            GatewayOperations.Capture =>
                Begin(PaymentStates.Capturing, payment.HeldMinor),

            // The order would stay confirmed without its money. Cancelling the order voids the payment too.
            GatewayOperations.Void when payment.State == PaymentStates.Authorized => Refused(
                "order_stands",
                "The order is still active: cancel it (POST /api/v1/orders/{id}/cancel), which also releases the money."),
            GatewayOperations.Void when payment is { State: PaymentStates.UndoFailed, CapturedMinor: 0, Voided: false } =>
                Begin(PaymentStates.Voiding, payment.AuthorizedMinor, undoStep: StepNames.AuthorizePayment),
            GatewayOperations.Void => Refused("not_voidable", $"No money is held; the payment is {payment.State}."),

            _ when payment.CapturedMinor == 0 =>
                Refused("not_captured", $"No money was captured; the payment is {payment.State}."),
            _ when left == 0 || action.AmountMinor > left =>
                Refused("exceeds_captured", $"Of {payment.CapturedMinor} captured, only {left} can still be refunded."),
            _ when payment.State is not (PaymentStates.Captured or PaymentStates.Authorized) =>
                Refused("not_refundable", $"The payment is {payment.State}; retry the order's own undo instead."),
            _ when capabilities is { PartialRefund: false } && action.AmountMinor < left =>
                Refused("partial_refund", "This gateway supports full refunds only."),
            _ when capabilities is null => RefundToBalance(action.AmountMinor ?? left),
            _ => Begin(PaymentStates.Refunding, action.AmountMinor ?? left),
        };

        OperatorDecision Begin(string state, long amount, string? undoStep = null) => new(AttemptOutcomes.Begin(
            paymentCase.With((payment with { State = state, UndoStep = undoStep ?? payment.UndoStep }).Changed(at.Now)),
            action.Operation, amount, at, actor, action.Reason, action.ApprovedBy));

        OperatorDecision RefundToBalance(long amount)
        {
            var refunded = checked(payment.RefundedMinor + amount);
            var attempt = new PaymentAttempt
            {
                OrderId = paymentCase.OrderId,
                Operation = GatewayOperations.Refund,
                Number = paymentCase.NextNumber(GatewayOperations.Refund),
                State = AttemptStates.Succeeded,
                AmountMinor = amount,
                StartedAt = at.Now,
                FinishedAt = at.Now,
                RequestedBy = actor,
                ApprovedBy = action.ApprovedBy,
                Reason = action.Reason,
            };
            var after = payment with
            {
                State = refunded == payment.CapturedMinor ? PaymentStates.Refunded : PaymentStates.Captured,
                RefundedMinor = refunded,
            };
            return new(new PaymentDecision(
                paymentCase.With(after.Changed(at.Now)).With(attempt), BalanceMinor: checked(balanceMinor + amount)));
        }
    }

    /// <param name="paymentCase">The locked payment, with all its attempts.</param>
    /// <param name="action">A resolve.</param>
    /// <param name="actor">Name of the operator.</param>
    /// <param name="id">New, time-ordered id of the resolution.</param>
    /// <param name="at">Time and limits.</param>
    public static OperatorDecision Resolve(
        PaymentCase paymentCase, OperatorPaymentAction action, string actor, Guid id, At at)
    {
        var payment = paymentCase.Payment!;
        if (ResolutionRules.Accepts(paymentCase, action.Completed))
            return new(ResolutionRules.Apply(
                paymentCase.Open is { } open && action.ApprovedBy is { } second
                    ? paymentCase.With(open with { ApprovedBy = second }) : paymentCase,
                new Resolution(id, action.Completed, actor, action.Reason!, action.Reference), at));
        if (payment.State == PaymentStates.UndoFailed)
            return Refused(
                "must_be_done",
                "The money has to be returned in the end: resolve as completed once it is, or retry the order's undo.");
        return payment.Attention is null
            ? Refused("not_in_doubt", $"Nothing is in doubt; the payment is {payment.State}.")
            : new(new PaymentDecision(paymentCase.With((payment with { Attention = null }).Changed(at.Now))));
    }

    /// <summary>
    /// Creates the lost payment of an order that stands from the gateway's record. The attempt is numbered above the lost ones,
    /// so that no key is used twice; the journal gains what it lacks.
    /// </summary>
    /// <param name="paymentCase">The order's payment, if any.</param>
    /// <param name="action">An adoption.</param>
    /// <param name="actor">Name of the operator.</param>
    /// <param name="journaled">Amounts of the order in the journal.</param>
    /// <param name="now">Time of the decision.</param>
    public static OperatorDecision Adopt(
        PaymentCase paymentCase, OperatorPaymentAction action, string actor, (long Captured, long Refunded) journaled,
        DateTimeOffset now)
    {
        var (provider, charge, status, terms) = action.Adoption!;
        if (paymentCase.Payment is { } known)
            return Refused("payment_exists", $"The order has a payment here: {known.State}.");
        if (status is not (OrderStatuses.Confirmed or OrderStatuses.Completed))
            return Refused(
                "order_not_standing", $"The order is {status}: only the charge of an order that stands is taken over.");
        var charged = charge.HeldMinor + charge.CapturedMinor;
        if (charge.Currency != terms.Currency || terms.AmountMinor is not { } total || charged > total)
            return Refused(
                "charge_differs",
                $"The charge is over {Money.Format(charged, charge.Currency)}; the order costs "
                + $"{(terms.AmountMinor is { } cost ? Money.Format(cost, terms.Currency) : "an unknown amount")}.");
        if (journaled.Captured > charge.CapturedMinor || journaled.Refunded > charge.RefundedMinor)
            return Refused(
                "charge_differs",
                $"The journal has {journaled.Captured} captured and {journaled.Refunded} refunded; the charge has "
                + $"{charge.CapturedMinor} and {charge.RefundedMinor}.");
        return new(new PaymentDecision(
            RecoveryRules.TakeOver(paymentCase, terms, provider, charge, actor, action.Reason, now)));
    }

    static OperatorDecision Refused(string code, string why) => new(null, code, why);
}
