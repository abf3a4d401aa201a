using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;

namespace Orderwright.Rules.Tests;

/// <summary>What becomes of a payment when its gateway answers, does not answer, or answers late.</summary>
public class PaymentCallRulesTests
{
    static readonly DateTimeOffset Now = new(2026, 1, 31, 9, 30, 0, TimeSpan.Zero);
    static readonly Guid Order = new("01980000-0000-7000-8000-000000000001");
    static readonly GatewayLimits Limits = new();
    static readonly ProviderCapabilities WithKeys = new(true, true, true, true, true);
    static readonly ProviderCapabilities WithoutKeys = WithKeys with { IdempotentKeys = false };

    static readonly GatewayResult Ok = new GatewayResult.Succeeded("ch_1");
    static readonly GatewayResult No = new GatewayResult.Declined("card_declined", "The card was declined.");
    static readonly GatewayResult Away = new GatewayResult.Unavailable("503");
    static readonly GatewayResult Lost = new GatewayResult.Unknown("No answer within 5 s.");
    static readonly GatewayResult Never = new GatewayResult.NeverHappened(Final: false);
    static readonly GatewayResult NeverEver = new GatewayResult.NeverHappened(Final: true);
    static readonly GatewayResult Act = new GatewayResult.ActionRequired("ch_1", "/act");

    static PaymentFile Asked(string provider = "sandbox") => PaymentRules.Authorize(
        PaymentFile.Empty(Order), new AuthorizePayment("17850", 1_530, "GBP", new PaymentMethod(provider, "tok_visa")),
        new HashSet<string> { provider }, new(true, 0), Now, Limits).File;

    static PaymentDecision Settle(
        PaymentFile file, GatewayResult result, ProviderCapabilities? capabilities = null, DateTimeOffset? now = null)
    {
        var open = file.Open!;
        return CallRules.Settle(file, open.Operation, open.N, result, capabilities ?? WithKeys, now ?? Now, Limits);
    }

    static PaymentFile Undo(PaymentFile file) =>
        PaymentRules.Undo(file, StepNames.AuthorizePayment, 0, Now, Limits).File;

    static PaymentFile Authorized => Settle(Asked(), Ok).File;

    static PaymentFile Capturing => PaymentRules.Capture(Authorized, Now, Limits).File;

    static PaymentFile Captured => Settle(Capturing, Ok).File;

    static void Answers(PaymentDecision decision, string step, bool undo, StepOutcome outcome, string? code = null) =>
        Assert.Equal(
            (step, undo, outcome, code),
            (decision.Step, decision.Answer!.Undo, decision.Answer.Outcome, decision.Answer.Code));

    [Fact]
    public void The_whole_way_from_holding_to_taking_to_giving_back()
    {
        var authorized = Settle(Asked(), Ok);
        Answers(authorized, StepNames.AuthorizePayment, undo: false, StepOutcome.Completed);
        Assert.Equal(new PaymentTotals(1_530, 0, 0, false), authorized.Answer!.Payment);
        Assert.Equal("ch_1", authorized.File.Payment!.GatewayReference);

        var captured = Settle(PaymentRules.Capture(authorized.File, Now, Limits).File, Ok);
        Answers(captured, StepNames.CapturePayment, undo: false, StepOutcome.Completed);
        Assert.Equal(new PaymentTotals(1_530, 1_530, 0, false), captured.Answer!.Payment);

        var refunded = Settle(Undo(captured.File), Ok);
        Answers(refunded, StepNames.AuthorizePayment, undo: true, StepOutcome.Completed);
        Assert.Equal(new PaymentTotals(1_530, 1_530, 1_530, false), refunded.Answer!.Payment);
        Assert.Null(refunded.File.Open);
    }

    [Fact]
    public void A_gateway_that_takes_at_once_needs_no_capture()
    {
        var taken = Settle(Asked(), new GatewayResult.Succeeded("ch_1", Captured: true));
        Assert.Equal(new PaymentTotals(1_530, 1_530, 0, false), taken.Answer!.Payment);
        Assert.Equal(StepOutcome.Completed, PaymentRules.Capture(taken.File, Now, Limits).Answer!.Outcome);
        Assert.Equal("refund", Undo(taken.File).Open!.Operation);
    }

    [Theory]
    [InlineData("card_declined", ReasonCodes.PaymentDeclined)]
    [InlineData("insufficient_funds", ReasonCodes.InsufficientFunds)]
    public void A_decline_is_final(string gatewaysCode, string code)
    {
        var declined = Settle(Asked(), new GatewayResult.Declined(gatewaysCode, "No."));
        Answers(declined, StepNames.AuthorizePayment, undo: false, StepOutcome.Rejected, code);
        Assert.Equal((PaymentStates.Declined, gatewaysCode), (declined.File.Payment!.State, declined.File.Calls[0].Code));
    }

