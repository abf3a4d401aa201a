using Orderwright.Contracts;

namespace Orderwright.CustomerService.Payments;

/// <summary>
/// Undo of a payment that our record lacks. Pure. Usually the undo came first and nothing was ever charged; but a restored
/// database may have lost the payment, and then only the gateway knows. "Nothing to give back" is therefore the gateway's
/// word, never a guess: each gateway that may hold money is asked, and a gateway that cannot tell makes an incident.
/// </summary>
static class RecoveryRules
{
    /// <summary>Creates the payment as in doubt and to be undone, and asks the gateway for the order's charge.</summary>
    public static PaymentDecision LookFor(PaymentCase paymentCase, PaymentTerms terms, string gateway, string step, At at)
    {
        var isRouted = terms.Payment.Provider != gateway;
        var asked = LookAt(
            paymentCase.With(new Payment
            {
                OrderId = paymentCase.OrderId,
                State = PaymentStates.Authorizing,
                CustomerId = terms.CustomerId,
                Channel = terms.Channel,
                Provider = gateway,
                Route = isRouted ? terms.Payment.Provider : null,
                Token = terms.Payment.Token,
                Currency = terms.Currency,
                AmountMinor = terms.AmountMinor ?? 0,
                UndoStep = step,
                Version = Payment.VersionAfterLoss(at.Now),
                CreatedAt = at.Now,
                UpdatedAt = at.Now,
            }),
            gateway, at);
        return asked with { Answer = PaymentAnswers.InDoubt(asked.Case.Payment!, asked.Case.Open!, undo: true) };
    }

    /// <summary>Settles the question with a gateway's result.</summary>
    /// <param name="paymentCase">The payment, to be undone, with the attempts.</param>
    /// <param name="attempt">The open attempt that stands for the lost ones.</param>
    /// <param name="result">Result of the look-up.</param>
    /// <param name="capabilities">Of the gateway, as far as its look-ups go.</param>
    /// <param name="at">Time and limits.</param>
    /// <param name="next">Further gateway that may hold money; null for none.</param>
    public static PaymentDecision Settle(
        PaymentCase paymentCase, PaymentAttempt attempt, GatewayResult result, ProviderCapabilities capabilities, At at,
        string? next) => result switch
        {
            GatewayResult.Listed found => Found(paymentCase, attempt, found.Charge, at),
            GatewayResult.Succeeded done => AttemptOutcomes.Succeed(paymentCase, attempt, done, at),
            GatewayResult.ActionRequired action => AttemptOutcomes.Wait(paymentCase, attempt, action, at),
            // A request may still be on its way, so the first "unknown" is not the last word.
            GatewayResult.NeverHappened { Final: false } when attempt.LookUps == 0 => DoubtRules.LookUpLater(
                paymentCase, attempt, new("The gateway knows no charge of this order, or not yet.") { IsAnswer = true },
                capabilities, at.Now),
            GatewayResult.NeverHappened or GatewayResult.Declined when next is not null => LookAt(
                paymentCase.With(attempt.Finished(AttemptStates.Failed, at.Now) with { Code = ReasonCodes.Cancelled })
                    .With((paymentCase.Payment! with { Provider = next }).Changed(at.Now)),
                next, at),
            GatewayResult.NeverHappened or GatewayResult.Declined => AttemptOutcomes.GiveUp(
                paymentCase, attempt, ReasonCodes.Cancelled, "Undone; the gateway has no charge of this order.", at),
            GatewayResult.NotAsked notAsked => DoubtRules.HoldBack(paymentCase, attempt, notAsked, at),
            _ => DoubtRules.LookUpLater(
                paymentCase, attempt, result as GatewayResult.Unknown ?? new("The gateway is not available."), capabilities,
                at.Now),
        };

