using Orderwright.Contracts;

namespace Orderwright.CustomerService.Payments;

/// <summary>
/// Effects of the coordinator's commands on a payment. Pure. A repeated command gets the same reply, read from the current
/// payment. Until the gateway has answered, no reply is sent; the reply follows when the attempt settles
/// (<see cref="AttemptRules"/>).
/// </summary>
public static class PaymentRules
{
    /// <summary>Secures the money: at once from the balance, or by an attempt at a gateway.</summary>
    /// <param name="paymentCase">The order's payment, if any.</param>
    /// <param name="command">The command.</param>
    /// <param name="gateways">Configured providers, without the balance.</param>
    /// <param name="funds">The customer's funds in the command's currency.</param>
    /// <param name="at">Time and limits.</param>
    /// <param name="candidates">Gateways by <see cref="RoutingRules"/>; null when the order names a gateway itself.</param>
    public static PaymentDecision Authorize(
        PaymentCase paymentCase, AuthorizePayment command, IReadOnlySet<string> gateways, Funds funds, At at,
        IReadOnlyList<string>? candidates = null)
    {
        if (paymentCase.Payment is { State: PaymentStates.Authorizing }) return Unsettled(paymentCase, undo: false, at.Now);
        if (paymentCase.Payment is { } known) return new(paymentCase, AuthorizeAnswer(known));
        ArgumentOutOfRangeException.ThrowIfNegative(command.AmountMinor);
        // The order makes the erasure fail, or arrives too late: either is known in a moment.
        if (funds.IsErasing)
            return new(paymentCase, new StepAnswered(
                Undo: false, StepOutcome.Retry, ReasonCodes.ErasureRunning, "The customer may be erased at this moment.",
                RetryAfter: TimeSpan.FromSeconds(1), Payment: PaymentTotals.None));
        var payment = new Payment
        {
            OrderId = paymentCase.OrderId,
            State = PaymentStates.Declined,
            CustomerId = command.CustomerId,
            Channel = command.Channel,
            Provider = candidates is [var first, ..] ? first : command.Payment.Provider,
            Route = candidates is null ? null : command.Payment.Provider,
            Token = command.Payment.Token,
            Currency = command.Currency,
            AmountMinor = command.AmountMinor,
            CreatedAt = at.Now,
            UpdatedAt = at.Now,
        };
        var fromBalance = command.Payment.Provider == PaymentProviders.Balance;
        if (candidates is [])
            return Refuse(
                paymentCase, payment, ReasonCodes.UnknownProvider,
                "No payment provider takes this currency, amount and token.");
        if (!fromBalance && !gateways.Contains(payment.Provider))
            return Refuse(paymentCase, payment, ReasonCodes.UnknownProvider, "There is no payment provider of this name.");
        if (!funds.CustomerKnown)
            return Refuse(paymentCase, payment, ReasonCodes.UnknownCustomer, "There is no such customer.");
        if (!fromBalance && command.AmountMinor > 0)
            return AttemptOutcomes.Begin(
                paymentCase.With(payment with { State = PaymentStates.Authorizing }), GatewayOperations.Authorize,
                command.AmountMinor, at);
        if (fromBalance && funds.AmountMinor < command.AmountMinor)
            return Refuse(
                paymentCase, payment, ReasonCodes.InsufficientFunds, "The customer's balance does not cover the order.");

        var paid = payment with
        {
            State = PaymentStates.Captured, AuthorizedMinor = command.AmountMinor, CapturedMinor = command.AmountMinor,
        };
        return new(
            paymentCase.With(paid), PaymentAnswers.Completed(paid),
            BalanceMinor: fromBalance ? checked(funds.AmountMinor - command.AmountMinor) : null);
    }

    /// <summary>Captures authorized money; no effect when authorizing captured the money already.</summary>
    public static PaymentDecision Capture(PaymentCase paymentCase, At at) =>
        paymentCase.Payment switch
        {
            null or { State: PaymentStates.Authorizing or PaymentStates.ActionRequired or PaymentStates.Declined } =>
                new(paymentCase, new StepAnswered(
                    Undo: false, StepOutcome.Rejected, ReasonCodes.NotAuthorized,
                    "No money was secured for this order.", Payment: paymentCase.Payment?.Totals ?? PaymentTotals.None)),
            { State: PaymentStates.Captured } captured => new(paymentCase, PaymentAnswers.Completed(captured)),
            // Refunded by an operator, not undone: the capture happened, whatever became of the money since.
            { State: PaymentStates.Refunding or PaymentStates.Refunded, UndoStep: null, Provider: not PaymentProviders.Balance }
                captured => new(paymentCase, PaymentAnswers.Completed(captured)),
            { State: PaymentStates.Capturing } => Unsettled(paymentCase, undo: false, at.Now),
            { State: PaymentStates.Authorized } authorized => AttemptOutcomes.Begin(
                paymentCase.With((authorized with { State = PaymentStates.Capturing }).Changed(at.Now)),
                GatewayOperations.Capture, authorized.HeldMinor, at),
            var undone => new(paymentCase, PaymentAnswers.AlreadyUndone(undone)),
        };