    [Fact]
    public void A_doubt_that_turns_out_charged_is_charged_once()
    {
        var found = Settle(Settle(Asked(), Lost).File, Ok);
        Answers(found, StepNames.AuthorizePayment, undo: false, StepOutcome.Completed);
        Assert.Single(found.File.Calls);
    }

    [Fact]
    public void What_never_happened_is_asked_again_under_the_same_key()
    {
        var again = Settle(Settle(Asked(), Lost).File, Never);
        Assert.Equal(($"{Order}:authorize:1", false), (again.Next!.Call.Key, again.Next.LookUp));
        Assert.Equal((CallStates.Open, 2), (again.File.Open!.State, again.File.Open.Attempts));
        Assert.Null(again.Answer);
    }

    [Fact]
    public void Without_keys_nothing_is_repeated_until_the_gateway_is_sure()
    {
        var doubt = Settle(Asked(), Lost).File;
        var unsure = Settle(doubt, Never, WithoutKeys);
        Assert.Null(unsure.Next);
        Assert.Equal(CallStates.InDoubt, unsure.File.Open!.State);
        var sure = Settle(unsure.File, NeverEver, WithoutKeys);
        Assert.Equal($"{Order}:authorize:2", sure.Next!.Call.Key);
        Assert.Equal(CallStates.Failed, sure.File.Calls[0].State);
    }

    [Fact]
    public void An_absent_gateway_is_asked_again_with_growing_pauses_and_then_no_more()
    {
        var file = Asked();
        var pauses = new List<double>();
        for (var i = 1; i < Limits.GatewayMaxAttempts; i++)
        {
            var decision = Settle(file, Away);
            Assert.Null(decision.Answer);
            Assert.Equal(CallStates.Retry, decision.File.Open!.State);
            var due = decision.File.Open.DueAt!.Value;
            pauses.Add((due - Now).TotalMilliseconds);
            var taken = CallRules.TakeUp(decision.File, due, Limits);
            Assert.Equal((i + 1, false), (taken.Next!.Call.Attempts, taken.Next.LookUp));
            file = taken.File;
        }
        Assert.All(pauses.Zip([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000]), pair =>
            Assert.InRange(pair.First, pair.Second / 2.0, pair.Second));
        var given = Settle(file, Away);
        Answers(given, StepNames.AuthorizePayment, undo: false, StepOutcome.Rejected, ReasonCodes.ProviderUnavailable);
    }

    [Fact]
    public void A_gateways_own_wish_for_a_pause_is_heard() =>
        Assert.Equal(
            Now.AddMinutes(2),
            Settle(Asked(), new GatewayResult.Unavailable("429", TimeSpan.FromMinutes(2))).File.Open!.DueAt);

    [Fact]
    public void A_lease_that_ended_is_looked_up_first_as_it_may_have_been_called()
    {
        Assert.Null(CallRules.TakeUp(Asked(), Now.AddSeconds(1), Limits).Next);
        var taken = CallRules.TakeUp(Asked(), Now + Limits.Lease, Limits);
        Assert.True(taken.Next!.LookUp);
        Assert.Equal(Now + Limits.Lease + Limits.Lease, taken.File.Open!.DueAt);
        var again = Settle(taken.File, Never);
        Assert.Equal(($"{Order}:authorize:1", false), (again.Next!.Call.Key, again.Next.LookUp));
    }

    [Fact]
    public void An_action_is_awaited_polled_and_ends_as_it_ends()
    {
        var waiting = Settle(Asked(), Act);
        Answers(waiting, StepNames.AuthorizePayment, undo: false, StepOutcome.Waiting);
        Assert.Equal("/act", waiting.Answer!.Action);
        Assert.Equal(Now + Limits.GatewayPollEvery, waiting.File.Open!.DueAt);
        foreach (var nothingNew in new[] { Act, Lost, Away, Never })
        {
            var still = Settle(waiting.File, nothingNew);
            Assert.Null(still.Answer);
            Assert.Equal(CallStates.Waiting, still.File.Open!.State);
        }
        Assert.Equal(StepOutcome.Completed, Settle(waiting.File, Ok).Answer!.Outcome);
        Assert.Equal(StepOutcome.Rejected, Settle(waiting.File, No).Answer!.Outcome);
        Assert.Null(Settle(waiting.File, Ok).File.Payment!.Action);
    }

