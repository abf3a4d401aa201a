using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;

namespace Orderwright.Rules.Tests;

/// <summary>A payment whose gateway answers, does not answer, or answers late.</summary>
public class PaymentAttemptTests
{
    static readonly DateTimeOffset Now = new(2026, 1, 31, 9, 30, 0, TimeSpan.Zero);
    static readonly Guid Order = new("01980000-0000-7000-8000-000000000001");
    static readonly GatewayLimits Limits = new();
    static readonly At AtNow = new(Now, Limits);
    static readonly ProviderCapabilities WithKeys = new(true, true, true, true, true);
    static readonly ProviderCapabilities WithoutKeys = WithKeys with { IdempotentKeys = false };

    static readonly GatewayResult Ok = new GatewayResult.Succeeded("ch_1");
    static readonly GatewayResult No = new GatewayResult.Declined("card_declined", "The card was declined.");
    static readonly GatewayResult Unavailable = new GatewayResult.Unavailable("503");
    static readonly GatewayResult Lost = new GatewayResult.Unknown("No answer within 5 s.");
    static readonly GatewayResult Never = new GatewayResult.NeverHappened(Final: false);
    static readonly GatewayResult NeverEver = new GatewayResult.NeverHappened(Final: true);
    static readonly GatewayResult Act = new GatewayResult.ActionRequired("ch_1", "/act");

    static PaymentCase Requested(string provider = "sandbox") => PaymentRules.Authorize(
        PaymentCase.Empty(Order), new AuthorizePayment("17850", 1_530, "GBP", new PaymentMethod(provider, "tok_visa")),
        new HashSet<string> { provider }, new(true, 0), AtNow).Case;

    static PaymentDecision Settle(
        PaymentCase current, GatewayResult result, ProviderCapabilities? capabilities = null, DateTimeOffset? now = null)
    {
        var open = current.Open!;
        return AttemptRules.Settle(
            current, open.Operation, open.Number, result, capabilities ?? WithKeys, new At(now ?? Now, Limits));
    }

    static PaymentCase Undo(PaymentCase current) =>
        PaymentRules.Undo(current, StepNames.AuthorizePayment, 0, AtNow).Case;

    static PaymentCase Authorized => Settle(Requested(), Ok).Case;

    static PaymentCase Capturing => PaymentRules.Capture(Authorized, AtNow).Case;

    static PaymentCase Captured => Settle(Capturing, Ok).Case;

    static void Answers(PaymentDecision decision, string step, bool undo, StepOutcome outcome, string? code = null) =>
        Assert.Equal(
            (step, undo, outcome, code),
            (decision.Step, decision.Answer!.Undo, decision.Answer.Outcome, decision.Answer.Code));

    [Fact]
    public void A_payment_is_authorized_captured_and_refunded()
    {
        var authorized = Settle(Requested(), Ok);
        Answers(authorized, StepNames.AuthorizePayment, undo: false, StepOutcome.Completed);
        Assert.Equal(new PaymentTotals(1_530, 0, 0, false), authorized.Answer!.Payment! with { Version = 0 });
        Assert.Equal("ch_1", authorized.Case.Payment!.GatewayReference);

        var captured = Settle(PaymentRules.Capture(authorized.Case, AtNow).Case, Ok);
        Answers(captured, StepNames.CapturePayment, undo: false, StepOutcome.Completed);
        Assert.Equal(new PaymentTotals(1_530, 1_530, 0, false), captured.Answer!.Payment! with { Version = 0 });

        var refunded = Settle(Undo(captured.Case), Ok);
        Answers(refunded, StepNames.AuthorizePayment, undo: true, StepOutcome.Completed);
        Assert.Equal(new PaymentTotals(1_530, 1_530, 1_530, false), refunded.Answer!.Payment! with { Version = 0 });
        Assert.Null(refunded.Case.Open);
    }

