using Orderwright.Contracts;
using Orderwright.CustomerService.Commands;
using Orderwright.CustomerService.Payments;

namespace Orderwright.Rules.Tests;

/// <summary>What becomes of an attempt that nobody can tell about: looked up, then a person's matter.</summary>
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

    static PaymentCase Asked => PaymentRules.Authorize(
        PaymentCase.Empty(Order), new AuthorizePayment("17850", 1_530, "GBP", new PaymentMethod("sandbox", "tok_visa")),
        new HashSet<string> { "sandbox" }, new(true, 0), AtNow).Case;

    static PaymentDecision Settle(
        PaymentCase file, GatewayResult result, DateTimeOffset? now = null, ProviderCapabilities? capabilities = null) =>
        AttemptRules.Settle(file, file.Open!.Operation, file.Open.Number, result, capabilities ?? Card, new At(now ?? Now, Limits));

    static PaymentCase InDoubt(PaymentCase file) => Settle(file, Lost).Case;

    static PaymentCase Undo(PaymentCase file) =>
        PaymentRules.Undo(file, StepNames.AuthorizePayment, 0, AtNow).Case;

    static PaymentCase Authorized => Settle(Asked, Ok).Case;

    static PaymentCase Capturing => PaymentRules.Capture(Authorized, AtNow).Case;

    static PaymentCase Captured => Settle(Capturing, Ok).Case;

    static PaymentCase UndoFailed => Settle(Undo(Captured), No).Case;

    static Resolution Word(bool completed, string? reference = null, byte id = 1) => new(
        new Guid(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, id), completed, "ann", "Asked the gateway by phone.", reference);

    static PaymentDecision Hear(PaymentCase file, Resolution said) => ResolutionRules.Apply(file, said, AtNow);

    /// <summary>Looks up whenever it is due, until it is not any more or a person's matter.</summary>
    static (List<TimeSpan> At, PaymentDecision Last) LookUp(
        PaymentCase file, GatewayResult said, ProviderCapabilities? capabilities = null)
    {
        var at = new List<TimeSpan> { TimeSpan.Zero };
        var decision = Settle(file, said, Now, capabilities);
        while (decision.Case.Open!.DueAt is { } due && !decision.Case.Open.NeedsPerson)
        {
            at.Add(due - Now);
            decision = Settle(AttemptRules.TakeUp(decision.Case, new At(due, Limits)).Case, said, due, capabilities);
        }
        return (at, decision);
    }

    [Fact]
    public void A_time_out_is_no_refusal_but_a_doubt_that_is_looked_up_at_once()
    {
        var doubt = Settle(Asked, Lost);
        Assert.Equal(
            (StepNames.AuthorizePayment, StepOutcome.InDoubt, ReasonCodes.InDoubt),
            (doubt.Step, doubt.Answer!.Outcome, doubt.Answer.Code));
        Assert.True(doubt.Next!.LookUp);
        Assert.Equal(PaymentStates.Authorizing, doubt.Case.Payment!.State);
    }

    [Fact]
    public void A_gateway_that_cannot_tell_is_asked_again_after_5_s_30_s_5_min_and_an_hour_and_then_a_person_is()
    {
        var (at, last) = LookUp(InDoubt(Asked), Busy);
        Assert.Equal([0, 5, 35, 335, 3_935], at.Select(look => look.TotalSeconds));
        Assert.Equal(
            (StepNames.AuthorizePayment, StepOutcome.InDoubt, ReasonCodes.CannotTell),
            (last.Step, last.Answer!.Outcome, last.Answer.Code));
        // What it says after all still counts.
        Assert.Equal(StepOutcome.Completed, Settle(last.Case, Ok).Answer!.Outcome);
    }

    [Fact]
    public void A_gateway_that_does_not_answer_is_asked_until_it_does_as_an_outage_is_to_be_over_within_a_minute()
    {
        var (at, last) = LookUp(InDoubt(Asked), Lost);
        Assert.Equal(5, at[1].TotalSeconds);
        Assert.All(at.Skip(1).Zip(at.Skip(2)), pair => Assert.Equal(30, (pair.Second - pair.First).TotalSeconds));
        Assert.Equal(ReasonCodes.CannotTell, last.Answer!.Code);
        Assert.InRange(at[^1], GatewayLimits.LookUpFor, GatewayLimits.LookUpFor + TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void A_webhook_has_five_minutes_where_the_gateway_cannot_be_asked()
    {
        var (at, last) = LookUp(InDoubt(Asked), Lost, CannotBeAsked);
        Assert.Equal([0, 300], at.Select(look => look.TotalSeconds));
        Assert.Equal((ReasonCodes.CannotTell, null), (last.Answer!.Code, last.Case.Open!.DueAt));
        Assert.Equal(StepOutcome.Completed, Settle(last.Case, Ok, capabilities: CannotBeAsked).Answer!.Outcome);
    }

    [Fact]
    public void The_incident_says_what_was_asked_under_which_key_when_and_what_each_look_up_said()
    {
        var file = Settle(InDoubt(Asked), Lost).Case;
        file = Settle(file, Lost, Now.AddSeconds(5)).Case;
        file = Settle(file, Busy, Now.AddSeconds(35)).Case;
        var evidence = PaymentRules.Authorize(
            file, new("17850", 1_530, "GBP", new("sandbox", "tok_visa")), new HashSet<string>(), default, AtNow)
            .Answer!.Message;
        Assert.Equal(
            $"sandbox was asked to authorize 15.30 GBP under {Order}:authorize:1, first at 2026-01-31 09:30:00 UTC, once, "
            + "without a conclusive answer (No answer within 5 s). Looked up 2 times, 2026-01-31 09:30:00 UTC to "
            + "2026-01-31 09:30:05 UTC: No answer within 5 s. Looked up once, 2026-01-31 09:30:35 UTC: It is processing.",
            evidence);
        Assert.Equal([2, 1], PaymentResponse.Of(file).Attempts[0].Evidence.Select(look => look.Times));
    }

    [Fact]
    public void However_much_is_said_the_evidence_stays_short()
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

    static IReadOnlyList<LookUp> More(IReadOnlyList<LookUp> all, string said) =>
        CustomerService.Payments.LookUp.Add(all, said, isAnswer: false, Now);

    [Fact]
    public void Who_asks_again_about_what_nobody_could_tell_has_it_looked_up_again()
    {
        var file = LookUp(InDoubt(Asked), Busy).Last.Case;
        Assert.True(file.Open!.DueAt > Now.AddHours(2));
        var asked = PaymentRules.Authorize(
            file, new("17850", 1_530, "GBP", new("sandbox", "tok_visa")), new HashSet<string>(), default,
            new At(Now.AddHours(1.5), Limits));
        Assert.Equal(Now.AddHours(1.5), asked.Case.Open!.DueAt);
        Assert.Equal(ReasonCodes.CannotTell, asked.Answer!.Code);
    }

    [Fact]
    public void A_person_says_that_it_happened()
    {
        var heard = Hear(InDoubt(Asked), Word(true, "ch_77")).Case;
        Assert.Equal((PaymentStates.Authorized, "ch_77"), (heard.Payment!.State, heard.Payment.GatewayReference));
        Assert.Equal(("ann", "Asked the gateway by phone."), (heard.Attempts[0].ResolvedBy, heard.Attempts[0].Reason));
        Assert.Equal("ch_77", PaymentRules.Capture(heard, AtNow).Case.Payment!.GatewayReference);

        var captured = Hear(InDoubt(Capturing), Word(true)).Case.Payment!;
        Assert.Equal((PaymentStates.Captured, 1_530), (captured.State, captured.CapturedMinor));
        var refunded = Hear(InDoubt(Undo(Captured)), Word(true)).Case.Payment!;
        Assert.Equal((PaymentStates.Refunded, 1_530), (refunded.State, refunded.RefundedMinor));
        // Nobody wants it any more.
        Assert.Equal("void", Hear(Undo(InDoubt(Asked)), Word(true)).Next!.Attempt.Operation);
    }

    [Fact]
    public void A_person_says_that_it_did_not_happen_and_what_has_to_be_done_is_asked_again_under_a_new_key()
    {
        var heard = Hear(InDoubt(Asked), Word(false)).Case;
        Assert.Equal(
            (PaymentStates.Declined, ReasonCodes.ResolvedByOperator), (heard.Payment!.State, heard.Payment.Code));
        Assert.Equal(PaymentStates.Undone, Hear(Undo(InDoubt(Asked)), Word(false)).Case.Payment!.State);

        var capture = PaymentRules.Capture(Hear(InDoubt(Capturing), Word(false)).Case, AtNow);
        Assert.Equal($"{Order}:capture:2", capture.Next!.Attempt.Key);
        var refund = Hear(InDoubt(Undo(Captured)), Word(false));
        Assert.Equal($"{Order}:refund:2", refund.Next!.Attempt.Key);
        var undone = Settle(refund.Case, Ok);
        Assert.Equal((true, StepOutcome.Completed), (undone.Answer!.Undo, undone.Answer.Outcome));
    }

    [Fact]
    public void A_word_is_heard_once_and_changes_nothing_that_is_known()
    {
        var authorized = Hear(Authorized, Word(false)).Case;
        Assert.Equal(PaymentStates.Authorized, authorized.Payment!.State);
        Assert.Same(authorized, Hear(authorized, Word(false)).Case);
        // The word was on something else: the doubt that came after it is not its business.
        var later = InDoubt(PaymentRules.Capture(authorized, AtNow).Case);
        Assert.Same(later, Hear(later, Word(false)).Case);
        Assert.Equal(AttemptStates.Failed, Hear(later, Word(false, id: 2)).Case.Attempts[^1].State);
    }

    [Fact]
    public void A_success_after_a_person_said_that_there_was_none_is_given_back_by_itself()
    {
        var rejected = Hear(InDoubt(Asked), Word(false)).Case;
        var held = AttemptRules.Settle(rejected, "authorize", 1, Ok, Card, AtNow);
        Assert.Equal(("void", "ch_1"), (held.Next!.Attempt.Operation, held.Case.Payment!.GatewayReference));
        var taken = AttemptRules.Settle(
            rejected, "authorize", 1, new GatewayResult.Succeeded("ch_1", Captured: true), Card, AtNow);
        Assert.Equal("refund", taken.Next!.Attempt.Operation);
        Assert.Equal(PaymentStates.Refunded, Settle(taken.Case, Ok).Case.Payment!.State);
    }

    [Fact]
    public void A_refusal_after_a_person_said_that_it_happened_needs_attention()
    {
        var said = Hear(InDoubt(Asked), Word(true, "ch_77")).Case;
        var contradicted = AttemptRules.Settle(said, "authorize", 1, No, Card, AtNow).Case;
        Assert.Equal(
            $"ann resolved {Order}:authorize:1 as completed; the gateway reports that it did not happen.",
            PaymentResponse.Of(contradicted).Attention);
        Assert.Same(contradicted, AttemptRules.Settle(contradicted, "authorize", 1, No, Card, AtNow).Case);
        // What the gateway said itself is not taken back by an older event.
        Assert.Null(AttemptRules.Settle(Authorized, "authorize", 1, No, Card, AtNow).Case.Payment!.Attention);

        var seen = OperatorPaymentRules.Resolve(
            contradicted, new(Order, OperatorPaymentAction.Resolve, null, "Settled.", true), "bob", Guid.Empty, AtNow);
        Assert.Null(seen.Decision!.Case.Payment!.Attention);
    }

    [Fact]
    public void A_decline_that_turns_out_a_success_is_given_back_by_itself()
    {
        var declined = Settle(Asked, No).Case;
        Assert.Equal("void", AttemptRules.Settle(declined, "authorize", 1, Ok, Card, AtNow).Next!.Attempt.Operation);
    }

    [Fact]
    public void What_is_taken_twice_needs_attention_and_is_counted_once()
    {
        var second = PaymentRules.Capture(Hear(InDoubt(Capturing), Word(false)).Case, AtNow).Case;
        var both = AttemptRules.Settle(second, "capture", 1, Ok, Card, AtNow).Case;
        Assert.NotNull(both.Payment!.Attention);
        Assert.Equal(1_530, Settle(both, Ok).Case.Payment!.CapturedMinor);
    }

    [Fact]
    public void Money_that_was_given_back_in_another_way_ends_a_failed_undo()
    {
        var back = Hear(UndoFailed, Word(true, "bank transfer 7"));
        Assert.Equal((PaymentStates.Refunded, 1_530), (back.Case.Payment!.State, back.Case.Payment.RefundedMinor));
        Assert.Equal((true, StepOutcome.Completed), (back.Answer!.Undo, back.Answer.Outcome));
        Assert.Equal("bank transfer 7", back.Case.Attempts[^1].Reference);
        Assert.Equal(PaymentStates.UndoFailed, Hear(UndoFailed, Word(false)).Case.Payment!.State);
    }

    [Fact]
    public void A_customer_who_could_still_act_is_no_longer_asked_to()
    {
        var waiting = Settle(Asked, new GatewayResult.ActionRequired("ch_1", "/act")).Case;
        var withdrawn = Hear(waiting, Word(false));
        Assert.Equal(("void", null), (withdrawn.Next!.Attempt.Operation, withdrawn.Case.Payment!.ActionUrl));
        Assert.Equal(PaymentStates.Authorized, Hear(waiting, Word(true)).Case.Payment!.State);
    }

    [Theory]
    [InlineData(true, "not_in_doubt")]
    [InlineData(false, "not_in_doubt")]
    public void Where_nothing_is_in_doubt_there_is_nothing_to_resolve(bool completed, string code) => Assert.Equal(
        code,
        OperatorPaymentRules.Resolve(Authorized, new(Order, OperatorPaymentAction.Resolve, null, "Why.", completed), "ann", Guid.Empty, AtNow)
            .Code);
}