    [Fact]
    public void A_success_that_nobody_wants_any_more_is_given_back_by_itself()
    {
        var voiding = Settle(Undo(Asked()), Ok);
        Assert.Null(voiding.Answer);
        Assert.Equal(("void", PaymentStates.Voiding), (voiding.Next!.Call.Operation, voiding.File.Payment!.State));
        var voided = Settle(voiding.File, Ok);
        Answers(voided, StepNames.AuthorizePayment, undo: true, StepOutcome.Completed);
        Assert.Equal(new PaymentTotals(1_530, 0, 0, true), voided.Answer!.Payment);

        Assert.Equal("refund", Settle(Undo(Capturing), Ok).Next!.Call.Operation);
        Assert.Equal("void", Settle(Undo(Capturing), No).Next!.Call.Operation);
        Assert.Equal("void", Settle(Undo(Asked()), Act).Next!.Call.Operation);
    }

    [Fact]
    public void A_refusal_is_all_that_an_undo_needs()
    {
        var declined = Settle(Undo(Asked()), No);
        Answers(declined, StepNames.AuthorizePayment, undo: true, StepOutcome.Completed);
        var away = Settle(Undo(Asked()), Away);
        Answers(away, StepNames.AuthorizePayment, undo: true, StepOutcome.Completed);
        Assert.Equal(PaymentStates.Undone, away.File.Payment!.State);
    }

    [Fact]
    public void An_undo_in_doubt_takes_a_second_look_before_it_believes_that_nothing_happened()
    {
        var doubt = Undo(Settle(Asked(), Lost).File);
        var first = Settle(doubt, Never);
        Assert.Null(first.Answer);
        Assert.Equal(Now.AddSeconds(5), first.File.Open!.DueAt);
        var second = Settle(first.File, Never);
        Answers(second, StepNames.AuthorizePayment, undo: true, StepOutcome.Completed);
        Assert.Equal(PaymentStates.Undone, second.File.Payment!.State);
        Answers(Settle(doubt, NeverEver), StepNames.AuthorizePayment, undo: true, StepOutcome.Completed);
    }

    [Fact]
    public void What_was_not_asked_waits_uncounted_and_is_never_given_up()
    {
        GatewayResult notAsked = new GatewayResult.NotAsked("It fails.", LookUp: false, TimeSpan.FromSeconds(5));
        var file = Asked();
        for (var i = 0; i < 100; i++)
        {
            file = Settle(file, notAsked).File;
            Assert.Equal((CallStates.Retry, 0), (file.Open!.State, file.Open.Attempts));
            Assert.InRange(file.Open.DueAt!.Value, Now.AddSeconds(5), Now.AddSeconds(10));
            file = CallRules.TakeUp(file, file.Open.DueAt.Value, Limits).File;
        }
        Assert.Equal(StepOutcome.Completed, Settle(file, Ok).Answer!.Outcome);
        Answers(Settle(Undo(file), notAsked), StepNames.AuthorizePayment, undo: true, StepOutcome.Completed);
    }

    [Fact]
    public void What_may_have_happened_stays_in_doubt_while_nobody_asks()
    {
        GatewayResult notLookedUp = new GatewayResult.NotAsked("It fails.", LookUp: true, TimeSpan.FromSeconds(5));
        GatewayResult notAsked = new GatewayResult.NotAsked("It fails.", LookUp: false, TimeSpan.FromSeconds(5));
        var doubt = Settle(Settle(Asked(), Lost).File, notLookedUp).File;
        Assert.Equal((CallStates.InDoubt, 0), (doubt.Open!.State, doubt.Open.Probes));
        var leaseEnded = CallRules.TakeUp(Asked(), Now + Limits.Lease, Limits).File;
        Assert.True(CallRules.TakeUp(Settle(leaseEnded, notLookedUp).File, Now.AddMinutes(1), Limits).Next!.LookUp);

        // Its first request may still be on its way: neither this answer nor none is about that one.
        var again = Settle(doubt, Never).File;
        foreach (var file in new[] { Settle(Undo(again), notAsked).File, Settle(Undo(again), Away).File })
        {
            Assert.Equal((CallStates.InDoubt, PaymentStates.Authorizing), (file.Open!.State, file.Payment!.State));
            Assert.True(CallRules.TakeUp(file, file.Open.DueAt!.Value, Limits).Next!.LookUp);
        }
    }

    [Fact]
    public void What_a_look_up_may_still_miss_is_neither_called_undone_nor_given_up()
    {
        var lagging = WithKeys with { LookUpLag = TimeSpan.FromMinutes(10) };
        var undone = Undo(Settle(Asked(), Lost, lagging).File);
        for (var i = 0; i < 3; i++) undone = Settle(undone, Never, lagging, Now.AddMinutes(9)).File;
        Assert.Equal(CallStates.InDoubt, undone.Open!.State);
        Assert.Equal(PaymentStates.Undone, Settle(undone, Never, lagging, Now.AddMinutes(10)).File.Payment!.State);

        var worn = Settle(Asked(), Lost, lagging).File;
        worn = worn.With(worn.Open! with { Attempts = Limits.GatewayMaxAttempts });
        Assert.Equal(CallStates.InDoubt, Settle(worn, Never, lagging, Now.AddMinutes(9)).File.Open!.State);
        Assert.Equal(PaymentStates.Declined, Settle(worn, Never, lagging, Now.AddMinutes(10)).File.Payment!.State);
    }

