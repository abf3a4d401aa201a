using Orderwright.Contracts;
using Orderwright.CustomerService.Commands;
using Orderwright.CustomerService.Payments;

namespace Orderwright.Rules.Tests;

/// <summary>Attempts in doubt: looked up, then resolved by a person.</summary>
public class PaymentDoubtTests
{
    static readonly DateTimeOffset Now = new(2026, 1, 31, 9, 30, 0, TimeSpan.Zero);
    static readonly Guid Order = new("01980000-0000-7000-8000-000000000001");
    static readonly GatewayLimits Limits = new();
    static readonly At AtNow = new(Now, Limits);
    static readonly ProviderCapabilities Card = new(true, true, true, true, true);
    static readonly ProviderCapabilities CannotBeAsked = Card with { LookUpByKey = false };

    static readonly GatewayResult Ok = new GatewayResult.Succeeded("ch_1");
    static readonly GatewayResult No = new GatewayResult.Declined("card_declined", "No.");
    static readonly GatewayResult Lost = new GatewayResult.Unknown("No answer within 5 s.");
    static readonly GatewayResult Busy = new GatewayResult.Unknown("It is processing.") { IsAnswer = true };

    static PaymentCase Requested => PaymentRules.Authorize(
        PaymentCase.Empty(Order), new AuthorizePayment("17850", 1_530, "GBP", new PaymentMethod("sandbox", "tok_visa")),
        new HashSet<string> { "sandbox" }, new(true, 0), AtNow).Case;

    static PaymentDecision Settle(
        PaymentCase current, GatewayResult result, DateTimeOffset? now = null, ProviderCapabilities? capabilities = null) =>
        AttemptRules.Settle(
            current, current.Open!.Operation, current.Open.Number, result, capabilities ?? Card, new At(now ?? Now, Limits));

    static PaymentCase InDoubt(PaymentCase current) => Settle(current, Lost).Case;

    static PaymentCase Undo(PaymentCase current) =>
        PaymentRules.Undo(current, StepNames.AuthorizePayment, 0, AtNow).Case;

    static PaymentCase Authorized => Settle(Requested, Ok).Case;

    static PaymentCase Capturing => PaymentRules.Capture(Authorized, AtNow).Case;

    static PaymentCase Captured => Settle(Capturing, Ok).Case;

    static PaymentCase UndoFailed => Settle(Undo(Captured), No).Case;

    static Resolution Outcome(bool completed, string? reference = null, byte id = 1) => new(
        new Guid(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, id), completed, "ann", "Asked the gateway by phone.", reference);

    static PaymentDecision Resolve(PaymentCase current, Resolution resolution) =>
        ResolutionRules.Apply(current, resolution, AtNow);

    [Theory]
    [InlineData(0.9, false)]
    [InlineData(1, true)]
    public void A_request_is_in_doubt_from_the_first_second_without_an_answer(double seconds, bool isInDoubt)
    {
        var at = Now + TimeSpan.FromSeconds(seconds);
        Assert.Equal(isInDoubt, Assert.Single(PaymentResponse.Of(Requested, at).Attempts).InDoubt);
        Assert.False(Assert.Single(PaymentResponse.Of(Authorized, at).Attempts).InDoubt);
        Assert.True(Assert.Single(PaymentResponse.Of(InDoubt(Requested), Now).Attempts).InDoubt);
    }

    /// <summary>Looks up whenever due, until settled or until a person is needed.</summary>
    static (List<TimeSpan> At, PaymentDecision Last) LookUp(
        PaymentCase current, GatewayResult result, ProviderCapabilities? capabilities = null)
    {
        var at = new List<TimeSpan> { TimeSpan.Zero };
        var decision = Settle(current, result, Now, capabilities);
        while (decision.Case.Open!.DueAt is { } due && !decision.Case.Open.NeedsPerson)
        {
            at.Add(due - Now);
            decision = Settle(AttemptRules.TakeUp(decision.Case, new At(due, Limits)).Case, result, due, capabilities);
        }
        return (at, decision);
    }

