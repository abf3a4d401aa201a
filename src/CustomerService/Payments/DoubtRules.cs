using System.Buffers.Binary;
using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.CustomerService.Payments;

/// <summary>Schedule of an unsettled attempt: when to continue, and whether to repeat or look up the request. Pure.</summary>
static class DoubtRules
{
    public static PaymentDecision Postpone(
        PaymentCase paymentCase, PaymentAttempt attempt, GatewayResult.Unavailable unavailable, At at)
    {
        // An earlier request under the same key may still arrive, and the result does not cover the earlier request.
        if (attempt.Code == ReasonCodes.InDoubt)
            return new(paymentCase.With(attempt with
            {
                State = AttemptStates.InDoubt, DueAt = at.Now + Pause(attempt, unavailable.After, at.Limits),
            }));
        return IsUndoWanted(paymentCase, attempt) || attempt.Sends >= at.Limits.GatewayMaxAttempts
            ? AttemptOutcomes.GiveUp(
                paymentCase, attempt, ReasonCodes.ProviderUnavailable, "The gateway is not available.", at)
            : new(paymentCase.With(attempt with
            {
                State = AttemptStates.Retry, Code = ReasonCodes.ProviderUnavailable, Message = unavailable.Why,
                DueAt = at.Now + Pause(attempt, unavailable.After, at.Limits),
            }));
    }

    /// <summary>
    /// Reschedules an attempt held back by the breaker. A request without effect waits for as long as the breaker is
    /// open; a request in doubt is looked up afterwards.
    /// </summary>
    public static PaymentDecision HoldBack(
        PaymentCase paymentCase, PaymentAttempt attempt, GatewayResult.NotAsked notAsked, At at)
    {
        var due = at.Now + notAsked.After + notAsked.After * Spread(attempt);
        if (notAsked.LookUp) return new(paymentCase.With(attempt with { DueAt = due }));
        if (attempt.State != AttemptStates.Open) return new(paymentCase);
        var notSent = attempt with { Sends = attempt.Sends - 1, DueAt = due };
        if (attempt.Code == ReasonCodes.InDoubt)
            return new(paymentCase.With(notSent with { State = AttemptStates.InDoubt }));
        return IsUndoWanted(paymentCase, attempt)
            ? AttemptOutcomes.GiveUp(paymentCase, notSent, ReasonCodes.ProviderUnavailable, notAsked.Why, at)
            : new(paymentCase.With(notSent with
            {
                State = AttemptStates.Retry, Code = ReasonCodes.ProviderUnavailable, Message = notAsked.Why,
            }));
    }

    // The gateway does not know the request. The same key may be sent again where keys are idempotent; a new key only where the
    // old request can no longer arrive. Giving up or undoing takes a second look-up, after any lag.
    public static PaymentDecision Repeat(
        PaymentCase paymentCase, PaymentAttempt attempt, GatewayResult.NeverHappened never, ProviderCapabilities capabilities,
        At at)
    {
        var undoWanted = IsUndoWanted(paymentCase, attempt);
        var givesUp = undoWanted || attempt.Sends >= at.Limits.GatewayMaxAttempts;
        var mayLag = (undoWanted && attempt.LookUps == 0) || at.Now < attempt.StartedAt + capabilities.LookUpLag;
        if (!never.Final && ((givesUp && mayLag) || (!undoWanted && !capabilities.IdempotentKeys)))
            return LookUpLater(
                paymentCase, attempt, new("The gateway knows no such request, or not yet.") { IsAnswer = true }, capabilities,
                at.Now);
        if (undoWanted)
            return AttemptOutcomes.GiveUp(
                paymentCase, attempt, ReasonCodes.Cancelled, "Undone; the gateway has no such request.", at);
        if (givesUp)
            return AttemptOutcomes.GiveUp(
                paymentCase, attempt, ReasonCodes.ProviderUnavailable, "The gateway took none of the requests.", at);
        if (!capabilities.IdempotentKeys)
            return AttemptOutcomes.Begin(
                paymentCase.With(attempt.Finished(AttemptStates.Failed, at.Now)), attempt.Operation, attempt.AmountMinor, at,
                attempt.RequestedBy, attempt.Reason);

        // Still marked in doubt, because the earlier request may yet arrive.
        var again = attempt with
        {
            State = AttemptStates.Open, Code = ReasonCodes.InDoubt, Sends = attempt.Sends + 1, DueAt = at.LeaseEnd,
        };
        return new(paymentCase.With(again), Next: new GatewayTask(again, LookUp: false));
    }