    [Fact]
    public void A_gateway_that_captures_at_once_needs_no_capture()
    {
        var taken = Settle(Requested(), new GatewayResult.Succeeded("ch_1", Captured: true));
        Assert.Equal(new PaymentTotals(1_530, 1_530, 0, false), taken.Answer!.Payment! with { Version = 0 });
        Assert.Equal(StepOutcome.Completed, PaymentRules.Capture(taken.Case, AtNow).Answer!.Outcome);
        Assert.Equal("refund", Undo(taken.Case).Open!.Operation);
    }

    [Theory]
    [InlineData("card_declined", ReasonCodes.PaymentDeclined)]
    [InlineData("insufficient_funds", ReasonCodes.InsufficientFunds)]
    public void A_decline_is_final(string gatewaysCode, string code)
    {
        var declined = Settle(Requested(), new GatewayResult.Declined(gatewaysCode, "No."));
        Answers(declined, StepNames.AuthorizePayment, undo: false, StepOutcome.Rejected, code);
        Assert.Equal((PaymentStates.Declined, gatewaysCode), (declined.Case.Payment!.State, declined.Case.Attempts[0].Code));
    }

    [Fact]
    public void A_charge_found_by_look_up_is_counted_once()
    {
        var found = Settle(Settle(Requested(), Lost).Case, Ok);
        Answers(found, StepNames.AuthorizePayment, undo: false, StepOutcome.Completed);
        Assert.Single(found.Case.Attempts);
    }

    [Fact]
    public void A_request_that_never_happened_is_sent_again_under_the_same_key()
    {
        var again = Settle(Settle(Requested(), Lost).Case, Never);
        Assert.Equal(($"{Order}:authorize:1", false), (again.Next!.Attempt.Key, again.Next.LookUp));
        Assert.Equal((AttemptStates.Open, 2), (again.Case.Open!.State, again.Case.Open.Sends));
        Assert.Null(again.Answer);
    }

    [Fact]
    public void Without_idempotent_keys_nothing_is_repeated_until_the_look_up_is_final()
    {
        var doubt = Settle(Requested(), Lost).Case;
        var unsure = Settle(doubt, Never, WithoutKeys);
        Assert.Null(unsure.Next);
        Assert.Equal(AttemptStates.InDoubt, unsure.Case.Open!.State);
        var sure = Settle(unsure.Case, NeverEver, WithoutKeys);
        Assert.Equal($"{Order}:authorize:2", sure.Next!.Attempt.Key);
        Assert.Equal(AttemptStates.Failed, sure.Case.Attempts[0].State);
    }

    [Fact]
    public void An_unavailable_gateway_is_retried_with_growing_pauses_up_to_the_limit()
    {
        var current = Requested();
        var pauses = new List<double>();
        for (var i = 1; i < Limits.GatewayMaxAttempts; i++)
        {
            var decision = Settle(current, Unavailable);
            Assert.Null(decision.Answer);
            Assert.Equal(AttemptStates.Retry, decision.Case.Open!.State);
            var due = decision.Case.Open.DueAt!.Value;
            pauses.Add((due - Now).TotalMilliseconds);
            var taken = AttemptRules.TakeUp(decision.Case, new At(due, Limits));
            Assert.Equal((i + 1, false), (taken.Next!.Attempt.Sends, taken.Next.LookUp));
            current = taken.Case;
        }
        Assert.All(pauses.Zip([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000]), pair =>
            Assert.InRange(pair.First, pair.Second / 2.0, pair.Second));
        var given = Settle(current, Unavailable);
        Answers(given, StepNames.AuthorizePayment, undo: false, StepOutcome.Rejected, ReasonCodes.ProviderUnavailable);
    }

    [Fact]
    public void A_pause_requested_by_the_gateway_is_honoured() =>
        Assert.Equal(
            Now.AddMinutes(2),
            Settle(Requested(), new GatewayResult.Unavailable("429", TimeSpan.FromMinutes(2))).Case.Open!.DueAt);

