using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.CustomerService.Payments;

/// <summary>
/// What becomes of a payment when an attempt at its gateway settles, or does not. Pure. A time-out is no
/// refusal: it puts the attempt in doubt, and only a look-up, a webhook or a person ends that (DESIGN.md,
/// section 3).
/// </summary>
public static class CallRules
{
    /// <summary>Opens an attempt; it is committed first and called then.</summary>
    /// <param name="file">The order's payment and its attempts.</param>
    /// <param name="operation">One of <see cref="GatewayOperations"/>.</param>
    /// <param name="amountMinor">What it is to move.</param>
    /// <param name="now">The batch's moment.</param>
    /// <param name="limits">For the lease.</param>
    /// <param name="askedBy">The operator, for what the process does not ask for.</param>
    /// <param name="reason">Theirs.</param>
    public static PaymentDecision Begin(
        PaymentFile file, string operation, long amountMinor, DateTimeOffset now, GatewayLimits limits,
        string? askedBy = null, string? reason = null)
    {
        var call = new GatewayCall
        {
            OrderId = file.OrderId,
            Operation = operation,
            N = 1 + file.Calls.Count(earlier => earlier.Operation == operation),
            Provider = file.Payment?.Provider,
            State = CallStates.Open,
            AmountMinor = amountMinor,
            StartedAt = now,
            DueAt = now + limits.Lease,
            Attempts = 1,
            AskedBy = askedBy,
            Reason = reason,
        };
        return new(file.With(call), Next: new GatewayTask(call, LookUp: false));
    }

    /// <summary>
    /// Voids what is held, then refunds what was taken. An action that the customer may still take is closed.
    /// </summary>
    public static PaymentDecision Reverse(PaymentFile file, DateTimeOffset now, GatewayLimits limits)
    {
        var payment = file.Payment!;
        if (file.Open is { State: CallStates.Waiting } waiting)
            file = file.With(Finish(waiting, CallStates.Failed, now) with { Code = ReasonCodes.Cancelled });
        var taken = payment.CapturedMinor - payment.RefundedMinor;
        return taken > 0 && payment.HeldMinor <= 0
            ? Begin(
                file.With(payment with { State = PaymentStates.Refunding, Action = null }), GatewayOperations.Refund,
                taken, now, limits)
            : Begin(
                file.With(payment with { State = PaymentStates.Voiding, Action = null }), GatewayOperations.Void,
                payment.CapturedMinor > 0 ? payment.HeldMinor : payment.AmountMinor, now, limits);
    }

    /// <summary>
    /// Takes up an attempt that is due: its lease ended, its pause is over, or it is to be looked up.
    /// </summary>
    /// <param name="file">The order's payment and its attempts.</param>
    /// <param name="now">The batch's moment.</param>
    /// <param name="limits">For the lease.</param>
    /// <param name="instead">The gateway that takes it over, by <see cref="RoutingRules"/>.</param>
    public static PaymentDecision TakeUp(
        PaymentFile file, DateTimeOffset now, GatewayLimits limits, string? instead = null)
    {
        if (file.Open is not { DueAt: { } due } call || due > now) return new(file);
        if (instead is not null)
            return FailOver(file, Finish(call, CallStates.Failed, now), instead, now, limits);
        var again = call.State == CallStates.Retry;
        var taken = call with
        {
            State = again ? CallStates.Open : call.State,
            Attempts = call.Attempts + (again ? 1 : 0),
            DueAt = now + limits.Lease,
        };
        return new(file.With(taken), Next: new GatewayTask(taken, LookUp: !again));
    }

    /// <summary>
    /// Settles an attempt by what its gateway said, whoever brought it: the call, a look-up, a webhook. With
    /// <paramref name="instead"/> it certainly had no effect, and that gateway is asked next (<see cref="RoutingRules"/>).
    /// </summary>
    public static PaymentDecision Settle(
        PaymentFile file, string operation, int n, GatewayResult result, ProviderCapabilities capabilities,
        DateTimeOffset now, GatewayLimits limits, string? instead = null)
    {
        var call = file.Calls.FirstOrDefault(one => one.Operation == operation && one.N == n);
        if (call is null || file.Payment is null) return new(file);
        if (call.FinishedAt is not null) return LateRules.Settle(file, call, result, now, limits);
        if (instead is not null) return FailOver(file, WithoutEffect(call, result, now), instead, now, limits);
        return result switch
        {
            GatewayResult.Succeeded done => Succeed(file, call, done, now, limits),
            GatewayResult.Declined refusal => Decline(file, call, refusal, now, limits),
            GatewayResult.ActionRequired action when operation == GatewayOperations.Authorize =>
                Wait(file, call, action, now, limits),
            GatewayResult.ActionRequired => Decline(
                file, call, new("unexpected_action", "The gateway asks for an action where none can be taken."),
                now, limits),
            _ when call.State == CallStates.Waiting =>
                new(file.With(call with { DueAt = now + limits.GatewayPollEvery })),
            GatewayResult.NotAsked notAsked => DoubtRules.HoldBack(file, call, notAsked, now, limits),
            GatewayResult.Unavailable away when call.State == CallStates.Open =>
                DoubtRules.Postpone(file, call, away, now, limits),
            GatewayResult.NeverHappened never => DoubtRules.Repeat(file, call, never, capabilities, now, limits),
            GatewayResult.Unknown doubt when call.State != CallStates.InDoubt =>
                DoubtRules.Doubt(file, call, doubt.Why, now, limits),
            _ => DoubtRules.LookUpLater(
                file, call, result as GatewayResult.Unknown ?? new("The gateway is not available."), capabilities, now),
        };
    }