    public static PaymentDecision Doubt(PaymentCase paymentCase, PaymentAttempt attempt, string why, At at)
    {
        var doubtful = attempt with
        {
            State = AttemptStates.InDoubt, Code = ReasonCodes.InDoubt, Message = why, LookUps = 0, Evidence = [],
            DueAt = at.LeaseEnd,
        };
        return PaymentAnswers.InDoubt(paymentCase.With(doubtful), doubtful) with
        {
            Next = new GatewayTask(doubtful, LookUp: true),
        };
    }

    /// <summary>
    /// Records an inconclusive look-up and schedules the next. Where the gateway offers no look-ups, a webhook gets some
    /// time; afterwards only a person can end the doubt.
    /// </summary>
    public static PaymentDecision LookUpLater(
        PaymentCase paymentCase, PaymentAttempt attempt, GatewayResult.Unknown result, ProviderCapabilities capabilities,
        DateTimeOffset now)
    {
        var evidence = LookUp.Add(attempt.Evidence, result.Why, result.IsAnswer, now);
        var looked = attempt with { State = AttemptStates.InDoubt, LookUps = attempt.LookUps + 1, Evidence = evidence };
        looked = looked with
        {
            DueAt = capabilities.LookUpByKey ? NextLookUp(evidence, attempt.StartedAt + capabilities.LookUpLag, now)
                : attempt.LookUps == 0 ? now + GatewayLimits.WaitForWebhook
                : null,
        };
        var after = paymentCase.With(looked);
        return looked.NeedsPerson && !attempt.NeedsPerson ? PaymentAnswers.InDoubt(after, looked) : new(after);
    }

    // Look-ups come at growing intervals while the gateway answers, and at a fixed interval while the gateway is silent.
    // With lagging look-ups, the next look-up comes as soon as the lag is over.
    static DateTimeOffset NextLookUp(IReadOnlyList<LookUp> evidence, DateTimeOffset lagEnds, DateTimeOffset now)
    {
        if (!evidence[^1].IsAnswer)
            return now + (evidence is [{ Times: 1 }] ? GatewayLimits.LookUpPauses[0] : GatewayLimits.UnansweredPause);
        var answers = evidence.Where(look => look.IsAnswer).Sum(look => look.Times);
        var next = now + GatewayLimits.LookUpPauses[Math.Min(answers, GatewayLimits.LookUpPauses.Count) - 1];
        return lagEnds > now && lagEnds < next ? lagEnds : next;
    }

    // Exponential backoff with an upper bound; the gateway's own request for a pause wins when longer.
    static TimeSpan Pause(PaymentAttempt attempt, TimeSpan? requested, GatewayLimits limits)
    {
        var doubled = limits.GatewayBackoff * Math.Pow(2, Math.Min(attempt.Sends - 1, 20));
        var capped = doubled < GatewayLimits.LongestBackoff ? doubled : GatewayLimits.LongestBackoff;
        var spread = capped * (0.5 + 0.5 * Spread(attempt));
        return !(requested > spread) ? spread
            : requested > RepairClockSkew.LongestPause ? RepairClockSkew.LongestPause
            : requested.Value;
    }

    // 0 to 1 by the order's id, to keep the orders of an outage from returning all at once.
    static double Spread(PaymentAttempt attempt)
    {
        Span<byte> id = stackalloc byte[16];
        attempt.OrderId.TryWriteBytes(id);
        return BinaryPrimitives.ReadUInt32LittleEndian(id[12..]) / (double)uint.MaxValue;
    }

    // Voids and refunds are excluded: an undo must finish.
    static bool IsUndoWanted(PaymentCase paymentCase, PaymentAttempt attempt) => paymentCase.Payment!.UndoStep is not null
        && attempt.Operation is GatewayOperations.Authorize or GatewayOperations.Capture;
}
