using Orderwright.Contracts;

namespace Orderwright.CustomerService.Payments;

/// <summary>
/// Effects on a payment when an attempt begins, succeeds, is declined, waits for the customer or is abandoned. Pure.
/// </summary>
public static class AttemptOutcomes
{
    /// <summary>Opens an attempt, which is committed before its request is sent.</summary>
    /// <param name="paymentCase">The order's payment with the attempts.</param>
    /// <param name="operation">Operation of <see cref="GatewayOperations"/>.</param>
    /// <param name="amountMinor">Amount to move.</param>
    /// <param name="at">Time and limits.</param>
    /// <param name="requestedBy">Operator or service; null for the order process.</param>
    /// <param name="reason">Reason given by <paramref name="requestedBy"/>.</param>
    public static PaymentDecision Begin(
        PaymentCase paymentCase, string operation, long amountMinor, At at, string? requestedBy = null, string? reason = null,
        string? approvedBy = null)
    {
        var attempt = new PaymentAttempt
        {
            OrderId = paymentCase.OrderId,
            Operation = operation,
            Number = paymentCase.NextNumber(operation),
            Provider = paymentCase.Payment?.Provider,
            State = AttemptStates.Open,
            AmountMinor = amountMinor,
            StartedAt = at.Now,
            DueAt = at.LeaseEnd,
            Sends = 1,
            RequestedBy = requestedBy,
            ApprovedBy = approvedBy,
            Reason = reason,
        };
        return new(paymentCase.With(attempt), Next: new GatewayTask(attempt, LookUp: false));
    }

    /// <summary>Voids held money, then refunds captured money. A pending action of the customer is withdrawn.</summary>
    public static PaymentDecision Reverse(PaymentCase paymentCase, At at)
    {
        var payment = paymentCase.Payment!;
        if (paymentCase.Open is { State: AttemptStates.Waiting } waiting)
            paymentCase = paymentCase.With(
                waiting.Finished(AttemptStates.Failed, at.Now) with { Code = ReasonCodes.Cancelled });
        var taken = payment.CapturedMinor - payment.RefundedMinor;
        return taken > 0 && payment.HeldMinor <= 0
            ? Begin(
                paymentCase.With(payment with { State = PaymentStates.Refunding, ActionUrl = null }),
                GatewayOperations.Refund, taken, at)
            : Begin(
                paymentCase.With(payment with { State = PaymentStates.Voiding, ActionUrl = null }),
                GatewayOperations.Void, payment.CapturedMinor > 0 ? payment.HeldMinor : payment.AmountMinor, at);
    }

    public static PaymentDecision Succeed(
        PaymentCase paymentCase, PaymentAttempt attempt, GatewayResult.Succeeded done, At at)
    {
        var payment = paymentCase.Payment!;
        paymentCase = paymentCase.With(attempt.Finished(AttemptStates.Succeeded, at.Now) with
        {
            Reference = done.Reference, Code = null, Message = null,
        });
        switch (attempt.Operation)
        {
            case GatewayOperations.Authorize:
                return Secured(
                    paymentCase,
                    payment with
                    {
                        State = done.Captured ? PaymentStates.Captured : PaymentStates.Authorized,
                        AuthorizedMinor = attempt.AmountMinor,
                        CapturedMinor = done.Captured ? attempt.AmountMinor : 0,
                        GatewayReference = done.Reference,
                        CaptureBefore = done.HoldsUntil,
                        Code = null,
                        Message = null,
                        ActionUrl = null,
                    },
                    StepNames.AuthorizePayment, at);

            case GatewayOperations.Capture:
                var taken = payment with
                {
                    CapturedMinor = checked(payment.CapturedMinor + attempt.AmountMinor),
                    AttentionCode = payment.AttentionCode == AttentionCodes.CaptureFailed ? null : payment.AttentionCode,
                    Code = null,
                    Message = null,
                };
                return Secured(paymentCase, taken with { State = StateOf(taken) }, StepNames.CapturePayment, at);

            case GatewayOperations.Void:
                var released = payment with { Voided = true, Code = null, Message = null };
                return released.CapturedMinor == released.RefundedMinor
                    ? Undone(
                        paymentCase,
                        released with
                        {
                            State = released.CapturedMinor > 0 ? PaymentStates.Refunded : PaymentStates.Voided,
                        },
                        at)
                    : Settled(paymentCase.With(released with { State = PaymentStates.Captured }), at);

            default:
                var refunded = payment with
                {
                    State = PaymentStates.Refunded,
                    RefundedMinor = checked(payment.RefundedMinor + attempt.AmountMinor),
                    Code = null,
                    Message = null,
                };
                return refunded.RefundedMinor == refunded.CapturedMinor && refunded.HeldMinor <= 0
                    ? Undone(paymentCase, refunded, at)
                    : Settled(paymentCase.With(refunded with { State = StateOf(refunded) }), at);
        }
    }

