namespace Orderwright.Sagas.Tests;

public sealed class DialogueTests
{
    static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    static Dialogue Sale => new(Processes.Sale);

    static Dialogue Trip => new(Processes.Trip);

    static Dialogue Paying => Sale.Started().Completed("hold");

    static Dialogue Shipping => Paying.Completed("pay").Completed("commit");

    [Fact]
    public void A_sale_succeeds() =>
        Sale.Started().Sends("ask hold 1").Is(SagaStatus.Running)
            .Completed("hold").Sends("ask pay 1")
            .Completed("pay").Sends("ask commit 1")
            .Completed("commit").Sends("announce Pivoted, ask ship 1")
            .Completed("ship").Sends("announce Completed").Is(SagaStatus.Completed);

    [Fact]
    public void An_unnecessary_step_is_skipped() =>
        Paying.Completed("pay", "collects").Completed("commit").Sends("announce Pivoted, announce Completed")
            .Is(SagaStatus.Completed);

    [Fact]
    public void A_refusal_undoes_the_steps_before() =>
        Sale.Started().Completed("hold").Completed("pay")
            .Rejected("commit", "sold_out").Sends("undo pay 1").Is(SagaStatus.Compensating)
            .Undone("pay").Sends("undo hold 1")
            .Undone("hold").Sends("announce Rejected").Is(SagaStatus.Compensated);

    [Fact]
    public void A_refusal_of_the_first_step_leaves_nothing_to_undo() =>
        Sale.Started().Rejected("hold").Sends("announce Rejected").Is(SagaStatus.Compensated);

    [Fact]
    public void A_lost_command_is_resent_repeatedly()
    {
        var saga = Sale.Started().Silence(Minute);
        Assert.InRange(saga.State["hold"].Do!.Attempts, 5, 15);
        saga.Completed("hold").Sends("ask pay 1");
    }

    [Fact]
    public void Pauses_never_exceed_the_longest_pause()
    {
        var saga = Shipping;
        for (var last = saga.Now; saga.State.Status == SagaStatus.Running; last = saga.Now)
        {
            saga.After(saga.State.NextActionAt!.Value - saga.Now).Timer();
            Assert.InRange(saga.Now - last, TimeSpan.Zero, TimeSpan.FromSeconds(15));
        }
    }

    [Fact]
    public void An_early_timer_decides_nothing() =>
        Sale.Started().After(TimeSpan.FromSeconds(1)).Timer().Sends("nothing");

    [Fact]
    public void After_a_restart_everything_outstanding_is_resent_at_once() =>
        Trip.Started().Completed("hotel").Timer(askNow: true).Sends("ask flight 2, ask lounge 2");

    [Fact]
    public void Silence_until_the_deadline_undoes_the_silent_step_too() =>
        Paying.Silence(10 * Minute).Sends("undo pay 1").Is(SagaStatus.Compensating)
            .Completed("pay").Sends("nothing")
            .Undone("pay").Sends("undo hold 1")
            .Undone("hold").Sends("announce Expired");

    [Fact]
    public void A_timer_that_may_not_expire_a_step_resends_the_command_past_the_deadline() =>
        Paying.After(10 * Minute).Timer(mayExpire: false).Sends("ask pay 2").Is(SagaStatus.Running)
            .Timer(mayExpire: false).Sends("nothing")
            .Timer().Sends("undo pay 1");

    [Fact]
    public void A_retry_by_an_operator_ends_no_other_step_by_its_deadline()
    {
        var trip = Trip.Started().Completed("hotel").Completed("lounge").After(10 * Minute);
        trip.On(new SagaEvent.RetryRequested()).Sends("nothing").Is(SagaStatus.Running);
    }

    [Fact]
    public void A_postponed_step_is_retried_at_the_requested_time() =>
        Paying.Replies("pay", new StepReply.Retry(Minute, "busy", "Come back later.")).Sends("noted")
            .After(Minute / 2).Timer().Sends("nothing")
            .After(Minute / 2).Timer().Sends("ask pay 2");

    [Fact]
    public void A_retry_postponed_by_a_clock_that_was_ahead_is_due_once_the_clock_is_right() =>
        Paying.After(120 * Minute).Replies("pay", new StepReply.Retry(Minute)).After(-120 * Minute).Timer().Sends("ask pay 2")
            .Timer().Sends("nothing");

    [Fact]
    public void A_waiting_saga_continues_after_the_action() =>
        Paying.Waiting("pay").Sends("noted").Is(SagaStatus.Waiting)
            .After(4 * Minute).Timer().Sends("ask pay 2")
            .Completed("pay").Sends("ask commit 1").Is(SagaStatus.Running);

