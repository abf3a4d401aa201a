using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;

namespace Orderwright.Rules.Tests;

/// <summary>The money of an order is taken with what is shipped of it: exactly that, whatever comes twice or out of order.</summary>
public class PaymentShippedTests
{
    static readonly DateTimeOffset Now = new(2026, 1, 31, 9, 30, 0, TimeSpan.Zero);
    static readonly Guid Id = new("01980000-0000-7000-8000-000000000001");
    static readonly GatewayLimits Limits = new();
    static readonly At AtNow = new(Now, Limits);
    static readonly ProviderCapabilities Several = new(true, true, true, true, true) { SeveralCaptures = true };
    static readonly ProviderCapabilities Once = new(true, true, true, true, true);

    static readonly PaymentCase Held = new(
        Id,
        new Payment
        {
            OrderId = Id, State = PaymentStates.Authorized, CustomerId = "ada", Provider = "sandbox", Currency = "GBP",
            AmountMinor = 1_530, AuthorizedMinor = 1_530, GatewayReference = "ch_1", CreatedAt = Now, UpdatedAt = Now,
        },
        []);

    static PaymentDecision Take(
        PaymentCase file, long due, bool close = false, ProviderCapabilities? gateway = null, DateTimeOffset? now = null) =>
        ShipmentRules.Take(file, new TakeShipped(due, close), gateway ?? Several, new At(now ?? Now, Limits));

    static PaymentCase Settle(PaymentDecision begun, GatewayResult result) => AttemptRules.Settle(
        begun.Case, begun.Next!.Attempt.Operation, begun.Next.Attempt.Number, result, Several, AtNow).Case;

    static PaymentCase Done(PaymentDecision begun) => Settle(begun, new GatewayResult.Succeeded("ok"));

    static (string State, long Captured, long Held, string Status) Of(PaymentCase file) =>
        (file.Payment!.State, file.Payment.CapturedMinor, file.Payment.HeldMinor, file.Payment.Totals.Status);

    [Fact]
    public void Each_fulfilment_captures_what_it_is_worth_and_the_last_the_rest()
    {
        var first = Take(Held, 510);
        Assert.Equal(
            ("capture", 510L, "order-service"),
            (first.Next!.Attempt.Operation, first.Next.Attempt.AmountMinor, first.Next.Attempt.RequestedBy));
        var part = Done(first);
        Assert.Equal(("authorized", 510L, 1_020L, "partially_paid"), Of(part));
        var second = Take(part, 1_530);
        Assert.Equal((1_020L, $"{Id}:capture:2"), (second.Next!.Attempt.AmountMinor, second.Next.Attempt.Key));
        Assert.Equal(("captured", 1_530L, 0L, "paid"), Of(Done(second)));
    }

    [Fact]
    public void What_comes_twice_late_or_out_of_order_captures_nothing_more()
    {
        // The second of two comes first: it takes both, and nothing is left for the first.
        var both = Done(Take(Held, 1_000));
        Assert.Null(Take(both, 1_000).Next);
        Assert.Null(Take(both, 510).Next);
        Assert.True(ShipmentRules.IsDone(both.Payment!, new TakeShipped(510, false)));
        // While one is under way the next waits; it is asked again.
        var begun = Take(Held, 510);
        Assert.Null(Take(begun.Case, 1_000).Next);
        Assert.False(ShipmentRules.IsDone(begun.Case.Payment!, new TakeShipped(510, false)));
    }

    [Fact]
    public void A_gateway_that_captures_once_takes_the_whole_with_the_first()
    {
        var first = Take(Held, 510, gateway: Once);
        Assert.Equal(1_530, first.Next!.Attempt.AmountMinor);
        var whole = Done(first);
        Assert.Equal(("captured", 1_530L, 0L, "paid"), Of(whole));
        Assert.Null(Take(whole, 1_530, gateway: Once).Next);
    }

