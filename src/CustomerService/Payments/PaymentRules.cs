using Orderwright.Contracts;

namespace Orderwright.CustomerService.Payments;

/// <summary>
/// What the coordinator's commands do to a payment. Pure. The same command again gets the same answer, read
/// from the payment as it stands; where a gateway has not answered yet there is none, and its answer comes
/// when it settles (<see cref="CallRules"/>).
/// </summary>
public static class PaymentRules
{
    /// <summary>
    /// Secures the money: from the balance at once, at a gateway by an attempt that is to be called next.
    /// </summary>
    /// <param name="file">The order's payment, if it has one.</param>
    /// <param name="ask">The command.</param>
    /// <param name="gateways">The providers there are, besides the balance.</param>
    /// <param name="funds">The customer's, in the command's currency.</param>
    /// <param name="now">The batch's moment.</param>
    /// <param name="limits">For the attempt's lease.</param>
    /// <param name="candidates">
    /// By <see cref="Gateways.Routing.RoutingRules"/>; null when the order names a gateway itself.
    /// </param>
    public static PaymentDecision Authorize(
        PaymentFile file, AuthorizePayment ask, IReadOnlySet<string> gateways, Funds funds, DateTimeOffset now,
        GatewayLimits limits, IReadOnlyList<string>? candidates = null)
    {
        if (file.Payment is { State: PaymentStates.Authorizing }) return Unsettled(file, undo: false, now);
        if (file.Payment is { } known) return new(file, AuthorizeAnswer(known));
        ArgumentOutOfRangeException.ThrowIfNegative(ask.AmountMinor);
        var payment = new Payment
        {
            OrderId = file.OrderId,
            State = PaymentStates.Declined,
            CustomerId = ask.CustomerId,
            Provider = candidates is [var first, ..] ? first : ask.Payment.Provider,
            Route = candidates is null ? null : ask.Payment.Provider,
            Token = ask.Payment.Token,
            Currency = ask.Currency,
            AmountMinor = ask.AmountMinor,
            CreatedAt = now,
            UpdatedAt = now,
        };
        var fromBalance = ask.Payment.Provider == Payment.Balance;
        if (candidates is [])
            return Refuse(
                file, payment, ReasonCodes.UnknownProvider, "No payment provider takes this currency, amount and token.");
        if (!fromBalance && !gateways.Contains(payment.Provider))
            return Refuse(file, payment, ReasonCodes.UnknownProvider, "There is no payment provider of this name.");
        if (!funds.CustomerKnown)
            return Refuse(file, payment, ReasonCodes.UnknownCustomer, "There is no such customer.");
        if (!fromBalance && ask.AmountMinor > 0)
            return CallRules.Begin(
                file.With(payment with { State = PaymentStates.Authorizing }), GatewayOperations.Authorize,
                ask.AmountMinor, now, limits);
        if (fromBalance && funds.AmountMinor < ask.AmountMinor)
            return Refuse(
                file, payment, ReasonCodes.InsufficientFunds, "The customer's balance does not cover the order.");

        var paid = payment with
        {
            State = PaymentStates.Captured, AuthorizedMinor = ask.AmountMinor, CapturedMinor = ask.AmountMinor,
        };
        return new(
            file.With(paid), Completed(paid),
            BalanceMinor: fromBalance ? checked(funds.AmountMinor - ask.AmountMinor) : null);
    }

    /// <summary>Takes the money that was secured; what was taken at once already is.</summary>
    public static PaymentDecision Capture(PaymentFile file, DateTimeOffset now, GatewayLimits limits) =>
        file.Payment switch
        {
            null or { State: PaymentStates.Authorizing or PaymentStates.ActionRequired or PaymentStates.Declined } =>
                new(file, new StepAnswered(
                    Undo: false, StepOutcome.Rejected, ReasonCodes.NotAuthorized,
                    "No money was secured for this order.", Payment: file.Payment?.Position ?? PaymentTotals.None)),
            { State: PaymentStates.Captured } captured => new(file, Completed(captured)),
            { State: PaymentStates.Capturing } => Unsettled(file, undo: false, now),
            { State: PaymentStates.Authorized } authorized => CallRules.Begin(
                file.With(Changed(authorized with { State = PaymentStates.Capturing }, now)),
                GatewayOperations.Capture, authorized.HeldMinor, now, limits),
            var undone => new(file, AlreadyUndone(undone)),
        };