    [Fact]
    public void A_wait_without_an_action_expires() =>
        Paying.Waiting("pay").Silence(60 * Minute).Sends("undo pay 1")
            .Undone("pay").Undone("hold").Sends("announce Expired");

    [Fact]
    public void A_step_in_doubt_is_retried_and_never_undone_by_guess()
    {
        var saga = Paying.InDoubt("pay").Sends("noted").Is(SagaStatus.Running).Silence(119 * Minute);
        Assert.InRange(saga.State["pay"].Do!.Attempts, 480, 3_600);
        Assert.Null(saga.State["pay"].Undo);
        saga.Completed("pay").Sends("ask commit 1");
    }

    [Fact]
    public void A_doubt_past_the_deadline_is_an_incident_that_a_reply_ends()
    {
        var saga = Paying.InDoubt("pay").Silence(120 * Minute).Is(SagaStatus.Failed);
        Assert.Equal(SagaCodes.InDoubt, saga.State["pay"].Do!.Code);
        Assert.Null(saga.State.NextActionAt);
        saga.After(24 * 60 * Minute).Timer(askNow: true).Sends("nothing")
            .Completed("pay").Sends("ask commit 1").Is(SagaStatus.Running);
    }

    [Fact]
    public void Alternating_between_doubt_and_waiting_buys_no_time()
    {
        var saga = Paying;
        for (var i = 0; i < 70; i++) saga.InDoubt("pay").After(Minute).Waiting("pay").Timer();
        saga.Is(SagaStatus.Compensating);
    }

    [Fact]
    public void A_postponed_step_in_doubt_remains_in_doubt() =>
        Paying.InDoubt("pay").Replies("pay", new StepReply.Retry(Minute)).Silence(30 * Minute)
            .Is(SagaStatus.Running).Rejected("pay").Sends("undo hold 1");

    [Fact]
    public void A_refused_undo_is_an_incident_until_the_undo_completes()
    {
        var saga = Paying.Completed("pay").Rejected("commit")
            .OnUndo("pay", new StepReply.Rejected("refund_failed", "The card is closed.")).Sends("noted")
            .Is(SagaStatus.Failed);
        Assert.Equal("refund_failed", saga.State["pay"].Undo!.Code);
        saga.Undone("pay").Sends("undo hold 1").Is(SagaStatus.Compensating);
    }

    [Fact]
    public void An_undo_without_a_reply_is_an_incident_after_half_an_hour()
    {
        var saga = Paying.Rejected("pay").Silence(29 * Minute).Is(SagaStatus.Compensating).Silence(Minute)
            .Is(SagaStatus.Failed);
        Assert.Equal(SagaCodes.AttemptsExhausted, saga.State["hold"].Undo!.Code);
        saga.Undone("hold").Sends("announce Rejected");
    }

    [Fact]
    public void A_forward_only_step_is_never_refused_into_compensation() =>
        Shipping.Rejected("ship", "no_van").Sends("noted").Is(SagaStatus.Failed)
            .On(new SagaEvent.RetryRequested()).Sends("ask ship 2").Is(SagaStatus.Running)
            .Completed("ship").Sends("announce Completed");

    [Fact]
    public void A_forward_only_step_without_a_reply_is_an_incident_that_a_late_reply_ends() =>
        Shipping.Silence(10 * Minute).Is(SagaStatus.Failed).Completed("ship").Sends("announce Completed");

    [Fact]
    public void Cancel_in_flight_awaits_the_answer_and_undoes_a_late_success() =>
        Paying.Cancel().Sends("noted").Is(SagaStatus.Compensating)
            .Completed("pay").Sends("undo pay 1")
            .Undone("pay").Sends("undo hold 1")
            .Undone("hold").Sends("announce Cancelled");

    [Fact]
    public void Cancel_in_flight_of_a_refused_step_undoes_only_the_steps_before() =>
        Paying.Cancel().Rejected("pay").Sends("undo hold 1").Undone("hold").Sends("announce Cancelled");

    [Fact]
    public void Cancel_in_flight_of_a_silent_step_waits_for_the_deadline_and_undoes_the_step() =>
        Paying.Cancel().Silence(9 * Minute).Is(SagaStatus.Compensating).Silence(Minute).Sends("undo pay 1");

    [Fact]
    public void Cancel_does_not_wait_for_a_customer() =>
        Paying.Waiting("pay").Cancel().Sends("undo pay 1");

    [Fact]
    public void Cancel_in_flight_does_not_wait_for_a_customer_reported_later() =>
        Paying.Cancel().Waiting("pay").Sends("undo pay 1");

    [Fact]
    public void Cancel_waits_for_a_doubt_to_settle()
    {
        var saga = Paying.InDoubt("pay").Cancel().Silence(60 * Minute).Is(SagaStatus.Compensating);
        Assert.Null(saga.State["pay"].Undo);
        saga.Completed("pay").Sends("undo pay 1");
    }

