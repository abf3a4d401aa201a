using System.Text;
using Orderwright.Contracts;
using Orderwright.SagaCoordinator.Process;
using Orderwright.StepService;

namespace Orderwright.Sagas.Tests.Order;

/// <summary>Steps of outside participants and of people, in the dialogue of an order.</summary>
public sealed class OutsideStepTests
{
    static OrderDialogue Dialogue(string checkFraud = "\"undo\": true", string further = "") => new(ProcessFile.Parse(
        Encoding.UTF8.GetBytes(
            $$"""
            { "name": "order-process", "version": 2, "steps": [
              { "step": "reserve-stock" },
              { "step": "check-fraud", "participant": "https://fraud.example", "within": "30s", {{checkFraud}} },
              {{further}}
              { "step": "authorize-payment", "pivot": true },
              { "step": "commit-stock" }, { "step": "capture-payment" },
              { "step": "award-points", "participant": "https://points.example", "optional": true, "undo": true, "within": "30s",
                "whenSilent": "reject" } ] }
            """)).File!.Definition);

    static readonly StepAnswered Done = new(false, StepOutcome.Completed, Detail: """{"score":7}""");

    [Fact]
    public void A_call_goes_out_in_place_of_a_command_and_later_calls_carry_the_detail()
    {
        var saga = Dialogue().Placed().Reserved().Sends("StepCall");
        var sent = saga.SentBody<StepCall>();
        Assert.Equal(("https://fraud.example", "check-fraud", 1), (sent.Endpoint, sent.Step, sent.Attempt));
        saga.Answers("check-fraud", Done).Sends("AuthorizePayment").Authorized(1_000).Sends("CommitStock", "OrderConfirmed")
            .Committed().Sends("StepCall");
        Assert.Equal("check-fraud", Assert.Single(saga.SentBody<StepCall>().Previous).Key);
    }

    [Fact]
    public void A_refusal_undoes_the_steps_before_and_not_the_step()
    {
        Dialogue().Placed().Reserved().Rejects("check-fraud", "suspicious").Sends("ReleaseStock")
            .Undone(StepNames.ReserveStock).Sends("OrderRejected");
    }

    [Fact]
    public void A_completed_step_is_undone_with_the_payment()
    {
        Dialogue().Placed().Reserved().Answers("check-fraud", Done).Rejects(StepNames.AuthorizePayment, "no").Sends("StepCall")
            .Undone("check-fraud").Sends("ReleaseStock").Undone(StepNames.ReserveStock).Sends("OrderRejected");
    }

    [Fact]
    public void A_failed_call_keeps_the_schedule_of_the_policy_and_tells_why()
    {
        var saga = Dialogue().Placed().Reserved();
        var next = saga.State.NextActionAt;
        saga.Answers("check-fraud", ParticipantReply.CallAgain(false, ParticipantReply.Unavailable, "503")).Sends();
        Assert.Equal(next, saga.State.NextActionAt);
        Assert.Equal("503", saga.State["check-fraud"].Do!.Message);
    }

    [Fact]
    public void Silence_is_an_incident_by_default_and_a_late_reply_still_counts() =>
        Dialogue().Placed().Reserved().After(TimeSpan.FromSeconds(31)).Timer().Is(SagaStatus.Failed)
            .Answers("check-fraud", Done).Sends("AuthorizePayment");

    [Fact]
    public void Silence_that_rejects_undoes_the_step_too() =>
        Dialogue("\"undo\": true, \"whenSilent\": \"reject\"").Placed().Reserved().After(TimeSpan.FromSeconds(31)).Timer()
            .Sends("StepCall").Undone("check-fraud").Sends("ReleaseStock").Undone(StepNames.ReserveStock).Sends("OrderExpired");

    [Fact]
    public void A_silent_optional_step_is_skipped_and_undone_with_a_later_cancellation()
    {
        var saga = Dialogue().Placed().Reserved().Answers("check-fraud", Done).Authorized(1_000).Committed()
            .After(TimeSpan.FromSeconds(31)).Timer().Is(SagaStatus.Completed);
        Assert.Equal(LegPhase.Skipped, saga.State["award-points"].Do!.Phase);
        saga.Cancelled().Sends("StepCall");
        Assert.True(saga.SentBody<StepCall>() is { Step: "award-points", Undo: true });
    }

    [Fact]
    public void A_person_decides_and_nothing_is_sent_to_anybody()
    {
        const string Approve = """{ "step": "approve", "human": true, "waitsUpTo": "1h" },""";
        OrderDialogue Waiting() => Dialogue(further: Approve).Placed().Reserved().Answers("check-fraud", Done).Sends()
            .Is(SagaStatus.Waiting);
        Waiting().Resolved("approve", completed: true).Sends("AuthorizePayment");
        Waiting().Resolved("approve", completed: false).Sends("StepCall").Undone("check-fraud").Sends("ReleaseStock");
        Waiting().After(TimeSpan.FromHours(1)).Timer().Sends("StepCall");
    }
}
