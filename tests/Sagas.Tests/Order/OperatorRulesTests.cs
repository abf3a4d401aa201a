using Orderwright.Contracts;
using Orderwright.SagaCoordinator;

namespace Orderwright.Sagas.Tests.Order;

public sealed class OperatorRulesTests
{
    static readonly StepAnswered Done = new(false, StepOutcome.Completed);
    static readonly StepAnswered Doubt = new(false, StepOutcome.InDoubt, "timed_out");

    static readonly Guid Id = new("01980000-0000-7000-8000-000000000007");

    static OrderDialogue Paying => new OrderDialogue().Placed().Reserved();

    static OrderDialogue Stuck => Paying.Answers(StepNames.AuthorizePayment, new(false, StepOutcome.Rejected, "no", "No."))
        .Answers(StepNames.ReserveStock, new(true, StepOutcome.Rejected, "not_found", "No such hold."));

    static OperatorRequest Wish(OperatorVerb verb, string? step = null, bool completed = false) =>
        new(Guid.Empty, verb, "why", step, completed);

    static void Refuses(OrderDialogue saga, OperatorRequest wish, string? code) =>
        Assert.Equal(code, OperatorRules.Refuse(saga.State, wish)?.Code);

    [Fact]
    public void What_is_outstanding_can_be_asked_again_and_what_has_ended_cannot()
    {
        Refuses(Paying, Wish(OperatorVerb.Retry), null);
        Refuses(Stuck, Wish(OperatorVerb.Retry), null);
        Refuses(
            Stuck.Answers(StepNames.ReserveStock, new(true, StepOutcome.Completed)), Wish(OperatorVerb.Retry),
            "nothing_outstanding");
    }

    [Theory]
    [InlineData(OperatorVerb.Compensate)]
    [InlineData(OperatorVerb.Cancel)]
    public void A_process_is_undone_once_and_before_its_pivot(OperatorVerb verb)
    {
        Refuses(Paying, Wish(verb), null);
        Refuses(
            Stuck.Answers(StepNames.ReserveStock, new(true, StepOutcome.Completed)), Wish(verb), "already_undone");
        var confirmed = Paying.Answers(StepNames.AuthorizePayment, Done).Answers(StepNames.CommitStock, Done);
        Refuses(confirmed, Wish(verb), "order_confirmed");
    }

    [Fact]
    public void An_incident_past_the_pivot_is_undone_once_order_service_has_cancelled_the_order()
    {
        var stuck = Paying.Answers(StepNames.AuthorizePayment, Done).Answers(StepNames.CommitStock, Done)
            .Answers(StepNames.CapturePayment, new(false, StepOutcome.Rejected, "not_authorized", "No."));
        Refuses(stuck, Wish(OperatorVerb.Compensate), "order_confirmed");
        Refuses(stuck.Cancelled(), Wish(OperatorVerb.Compensate), null);
    }

    [Fact]
    public void Only_a_step_that_somebody_waits_for_is_resolved()
    {
        Refuses(Paying, Wish(OperatorVerb.Resolve, StepNames.AuthorizePayment, completed: true), null);
        Refuses(Paying, Wish(OperatorVerb.Resolve, StepNames.AuthorizePayment), null);
        Refuses(Paying, Wish(OperatorVerb.Resolve, StepNames.ReserveStock, completed: true), "not_outstanding");
        Refuses(Paying, Wish(OperatorVerb.Resolve, StepNames.CommitStock, completed: true), "not_outstanding");
    }

    [Fact]
    public void An_undo_is_resolved_as_done_and_never_as_refused()
    {
        Refuses(Stuck, Wish(OperatorVerb.Resolve, StepNames.ReserveStock, completed: true), null);
        Refuses(Stuck, Wish(OperatorVerb.Resolve, StepNames.ReserveStock), "must_be_done");
        Assert.Equal(
            new SagaEvent.Resolved(StepNames.ReserveStock, true, true, "why", new Verdict(Id, true, "ann", "why")),
            OperatorRules.EventOf(
                Stuck.State, Wish(OperatorVerb.Resolve, StepNames.ReserveStock, completed: true), "ann", Id));
    }

    [Fact]
    public void That_a_capture_in_doubt_did_not_happen_can_be_said_and_that_it_is_refused_cannot()
    {
        var capturing = Paying.Answers(StepNames.AuthorizePayment, Done).Answers(StepNames.CommitStock, Done);
        Refuses(capturing, Wish(OperatorVerb.Resolve, StepNames.CapturePayment), "must_be_done");
        Refuses(
            capturing.Answers(StepNames.CapturePayment, Doubt), Wish(OperatorVerb.Resolve, StepNames.CapturePayment), null);
    }

    [Fact]
    public void Whoever_refuses_a_doubt_by_hand_is_told_what_nobody_will_undo() => Assert.Equal(
        "customer-service is told that authorize-payment did not happen, and answers by what it knows: make sure that it is so. "
            + "If it turns out to have happened, it is given back.",
        OperatorRules.WarningOf(
            Paying.Answers(StepNames.AuthorizePayment, Doubt).State,
            Wish(OperatorVerb.Resolve, StepNames.AuthorizePayment)));
}