    // The new attempt has a new number, and so a new key.
    static PaymentDecision FailOver(
        PaymentFile file, GatewayCall ended, string instead, DateTimeOffset now, GatewayLimits limits) => Begin(
        file.With(ended).With(PaymentRules.Changed(file.Payment! with { Provider = instead }, now)),
        GatewayOperations.Authorize, ended.AmountMinor, now, limits);

    static GatewayCall WithoutEffect(GatewayCall call, GatewayResult said, DateTimeOffset now) => said switch
    {
        GatewayResult.Declined no => Finish(call, CallStates.Declined, now) with { Code = no.Code, Message = no.Message },
        GatewayResult.Unavailable away => Finish(call, CallStates.Failed, now) with
        {
            Code = ReasonCodes.ProviderUnavailable, Message = away.Why,
        },
        GatewayResult.NotAsked held => Finish(call, CallStates.Failed, now) with
        {
            Code = ReasonCodes.ProviderUnavailable, Message = held.Why, Attempts = call.Attempts - 1,
        },
        var other => throw new InvalidOperationException($"{call.Key}: {other.GetType().Name} may have had an effect."),
    };

    /// <summary>Ends an attempt that certainly had no effect.</summary>
    public static PaymentDecision GiveUp(
        PaymentFile file, GatewayCall call, string code, string why, DateTimeOffset now, GatewayLimits limits)
    {
        var payment = file.Payment!;
        file = file.With(Finish(call, CallStates.Failed, now) with { Code = code, Message = why });
        if (call.AskedBy is not null) return AsBefore(file, file.Payment!.Notice, now, limits);
        switch (call.Operation)
        {
            case GatewayOperations.Authorize when payment.UndoStep is not null:
                return Undone(file, payment with { State = PaymentStates.Undone }, now);

            case GatewayOperations.Authorize:
                var declined = PaymentRules.Changed(
                    payment with { State = PaymentStates.Declined, Code = code, Message = why }, now);
                return new(file.With(declined), PaymentRules.Rejected(declined), StepNames.AuthorizePayment);

            case GatewayOperations.Capture when payment.UndoStep is not null:
                return Reverse(file.With(PaymentRules.Changed(payment, now)), now, limits);

            case GatewayOperations.Capture:
                var secured = PaymentRules.Changed(
                    payment with { State = PaymentStates.Authorized, Code = code, Message = why }, now);
                return new(
                    file.With(secured),
                    new StepAnswered(
                        Undo: false, StepOutcome.Retry, code, why, GatewayLimits.TryAgainAfter,
                        Payment: secured.Position),
                    StepNames.CapturePayment);

            default:
                return UndoFailed(file, payment, why, now);
        }
    }

    internal static PaymentDecision Succeed(
        PaymentFile file, GatewayCall call, GatewayResult.Succeeded done, DateTimeOffset now, GatewayLimits limits)
    {
        var payment = file.Payment!;
        file = file.With(Finish(call, CallStates.Succeeded, now) with
        {
            Reference = done.Reference, Code = null, Message = null,
        });
        switch (call.Operation)
        {
            case GatewayOperations.Authorize:
                return Secured(
                    file,
                    payment with
                    {
                        State = done.Captured ? PaymentStates.Captured : PaymentStates.Authorized,
                        AuthorizedMinor = call.AmountMinor,
                        CapturedMinor = done.Captured ? call.AmountMinor : 0,
                        GatewayReference = done.Reference,
                        CaptureBefore = done.HoldsUntil,
                        Code = null,
                        Message = null,
                        Action = null,
                    },
                    StepNames.AuthorizePayment, now, limits);

            case GatewayOperations.Capture:
                var taken = payment with
                {
                    CapturedMinor = checked(payment.CapturedMinor + call.AmountMinor),
                    Notice = payment.Notice == PaymentNotices.CaptureFailed ? null : payment.Notice,
                    Code = null,
                    Message = null,
                };
                return Secured(
                    file, taken with { State = StateOf(taken) }, StepNames.CapturePayment, now, limits);

            case GatewayOperations.Void:
                var released = payment with { Voided = true, Code = null, Message = null };
                return released.CapturedMinor == released.RefundedMinor
                    ? Undone(
                        file,
                        released with
                        {
                            State = released.CapturedMinor > 0 ? PaymentStates.Refunded : PaymentStates.Voided,
                        },
                        now)
                    : Standing(file.With(released with { State = PaymentStates.Captured }), now, limits);

            default:
                var refunded = payment with
                {
                    State = PaymentStates.Refunded,
                    RefundedMinor = checked(payment.RefundedMinor + call.AmountMinor),
                    Code = null,
                    Message = null,
                };
                return refunded.RefundedMinor == refunded.CapturedMinor && refunded.HeldMinor <= 0
                    ? Undone(file, refunded, now)
                    : Standing(file.With(refunded with { State = StateOf(refunded) }), now, limits);
        }
    }