    [Fact]
    public void Cancel_just_before_the_pivots_reply_wins_and_the_pivot_is_undone() =>
        Paying.Completed("pay").Cancel().Completed("commit").Sends("undo commit 1")
            .Undone("commit").Sends("undo pay 1").Undone("pay").Sends("undo hold 1")
            .Undone("hold").Sends("announce Cancelled");

    [Fact]
    public void Cancel_of_a_confirmed_sale_undoes_everything_in_reverse() =>
        Shipping.Completed("ship").Cancel().Sends("undo commit 1").Is(SagaStatus.Compensating)
            .Undone("commit").Sends("undo pay 1").Undone("pay").Sends("undo hold 1")
            .Undone("hold").Sends("announce Cancelled").Is(SagaStatus.Compensated);

    [Fact]
    public void Cancel_after_the_pivot_waits_for_forward_only_steps() =>
        Shipping.Cancel().Sends("noted").Waiting("ship").Sends("noted").Completed("ship").Sends("undo commit 1");

    [Fact]
    public void A_refusal_of_a_forward_only_step_after_a_cancellation_undoes_the_steps_before() =>
        Shipping.Cancel().Rejected("ship", "no_van").Sends("undo commit 1").Is(SagaStatus.Compensating);

    [Fact]
    public void A_saga_that_is_behind_is_undone_when_a_participant_has_undone_a_step()
    {
        var behind = Shipping.On(new SagaEvent.Recovered(Recovery.Running));
        behind.Rejected("ship", SagaCodes.AlreadyUndone).Sends("undo commit 1").Undone("commit").Sends("undo pay 1")
            .Undone("pay").Undone("hold").Sends("announce Cancelled");
        Assert.Equal(Announcement.Cancelled, behind.State.Reason!.Kind);
        Shipping.Rejected("ship", SagaCodes.AlreadyUndone).Is(SagaStatus.Failed);
        Shipping.On(new SagaEvent.Recovered(Recovery.Running)).Rejected("ship", "no_van").Is(SagaStatus.Failed);
    }

    [Fact]
    public void A_saga_past_a_pivot_that_has_moved_ahead_is_confirmed_and_gets_its_full_time()
    {
        // Release 0.1.0 waits for its pivot, which has become a step after the pivot.
        SagaStep[] steps = [new("pay", "bank") { Undo = "refund" }, new("commit", "store") { Undo = "uncommit" }];
        var old = new SagaDefinition("sale", 1, steps[0], steps[1] with { Pivot = true });
        var now = new SagaDefinition("sale", 1, steps[0] with { Pivot = true }, steps[1] with { ForwardOnly = true })
        {
            CancellableAfterPivot = true,
        };
        var left = new Dialogue(old).Started().Completed("pay").After(60 * Minute);
        new Dialogue(now, left).Timer().Sends("announce Pivoted, ask commit 2").Is(SagaStatus.Running)
            .Silence(9 * Minute).Is(SagaStatus.Running).Completed("commit").Sends("announce Completed");
        new Dialogue(now, left).Completed("commit").Sends("announce Pivoted, announce Completed");
        new Dialogue(now, left).Cancel().Completed("commit").Sends("undo commit 1");
        new Dialogue(now, new Dialogue(old).Started().Completed("pay").Cancel()).Timer().Sends("nothing");
    }

    [Fact]
    public void Cancel_after_the_pivot_of_a_final_sale_announces_the_outcome() =>
        new Dialogue(Processes.FinalSale).Started().Completed("hold").Completed("pay").Completed("commit")
            .Cancel().Sends("announce Pivoted")
            .Completed("ship").Sends("announce Completed")
            .Cancel().Sends("announce Completed").Is(SagaStatus.Completed);

    [Fact]
    public void Cancel_of_an_unknown_saga_undoes_every_step_that_may_have_happened() =>
        Sale.Cancel().Sends("undo commit 1").Is(SagaStatus.Compensating).Started().Sends("nothing")
            .Undone("commit").Sends("undo pay 1").Undone("pay").Sends("undo hold 1").Undone("hold").Sends("announce Cancelled")
            .Started().Sends("announce Cancelled").Is(SagaStatus.Compensated);

    [Fact]
    public void Cancel_of_a_pivoted_saga_that_has_not_heard_of_the_pivot_undoes_the_steps_it_does_not_know()
    {
        var behind = Sale.Started();
        behind.On(new SagaEvent.CancelRequested("customer", WasPivoted: true));
        behind.Completed("hold").Sends("undo hold 1").Undone("hold").Sends("undo commit 1").Undone("commit")
            .Sends("undo pay 1").Undone("pay").Sends("announce Cancelled");
    }