    [Fact]
    public void A_success_that_comes_after_giving_up_is_voided_by_itself_and_answered_to_nobody()
    {
        var undone = Settle(Settle(Undo(Settle(Asked(), Lost).File), Never).File, Never).File;
        var late = CallRules.Settle(undone, "authorize", 1, Ok, WithKeys, Now, Limits);
        Assert.Null(late.Answer);
        Assert.Equal(("void", PaymentStates.Voiding), (late.Next!.Call.Operation, late.File.Payment!.State));
        var voided = Settle(late.File, Ok);
        Assert.Null(voided.Answer);
        Assert.Equal((PaymentStates.Voided, true), (voided.File.Payment!.State, voided.File.Payment.Voided));
    }

    [Fact]
    public void What_is_settled_is_not_settled_again()
    {
        foreach (var result in new[] { Ok, No, Away, Lost, Never, Act })
        {
            var authorized = Authorized;
            Assert.Same(authorized, CallRules.Settle(authorized, "authorize", 1, result, WithKeys, Now, Limits).File);
            var declined = Settle(Asked(), No).File;
            if (result != Ok)
                Assert.Same(declined, CallRules.Settle(declined, "authorize", 1, result, WithKeys, Now, Limits).File);
            Assert.Same(declined, CallRules.Settle(declined, "capture", 1, result, WithKeys, Now, Limits).File);
        }
    }

    [Fact]
    public void A_capture_that_fails_leaves_the_money_held()
    {
        var refused = Settle(Capturing, No);
        Answers(refused, StepNames.CapturePayment, undo: false, StepOutcome.Rejected, ReasonCodes.PaymentDeclined);
        Assert.Equal(PaymentStates.Authorized, refused.File.Payment!.State);
        Assert.Equal($"{Order}:capture:2", PaymentRules.Capture(refused.File, Now, Limits).Next!.Call.Key);

        var doubt = Settle(Capturing, Lost);
        Answers(doubt, StepNames.CapturePayment, undo: false, StepOutcome.InDoubt, ReasonCodes.InDoubt);
        Assert.Equal(StepOutcome.Completed, Settle(doubt.File, Ok).Answer!.Outcome);
    }

    [Fact]
    public void An_absent_gateway_puts_a_capture_off_and_fails_a_refund()
    {
        var capturing = Capturing.With(Capturing.Open! with { Attempts = Limits.GatewayMaxAttempts });
        var off = Settle(capturing, Away);
        Answers(off, StepNames.CapturePayment, undo: false, StepOutcome.Retry, ReasonCodes.ProviderUnavailable);
        Assert.Equal(PaymentStates.Authorized, off.File.Payment!.State);

        var refunding = Undo(Captured);
        refunding = refunding.With(refunding.Open! with { Attempts = Limits.GatewayMaxAttempts });
        var failed = Settle(refunding, Away);
        Answers(failed, StepNames.AuthorizePayment, undo: true, StepOutcome.Rejected, ReasonCodes.RefundFailed);
        Assert.Equal(PaymentStates.UndoFailed, failed.File.Payment!.State);
    }

    [Fact]
    public void A_refund_that_the_bank_refuses_needs_a_person()
    {
        var failed = Settle(Undo(Captured), new GatewayResult.Declined("refund_refused", "The card's bank refused the refund."));
        Answers(failed, StepNames.AuthorizePayment, undo: true, StepOutcome.Rejected, ReasonCodes.RefundFailed);
        Assert.Equal(new PaymentTotals(1_530, 1_530, 0, false), failed.Answer!.Payment);
        Assert.Equal(PaymentStates.UndoFailed, failed.File.Payment!.State);
    }

    [Fact]
    public void An_undo_in_doubt_is_never_done_twice()
    {
        var refunding = Undo(Captured);
        var doubt = Settle(refunding, Lost);
        Answers(doubt, StepNames.AuthorizePayment, undo: true, StepOutcome.InDoubt, ReasonCodes.InDoubt);
        Assert.Null(PaymentRules.Undo(doubt.File, StepNames.AuthorizePayment, 0, Now, Limits).Next);
        var found = Settle(doubt.File, Ok);
        Assert.Equal(1_530, found.File.Payment!.RefundedMinor);
        Assert.Single(found.File.Calls, call => call.Operation == "refund");
    }
}
