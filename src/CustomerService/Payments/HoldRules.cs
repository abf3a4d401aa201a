namespace Orderwright.CustomerService.Payments;

/// <summary>Flags of a payment whose authorization is about to expire. Pure.</summary>
public static class HoldRules
{
    public static PaymentDecision Watch(PaymentCase paymentCase, At at)
    {
        if (paymentCase.Payment is not { CaptureBefore: { } until, HeldMinor: > 0 } payment) return new(paymentCase);
        var code = at.Now >= until ? AttentionCodes.HoldEnded
            : at.Now >= until - at.Limits.GatewayHoldWarning ? payment.AttentionCode ?? AttentionCodes.HoldEnding
            : payment.AttentionCode;
        return code == payment.AttentionCode
            ? new(paymentCase)
            : new(paymentCase.With((payment with { AttentionCode = code }).Changed(at.Now)));
    }
}