    [Fact]
    public void Cancel_of_a_saga_in_flight_undoes_no_step_that_was_not_begun() =>
        Sale.Started().Cancel().Completed("hold").Sends("undo hold 1").Undone("hold").Sends("announce Cancelled");

    [Fact]
    public void Cancel_of_a_refused_sale_is_announced_as_cancelled() =>
        Sale.Started().Rejected("hold").Sends("announce Rejected").Cancel().Sends("announce Cancelled")
            .Started().Sends("announce Cancelled");

    [Fact]
    public void Cancel_during_the_rollback_changes_only_the_outcome()
    {
        var saga = Paying.Rejected("pay", "declined").Cancel().Sends("noted")
            .Undone("hold").Sends("announce Cancelled");
        Assert.Equal("declined", saga.State.Reason!.Code);
    }

    [Fact]
    public void A_repeated_start_announces_the_outcome_if_decided() =>
        Sale.Started().Started().Sends("nothing").Completed("hold").Completed("pay").Started().Sends("nothing")
            .Completed("commit").Started().Sends("announce Pivoted")
            .Completed("ship").Started().Sends("announce Completed");

    [Fact]
    public void Duplicate_late_and_stale_replies_change_nothing() =>
        Paying.Completed("hold").Sends("nothing").Rejected("hold").Sends("nothing")
            .Undone("hold").Sends("nothing").Completed("commit").Sends("nothing")
            .Undone("pay").Sends("nothing").Completed("nowhere").Sends("nothing");

    [Fact]
    public void A_parallel_stage_ends_with_the_last_step_even_without_the_optional_one() =>
        Trip.Started().Sends("ask flight 1, ask hotel 1, ask lounge 1")
            .Completed("hotel").Sends("noted").Rejected("lounge").Sends("noted")
            .Completed("flight").Sends("noted").Is(SagaStatus.Waiting);

    [Fact]
    public void A_refusal_in_a_parallel_stage_awaits_the_other_steps_and_undoes_in_reverse() =>
        Trip.Started().Completed("hotel").Rejected("flight").Sends("noted").Is(SagaStatus.Compensating)
            .Completed("lounge").Sends("undo lounge 1").Undone("lounge").Sends("undo hotel 1")
            .Undone("hotel").Sends("announce Rejected");

    [Fact]
    public void Only_an_operator_decides_a_human_step() =>
        Deciding.Completed("approve").Sends("nothing")
            .On(new SagaEvent.Resolved("approve", false, true, "fine")).Sends("ask charge 1");

    [Fact]
    public void An_operator_may_refuse() =>
        Deciding.On(new SagaEvent.Resolved("approve", false, false, "too expensive")).Sends("undo lounge 1");

    [Fact]
    public void Without_a_decision_of_an_operator_the_saga_expires() =>
        Deciding.Silence(60 * Minute).Sends("undo lounge 1").Is(SagaStatus.Compensating);

    static Dialogue Deciding => Trip.Started().Completed("flight").Completed("hotel").Completed("lounge");

    [Fact]
    public void An_operator_may_resolve_an_incident_on_behalf_of_the_participant() =>
        Paying.Rejected("pay").OnUndo("hold", new StepReply.Rejected("lost", "Not found."))
            .On(new SagaEvent.Resolved("hold", true, true, "counted by hand")).Sends("announce Rejected");

    [Fact]
    public void An_operator_may_undo_a_stuck_step_without_waiting() =>
        Paying.InDoubt("pay").Silence(120 * Minute)
            .On(new SagaEvent.CompensateRequested("give up")).Sends("undo pay 1")
            .Undone("pay").Undone("hold").Sends("announce Cancelled");

    [Fact]
    public void A_retry_by_an_operator_keeps_the_doubt()
    {
        var saga = Paying.InDoubt("pay").Silence(120 * Minute).On(new SagaEvent.RetryRequested());
        Assert.Equal(LegPhase.InDoubt, saga.State["pay"].Do!.Phase);
        saga.Silence(119 * Minute).Is(SagaStatus.Running).Silence(Minute).Is(SagaStatus.Failed);
    }

    [Fact]
    public void A_step_has_at_most_the_attempts_of_its_policy()
    {
        var step = new SagaStep("a", "x") { Ask = new(Minute / 60, 1, Minute / 60, 3, Minute) };
        var saga = new Dialogue(new SagaDefinition("p", 1, step)).Started().Silence(Minute / 2);
        Assert.Equal(3, saga.State["a"].Do!.Attempts);
        saga.Silence(Minute / 2).Sends("announce Expired");
    }

    [Fact]
    public void A_reply_to_a_step_without_a_command_changes_nothing() =>
        Sale.Started().Completed("pay").Sends("nothing");
}