    // What an operator or order-service asked for had no effect: the attempt says why, and the payment stands as it did.
    static PaymentDecision AsBefore(PaymentFile file, string? notice, DateTimeOffset now, GatewayLimits limits) =>
        Standing(file.With(file.Payment! with { State = StateOf(file.Payment), Notice = notice }), now, limits);

    // What was shipped, and a gateway does not pay for.
    static string? NoticeOf(Payment payment, GatewayCall refused) =>
        refused is { AskedBy: ServiceNames.Order, Operation: GatewayOperations.Capture }
        && payment.Notice != PaymentNotices.HoldEnded
            ? PaymentNotices.CaptureFailed
            : payment.Notice;

    // Of money that was secured: what is held may be taken yet.
    static string StateOf(Payment payment) => payment.HeldMinor > 0 ? PaymentStates.Authorized : PaymentStates.Captured;

    // An undo that came meanwhile has its turn now.
    static PaymentDecision Standing(PaymentFile file, DateTimeOffset now, GatewayLimits limits)
    {
        var standing = file.With(PaymentRules.Changed(file.Payment!, now));
        return file.Payment!.UndoStep is null ? new(standing) : Reverse(standing, now, limits);
    }

    // What was wanted undone in the meantime is undone at once; its do is not answered any more.
    static PaymentDecision Secured(
        PaymentFile file, Payment payment, string step, DateTimeOffset now, GatewayLimits limits)
    {
        var secured = PaymentRules.Changed(payment, now);
        return secured.UndoStep is null
            ? new(file.With(secured), PaymentRules.Completed(secured), step)
            : Reverse(file.With(secured), now, limits);
    }

    static PaymentDecision Decline(
        PaymentFile file, GatewayCall call, GatewayResult.Declined refusal, DateTimeOffset now,
        GatewayLimits limits)
    {
        var code = refusal.Code == ReasonCodes.InsufficientFunds
            ? ReasonCodes.InsufficientFunds
            : ReasonCodes.PaymentDeclined;
        var payment = file.Payment! with { Code = code, Message = refusal.Message, Action = null };
        file = file.With(Finish(call, CallStates.Declined, now) with
        {
            Code = refusal.Code, Message = refusal.Message,
        });
        if (call.AskedBy is not null) return AsBefore(file, NoticeOf(file.Payment!, call), now, limits);
        switch (call.Operation)
        {
            case GatewayOperations.Authorize:
                payment = PaymentRules.Changed(payment with { State = PaymentStates.Declined }, now);
                return payment.UndoStep is null
                    ? new(file.With(payment), PaymentRules.Rejected(payment), StepNames.AuthorizePayment)
                    : Undone(file, payment, now);

            case GatewayOperations.Capture:
                payment = PaymentRules.Changed(payment with { State = PaymentStates.Authorized }, now);
                return payment.UndoStep is null
                    ? new(file.With(payment), PaymentRules.Rejected(payment), StepNames.CapturePayment)
                    : Reverse(file.With(payment), now, limits);

            default:
                return UndoFailed(file, payment, refusal.Message, now);
        }
    }

    static PaymentDecision Wait(
        PaymentFile file, GatewayCall call, GatewayResult.ActionRequired action, DateTimeOffset now,
        GatewayLimits limits)
    {
        file = file.With(call with
        {
            State = CallStates.Waiting, Reference = action.Reference, Code = null, Message = null,
            DueAt = now + limits.GatewayPollEvery,
        });
        if (call.State == CallStates.Waiting) return new(file);
        var waiting = PaymentRules.Changed(
            file.Payment! with
            {
                State = PaymentStates.ActionRequired, Action = action.Url, GatewayReference = action.Reference,
            },
            now);
        return waiting.UndoStep is null
            ? new(file.With(waiting), PaymentRules.Waiting(waiting), StepNames.AuthorizePayment)
            : Reverse(file.With(waiting), now, limits);
    }

    static PaymentDecision Undone(PaymentFile file, Payment payment, DateTimeOffset now)
    {
        var step = payment.UndoStep;
        var undone = PaymentRules.Changed(payment with { UndoStep = null }, now);
        return new(file.With(undone), step is null ? null : PaymentRules.UndoCompleted(undone), step);
    }

    static PaymentDecision UndoFailed(PaymentFile file, Payment payment, string why, DateTimeOffset now)
    {
        var step = payment.UndoStep;
        var failed = PaymentRules.Changed(
            payment with
            {
                State = PaymentStates.UndoFailed, UndoStep = null, Code = ReasonCodes.RefundFailed, Message = why,
            },
            now);
        return new(file.With(failed), step is null ? null : PaymentRules.UndoRejected(failed), step);
    }

    internal static GatewayCall Finish(GatewayCall call, string state, DateTimeOffset now) =>
        call with { State = state, FinishedAt = now, DueAt = null };
}
