namespace Orderwright.CustomerService.Payments;

/// <summary>
/// What becomes of a word on an attempt that was taken for settled. Pure. A success that nobody waits for any more is given
/// back by itself; what contradicts our books in a way that no rule mends is a person's matter, and never passed over.
/// </summary>
static class LateRules
{
    public static PaymentDecision Settle(
        PaymentFile file, GatewayCall call, GatewayResult result, DateTimeOffset now, GatewayLimits limits)
    {
        switch (result)
        {
            case GatewayResult.Succeeded done when call.State is CallStates.Failed or CallStates.Declined:
                return SucceedLate(file, call, done, now, limits);

            case GatewayResult.Declined or GatewayResult.NeverHappened { Final: true }
                when call is { State: CallStates.Succeeded, ResolvedBy: { } who }:
                return Attention(
                    file, $"{who} said that {call.Key} was done; the gateway says that it was not.", now);

            default:
                return new(file);
        }
    }

    static PaymentDecision SucceedLate(
        PaymentFile file, GatewayCall call, GatewayResult.Succeeded done, DateTimeOffset now, GatewayLimits limits)
    {
        var payment = file.Payment!;
        switch (call.Operation)
        {
            case GatewayOperations.Authorize
                when file.Open is null && payment.State is PaymentStates.Declined or PaymentStates.Undone:
                file = file.With(call with
                {
                    State = CallStates.Succeeded, Reference = done.Reference, Code = null, Message = null,
                });
                return CallRules.Reverse(
                    file.With(PaymentRules.Changed(
                        payment with
                        {
                            Provider = call.Provider ?? payment.Provider,
                            AuthorizedMinor = call.AmountMinor,
                            CapturedMinor = done.Captured ? call.AmountMinor : 0,
                            GatewayReference = done.Reference,
                        },
                        now)),
                    now, limits);

            case GatewayOperations.Capture when file.Open is null && payment.State == PaymentStates.Authorized:
            case GatewayOperations.Void or GatewayOperations.Refund
                when file.Open is null && payment.State == PaymentStates.UndoFailed:
            case GatewayOperations.Refund
                when file.Open is null && payment.State == PaymentStates.Captured
                    && call.AmountMinor <= payment.CapturedMinor - payment.RefundedMinor:
                return CallRules.Succeed(file, call, done, now, limits);

            default:
                return Attention(
                    file, $"{call.Key} was taken for not done; the gateway says that it was ({done.Reference}).", now);
        }
    }

    static PaymentDecision Attention(PaymentFile file, string why, DateTimeOffset now) =>
        file.Payment!.Attention == why
            ? new(file)
            : new(file.With(PaymentRules.Changed(file.Payment with { Attention = why }, now)));
}
