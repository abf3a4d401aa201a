using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;

namespace Orderwright.Rules.Tests;

/// <summary>Captures of shipped goods: exactly their value, also with duplicate and reordered commands.</summary>
public class PaymentShipmentTests
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
        PaymentCase current, long due, bool close = false, ProviderCapabilities? gateway = null, DateTimeOffset? now = null) =>
        ShipmentRules.Take(current, new TakeShipped(due, close), gateway ?? Several, new At(now ?? Now, Limits));

    static PaymentCase Settle(PaymentDecision begun, GatewayResult result) => AttemptRules.Settle(
        begun.Case, begun.Next!.Attempt.Operation, begun.Next.Attempt.Number, result, Several, AtNow).Case;

    static PaymentCase Done(PaymentDecision begun) => Settle(begun, new GatewayResult.Succeeded("ok"));

    static (string State, long Captured, long Held, string Status) Of(PaymentCase current) =>
        (current.Payment!.State, current.Payment.CapturedMinor, current.Payment.HeldMinor, current.Payment.Totals.Status);

    [Fact]
    public void Each_fulfilment_captures_its_value_and_the_last_one_the_rest()
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
    public void Duplicate_late_and_reordered_commands_capture_nothing_more()
    {
        // The second command arrives first and takes both amounts; nothing is left for the first.
        var both = Done(Take(Held, 1_000));
        Assert.Null(Take(both, 1_000).Next);
        Assert.Null(Take(both, 510).Next);
        Assert.True(ShipmentRules.IsDone(both.Payment!, new TakeShipped(510, false)));
        // The next capture waits for the current one; order-service repeats the command.
        var begun = Take(Held, 510);
        Assert.Null(Take(begun.Case, 1_000).Next);
        Assert.False(ShipmentRules.IsDone(begun.Case.Payment!, new TakeShipped(510, false)));
    }

    [Fact]
    public void A_gateway_with_a_single_capture_takes_the_whole_amount_at_once()
    {
        var first = Take(Held, 510, gateway: Once);
        Assert.Equal(1_530, first.Next!.Attempt.AmountMinor);
        var whole = Done(first);
        Assert.Equal(("captured", 1_530L, 0L, "paid"), Of(whole));
        Assert.Null(Take(whole, 1_530, gateway: Once).Next);
    }

    [Fact]
    public void The_uncaptured_rest_is_released_when_the_order_is_closed()
    {
        var part = Done(Take(Held, 510));
        var close = Take(part, 510, close: true);
        Assert.Equal(("void", 1_020L), (close.Next!.Attempt.Operation, close.Next.Attempt.AmountMinor));
        var closed = Done(close);
        Assert.Equal(("captured", 510L, 0L, "paid"), Of(closed));
        Assert.Null(Take(closed, 510, close: true).Next);
        Assert.True(ShipmentRules.IsDone(closed.Payment!, new TakeShipped(510, true)));
        // Nothing was shipped.
        Assert.Equal(("voided", 0L, 0L, "voided"), Of(Done(Take(Held, 0, close: true))));
        // The amount due is captured before the rest is released.
        Assert.Equal("capture", Take(Held, 510, close: true).Next!.Attempt.Operation);
    }

    [Fact]
    public void A_declined_capture_leaves_the_rest_held_and_is_retried_after_an_hour()
    {
        var declined = Settle(Take(Held, 510), new GatewayResult.Declined("expired", "The authorization has expired."));
        Assert.Equal(("authorized", 0L, 1_530L, "authorized"), Of(declined));
        Assert.Null(Take(declined, 510, now: Now.AddMinutes(59)).Next);
        Assert.Equal(2, Take(declined, 510, now: Now.AddMinutes(60)).Next!.Attempt.Number);
    }

    [Fact]
    public void A_capture_that_never_reached_the_gateway_is_retried_after_30_s()
    {
        // An outage longer than the retries of a key is not a refusal.
        var begun = Take(Held, 510);
        var current = begun.Case.With(begun.Next!.Attempt with { Sends = Limits.GatewayMaxAttempts });
        var given = AttemptRules.Settle(
            current, "capture", 1, new GatewayResult.Unavailable("503"), Several, AtNow).Case;
        Assert.Equal((PaymentStates.Authorized, null), (given.Payment!.State, given.Payment.AttentionCode));
        Assert.Null(Take(given, 510, now: Now.AddSeconds(29)).Next);
        Assert.Equal(2, Take(given, 510, now: Now.AddSeconds(30)).Next!.Attempt.Number);
    }

    [Fact]
    public void Undoing_a_partial_capture_releases_the_rest_and_refunds_the_part()
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
    public void A_partial_refund_leaves_the_rest_held()
    {
        var part = Done(Take(Held, 510));
        var refunding = AttemptOutcomes.Begin(
            part.With(part.Payment! with { State = PaymentStates.Refunding }), GatewayOperations.Refund, 510, AtNow, "ann");
        Assert.Equal(("authorized", 510L, 1_020L, "partially_refunded"), Of(Done(refunding)));
    }

    [Fact]
    public void Store_credit_needs_no_capture_on_shipment()
    {
        var paid = Held.With(Held.Payment! with
        {
            Provider = PaymentProviders.Balance, State = PaymentStates.Captured, CapturedMinor = 1_530,
        });
        Assert.Same(paid, ShipmentRules.Take(paid, new TakeShipped(510, false), null, AtNow).Case);
        Assert.True(ShipmentRules.IsDone(paid.Payment!, new TakeShipped(510, true)));
    }
}