    [Fact]
    public void An_attempt_with_an_ended_lease_is_looked_up_first()
    {
        Assert.Null(AttemptRules.TakeUp(Requested(), new At(Now.AddSeconds(1), Limits)).Next);
        var taken = AttemptRules.TakeUp(Requested(), new At(Now + Limits.Lease, Limits));
        Assert.True(taken.Next!.LookUp);
        Assert.Equal(Now + Limits.Lease + Limits.Lease, taken.Case.Open!.DueAt);
        var again = Settle(taken.Case, Never);
        Assert.Equal(($"{Order}:authorize:1", false), (again.Next!.Attempt.Key, again.Next.LookUp));
    }

    [Fact]
    public void An_action_of_the_customer_is_polled_until_it_ends()
    {
        var waiting = Settle(Requested(), Act);
        Answers(waiting, StepNames.AuthorizePayment, undo: false, StepOutcome.Waiting);
        Assert.Equal("/act", waiting.Answer!.Action);
        Assert.Equal(Now + Limits.GatewayPollEvery, waiting.Case.Open!.DueAt);
        foreach (var nothingNew in new[] { Act, Lost, Unavailable, Never })
        {
            var still = Settle(waiting.Case, nothingNew);
            Assert.Null(still.Answer);
            Assert.Equal(AttemptStates.Waiting, still.Case.Open!.State);
        }
        Assert.Equal(StepOutcome.Completed, Settle(waiting.Case, Ok).Answer!.Outcome);
        Assert.Equal(StepOutcome.Rejected, Settle(waiting.Case, No).Answer!.Outcome);
        Assert.Null(Settle(waiting.Case, Ok).Case.Payment!.ActionUrl);
    }

    [Fact]
    public void A_success_after_an_undo_is_returned_automatically()
    {
        var voiding = Settle(Undo(Requested()), Ok);
        Assert.Null(voiding.Answer);
        Assert.Equal(("void", PaymentStates.Voiding), (voiding.Next!.Attempt.Operation, voiding.Case.Payment!.State));
        var voided = Settle(voiding.Case, Ok);
        Answers(voided, StepNames.AuthorizePayment, undo: true, StepOutcome.Completed);
        Assert.Equal(new PaymentTotals(1_530, 0, 0, true), voided.Answer!.Payment! with { Version = 0 });

        Assert.Equal("refund", Settle(Undo(Capturing), Ok).Next!.Attempt.Operation);
        Assert.Equal("void", Settle(Undo(Capturing), No).Next!.Attempt.Operation);
        Assert.Equal("void", Settle(Undo(Requested()), Act).Next!.Attempt.Operation);
    }

    [Fact]
    public void A_decline_completes_a_pending_undo()
    {
        var declined = Settle(Undo(Requested()), No);
        Answers(declined, StepNames.AuthorizePayment, undo: true, StepOutcome.Completed);
        var unavailable = Settle(Undo(Requested()), Unavailable);
        Answers(unavailable, StepNames.AuthorizePayment, undo: true, StepOutcome.Completed);
        Assert.Equal(PaymentStates.Undone, unavailable.Case.Payment!.State);
    }

    [Fact]
    public void An_undo_in_doubt_takes_a_second_look_up_before_it_completes()
    {
        var doubt = Undo(Settle(Requested(), Lost).Case);
        var first = Settle(doubt, Never);
        Assert.Null(first.Answer);
        Assert.Equal(Now.AddSeconds(5), first.Case.Open!.DueAt);
        var second = Settle(first.Case, Never);
        Answers(second, StepNames.AuthorizePayment, undo: true, StepOutcome.Completed);
        Assert.Equal(PaymentStates.Undone, second.Case.Payment!.State);
        Answers(Settle(doubt, NeverEver), StepNames.AuthorizePayment, undo: true, StepOutcome.Completed);
    }

