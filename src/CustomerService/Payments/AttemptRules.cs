using Orderwright.Contracts;

namespace Orderwright.CustomerService.Payments;

/// <summary>
/// Continues due attempts, and settles attempts with the gateway's result. Pure. A time-out is not a refusal: the attempt
/// is then in doubt until a look-up, a webhook or a person settles the matter.
/// </summary>
public static class AttemptRules
{
    /// <summary>Continues a due attempt: the lease has ended, the pause is over, or a look-up is due.</summary>
    /// <param name="paymentCase">The order's payment with the attempts.</param>
    /// <param name="at">Time and limits.</param>
    /// <param name="instead">Gateway to take over the attempt, by <see cref="RoutingRules"/>.</param>
    public static PaymentDecision TakeUp(PaymentCase paymentCase, At at, string? instead = null)
    {
        if (paymentCase.Open is not { DueAt: { } due } attempt || due > at.Now) return new(paymentCase);
        if (instead is not null)
            return FailOver(paymentCase, attempt.Finished(AttemptStates.Failed, at.Now), instead, at);
        var sendAgain = attempt.State == AttemptStates.Retry;
        var taken = attempt with
        {
            State = sendAgain ? AttemptStates.Open : attempt.State,
            Sends = attempt.Sends + (sendAgain ? 1 : 0),
            DueAt = at.LeaseEnd,
        };
        return new(paymentCase.With(taken), Next: new GatewayTask(taken, LookUp: !sendAgain));
    }

    /// <summary>
    /// Settles an attempt with a result from a reply, a look-up or a webhook. With
    /// <paramref name="instead"/> the attempt certainly had no effect, and another gateway is tried (<see cref="RoutingRules"/>).
    /// </summary>
    public static PaymentDecision Settle(
        PaymentCase paymentCase, string operation, int number, GatewayResult result, ProviderCapabilities capabilities, At at,
        string? instead = null)
    {
        var attempt = paymentCase.Attempt(operation, number);
        if (attempt is null || paymentCase.Payment is null) return new(paymentCase);
        if (attempt.FinishedAt is not null) return LateRules.Settle(paymentCase, attempt, result, at);
        if (attempt.IsRecovery) return RecoveryRules.Settle(paymentCase, attempt, result, capabilities, at, instead);
        if (instead is not null) return FailOver(paymentCase, WithoutEffect(attempt, result, at), instead, at);
        return result switch
        {
            GatewayResult.Succeeded done => AttemptOutcomes.Succeed(paymentCase, attempt, done, at),
            GatewayResult.Declined refusal => AttemptOutcomes.Decline(paymentCase, attempt, refusal, at),
            GatewayResult.ActionRequired action when operation == GatewayOperations.Authorize =>
                AttemptOutcomes.Wait(paymentCase, attempt, action, at),
            GatewayResult.ActionRequired => AttemptOutcomes.Decline(
                paymentCase, attempt,
                new("unexpected_action", $"The gateway requires an action of the customer to {operation}."), at),
            _ when attempt.State == AttemptStates.Waiting =>
                new(paymentCase.With(attempt with { DueAt = at.Now + at.Limits.GatewayPollEvery })),
            GatewayResult.NotAsked notAsked => DoubtRules.HoldBack(paymentCase, attempt, notAsked, at),
            GatewayResult.Unavailable unavailable when attempt.State == AttemptStates.Open =>
                DoubtRules.Postpone(paymentCase, attempt, unavailable, at),
            GatewayResult.NeverHappened never => DoubtRules.Repeat(paymentCase, attempt, never, capabilities, at),
            GatewayResult.Unknown doubt when attempt.State != AttemptStates.InDoubt =>
                DoubtRules.Doubt(paymentCase, attempt, doubt.Why, at),
            _ => DoubtRules.LookUpLater(
                paymentCase, attempt, result as GatewayResult.Unknown ?? new("The gateway is not available."), capabilities,
                at.Now),
        };
    }

    // The new attempt has a new number, and so a new key.
    static PaymentDecision FailOver(PaymentCase paymentCase, PaymentAttempt ended, string instead, At at) =>
        AttemptOutcomes.Begin(
            paymentCase.With(ended).With((paymentCase.Payment! with { Provider = instead }).Changed(at.Now)),
            GatewayOperations.Authorize, ended.AmountMinor, at);

    static PaymentAttempt WithoutEffect(PaymentAttempt attempt, GatewayResult result, At at) => result switch
    {
        GatewayResult.Declined declined => attempt.Finished(AttemptStates.Declined, at.Now) with
        {
            Code = declined.Code, Message = declined.Message,
        },
        GatewayResult.Unavailable unavailable => attempt.Finished(AttemptStates.Failed, at.Now) with
        {
            Code = ReasonCodes.ProviderUnavailable, Message = unavailable.Why,
        },
        GatewayResult.NotAsked notAsked => attempt.Finished(AttemptStates.Failed, at.Now) with
        {
            Code = ReasonCodes.ProviderUnavailable, Message = notAsked.Why, Sends = attempt.Sends - 1,
        },
        var other => throw new InvalidOperationException($"{attempt.Key}: {other.GetType().Name} may have had an effect."),
    };
}
