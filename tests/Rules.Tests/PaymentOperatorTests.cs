using Orderwright.Contracts;
using Orderwright.CustomerService.Commands;
using Orderwright.CustomerService.Payments;

namespace Orderwright.Rules.Tests;

/// <summary>Actions of operators on a payment, and their effects.</summary>
public class PaymentOperatorTests
{
    static readonly Guid Order = new("01980000-0000-7000-8000-000000000001");
    static readonly DateTimeOffset Now = new(2026, 1, 31, 9, 30, 0, TimeSpan.Zero);
    static readonly GatewayLimits Limits = new();
    static readonly At AtNow = new(Now, Limits);
    static readonly ProviderCapabilities Card = new(true, true, true, true, true);
    static readonly GatewayResult Ok = new GatewayResult.Succeeded("re_1");
    static readonly GatewayResult No = new GatewayResult.Declined("refund_refused", "No.");

    static PaymentCase Case(string state, long captured = 0, long refunded = 0, string provider = "sandbox") => new(
        Order,
        new Payment
        {
            OrderId = Order, State = state, CustomerId = "17850", Provider = provider, Currency = "GBP", AmountMinor = 1_530,
            AuthorizedMinor = 1_530, CapturedMinor = captured, RefundedMinor = refunded, CreatedAt = Now, UpdatedAt = Now,
        },
        []);

    static PaymentCase Captured => Case(PaymentStates.Captured, 1_530);

    static PaymentCase Authorized => Case(PaymentStates.Authorized);

    static OperatorDecision Act(PaymentCase current, string operation, long? amount = null) => OperatorPaymentRules.Decide(
        current, new OperatorPaymentAction(Order, operation, amount, "Broken in the post."), "ann",
        current.Payment!.Provider == PaymentProviders.Balance ? null : Card, balanceMinor: 100, AtNow);

    static PaymentDecision Settle(PaymentCase current, GatewayResult result) => AttemptRules.Settle(
        current, current.Open!.Operation, current.Open.Number, result, Card, AtNow);

    static PaymentCase Refunding(long amount) => Act(Captured, "refund", amount).Decision!.Case;

    [Theory]
    [InlineData(PaymentStates.Authorized, 0, 0, "refund", 1, "not_captured")]
    [InlineData(PaymentStates.Captured, 1_530, 0, "refund", 1_531, "exceeds_captured")]
    [InlineData(PaymentStates.Captured, 1_530, 1_000, "refund", 531, "exceeds_captured")]
    [InlineData(PaymentStates.Refunded, 1_530, 1_530, "refund", 1, "exceeds_captured")]
    [InlineData(PaymentStates.UndoFailed, 1_530, 0, "refund", 1, "not_refundable")]
    [InlineData(PaymentStates.Captured, 1_530, 0, "capture", null, "not_authorized")]
    [InlineData(PaymentStates.Authorized, 0, 0, "capture", 1_531, "exceeds_authorized")]
    [InlineData(PaymentStates.Authorized, 0, 0, "capture", 1_529, "partial_capture")]
    [InlineData(PaymentStates.Captured, 1_530, 0, "void", null, "not_voidable")]
    [InlineData(PaymentStates.Voided, 0, 0, "void", null, "not_voidable")]
    [InlineData(PaymentStates.UndoFailed, 1_530, 0, "void", null, "not_voidable")]
    [InlineData(PaymentStates.Authorized, 0, 0, "void", null, "order_stands")]
    [InlineData(PaymentStates.Declined, 0, 0, "capture", null, "not_authorized")]
    public void An_action_beyond_the_payments_amounts_is_refused(
        string state, long captured, long refunded, string operation, int? amount, string code)
    {
        var refused = Act(Case(state, captured, refunded), operation, amount);
        Assert.Equal((code, null), (refused.Code, refused.Decision));
    }

    [Fact]
    public void Only_one_action_runs_at_a_time()
    {
        var busy = Refunding(500);
        foreach (var operation in new[] { "refund", "void", "capture" })
            Assert.Equal("payment_busy", Act(busy, operation, 1).Code);
    }

