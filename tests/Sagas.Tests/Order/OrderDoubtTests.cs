using Orderwright.Contracts;

namespace Orderwright.Sagas.Tests.Order;

/// <summary>A payment that nobody can tell about, and an operator's word on it.</summary>
public sealed class OrderDoubtTests
{
    static OrderDialogue Placed => new OrderDialogue().Placed();

    static OrderDialogue Paying => Placed.Reserved();

    static OrderDialogue Confirmed => Paying.Authorized().Committed();

    static readonly StepAnswered Doubt = new(false, StepOutcome.InDoubt, ReasonCodes.InDoubt, "Looked up.");
    static readonly StepAnswered CannotTell = Doubt with { Code = ReasonCodes.CannotTell, Message = "Looked up 5 times." };

    [Fact]
    public void What_the_participant_cannot_tell_is_an_incident_with_its_evidence_and_still_open_to_an_answer()
    {
        var saga = Paying.Answers(StepNames.AuthorizePayment, Doubt).Is(SagaStatus.Running)
            .Answers(StepNames.AuthorizePayment, CannotTell).Says().Is(SagaStatus.Failed);
        var leg = saga.State[StepNames.AuthorizePayment].Do!;
        Assert.Equal((ReasonCodes.InDoubt, "Looked up 5 times.", null), (leg.Code, leg.Message, leg.NextAskAt));
        Paying.Answers(StepNames.AuthorizePayment, CannotTell).Is(SagaStatus.Failed).Authorized().Says("CommitStock");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_operators_word_on_a_payment_is_told_to_its_books_until_they_answer(bool completed)
    {
        var saga = Paying.Answers(StepNames.AuthorizePayment, CannotTell)
            .Resolved(StepNames.AuthorizePayment, completed, "ch_77").Says("AuthorizePayment", "RenewHold")
            .Is(SagaStatus.Running);
        var word = new Resolution(OrderDialogue.OrderId, completed, "ann", "Asked by phone.", "ch_77");
        Assert.Equal(word, saga.Said<AuthorizePayment>().Resolution);
        // The first one got lost, and an answer to an earlier ask comes late.
        saga.Answers(StepNames.AuthorizePayment, Doubt).After(TimeSpan.FromSeconds(20)).Timer().Says("AuthorizePayment");
        Assert.Equal(word, saga.Said<AuthorizePayment>().Resolution);
        if (completed)
            saga.Authorized().Says("CommitStock");
        else
            saga.Rejects(StepNames.AuthorizePayment, ReasonCodes.ResolvedByOperator).Says("ReleaseStock");
        Assert.Null(saga.State[StepNames.AuthorizePayment].Do!.Verdict);
    }

    [Fact]
    public void A_capture_and_an_undo_in_doubt_carry_an_operators_word_too()
    {
        Assert.False(Confirmed.Answers(StepNames.CapturePayment, CannotTell).Resolved(StepNames.CapturePayment, false)
            .Said<CapturePayment>().Resolution!.Completed);
        var undoing = Confirmed.CapturedNow().Cancelled().Undone(StepNames.CommitStock).Says("UndoPayment")
            .Answers(StepNames.AuthorizePayment, new(true, StepOutcome.Rejected, ReasonCodes.RefundFailed, "No."));
        Assert.True(undoing.Resolved(StepNames.AuthorizePayment, true).Said<UndoPayment>().Resolution!.Completed);
    }

    [Fact]
    public void An_operators_word_on_what_keeps_no_books_counts_at_once() =>
        Placed.Resolved(StepNames.ReserveStock, false).Says("OrderRejected");
}