    /// <summary>
    /// Gives back whatever was taken or held. Before anything was done it leaves a tombstone, which refuses
    /// the late do; while an attempt is not settled it is remembered, and done when that settles.
    /// </summary>
    /// <param name="file">The order's payment, if it has one.</param>
    /// <param name="step">The step that is being undone: its undo is answered under this name.</param>
    /// <param name="balanceMinor">The customer's balance in the payment's currency.</param>
    /// <param name="now">The batch's moment.</param>
    /// <param name="limits">For leases and pauses.</param>
    public static PaymentDecision Undo(
        PaymentFile file, string step, long balanceMinor, DateTimeOffset now, GatewayLimits limits)
    {
        switch (file.Payment)
        {
            case null:
                var tombstone = new Payment
                {
                    OrderId = file.OrderId, State = PaymentStates.Undone, CreatedAt = now, UpdatedAt = now,
                };
                return new(file.With(tombstone), UndoCompleted(tombstone));

            case
            {
                State: PaymentStates.Undone or PaymentStates.Declined or PaymentStates.Voided or PaymentStates.Refunded
            } settled:
                return new(file, UndoCompleted(settled));

            case { Provider: Payment.Balance, State: PaymentStates.Captured } or
                { AmountMinor: 0, State: PaymentStates.Captured }:
                return Return(file, file.Payment, balanceMinor, now);

            case { State: PaymentStates.Authorizing or PaymentStates.Capturing }
                when file.Open is { State: CallStates.Retry } call:
                return CallRules.GiveUp(
                    file.With(Changed(file.Payment with { UndoStep = step }, now)), call, ReasonCodes.Cancelled,
                    "Undone before the gateway could be reached.", now, limits);

            case
            {
                State: PaymentStates.Authorizing or PaymentStates.Capturing or PaymentStates.Voiding
                    or PaymentStates.Refunding
            } unsettled:
                var remembered = unsettled.UndoStep == step
                    ? file
                    : file.With(Changed(unsettled with { UndoStep = step }, now));
                return Unsettled(remembered, undo: true, now);

            case { State: PaymentStates.UndoFailed } failed
                when (now - failed.UpdatedAt).Duration() < GatewayLimits.TryAgainAfter:
                return new(file, UndoRejected(failed));

            default:
                return CallRules.Reverse(
                    file.With(Changed(file.Payment with { UndoStep = step }, now)), now, limits);
        }
    }

    /// <summary>How a payment answers authorize-payment when it is asked again.</summary>
    static StepAnswered? AuthorizeAnswer(Payment payment) =>
        payment.State switch
        {
            PaymentStates.ActionRequired => Waiting(payment),
            PaymentStates.Authorized or PaymentStates.Capturing or PaymentStates.Captured => Completed(payment),
            PaymentStates.Declined => Rejected(payment),
            _ => AlreadyUndone(payment),
        };

    // Gives store credit back, or nothing where nothing was due.
    static PaymentDecision Return(PaymentFile file, Payment payment, long balanceMinor, DateTimeOffset now)
    {
        var back = payment.CapturedMinor - payment.RefundedMinor;
        var returned = Changed(
            back == 0
                ? payment with { State = PaymentStates.Voided, Voided = true }
                : payment with { State = PaymentStates.Refunded, RefundedMinor = payment.CapturedMinor },
            now);
        return new(
            file.With(returned), UndoCompleted(returned),
            BalanceMinor: back == 0 ? null : checked(balanceMinor + back));
    }

    static PaymentDecision Refuse(PaymentFile file, Payment payment, string code, string message)
    {
        var refused = payment with { State = PaymentStates.Declined, Code = code, Message = message };
        return new(file.With(refused), Rejected(refused));
    }

    // What is not held any more cannot end, and nobody has to see to it.
    internal static Payment Changed(Payment payment, DateTimeOffset now) => payment.HeldMinor > 0
        ? payment with { Version = payment.Version + 1, UpdatedAt = now }
        : payment with { Version = payment.Version + 1, UpdatedAt = now, CaptureBefore = null, Notice = null };

    internal static StepAnswered Completed(Payment payment) =>
        new(Undo: false, StepOutcome.Completed, Payment: payment.Position);

    internal static StepAnswered Rejected(Payment payment) =>
        new(Undo: false, StepOutcome.Rejected, payment.Code, payment.Message, Payment: payment.Position);

    internal static StepAnswered Waiting(Payment payment) =>
        new(Undo: false, StepOutcome.Waiting, Action: payment.Action, Payment: payment.Position);

    internal static StepAnswered InDoubt(Payment payment, GatewayCall call, bool undo) =>
        new(
            undo, StepOutcome.InDoubt, DoubtRules.IsForAPerson(call) ? ReasonCodes.CannotTell : ReasonCodes.InDoubt,
            DoubtRules.Evidence(payment, call), Payment: payment.Position);

    internal static StepAnswered UndoCompleted(Payment payment) =>
        new(Undo: true, StepOutcome.Completed, Payment: payment.Position);

    internal static StepAnswered UndoRejected(Payment payment) =>
        new(Undo: true, StepOutcome.Rejected, ReasonCodes.RefundFailed, payment.Message, Payment: payment.Position);

    static StepAnswered AlreadyUndone(Payment payment) =>
        new(
            Undo: false, StepOutcome.Rejected, ReasonCodes.AlreadyUndone, "The payment was undone before.",
            Payment: payment.Position);

    // While a call is under way there is nothing to say: its answer comes by itself, and the asker's patience
    // is its own. Who asks once more about what nobody could tell wants it looked up once more.
    static PaymentDecision Unsettled(PaymentFile file, bool undo, DateTimeOffset now) => file.Open switch
    {
        { State: CallStates.InDoubt, DueAt: not null } doubt when DoubtRules.IsForAPerson(doubt) =>
            new(file.With(doubt with { DueAt = now }), InDoubt(file.Payment!, doubt, undo)),
        { State: CallStates.InDoubt } doubt => new(file, InDoubt(file.Payment!, doubt, undo)),
        { State: CallStates.Retry, DueAt: { } due } => new(file, new(
            undo, StepOutcome.Retry, ReasonCodes.ProviderUnavailable, "The gateway is not available.",
            RetryAfter: due > now ? due - now : TimeSpan.Zero, Payment: file.Payment!.Position)),
        _ => new(file),
    };
}
