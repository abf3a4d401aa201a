using Orderwright.Contracts;

namespace Orderwright.Sagas.Tests.Order;

/// <summary>Payments in doubt, and their resolution by an operator.</summary>
public sealed class OrderDoubtTests
{
    static OrderDialogue Placed => new OrderDialogue().Placed();

    static OrderDialogue Paying => Placed.Reserved();

    static OrderDialogue Confirmed => Paying.Authorized().Committed();

    static readonly StepAnswered Doubt = new(false, StepOutcome.InDoubt, ReasonCodes.InDoubt, "Looked up.");
    static readonly StepAnswered CannotTell = Doubt with { Code = ReasonCodes.CannotTell, Message = "Looked up 5 times." };

    [Fact]
    public void A_final_doubt_is_an_incident_with_evidence_that_a_reply_still_ends()
    {
        var saga = Paying.Answers(StepNames.AuthorizePayment, Doubt).Is(SagaStatus.Running)
            .Answers(StepNames.AuthorizePayment, CannotTell).Sends().Is(SagaStatus.Failed);
        var leg = saga.State[StepNames.AuthorizePayment].Do!;
        Assert.Equal((ReasonCodes.InDoubt, "Looked up 5 times.", null), (leg.Code, leg.Message, leg.NextAskAt));
        Paying.Answers(StepNames.AuthorizePayment, CannotTell).Is(SagaStatus.Failed).Authorized()
            .Sends("CommitStock", "CapturePayment", "OrderConfirmed");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_resolution_of_a_payment_is_sent_to_the_ledger_until_the_ledger_replies(bool completed)
    {
        var saga = Paying.Answers(StepNames.AuthorizePayment, CannotTell)
            .Resolved(StepNames.AuthorizePayment, completed, "ch_77").Sends("AuthorizePayment")
            .Is(SagaStatus.Running);
        var resolution = new Resolution(OrderDialogue.OrderId, completed, "ann", "Asked by phone.", "ch_77");
        Assert.Equal(resolution, saga.SentBody<AuthorizePayment>().Resolution);
        // The first command is lost, and a reply to an earlier attempt arrives late.
        saga.Answers(StepNames.AuthorizePayment, Doubt).After(TimeSpan.FromSeconds(20)).Timer().Sends("AuthorizePayment");
        Assert.Equal(resolution, saga.SentBody<AuthorizePayment>().Resolution);
        if (completed)
            saga.Authorized().Sends("CommitStock", "CapturePayment", "OrderConfirmed");
        else
            saga.Rejects(StepNames.AuthorizePayment, ReasonCodes.ResolvedByOperator).Sends("ReleaseStock");
        Assert.Null(saga.State[StepNames.AuthorizePayment].Do!.Resolution);
    }

    [Fact]
    public void A_capture_and_an_undo_in_doubt_carry_an_operators_resolution()
    {
        Assert.False(Confirmed.Answers(StepNames.CapturePayment, CannotTell).Resolved(StepNames.CapturePayment, false)
            .SentBody<CapturePayment>().Resolution!.Completed);
        var undoing = Confirmed.CapturedNow().Cancelled().Undone(StepNames.CommitStock).Sends("UndoPayment")
            .Answers(StepNames.AuthorizePayment, new(true, StepOutcome.Rejected, ReasonCodes.RefundFailed, "No."));
        Assert.True(undoing.Resolved(StepNames.AuthorizePayment, true).SentBody<UndoPayment>().Resolution!.Completed);
    }

    [Fact]
    public void A_resolution_of_a_step_without_a_ledger_counts_at_once() =>
        Placed.Resolved(StepNames.ReserveStock, false).Sends("OrderRejected");
}