    [Fact]
    public void A_time_out_puts_the_attempt_in_doubt_and_is_looked_up_at_once()
    {
        var doubt = Settle(Requested, Lost);
        Assert.Equal(
            (StepNames.AuthorizePayment, StepOutcome.InDoubt, ReasonCodes.InDoubt),
            (doubt.Step, doubt.Answer!.Outcome, doubt.Answer.Code));
        Assert.True(doubt.Next!.LookUp);
        Assert.Equal(PaymentStates.Authorizing, doubt.Case.Payment!.State);
    }

    [Fact]
    public void Inconclusive_look_ups_repeat_after_5_s_30_s_5_min_and_an_hour_before_a_person_decides()
    {
        var (at, last) = LookUp(InDoubt(Requested), Busy);
        Assert.Equal([0, 5, 35, 335, 3_935], at.Select(look => look.TotalSeconds));
        Assert.Equal(
            (StepNames.AuthorizePayment, StepOutcome.InDoubt, ReasonCodes.CannotTell),
            (last.Step, last.Answer!.Outcome, last.Answer.Code));
        // A later answer of the gateway still counts.
        Assert.Equal(StepOutcome.Completed, Settle(last.Case, Ok).Answer!.Outcome);
    }

    [Fact]
    public void Look_ups_repeat_every_30_s_during_an_outage()
    {
        var (at, last) = LookUp(InDoubt(Requested), Lost);
        Assert.Equal(5, at[1].TotalSeconds);
        Assert.All(at.Skip(1).Zip(at.Skip(2)), pair => Assert.Equal(30, (pair.Second - pair.First).TotalSeconds));
        Assert.Equal(ReasonCodes.CannotTell, last.Answer!.Code);
        Assert.InRange(at[^1], GatewayLimits.LookUpFor, GatewayLimits.LookUpFor + TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void Without_look_ups_a_webhook_has_five_minutes()
    {
        var (at, last) = LookUp(InDoubt(Requested), Lost, CannotBeAsked);
        Assert.Equal([0, 300], at.Select(look => look.TotalSeconds));
        Assert.Equal((ReasonCodes.CannotTell, null), (last.Answer!.Code, last.Case.Open!.DueAt));
        Assert.Equal(StepOutcome.Completed, Settle(last.Case, Ok, capabilities: CannotBeAsked).Answer!.Outcome);
    }

    [Fact]
    public void The_incident_names_the_request_its_key_its_times_and_the_result_of_each_look_up()
    {
        var current = Settle(InDoubt(Requested), Lost).Case;
        current = Settle(current, Lost, Now.AddSeconds(5)).Case;
        current = Settle(current, Busy, Now.AddSeconds(35)).Case;
        var evidence = PaymentRules.Authorize(
            current, new("17850", 1_530, "GBP", new("sandbox", "tok_visa")), new HashSet<string>(), default, AtNow)
            .Answer!.Message;
        Assert.Equal(
            $"sandbox was asked to authorize 15.30 GBP under {Order}:authorize:1, first at 2026-01-31 09:30:00 UTC, once, "
            + "without a conclusive answer (No answer within 5 s). Looked up 2 times, 2026-01-31 09:30:00 UTC to "
            + "2026-01-31 09:30:05 UTC: No answer within 5 s. Looked up once, 2026-01-31 09:30:35 UTC: It is processing.",
            evidence);
        Assert.Equal([2, 1], PaymentResponse.Of(current).Attempts[0].Evidence.Select(look => look.Times));
    }

    [Fact]
    public void The_evidence_stays_short()
    {
        IReadOnlyList<LookUp> all = [];
        for (var i = 0; i < 100; i++)
            all = More(all, $"{i} {new string('x', 500)}");
        Assert.Equal(12, all.Count);
        Assert.StartsWith("0 ", all[0].Finding, StringComparison.Ordinal);
        Assert.StartsWith("99 ", all[^1].Finding, StringComparison.Ordinal);
        Assert.All(all, look => Assert.Equal(200, look.Finding.Length));
        Assert.Equal(all, CustomerService.Payments.LookUp.Read(CustomerService.Payments.LookUp.Write(all)));
    }

    static IReadOnlyList<LookUp> More(IReadOnlyList<LookUp> all, string finding) =>
        CustomerService.Payments.LookUp.Add(all, finding, isAnswer: false, Now);

    [Fact]
    public void A_retry_of_a_payment_that_needs_a_person_triggers_a_look_up()
    {
        var current = LookUp(InDoubt(Requested), Busy).Last.Case;
        Assert.True(current.Open!.DueAt > Now.AddHours(2));
        var retried = PaymentRules.Authorize(
            current, new("17850", 1_530, "GBP", new("sandbox", "tok_visa")), new HashSet<string>(), default,
            new At(Now.AddHours(1.5), Limits));
        Assert.Equal(Now.AddHours(1.5), retried.Case.Open!.DueAt);
        Assert.Equal(ReasonCodes.CannotTell, retried.Answer!.Code);
    }

    [Fact]
    public void An_operator_resolves_as_completed()
    {
        var resolved = Resolve(InDoubt(Requested), Outcome(true, "ch_77")).Case;
        Assert.Equal((PaymentStates.Authorized, "ch_77"), (resolved.Payment!.State, resolved.Payment.GatewayReference));
        Assert.Equal(("ann", "Asked the gateway by phone."), (resolved.Attempts[0].ResolvedBy, resolved.Attempts[0].Reason));
        Assert.Equal("ch_77", PaymentRules.Capture(resolved, AtNow).Case.Payment!.GatewayReference);

        var captured = Resolve(InDoubt(Capturing), Outcome(true)).Case.Payment!;
        Assert.Equal((PaymentStates.Captured, 1_530), (captured.State, captured.CapturedMinor));
        var refunded = Resolve(InDoubt(Undo(Captured)), Outcome(true)).Case.Payment!;
        Assert.Equal((PaymentStates.Refunded, 1_530), (refunded.State, refunded.RefundedMinor));
        // The payment was undone meanwhile.
        Assert.Equal("void", Resolve(Undo(InDoubt(Requested)), Outcome(true)).Next!.Attempt.Operation);
    }

    [Fact]
    public void An_operator_resolves_as_rejected_and_an_undo_begins_again_under_a_new_key()
    {
        var resolved = Resolve(InDoubt(Requested), Outcome(false)).Case;
        Assert.Equal(
            (PaymentStates.Declined, ReasonCodes.ResolvedByOperator), (resolved.Payment!.State, resolved.Payment.Code));
        Assert.Equal(PaymentStates.Undone, Resolve(Undo(InDoubt(Requested)), Outcome(false)).Case.Payment!.State);

        var capture = PaymentRules.Capture(Resolve(InDoubt(Capturing), Outcome(false)).Case, AtNow);
        Assert.Equal($"{Order}:capture:2", capture.Next!.Attempt.Key);
        var refund = Resolve(InDoubt(Undo(Captured)), Outcome(false));
        Assert.Equal($"{Order}:refund:2", refund.Next!.Attempt.Key);
        var undone = Settle(refund.Case, Ok);
        Assert.Equal((true, StepOutcome.Completed), (undone.Answer!.Undo, undone.Answer.Outcome));
    }

    [Fact]
    public void A_resolution_applies_once_and_never_changes_known_facts()
    {
        var authorized = Resolve(Authorized, Outcome(false)).Case;
        Assert.Equal(PaymentStates.Authorized, authorized.Payment!.State);
        Assert.Same(authorized, Resolve(authorized, Outcome(false)).Case);
        // The resolution was about an earlier doubt, so the later doubt stays.
        var later = InDoubt(PaymentRules.Capture(authorized, AtNow).Case);
        Assert.Same(later, Resolve(later, Outcome(false)).Case);
        Assert.Equal(AttemptStates.Failed, Resolve(later, Outcome(false, id: 2)).Case.Attempts[^1].State);
    }

    [Fact]
    public void A_success_after_resolving_as_rejected_is_returned_automatically()
    {
        var rejected = Resolve(InDoubt(Requested), Outcome(false)).Case;
        var held = AttemptRules.Settle(rejected, "authorize", 1, Ok, Card, AtNow);
        Assert.Equal(("void", "ch_1"), (held.Next!.Attempt.Operation, held.Case.Payment!.GatewayReference));
        var taken = AttemptRules.Settle(
            rejected, "authorize", 1, new GatewayResult.Succeeded("ch_1", Captured: true), Card, AtNow);
        Assert.Equal("refund", taken.Next!.Attempt.Operation);
        Assert.Equal(PaymentStates.Refunded, Settle(taken.Case, Ok).Case.Payment!.State);
    }

    [Fact]
    public void A_refusal_after_resolving_as_completed_needs_attention()
    {
        var resolved = Resolve(InDoubt(Requested), Outcome(true, "ch_77")).Case;
        var contradicted = AttemptRules.Settle(resolved, "authorize", 1, No, Card, AtNow).Case;
        Assert.Equal(
            $"ann resolved {Order}:authorize:1 as completed; the gateway reports that it did not happen.",
            PaymentResponse.Of(contradicted).Attention);
        Assert.Same(contradicted, AttemptRules.Settle(contradicted, "authorize", 1, No, Card, AtNow).Case);
        // An older event does not revoke the gateway's own result.
        Assert.Null(AttemptRules.Settle(Authorized, "authorize", 1, No, Card, AtNow).Case.Payment!.Attention);

        var seen = OperatorPaymentRules.Resolve(
            contradicted, new(Order, OperatorPaymentAction.Resolve, null, "Settled.", true), "bob", Guid.Empty, AtNow);
        Assert.Null(seen.Decision!.Case.Payment!.Attention);
    }

    [Fact]
    public void A_decline_that_turns_out_a_success_is_returned_automatically()
    {
        var declined = Settle(Requested, No).Case;
        Assert.Equal("void", AttemptRules.Settle(declined, "authorize", 1, Ok, Card, AtNow).Next!.Attempt.Operation);
    }

    [Fact]
    public void A_second_capture_needs_attention_and_is_counted_once()
    {
        var second = PaymentRules.Capture(Resolve(InDoubt(Capturing), Outcome(false)).Case, AtNow).Case;
        var both = AttemptRules.Settle(second, "capture", 1, Ok, Card, AtNow).Case;
        Assert.NotNull(both.Payment!.Attention);
        Assert.Equal(1_530, Settle(both, Ok).Case.Payment!.CapturedMinor);
    }

    [Fact]
    public void Money_returned_in_another_way_ends_a_failed_undo()
    {
        var back = Resolve(UndoFailed, Outcome(true, "bank transfer 7"));
        Assert.Equal((PaymentStates.Refunded, 1_530), (back.Case.Payment!.State, back.Case.Payment.RefundedMinor));
        Assert.Equal((true, StepOutcome.Completed), (back.Answer!.Undo, back.Answer.Outcome));
        Assert.Equal("bank transfer 7", back.Case.Attempts[^1].Reference);
        Assert.Equal(PaymentStates.UndoFailed, Resolve(UndoFailed, Outcome(false)).Case.Payment!.State);
    }

    [Fact]
    public void Resolving_withdraws_a_pending_action_of_the_customer()
    {
        var waiting = Settle(Requested, new GatewayResult.ActionRequired("ch_1", "/act")).Case;
        var withdrawn = Resolve(waiting, Outcome(false));
        Assert.Equal(("void", null), (withdrawn.Next!.Attempt.Operation, withdrawn.Case.Payment!.ActionUrl));
        Assert.Equal(PaymentStates.Authorized, Resolve(waiting, Outcome(true)).Case.Payment!.State);
    }

    [Theory]
    [InlineData(true, "not_in_doubt")]
    [InlineData(false, "not_in_doubt")]
    public void Without_a_doubt_there_is_nothing_to_resolve(bool completed, string code) => Assert.Equal(
        code,
        OperatorPaymentRules.Resolve(
            Authorized, new(Order, OperatorPaymentAction.Resolve, null, "Why.", completed), "ann", Guid.Empty, AtNow)
            .Code);
}