    [Fact]
    public void A_request_held_back_by_the_breaker_waits_without_counting_as_a_send()
    {
        GatewayResult notAsked = new GatewayResult.NotAsked("It fails.", LookUp: false, TimeSpan.FromSeconds(5));
        var current = Requested();
        for (var i = 0; i < 100; i++)
        {
            current = Settle(current, notAsked).Case;
            Assert.Equal((AttemptStates.Retry, 0), (current.Open!.State, current.Open.Sends));
            Assert.InRange(current.Open.DueAt!.Value, Now.AddSeconds(5), Now.AddSeconds(10));
            current = AttemptRules.TakeUp(current, new At(current.Open.DueAt.Value, Limits)).Case;
        }
        Assert.Equal(StepOutcome.Completed, Settle(current, Ok).Answer!.Outcome);
        Answers(Settle(Undo(current), notAsked), StepNames.AuthorizePayment, undo: true, StepOutcome.Completed);
    }

    [Fact]
    public void A_doubt_stays_while_the_breaker_holds_look_ups_back()
    {
        GatewayResult notLookedUp = new GatewayResult.NotAsked("It fails.", LookUp: true, TimeSpan.FromSeconds(5));
        GatewayResult notAsked = new GatewayResult.NotAsked("It fails.", LookUp: false, TimeSpan.FromSeconds(5));
        var doubt = Settle(Settle(Requested(), Lost).Case, notLookedUp).Case;
        Assert.Equal((AttemptStates.InDoubt, 0), (doubt.Open!.State, doubt.Open.LookUps));
        var leaseEnded = AttemptRules.TakeUp(Requested(), new At(Now + Limits.Lease, Limits)).Case;
        Assert.True(AttemptRules.TakeUp(Settle(leaseEnded, notLookedUp).Case, new At(Now.AddMinutes(1), Limits)).Next!.LookUp);

        // The first request may still arrive, and no later result covers the first request.
        var again = Settle(doubt, Never).Case;
        foreach (var current in new[] { Settle(Undo(again), notAsked).Case, Settle(Undo(again), Unavailable).Case })
        {
            Assert.Equal((AttemptStates.InDoubt, PaymentStates.Authorizing), (current.Open!.State, current.Payment!.State));
            Assert.True(AttemptRules.TakeUp(current, new At(current.Open.DueAt!.Value, Limits)).Next!.LookUp);
        }
    }

    [Fact]
    public void Nothing_is_abandoned_while_look_ups_may_still_lag()
    {
        var lagging = WithKeys with { LookUpLag = TimeSpan.FromMinutes(10) };
        var undone = Undo(Settle(Requested(), Lost, lagging).Case);
        for (var i = 0; i < 3; i++) undone = Settle(undone, Never, lagging, Now.AddMinutes(9)).Case;
        Assert.Equal(AttemptStates.InDoubt, undone.Open!.State);
        Assert.Equal(PaymentStates.Undone, Settle(undone, Never, lagging, Now.AddMinutes(10)).Case.Payment!.State);

        var worn = Settle(Requested(), Lost, lagging).Case;
        worn = worn.With(worn.Open! with { Sends = Limits.GatewayMaxAttempts });
        Assert.Equal(AttemptStates.InDoubt, Settle(worn, Never, lagging, Now.AddMinutes(9)).Case.Open!.State);
        Assert.Equal(PaymentStates.Declined, Settle(worn, Never, lagging, Now.AddMinutes(10)).Case.Payment!.State);
    }

    [Fact]
    public void A_success_after_giving_up_is_voided_automatically_without_a_reply()
    {
        var undone = Settle(Settle(Undo(Settle(Requested(), Lost).Case), Never).Case, Never).Case;
        var late = AttemptRules.Settle(undone, "authorize", 1, Ok, WithKeys, AtNow);
        Assert.Null(late.Answer);
        Assert.Equal(("void", PaymentStates.Voiding), (late.Next!.Attempt.Operation, late.Case.Payment!.State));
        var voided = Settle(late.Case, Ok);
        Assert.Null(voided.Answer);
        Assert.Equal((PaymentStates.Voided, true), (voided.Case.Payment!.State, voided.Case.Payment.Voided));
    }