    [Fact]
    public void A_partial_refund_leaves_the_rest_and_sends_no_reply()
    {
        var begun = Act(Captured, "refund", 500).Decision!;
        Assert.Equal(($"{Order}:refund:1", 500, "ann", "Broken in the post."),
            (begun.Next!.Attempt.Key, begun.Next.Attempt.AmountMinor, begun.Next.Attempt.RequestedBy, begun.Next.Attempt.Reason));
        var first = Settle(begun.Case, Ok);
        Assert.Null(first.Answer);
        Assert.Equal((PaymentStates.Captured, new PaymentTotals(1_530, 1_530, 500, false)),
            (first.Case.Payment!.State, first.Case.Payment.Totals with { Version = 0 }));
        var rest = Settle(Act(first.Case, "refund", 1_030).Decision!.Case, Ok);
        Assert.Equal((PaymentStates.Refunded, 1_530), (rest.Case.Payment!.State, rest.Case.Payment.RefundedMinor));
        Assert.Equal([$"{Order}:refund:1", $"{Order}:refund:2"], rest.Case.Attempts.Select(call => call.Key));
    }

    [Fact]
    public void A_refusal_by_the_gateway_leaves_the_payment_unchanged()
    {
        var refund = Settle(Refunding(500), No);
        Assert.Equal(
            (PaymentStates.Captured, 0, null), (refund.Case.Payment!.State, refund.Case.Payment.RefundedMinor, refund.Answer));
        Assert.Equal((AttemptStates.Declined, "refund_refused"), (refund.Case.Attempts[0].State, refund.Case.Attempts[0].Code));
        var held = Settle(Act(Authorized, "capture").Decision!.Case, No);
        Assert.Equal((PaymentStates.Authorized, null), (held.Case.Payment!.State, held.Answer));
        var worn = Refunding(500);
        worn = worn.With(worn.Open! with { Sends = Limits.GatewayMaxAttempts });
        Assert.Equal(PaymentStates.Captured, Settle(worn, new GatewayResult.Unavailable("503")).Case.Payment!.State);
    }

    [Fact]
    public void An_undo_during_a_refund_returns_the_rest()
    {
        var wanted = PaymentRules.Undo(Refunding(500), StepNames.AuthorizePayment, 0, AtNow).Case;
        foreach (var (result, left) in new[] { (Ok, 1_030), (No, 1_530) })
        {
            var undoing = Settle(wanted, result);
            Assert.Equal(("refund", left), (undoing.Next!.Attempt.Operation, undoing.Next.Attempt.AmountMinor));
            var undone = Settle(undoing.Case, Ok);
            Assert.Equal((true, StepOutcome.Completed), (undone.Answer!.Undo, undone.Answer.Outcome));
            Assert.Equal((PaymentStates.Refunded, 1_530), (undone.Case.Payment!.State, undone.Case.Payment.RefundedMinor));
        }
    }

    [Fact]
    public void An_operators_capture_takes_everything_held()
    {
        var captured = Settle(Act(Authorized, "capture").Decision!.Case, Ok).Case.Payment!;
        Assert.Equal((PaymentStates.Captured, 1_530), (captured.State, captured.CapturedMinor));
    }

    [Fact]
    public void An_operators_void_after_a_failed_undo_completes_the_undo()
    {
        var releasing = Act(Case(PaymentStates.UndoFailed), "void").Decision!;
        Assert.Equal(("void", "ann"), (releasing.Next!.Attempt.Operation, releasing.Next.Attempt.RequestedBy));
        var released = Settle(releasing.Case, Ok);
        Assert.Equal((PaymentStates.Voided, true), (released.Case.Payment!.State, released.Case.Payment.Voided));
        Assert.Equal((true, StepOutcome.Completed, StepNames.AuthorizePayment),
            (released.Answer!.Undo, released.Answer.Outcome, released.Step));
        var refused = Settle(Settle(releasing.Case, No).Case, No);
        Assert.Equal((PaymentStates.UndoFailed, StepOutcome.Rejected), (refused.Case.Payment!.State, refused.Answer!.Outcome));
    }

    [Fact]
    public void Store_credit_is_refunded_at_once()
    {
        var part = Act(Case(PaymentStates.Captured, 1_530, provider: PaymentProviders.Balance), "refund", 500).Decision!;
        Assert.Equal((600, PaymentStates.Captured, 500),
            (part.BalanceMinor, part.Case.Payment!.State, part.Case.Payment.RefundedMinor));
        Assert.Null(part.Next);
        var rest = Act(part.Case, "refund", 1_030).Decision!;
        Assert.Equal(
            (1_130, PaymentStates.Refunded, 2), (rest.BalanceMinor, rest.Case.Payment!.State, rest.Case.Attempts[^1].Number));
        Assert.Equal(
            [(500, "settled"), (1_030, "settled")],
            PaymentResponse.Of(rest.Case).Refunds.Select(refund => (refund.Amount, refund.State)));
    }
}
