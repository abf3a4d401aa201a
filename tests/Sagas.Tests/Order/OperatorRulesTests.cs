using Orderwright.Contracts;
using Orderwright.SagaCoordinator.Operators;
using Orderwright.SagaCoordinator.Process;

namespace Orderwright.Sagas.Tests.Order;

public sealed class OperatorRulesTests
{
    static readonly StepAnswered Done = new(false, StepOutcome.Completed);
    static readonly StepAnswered Doubt = new(false, StepOutcome.InDoubt, "timed_out");

    static readonly Guid Id = new("01980000-0000-7000-8000-000000000007");

    static OrderDialogue Paying => new OrderDialogue().Placed().Reserved();

    static OrderDialogue Stuck => Paying.Answers(StepNames.AuthorizePayment, new(false, StepOutcome.Rejected, "no", "No."))
        .Answers(StepNames.ReserveStock, new(true, StepOutcome.Rejected, "not_found", "No such hold."));

    static OperatorAction Act(OperatorVerb verb, string? step = null, bool completed = false) =>
        new(Guid.Empty, verb, "why", step, completed);

    static void Refuses(OrderDialogue saga, OperatorAction action, string? code) =>
        Assert.Equal(code, OperatorRules.Refuse(saga.State, action)?.Code);

    [Fact]
    public void An_outstanding_step_can_be_retried_and_an_ended_saga_cannot()
    {
        Refuses(Paying, Act(OperatorVerb.Retry), null);
        Refuses(Stuck, Act(OperatorVerb.Retry), null);
        Refuses(
            Stuck.Answers(StepNames.ReserveStock, new(true, StepOutcome.Completed)), Act(OperatorVerb.Retry),
            "nothing_outstanding");
    }

    [Theory]
    [InlineData(OperatorVerb.Compensate)]
    [InlineData(OperatorVerb.Cancel)]
    public void A_process_is_undone_once_and_only_before_the_pivot(OperatorVerb verb)
    {
        Refuses(Paying, Act(verb), null);
        Refuses(
            Stuck.Answers(StepNames.ReserveStock, new(true, StepOutcome.Completed)), Act(verb), "already_undone");
        var confirmed = Paying.Answers(StepNames.AuthorizePayment, Done).Answers(StepNames.CommitStock, Done);
        Refuses(confirmed, Act(verb), "order_confirmed");
    }

    [Fact]
    public void An_incident_past_the_pivot_is_undone_once_order_service_has_cancelled_the_order()
    {
        var stuck = Paying.Answers(StepNames.AuthorizePayment, Done).Answers(StepNames.CommitStock, Done)
            .Answers(StepNames.CapturePayment, new(false, StepOutcome.Rejected, "not_authorized", "No."));
        Refuses(stuck, Act(OperatorVerb.Compensate), "order_confirmed");
        Refuses(stuck.Cancelled(), Act(OperatorVerb.Compensate), null);
    }

    [Fact]
    public void Only_an_outstanding_step_is_resolved()
    {
        Refuses(Paying, Act(OperatorVerb.Resolve, StepNames.AuthorizePayment, completed: true), null);
        Refuses(Paying, Act(OperatorVerb.Resolve, StepNames.AuthorizePayment), null);
        Refuses(Paying, Act(OperatorVerb.Resolve, StepNames.ReserveStock, completed: true), "not_outstanding");
        Refuses(Paying, Act(OperatorVerb.Resolve, StepNames.CommitStock, completed: true), "not_outstanding");
    }

    [Fact]
    public void An_undo_is_resolved_as_done_and_never_as_refused()
    {
        Refuses(Stuck, Act(OperatorVerb.Resolve, StepNames.ReserveStock, completed: true), null);
        Refuses(Stuck, Act(OperatorVerb.Resolve, StepNames.ReserveStock), "must_be_done");
        Assert.Equal(
            new SagaEvent.Resolved(StepNames.ReserveStock, true, true, "why", new SagaResolution(Id, true, "ann", "why")),
            OperatorRules.EventOf(
                Stuck.State, Act(OperatorVerb.Resolve, StepNames.ReserveStock, completed: true), "ann", Id));
    }

    [Fact]
    public void A_resolution_of_the_undo_is_no_resolution_of_the_step()
    {
        var undo = Act(OperatorVerb.Resolve, StepNames.ReserveStock, completed: true) with { Undo = true };
        Refuses(Stuck, undo, null);
        Refuses(Stuck, undo with { Undo = false }, "not_outstanding");
        Refuses(Paying, Act(OperatorVerb.Resolve, StepNames.AuthorizePayment) with { Undo = true }, "not_outstanding");
        Assert.True(OperatorRules.IsUndo(Stuck.State, undo));
        Assert.False(OperatorRules.IsUndo(Paying.State, Act(OperatorVerb.Resolve, StepNames.AuthorizePayment)));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 1)]
    [InlineData(11, 2)]
    [InlineData(100, 10)]
    [InlineData(10_000, 10)]
    public void A_canary_batch_is_a_tenth_and_at_most_ten(int sagas, int canary) =>
        Assert.Equal(canary, BulkAction.CanaryOf(sagas));

    [Fact]
    public void A_capture_in_doubt_can_be_resolved_as_not_happened_but_not_as_refused()
    {
        var capturing = Paying.Answers(StepNames.AuthorizePayment, Done).Answers(StepNames.CommitStock, Done);
        Refuses(capturing, Act(OperatorVerb.Resolve, StepNames.CapturePayment), "must_be_done");
        Refuses(
            capturing.Answers(StepNames.CapturePayment, Doubt), Act(OperatorVerb.Resolve, StepNames.CapturePayment), null);
    }

    [Fact]
    public void Resolving_a_doubt_as_not_happened_warns_the_operator() => Assert.Equal(
        "customer-service is notified that authorize-payment did not happen, and replies according to its ledger: make sure that "
            + "this is true. A payment that turns out to have happened is returned.",
        OperatorRules.WarningOf(
            Paying.Answers(StepNames.AuthorizePayment, Doubt).State,
            Act(OperatorVerb.Resolve, StepNames.AuthorizePayment)));
}
