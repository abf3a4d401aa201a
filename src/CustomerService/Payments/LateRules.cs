namespace Orderwright.CustomerService.Payments;

/// <summary>
/// Handles results for attempts already considered settled. Pure. A late success not needed any more is returned
/// automatically. A contradiction beyond all rules is reported to a person, never ignored.
/// </summary>
static class LateRules
{
    public static PaymentDecision Settle(PaymentCase paymentCase, PaymentAttempt attempt, GatewayResult result, At at)
    {
        switch (result)
        {
            case GatewayResult.Succeeded done when attempt.State is AttemptStates.Failed or AttemptStates.Declined:
                return SucceedLate(paymentCase, attempt, done, at);

            case GatewayResult.Declined or GatewayResult.NeverHappened { Final: true }
                when attempt is { State: AttemptStates.Succeeded, ResolvedBy: { } resolvedBy }:
                return NeedsAttention(
                    paymentCase,
                    $"{resolvedBy} resolved {attempt.Key} as completed; the gateway reports that it did not happen.", at);

            default:
                return new(paymentCase);
        }
    }

    static PaymentDecision SucceedLate(
        PaymentCase paymentCase, PaymentAttempt attempt, GatewayResult.Succeeded done, At at)
    {
        var payment = paymentCase.Payment!;
        switch (attempt.Operation)
        {
            case GatewayOperations.Authorize
                when paymentCase.Open is null && payment.State is PaymentStates.Declined or PaymentStates.Undone:
                paymentCase = paymentCase.With(attempt with
                {
                    State = AttemptStates.Succeeded, Reference = done.Reference, Code = null, Message = null,
                });
                var authorized = payment with
                {
                    Provider = attempt.Provider ?? payment.Provider,
                    AuthorizedMinor = attempt.AmountMinor,
                    CapturedMinor = done.Captured ? attempt.AmountMinor : 0,
                    GatewayReference = done.Reference,
                };
                return AttemptOutcomes.Reverse(paymentCase.With(authorized.Changed(at.Now)), at);

            case GatewayOperations.Capture when paymentCase.Open is null && payment.State == PaymentStates.Authorized:
            case GatewayOperations.Void or GatewayOperations.Refund
                when paymentCase.Open is null && payment.State == PaymentStates.UndoFailed:
            case GatewayOperations.Refund
                when paymentCase.Open is null && payment.State == PaymentStates.Captured
                    && attempt.AmountMinor <= payment.CapturedMinor - payment.RefundedMinor:
                return AttemptOutcomes.Succeed(paymentCase, attempt, done, at);

            default:
                return NeedsAttention(
                    paymentCase,
                    $"{attempt.Key} was recorded as not done; the gateway reports that it was ({done.Reference}).", at);
        }
    }

    static PaymentDecision NeedsAttention(PaymentCase paymentCase, string why, At at) =>
        paymentCase.Payment!.Attention == why
            ? new(paymentCase)
            : new(paymentCase.With((paymentCase.Payment with { Attention = why }).Changed(at.Now)));
}