    [Fact]
    public void A_settled_attempt_is_not_settled_again()
    {
        foreach (var result in new[] { Ok, No, Unavailable, Lost, Never, Act })
        {
            var authorized = Authorized;
            Assert.Same(authorized, AttemptRules.Settle(authorized, "authorize", 1, result, WithKeys, AtNow).Case);
            var declined = Settle(Requested(), No).Case;
            if (result != Ok)
                Assert.Same(declined, AttemptRules.Settle(declined, "authorize", 1, result, WithKeys, AtNow).Case);
            Assert.Same(declined, AttemptRules.Settle(declined, "capture", 1, result, WithKeys, AtNow).Case);
        }
    }

    [Fact]
    public void A_failed_capture_leaves_the_money_held()
    {
        var refused = Settle(Capturing, No);
        Answers(refused, StepNames.CapturePayment, undo: false, StepOutcome.Rejected, ReasonCodes.PaymentDeclined);
        Assert.Equal(PaymentStates.Authorized, refused.Case.Payment!.State);
        Assert.Equal($"{Order}:capture:2", PaymentRules.Capture(refused.Case, AtNow).Next!.Attempt.Key);

        var doubt = Settle(Capturing, Lost);
        Answers(doubt, StepNames.CapturePayment, undo: false, StepOutcome.InDoubt, ReasonCodes.InDoubt);
        Assert.Equal(StepOutcome.Completed, Settle(doubt.Case, Ok).Answer!.Outcome);
    }

    [Fact]
    public void An_unavailable_gateway_postpones_a_capture_and_fails_a_refund()
    {
        var capturing = Capturing.With(Capturing.Open! with { Sends = Limits.GatewayMaxAttempts });
        var off = Settle(capturing, Unavailable);
        Answers(off, StepNames.CapturePayment, undo: false, StepOutcome.Retry, ReasonCodes.ProviderUnavailable);
        Assert.Equal(PaymentStates.Authorized, off.Case.Payment!.State);

        var refunding = Undo(Captured);
        refunding = refunding.With(refunding.Open! with { Sends = Limits.GatewayMaxAttempts });
        var failed = Settle(refunding, Unavailable);
        Answers(failed, StepNames.AuthorizePayment, undo: true, StepOutcome.Rejected, ReasonCodes.RefundFailed);
        Assert.Equal(PaymentStates.UndoFailed, failed.Case.Payment!.State);
    }

    [Fact]
    public void A_refund_refused_by_the_bank_needs_a_person()
    {
        var failed = Settle(Undo(Captured), new GatewayResult.Declined("refund_refused", "The card's bank refused the refund."));
        Answers(failed, StepNames.AuthorizePayment, undo: true, StepOutcome.Rejected, ReasonCodes.RefundFailed);
        Assert.Equal(new PaymentTotals(1_530, 1_530, 0, false), failed.Answer!.Payment! with { Version = 0 });
        Assert.Equal(PaymentStates.UndoFailed, failed.Case.Payment!.State);
    }

    [Fact]
    public void An_undo_in_doubt_is_never_repeated()
    {
        var refunding = Undo(Captured);
        var doubt = Settle(refunding, Lost);
        Answers(doubt, StepNames.AuthorizePayment, undo: true, StepOutcome.InDoubt, ReasonCodes.InDoubt);
        Assert.Null(PaymentRules.Undo(doubt.Case, StepNames.AuthorizePayment, 0, AtNow).Next);
        var found = Settle(doubt.Case, Ok);
        Assert.Equal(1_530, found.Case.Payment!.RefundedMinor);
        Assert.Single(found.Case.Attempts, call => call.Operation == "refund");
    }
}
