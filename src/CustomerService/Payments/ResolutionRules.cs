using Orderwright.Contracts;

namespace Orderwright.CustomerService.Payments;

/// <summary>
/// Effect of an operator's resolution on a payment whose outcome the gateway cannot report. Pure. A resolution ends a
/// doubt, or records that money was returned in another way. Known facts stay, and a later contradiction by the gateway
/// still counts (<see cref="LateRules"/>).
/// </summary>
public static class ResolutionRules
{
    /// <summary>True when something is open that a person may know better than the gateway.</summary>
    public static bool Accepts(PaymentCase paymentCase, bool completed) =>
        paymentCase.Open is { State: AttemptStates.InDoubt or AttemptStates.Waiting }
        || (completed && paymentCase is { Open: null, Payment.State: PaymentStates.UndoFailed });

    /// <summary>Applies a resolution once; the same or an older one returns the very same case.</summary>
    /// <param name="paymentCase">The locked payment, with all its attempts.</param>
    /// <param name="resolution">The operator's resolution.</param>
    /// <param name="at">Time and limits.</param>
    public static PaymentDecision Apply(PaymentCase paymentCase, Resolution resolution, At at)
    {
        if (paymentCase.Payment is not { } payment || resolution.Id.CompareTo(payment.LastResolutionId) <= 0)
            return new(paymentCase);
        paymentCase = paymentCase.With(payment with { LastResolutionId = resolution.Id });
        return paymentCase.Open switch
        {
            { State: AttemptStates.InDoubt or AttemptStates.Waiting } attempt when resolution.Completed =>
                Happened(paymentCase, ResolvedBy(attempt, resolution), resolution, at),
            { State: AttemptStates.InDoubt } attempt =>
                DidNotHappen(paymentCase, ResolvedBy(attempt, resolution), resolution, at),
            // The customer could still act, so the request to act is withdrawn.
            { State: AttemptStates.Waiting } attempt =>
                AttemptOutcomes.Reverse(paymentCase.With(ResolvedBy(attempt, resolution)), at),
            null when resolution.Completed && paymentCase.Payment!.State == PaymentStates.UndoFailed =>
                Returned(paymentCase, resolution, at.Now),
            _ => new(paymentCase),
        };
    }

    static PaymentAttempt ResolvedBy(PaymentAttempt attempt, Resolution resolution) => attempt with
    {
        ResolvedBy = resolution.By, Reason = resolution.Reason,
    };

    static PaymentDecision Happened(PaymentCase paymentCase, PaymentAttempt attempt, Resolution resolution, At at) =>
        AttemptOutcomes.Succeed(
            paymentCase.With(attempt), attempt,
            new GatewayResult.Succeeded(
                resolution.Reference ?? attempt.Reference ?? paymentCase.Payment!.GatewayReference ?? attempt.Key),
            at);

    // An undo has to finish, so a failed one begins again, under a new key.
    static PaymentDecision DidNotHappen(PaymentCase paymentCase, PaymentAttempt attempt, Resolution resolution, At at)
    {
        var undoing = paymentCase.Payment!.UndoStep;
        var abandoned = AttemptOutcomes.GiveUp(
            paymentCase.With(attempt), attempt, ReasonCodes.ResolvedByOperator,
            $"{resolution.By} reports that it did not happen.", at);
        return abandoned.Case.Payment is { State: PaymentStates.UndoFailed } failed
            ? AttemptOutcomes.Reverse(
                abandoned.Case.With(failed with { UndoStep = undoing, Code = null, Message = null }), at)
            : abandoned;
    }

    static PaymentDecision Returned(PaymentCase paymentCase, Resolution resolution, DateTimeOffset now)
    {
        var payment = paymentCase.Payment!;
        var taken = payment.CapturedMinor - payment.RefundedMinor;
        var operation = taken > 0 ? GatewayOperations.Refund : GatewayOperations.Void;
        var attempt = new PaymentAttempt
        {
            OrderId = paymentCase.OrderId,
            Operation = operation,
            Number = paymentCase.NextNumber(operation),
            Provider = payment.Provider,
            State = AttemptStates.Succeeded,
            AmountMinor = taken > 0 ? taken : payment.AuthorizedMinor,
            Reference = resolution.Reference,
            StartedAt = now,
            FinishedAt = now,
            RequestedBy = resolution.By,
            ResolvedBy = resolution.By,
            Reason = resolution.Reason,
        };
        var returned = (payment with
        {
            State = taken > 0 ? PaymentStates.Refunded : PaymentStates.Voided,
            RefundedMinor = payment.RefundedMinor + taken,
            Voided = payment.Voided || taken == 0,
            Code = null,
            Message = null,
        }).Changed(now);
        return new(
            paymentCase.With(returned).With(attempt), PaymentAnswers.UndoCompleted(returned), StepNames.AuthorizePayment);
    }
}