    [Fact]
    public void What_was_never_captured_is_released_when_the_order_is_closed()
    {
        var part = Done(Take(Held, 510));
        var close = Take(part, 510, close: true);
        Assert.Equal(("void", 1_020L), (close.Next!.Attempt.Operation, close.Next.Attempt.AmountMinor));
        var closed = Done(close);
        Assert.Equal(("captured", 510L, 0L, "partially_paid"), Of(closed));
        Assert.Null(Take(closed, 510, close: true).Next);
        Assert.True(ShipmentRules.IsDone(closed.Payment!, new TakeShipped(510, true)));
        // Nothing was shipped at all.
        Assert.Equal(("voided", 0L, 0L, "voided"), Of(Done(Take(Held, 0, close: true))));
        // What is due is taken first.
        Assert.Equal("capture", Take(Held, 510, close: true).Next!.Attempt.Operation);
    }

    [Fact]
    public void A_capture_that_is_declined_leaves_the_rest_held_and_is_tried_again_an_hour_later()
    {
        var declined = Settle(Take(Held, 510), new GatewayResult.Declined("expired", "The authorization has expired."));
        Assert.Equal(("authorized", 0L, 1_530L, "authorized"), Of(declined));
        Assert.Null(Take(declined, 510, now: Now.AddMinutes(59)).Next);
        Assert.Equal(2, Take(declined, 510, now: Now.AddMinutes(60)).Next!.Attempt.Number);
    }

    [Fact]
    public void A_capture_that_no_gateway_took_is_tried_again_half_a_minute_later()
    {
        // An outage that outlasts the attempts of one key is no refusal.
        var begun = Take(Held, 510);
        var file = begun.Case.With(begun.Next!.Attempt with { Sends = Limits.GatewayMaxAttempts });
        var given = AttemptRules.Settle(
            file, "capture", 1, new GatewayResult.Unavailable("503"), Several, AtNow).Case;
        Assert.Equal((PaymentStates.Authorized, null), (given.Payment!.State, given.Payment.AttentionCode));
        Assert.Null(Take(given, 510, now: Now.AddSeconds(29)).Next);
        Assert.Equal(2, Take(given, 510, now: Now.AddSeconds(30)).Next!.Attempt.Number);
    }

    [Fact]
    public void An_undo_of_what_was_captured_in_part_releases_the_rest_and_refunds_the_part()
    {
        var part = Done(Take(Held, 510));
        var undo = PaymentRules.Undo(part, StepNames.AuthorizePayment, 0, AtNow);
        Assert.Equal(("void", 1_020L), (undo.Next!.Attempt.Operation, undo.Next.Attempt.AmountMinor));
        var refund = AttemptRules.Settle(
            undo.Case, "void", 1, new GatewayResult.Succeeded("ok"), Several, AtNow);
        Assert.Equal(("refund", 510L), (refund.Next!.Attempt.Operation, refund.Next.Attempt.AmountMinor));
        Assert.Null(refund.Answer);
        var undone = AttemptRules.Settle(
            refund.Case, "refund", 1, new GatewayResult.Succeeded("ok"), Several, AtNow);
        Assert.Equal((true, StepOutcome.Completed), (undone.Answer!.Undo, undone.Answer.Outcome));
        Assert.Equal(("refunded", 510L, 0L, "refunded"), Of(undone.Case));
    }

    [Fact]
    public void A_refund_of_a_part_leaves_the_rest_held()
    {
        var part = Done(Take(Held, 510));
        var refunding = AttemptOutcomes.Begin(
            part.With(part.Payment! with { State = PaymentStates.Refunding }), GatewayOperations.Refund, 510, AtNow, "ann");
        Assert.Equal(("authorized", 510L, 1_020L, "refunded"), Of(Done(refunding)));
    }

    [Fact]
    public void Store_credit_was_taken_at_once_and_there_is_nothing_to_take()
    {
        var paid = Held.With(Held.Payment! with
        {
            Provider = PaymentProviders.Balance, State = PaymentStates.Captured, CapturedMinor = 1_530,
        });
        Assert.Same(paid, ShipmentRules.Take(paid, new TakeShipped(510, false), null, AtNow).Case);
        Assert.True(ShipmentRules.IsDone(paid.Payment!, new TakeShipped(510, true)));
    }
}