    static PaymentDecision LookAt(PaymentCase paymentCase, string gateway, At at)
    {
        var attempt = new PaymentAttempt
        {
            OrderId = paymentCase.OrderId,
            Operation = GatewayOperations.Authorize,
            Number = NextNumber(paymentCase),
            Provider = gateway,
            State = AttemptStates.InDoubt,
            AmountMinor = paymentCase.Payment!.AmountMinor,
            Code = ReasonCodes.InDoubt,
            Message = "No payment of this order is recorded here.",
            StartedAt = at.Now,
            DueAt = at.LeaseEnd,
        };
        return new(paymentCase.With(attempt), Next: new GatewayTask(attempt, LookUp: true));
    }

    static PaymentDecision Found(PaymentCase paymentCase, PaymentAttempt attempt, ListedCharge charge, At at)
    {
        var payment = Record(paymentCase.Payment!, charge);
        var found = paymentCase.With(attempt.Finished(AttemptStates.Succeeded, at.Now) with
        {
            Reference = charge.Reference, Code = null, Message = null,
        });
        if (charge.HasMoney) return AttemptOutcomes.Reverse(found.With(payment.Changed(at.Now)), at);
        var undone = (payment with { UndoStep = null }).Changed(at.Now);
        return new(found.With(undone), PaymentAnswers.UndoCompleted(undone), paymentCase.Payment!.UndoStep);
    }

    /// <summary>Creates a lost payment from the gateway's record, with an attempt numbered above the lost ones.</summary>
    public static PaymentCase TakeOver(
        PaymentCase paymentCase, PaymentTerms terms, string provider, ListedCharge charge, string actor, string? reason,
        DateTimeOffset now)
    {
        var payment = Record(
            new Payment
            {
                OrderId = paymentCase.OrderId,
                State = PaymentStates.Captured,
                Version = Payment.VersionAfterLoss(now),
                CustomerId = terms.CustomerId,
                Channel = terms.Channel,
                Provider = provider,
                Route = terms.Payment.Provider == provider ? null : terms.Payment.Provider,
                Token = terms.Payment.Token,
                Currency = terms.Currency,
                AmountMinor = terms.AmountMinor ?? 0,
                CreatedAt = now,
                UpdatedAt = now,
            },
            charge);
        var taken = paymentCase.With(payment);
        return taken.With(AttemptOf(taken, provider, charge, actor, reason, now));
    }

    /// <summary>Attempt that stands for the lost ones, with a number above the regular numbers.</summary>
    public static PaymentAttempt AttemptOf(
        PaymentCase paymentCase, string provider, ListedCharge charge, string actor, string? reason, DateTimeOffset now) => new()
        {
            OrderId = paymentCase.OrderId,
            Operation = GatewayOperations.Authorize,
            Number = NextNumber(paymentCase),
            Provider = provider,
            State = AttemptStates.Succeeded,
            AmountMinor = paymentCase.Payment!.AuthorizedMinor,
            Reference = charge.Reference,
            StartedAt = charge.CreatedAt < now ? charge.CreatedAt : now,
            FinishedAt = now,
            RequestedBy = actor,
            Reason = reason,
        };

    static int NextNumber(PaymentCase paymentCase) =>
        Math.Max(paymentCase.NextNumber(GatewayOperations.Authorize), PaymentAttempt.LastRegularNumber + 1);

    /// <summary>The payment with the amounts of the gateway's record.</summary>
    public static Payment Record(Payment payment, ListedCharge charge)
    {
        var authorized = checked(charge.HeldMinor + charge.CapturedMinor);
        return payment with
        {
            State = charge.HeldMinor > 0 ? PaymentStates.Authorized
                : charge.CapturedMinor == 0 ? PaymentStates.Voided
                : charge.CapturedMinor == charge.RefundedMinor ? PaymentStates.Refunded
                : PaymentStates.Captured,
            Currency = charge.Currency,
            AmountMinor = payment.AmountMinor > 0 ? payment.AmountMinor : authorized,
            AuthorizedMinor = authorized,
            CapturedMinor = charge.CapturedMinor,
            RefundedMinor = charge.RefundedMinor,
            Voided = authorized == 0,
            GatewayReference = charge.Reference,
            Code = null,
            Message = null,
        };
    }
}