    public static PaymentDecision Decline(
        PaymentCase paymentCase, PaymentAttempt attempt, GatewayResult.Declined refusal, At at)
    {
        var code = refusal.Code == ReasonCodes.InsufficientFunds
            ? ReasonCodes.InsufficientFunds
            : ReasonCodes.PaymentDeclined;
        var payment = paymentCase.Payment! with { Code = code, Message = refusal.Message, ActionUrl = null };
        paymentCase = paymentCase.With(attempt.Finished(AttemptStates.Declined, at.Now) with
        {
            Code = refusal.Code, Message = refusal.Message,
        });
        if (attempt.RequestedBy is not null)
            return Unchanged(paymentCase, AttentionAfter(paymentCase.Payment!, attempt), at);
        switch (attempt.Operation)
        {
            case GatewayOperations.Authorize:
                payment = (payment with { State = PaymentStates.Declined }).Changed(at.Now);
                return payment.UndoStep is null
                    ? new(paymentCase.With(payment), PaymentAnswers.Rejected(payment), StepNames.AuthorizePayment)
                    : Undone(paymentCase, payment, at);

            case GatewayOperations.Capture:
                payment = (payment with { State = PaymentStates.Authorized }).Changed(at.Now);
                return payment.UndoStep is null
                    ? new(paymentCase.With(payment), PaymentAnswers.Rejected(payment), StepNames.CapturePayment)
                    : Reverse(paymentCase.With(payment), at);

            default:
                return UndoFailed(paymentCase, payment, refusal.Message, at);
        }
    }

    public static PaymentDecision Wait(
        PaymentCase paymentCase, PaymentAttempt attempt, GatewayResult.ActionRequired action, At at)
    {
        paymentCase = paymentCase.With(attempt with
        {
            State = AttemptStates.Waiting, Reference = action.Reference, Code = null, Message = null,
            DueAt = at.Now + at.Limits.GatewayPollEvery,
        });
        if (attempt.State == AttemptStates.Waiting) return new(paymentCase);
        var waiting = (paymentCase.Payment! with
        {
            State = PaymentStates.ActionRequired, ActionUrl = action.Url, GatewayReference = action.Reference,
        }).Changed(at.Now);
        return waiting.UndoStep is null
            ? new(paymentCase.With(waiting), PaymentAnswers.Waiting(waiting), StepNames.AuthorizePayment)
            : Reverse(paymentCase.With(waiting), at);
    }

    /// <summary>Abandons an attempt that certainly had no effect.</summary>
    public static PaymentDecision GiveUp(PaymentCase paymentCase, PaymentAttempt attempt, string code, string why, At at)
    {
        var payment = paymentCase.Payment!;
        paymentCase = paymentCase.With(
            attempt.Finished(AttemptStates.Failed, at.Now) with { Code = code, Message = why });
        if (attempt.RequestedBy is not null) return Unchanged(paymentCase, payment.AttentionCode, at);
        switch (attempt.Operation)
        {
            case GatewayOperations.Authorize when payment.UndoStep is not null:
                return Undone(paymentCase, payment with { State = PaymentStates.Undone }, at);

            case GatewayOperations.Authorize:
                var declined = (payment with { State = PaymentStates.Declined, Code = code, Message = why }).Changed(at.Now);
                return new(paymentCase.With(declined), PaymentAnswers.Rejected(declined), StepNames.AuthorizePayment);

            case GatewayOperations.Capture when payment.UndoStep is not null:
                return Reverse(paymentCase.With(payment.Changed(at.Now)), at);

            case GatewayOperations.Capture:
                var secured = (payment with { State = PaymentStates.Authorized, Code = code, Message = why }).Changed(at.Now);
                return new(
                    paymentCase.With(secured), PaymentAnswers.CaptureLater(secured, code, why), StepNames.CapturePayment);

            default:
                return UndoFailed(paymentCase, payment, why, at);
        }
    }

    // An operator's or order-service's request had no effect: the attempt carries the reason, the payment stays as it was.
    static PaymentDecision Unchanged(PaymentCase paymentCase, string? attentionCode, At at) => Settled(
        paymentCase.With(paymentCase.Payment! with
        {
            State = StateOf(paymentCase.Payment), AttentionCode = attentionCode,
        }),
        at);

    // The goods are shipped, and the gateway refuses to pay for them.
    static string? AttentionAfter(Payment payment, PaymentAttempt refused) =>
        refused is { RequestedBy: ServiceNames.Order, Operation: GatewayOperations.Capture }
        && payment.AttentionCode != AttentionCodes.HoldEnded
            ? AttentionCodes.CaptureFailed
            : payment.AttentionCode;

    // While money is held, more of it can be captured.
    static string StateOf(Payment payment) => payment.HeldMinor > 0 ? PaymentStates.Authorized : PaymentStates.Captured;

    // Runs an undo that was requested in the meantime.
    static PaymentDecision Settled(PaymentCase paymentCase, At at)
    {
        var settled = paymentCase.With(paymentCase.Payment!.Changed(at.Now));
        return paymentCase.Payment!.UndoStep is null ? new(settled) : Reverse(settled, at);
    }

    // When an undo was requested in the meantime, the step itself gets no reply any more.
    static PaymentDecision Secured(PaymentCase paymentCase, Payment payment, string step, At at)
    {
        var secured = payment.Changed(at.Now);
        return secured.UndoStep is null
            ? new(paymentCase.With(secured), PaymentAnswers.Completed(secured), step)
            : Reverse(paymentCase.With(secured), at);
    }

    static PaymentDecision Undone(PaymentCase paymentCase, Payment payment, At at)
    {
        var step = payment.UndoStep;
        var undone = (payment with { UndoStep = null }).Changed(at.Now);
        return new(paymentCase.With(undone), step is null ? null : PaymentAnswers.UndoCompleted(undone), step);
    }

    static PaymentDecision UndoFailed(PaymentCase paymentCase, Payment payment, string why, At at)
    {
        var step = payment.UndoStep;
        var failed = (payment with
        {
            State = PaymentStates.UndoFailed, UndoStep = null, Code = ReasonCodes.RefundFailed, Message = why,
        }).Changed(at.Now);
        return new(paymentCase.With(failed), step is null ? null : PaymentAnswers.UndoRejected(failed), step);
    }
}
