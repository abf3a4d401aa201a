using Orderwright.Contracts;
using Orderwright.CustomerService.Calling;
using Orderwright.CustomerService.Commands;
using Orderwright.CustomerService.Payments;

namespace Orderwright.Rules.Tests;

/// <summary>No authorization ends in silence.</summary>
public class PaymentHoldTests
{
    static readonly DateTimeOffset Now = new(2026, 1, 31, 9, 30, 0, TimeSpan.Zero);
    static readonly DateTimeOffset Until = Now.AddDays(7);
    static readonly GatewayLimits Limits = new();
    static readonly ProviderCapabilities Sandbox = new(true, true, true, true, true) { SeveralCaptures = true };

    static readonly PaymentFile Held = Settle(
        CallRules.Begin(
            new PaymentFile(
                new Guid("01980000-0000-7000-8000-000000000001"),
                new Payment
                {
                    OrderId = new Guid("01980000-0000-7000-8000-000000000001"), State = PaymentStates.Authorizing,
                    Provider = "sandbox", CustomerId = "ada", Currency = "GBP", AmountMinor = 1_530, CreatedAt = Now,
                    UpdatedAt = Now,
                },
                []),
            GatewayOperations.Authorize, 1_530, Now, Limits),
        new GatewayResult.Succeeded("ch_1") { HoldsUntil = Until });

    static PaymentFile Settle(PaymentDecision begun, GatewayResult result) => CallRules.Settle(
        begun.File, begun.Next!.Call.Operation, begun.Next.Call.N, result, Sandbox, Now, Limits).File;

    static PaymentFile Watch(PaymentFile file, DateTimeOffset now) => HoldRules.Watch(file, now, Limits).File;

    [Fact]
    public void What_a_gateway_says_of_its_hold_is_kept_while_money_is_held()
    {
        Assert.Equal(Until, Held.Payment!.CaptureBefore);
        var part = Settle(ShippedRules.Take(Held, new TakeShipped(510, false), Sandbox, Now, Limits), new GatewayResult.Succeeded("1"));
        Assert.Equal(Until, part.Payment!.CaptureBefore);
        var whole = Settle(ShippedRules.Take(part, new TakeShipped(1_530, false), Sandbox, Now, Limits), new GatewayResult.Succeeded("2"));
        Assert.Null(whole.Payment!.CaptureBefore);
    }

    [Fact]
    public void A_day_before_it_ends_and_once_it_has_ended_an_operator_is_told_each_time_once()
    {
        Assert.Same(Held, Watch(Held, Until.AddHours(-24).AddMilliseconds(-1)));
        var ending = Watch(Held, Until.AddHours(-24));
        Assert.Equal((PaymentNotices.HoldEnding, Held.Payment!.Version + 1), (ending.Payment!.Notice, ending.Payment.Version));
        Assert.Same(ending, Watch(ending, Until.AddMilliseconds(-1)));
        var ended = Watch(ending, Until);
        Assert.Equal(PaymentNotices.HoldEnded, ended.Payment!.Notice);
        Assert.Same(ended, Watch(ended, Until.AddYears(1)));
        Assert.StartsWith("The gateway held the money until", PaymentView.Of(ended).Attention, StringComparison.Ordinal);
    }

    [Fact]
    public void A_capture_that_fails_says_so_until_one_succeeds_or_the_rest_is_released()
    {
        var begun = ShippedRules.Take(Held, new TakeShipped(510, false), Sandbox, Now, Limits);
        var failed = Settle(begun, new GatewayResult.Declined("no", "No."));
        Assert.Equal(PaymentNotices.CaptureFailed, failed.Payment!.Notice);
        var later = Now + GatewayLimits.TakeAgainAfter;
        var again = ShippedRules.Take(failed, new TakeShipped(510, false), Sandbox, later, Limits);
        Assert.Null(Settle(again, new GatewayResult.Succeeded("1")).Payment!.Notice);
        var undone = Settle(
            PaymentRules.Undo(failed, StepNames.AuthorizePayment, 0, later, Limits), new GatewayResult.Succeeded("v"));
        Assert.Equal((PaymentStates.Voided, null), (undone.Payment!.State, undone.Payment.Notice));
    }

    [Fact]
    public void Voids_have_a_state_as_captures_and_refunds_have()
    {
        var begun = PaymentRules.Undo(Held, StepNames.AuthorizePayment, 0, Now, Limits);
        Assert.Equal(("pending", 1_530L), (Assert.Single(PaymentView.Of(begun.File).Voids).State, 1_530L));
        Assert.Equal("unknown", Assert.Single(PaymentView.Of(Settle(begun, new GatewayResult.Unknown("?"))).Voids).State);
        Assert.Equal("failed", Assert.Single(PaymentView.Of(Settle(begun, new GatewayResult.Declined("n", "No."))).Voids).State);
        Assert.Equal("settled", Assert.Single(PaymentView.Of(Settle(begun, new GatewayResult.Succeeded("v"))).Voids).State);
    }
}