    /// <summary>
    /// Returns captured and held money. Without a payment, leaves a tombstone to refuse a late authorization, once the
    /// gateways that may hold money for the order were asked. While an attempt is unsettled, the undo is stored and runs when
    /// the attempt settles.
    /// </summary>
    /// <param name="paymentCase">The order's payment, if any.</param>
    /// <param name="step">Step to undo, and name of the reply's step.</param>
    /// <param name="balanceMinor">The customer's balance in the payment's currency.</param>
    /// <param name="at">Time and limits.</param>
    /// <param name="terms">Terms of the order's payment; null from an older coordinator.</param>
    /// <param name="mayHoldMoney">Gateways that may have a charge of the order, by <see cref="RoutingRules"/>.</param>
    public static PaymentDecision Undo(
        PaymentCase paymentCase, string step, long balanceMinor, At at, PaymentTerms? terms = null,
        IReadOnlyList<string>? mayHoldMoney = null)
    {
        switch (paymentCase.Payment)
        {
            case null when terms is not null && mayHoldMoney is [var first, ..]:
                return RecoveryRules.LookFor(paymentCase, terms, first, step, at);

            case null:
                var tombstone = new Payment
                {
                    OrderId = paymentCase.OrderId, State = PaymentStates.Undone, CreatedAt = at.Now, UpdatedAt = at.Now,
                };
                return new(paymentCase.With(tombstone), PaymentAnswers.UndoCompleted(tombstone));

            case
            {
                State: PaymentStates.Undone or PaymentStates.Declined or PaymentStates.Voided or PaymentStates.Refunded
            } settled:
                return new(paymentCase, PaymentAnswers.UndoCompleted(settled));

            case { Provider: PaymentProviders.Balance, State: PaymentStates.Captured } or
                { AmountMinor: 0, State: PaymentStates.Captured }:
                return ReturnToBalance(paymentCase, paymentCase.Payment, balanceMinor, at);

            case { State: PaymentStates.Authorizing or PaymentStates.Capturing }
                when paymentCase.Open is { State: AttemptStates.Retry } attempt:
                return AttemptOutcomes.GiveUp(
                    paymentCase.With((paymentCase.Payment with { UndoStep = step }).Changed(at.Now)), attempt,
                    ReasonCodes.Cancelled, "Undone before the gateway could be reached.", at);

            case
            {
                State: PaymentStates.Authorizing or PaymentStates.Capturing or PaymentStates.Voiding
                    or PaymentStates.Refunding
            } unsettled:
                var stored = unsettled.UndoStep == step
                    ? paymentCase
                    : paymentCase.With((unsettled with { UndoStep = step }).Changed(at.Now));
                return Unsettled(stored, undo: true, at.Now);

            case { State: PaymentStates.UndoFailed } failed
                when (at.Now - failed.UpdatedAt).Duration() < GatewayLimits.TryAgainAfter:
                return new(paymentCase, PaymentAnswers.UndoRejected(failed));

            default:
                return AttemptOutcomes.Reverse(
                    paymentCase.With((paymentCase.Payment with { UndoStep = step }).Changed(at.Now)), at);
        }
    }

    // Reply to a repeated authorize-payment.
    static StepAnswered? AuthorizeAnswer(Payment payment) =>
        payment.State switch
        {
            PaymentStates.ActionRequired => PaymentAnswers.Waiting(payment),
            PaymentStates.Authorized or PaymentStates.Capturing or PaymentStates.Captured => PaymentAnswers.Completed(payment),
            PaymentStates.Declined => PaymentAnswers.Rejected(payment),
            _ => PaymentAnswers.AlreadyUndone(payment),
        };

    // An order of amount 0 has nothing to return.
    static PaymentDecision ReturnToBalance(PaymentCase paymentCase, Payment payment, long balanceMinor, At at)
    {
        var amount = payment.CapturedMinor - payment.RefundedMinor;
        var returned = (amount == 0
            ? payment with { State = PaymentStates.Voided, Voided = true }
            : payment with { State = PaymentStates.Refunded, RefundedMinor = payment.CapturedMinor }).Changed(at.Now);
        return new(
            paymentCase.With(returned), PaymentAnswers.UndoCompleted(returned),
            BalanceMinor: amount == 0 ? null : checked(balanceMinor + amount));
    }

    static PaymentDecision Refuse(PaymentCase paymentCase, Payment payment, string code, string message)
    {
        var refused = payment with { State = PaymentStates.Declined, Code = code, Message = message };
        return new(paymentCase.With(refused), PaymentAnswers.Rejected(refused));
    }

    // No reply while a request is in progress: the reply follows when the attempt settles, and the coordinator sets the
    // deadline. A retried command for a payment in need of a person triggers another look-up.
    static PaymentDecision Unsettled(PaymentCase paymentCase, bool undo, DateTimeOffset now) => paymentCase.Open switch
    {
        { State: AttemptStates.InDoubt, DueAt: not null, NeedsPerson: true } doubt => new(
            paymentCase.With(doubt with { DueAt = now }), PaymentAnswers.InDoubt(paymentCase.Payment!, doubt, undo)),
        { State: AttemptStates.InDoubt } doubt =>
            new(paymentCase, PaymentAnswers.InDoubt(paymentCase.Payment!, doubt, undo)),
        { State: AttemptStates.Retry, DueAt: { } due } => new(paymentCase, new(
            undo, StepOutcome.Retry, ReasonCodes.ProviderUnavailable, "The gateway is not available.",
            RetryAfter: RetryAfter(due, now), Payment: paymentCase.Payment!.Totals)),
        _ => new(paymentCase),
    };

    // An instance whose clock ran ahead may have stored a due time far ahead. The coordinator must not wait as long: the
    // repaired attempt may settle earlier, and the message with the result may be lost.
    static TimeSpan RetryAfter(DateTimeOffset due, DateTimeOffset now) =>
        due <= now ? TimeSpan.Zero : due - now < GatewayLimits.TryAgainAfter ? due - now : GatewayLimits.TryAgainAfter;
}
