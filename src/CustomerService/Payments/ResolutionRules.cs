using Orderwright.Contracts;

namespace Orderwright.CustomerService.Payments;

/// <summary>
/// What an operator's word does to a payment that its gateway cannot tell about. Pure. It ends a doubt, or says that money
/// was given back in another way; what is known it does not change, and a gateway that says otherwise later is heard
/// (<see cref="CallRules.Settle"/>).
/// </summary>
public static class ResolutionRules
{
    /// <summary>Whether there is anything that a person could know better.</summary>
    public static bool IsOpenToIt(PaymentFile file, bool completed) =>
        file.Open is { State: CallStates.InDoubt or CallStates.Waiting }
        || (completed && file is { Open: null, Payment.State: PaymentStates.UndoFailed });

    /// <summary>Heard once: the same word again, or an older one, leaves the very same file.</summary>
    /// <param name="file">The payment, under lock, with all its attempts.</param>
    /// <param name="said">The word.</param>
    /// <param name="now">The batch's moment.</param>
    /// <param name="limits">For the lease of what is then asked.</param>
    public static PaymentDecision Hear(PaymentFile file, Resolution said, DateTimeOffset now, GatewayLimits limits)
    {
        if (file.Payment is not { } payment || said.Id.CompareTo(payment.Resolution) <= 0) return new(file);
        file = file.With(payment with { Resolution = said.Id });
        return file.Open switch
        {
            { State: CallStates.InDoubt or CallStates.Waiting } call when said.Completed =>
                Happened(file, By(call, said), said, now, limits),
            { State: CallStates.InDoubt } call => DidNotHappen(file, By(call, said), said, now, limits),
            // The customer could still act: what they were asked for is withdrawn.
            { State: CallStates.Waiting } call => CallRules.Reverse(file.With(By(call, said)), now, limits),
            null when said.Completed && file.Payment!.State == PaymentStates.UndoFailed =>
                GivenBack(file, said, now),
            _ => new(file),
        };
    }

    static GatewayCall By(GatewayCall call, Resolution said) => call with
    {
        ResolvedBy = said.By, Reason = said.Reason,
    };

    static PaymentDecision Happened(
        PaymentFile file, GatewayCall call, Resolution said, DateTimeOffset now, GatewayLimits limits) =>
        CallRules.Succeed(
            file.With(call), call,
            new GatewayResult.Succeeded(said.Reference ?? call.Reference ?? file.Payment!.GatewayReference ?? call.Key),
            now, limits);

    // What has to be done in the end is asked again, under a new key.
    static PaymentDecision DidNotHappen(
        PaymentFile file, GatewayCall call, Resolution said, DateTimeOffset now, GatewayLimits limits)
    {
        var undoing = file.Payment!.UndoStep;
        var given = CallRules.GiveUp(
            file.With(call), call, ReasonCodes.ResolvedByOperator, $"{said.By} says that it did not happen.", now, limits);
        return given.File.Payment!.State == PaymentStates.UndoFailed
            ? CallRules.Reverse(
                given.File.With(given.File.Payment with { UndoStep = undoing, Code = null, Message = null }), now, limits)
            : given;
    }

    static PaymentDecision GivenBack(PaymentFile file, Resolution said, DateTimeOffset now)
    {
        var payment = file.Payment!;
        var taken = payment.CapturedMinor - payment.RefundedMinor;
        var operation = taken > 0 ? GatewayOperations.Refund : GatewayOperations.Void;
        var call = new GatewayCall
        {
            OrderId = file.OrderId,
            Operation = operation,
            N = 1 + file.Calls.Count(earlier => earlier.Operation == operation),
            Provider = payment.Provider,
            State = CallStates.Succeeded,
            AmountMinor = taken > 0 ? taken : payment.AuthorizedMinor,
            Reference = said.Reference,
            StartedAt = now,
            FinishedAt = now,
            AskedBy = said.By,
            ResolvedBy = said.By,
            Reason = said.Reason,
        };
        var back = payment with
        {
            State = taken > 0 ? PaymentStates.Refunded : PaymentStates.Voided,
            RefundedMinor = payment.RefundedMinor + taken,
            Voided = payment.Voided || taken == 0,
            Code = null,
            Message = null,
        };
        var given = PaymentRules.Changed(back, now);
        return new(
            file.With(given).With(call), PaymentRules.UndoCompleted(given), StepNames.AuthorizePayment);
    }
}
