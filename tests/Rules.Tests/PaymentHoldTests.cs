using Orderwright.Contracts;
using Orderwright.CustomerService.Commands;
using Orderwright.CustomerService.Payments;

namespace Orderwright.Rules.Tests;

/// <summary>Flags of authorizations about to expire.</summary>
public class PaymentHoldTests
{
    static readonly DateTimeOffset Now = new(2026, 1, 31, 9, 30, 0, TimeSpan.Zero);
    static readonly DateTimeOffset Until = Now.AddDays(7);
    static readonly GatewayLimits Limits = new();
    static readonly At AtNow = new(Now, Limits);
    static readonly ProviderCapabilities Sandbox = new(true, true, true, true, true) { SeveralCaptures = true };

    static readonly PaymentCase Held = Settle(
        AttemptOutcomes.Begin(
            new PaymentCase(
                new Guid("01980000-0000-7000-8000-000000000001"),
                new Payment
                {
                    OrderId = new Guid("01980000-0000-7000-8000-000000000001"), State = PaymentStates.Authorizing,
                    Provider = "sandbox", CustomerId = "ada", Currency = "GBP", AmountMinor = 1_530, CreatedAt = Now,
                    UpdatedAt = Now,
                },
                []),
            GatewayOperations.Authorize, 1_530, AtNow),
        new GatewayResult.Succeeded("ch_1") { HoldsUntil = Until });

    static PaymentCase Settle(PaymentDecision begun, GatewayResult result) => AttemptRules.Settle(
        begun.Case, begun.Next!.Attempt.Operation, begun.Next.Attempt.Number, result, Sandbox, AtNow).Case;

    static PaymentCase Watch(PaymentCase current, DateTimeOffset now) => HoldRules.Watch(current, new At(now, Limits)).Case;

    [Fact]
    public void The_expiry_of_an_authorization_is_kept_while_money_is_held()
    {
        Assert.Equal(Until, Held.Payment!.CaptureBefore);
        var part = Settle(
            ShipmentRules.Take(Held, new TakeShipped(510, false), Sandbox, AtNow), new GatewayResult.Succeeded("1"));
        Assert.Equal(Until, part.Payment!.CaptureBefore);
        var whole = Settle(
            ShipmentRules.Take(part, new TakeShipped(1_530, false), Sandbox, AtNow), new GatewayResult.Succeeded("2"));
        Assert.Null(whole.Payment!.CaptureBefore);
    }

    [Fact]
    public void A_payment_is_flagged_a_day_before_its_authorization_expires_and_again_afterwards()
    {
        Assert.Same(Held, Watch(Held, Until.AddHours(-24).AddMilliseconds(-1)));
        var ending = Watch(Held, Until.AddHours(-24));
        Assert.Equal(
            (AttentionCodes.HoldEnding, Held.Payment!.Version + 1), (ending.Payment!.AttentionCode, ending.Payment.Version));
        Assert.Same(ending, Watch(ending, Until.AddMilliseconds(-1)));
        var ended = Watch(ending, Until);
        Assert.Equal(AttentionCodes.HoldEnded, ended.Payment!.AttentionCode);
        Assert.Same(ended, Watch(ended, Until.AddYears(1)));
        Assert.StartsWith("The authorization expired at", PaymentResponse.Of(ended).Attention, StringComparison.Ordinal);
    }

    [Fact]
    public void A_failed_capture_stays_flagged_until_one_succeeds_or_the_rest_is_released()
    {
        var begun = ShipmentRules.Take(Held, new TakeShipped(510, false), Sandbox, AtNow);
        var failed = Settle(begun, new GatewayResult.Declined("no", "No."));
        Assert.Equal(AttentionCodes.CaptureFailed, failed.Payment!.AttentionCode);
        var later = Now + GatewayLimits.TakeAgainAfter;
        var again = ShipmentRules.Take(failed, new TakeShipped(510, false), Sandbox, new At(later, Limits));
        Assert.Null(Settle(again, new GatewayResult.Succeeded("1")).Payment!.AttentionCode);
        var undone = Settle(
            PaymentRules.Undo(failed, StepNames.AuthorizePayment, 0, new At(later, Limits)), new GatewayResult.Succeeded("v"));
        Assert.Equal((PaymentStates.Voided, null), (undone.Payment!.State, undone.Payment.AttentionCode));
    }

    [Fact]
    public void Voids_have_a_state_like_captures_and_refunds()
    {
        var begun = PaymentRules.Undo(Held, StepNames.AuthorizePayment, 0, AtNow);
        Assert.Equal(("pending", 1_530L), (Assert.Single(PaymentResponse.Of(begun.Case).Voids).State, 1_530L));
        Assert.Equal("unknown", Assert.Single(PaymentResponse.Of(Settle(begun, new GatewayResult.Unknown("?"))).Voids).State);
        Assert.Equal(
            "failed", Assert.Single(PaymentResponse.Of(Settle(begun, new GatewayResult.Declined("n", "No."))).Voids).State);
        Assert.Equal("settled", Assert.Single(PaymentResponse.Of(Settle(begun, new GatewayResult.Succeeded("v"))).Voids).State);
    }
}
