namespace Orderwright.Sagas.Tests;

public sealed class DialogueTests
{
    static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    static Dialogue Sale => new(Processes.Sale);

    static Dialogue Trip => new(Processes.Trip);

    static Dialogue Paying => Sale.Started().Completed("hold");

    static Dialogue Shipping => Paying.Completed("pay").Completed("commit");

    [Fact]
    public void All_goes_well() =>
        Sale.Started().Says("ask hold 1").Is(SagaStatus.Running)
            .Completed("hold").Says("ask pay 1")
            .Completed("pay").Says("ask commit 1")
            .Completed("commit").Says("tell Pivoted, ask ship 1")
            .Completed("ship").Says("tell Completed").Is(SagaStatus.Completed);

    [Fact]
    public void A_step_that_is_not_needed_is_skipped() =>
        Paying.Completed("pay", "collects").Completed("commit").Says("tell Pivoted, tell Completed")
            .Is(SagaStatus.Completed);

    [Fact]
    public void A_refusal_undoes_what_was_done_before_it() =>
        Sale.Started().Completed("hold").Completed("pay")
            .Rejected("commit", "sold_out").Says("undo pay 1").Is(SagaStatus.Compensating)
            .Undone("pay").Says("undo hold 1")
            .Undone("hold").Says("tell Rejected").Is(SagaStatus.Compensated);

    [Fact]
    public void A_refusal_of_the_first_step_leaves_nothing_to_undo() =>
        Sale.Started().Rejected("hold").Says("tell Rejected").Is(SagaStatus.Compensated);

    [Fact]
    public void A_lost_command_is_asked_again_and_again()
    {
        var saga = Sale.Started().Silence(Minute);
        Assert.InRange(saga.State["hold"].Do!.Attempts, 5, 15);
        saga.Completed("hold").Says("ask pay 1");
    }

    [Fact]
    public void Pauses_between_two_asks_never_exceed_the_longest()
    {
        var saga = Shipping;
        for (var last = saga.Now; saga.State.Status == SagaStatus.Running; last = saga.Now)
        {
            saga.After(saga.State.NextActionAt!.Value - saga.Now).Timer();
            Assert.InRange(saga.Now - last, TimeSpan.Zero, TimeSpan.FromSeconds(15));
        }
    }

    [Fact]
    public void A_timer_that_comes_too_early_decides_nothing() =>
        Sale.Started().After(TimeSpan.FromSeconds(1)).Timer().Says("nothing");

    [Fact]
    public void After_a_restart_all_that_is_outstanding_is_asked_at_once() =>
        Trip.Started().Completed("hotel").Timer(askNow: true).Says("ask flight 2, ask lounge 2");

    [Fact]
    public void Silence_until_the_deadline_undoes_the_silent_step_too() =>
        Paying.Silence(10 * Minute).Says("undo pay 1").Is(SagaStatus.Compensating)
            .Completed("pay").Says("nothing")
            .Undone("pay").Says("undo hold 1")
            .Undone("hold").Says("tell Expired");

    [Fact]
    public void Not_now_is_asked_again_when_the_participant_says() =>
        Paying.Replies("pay", new Reply.Retry(Minute, "busy", "Come back later.")).Says("noted")
            .After(Minute / 2).Timer().Says("nothing")
            .After(Minute / 2).Timer().Says("ask pay 2");

    [Fact]
    public void What_a_clock_that_was_ahead_has_put_off_is_asked_once_it_is_set_right() =>
        Paying.After(120 * Minute).Replies("pay", new Reply.Retry(Minute)).After(-120 * Minute).Timer().Says("ask pay 2")
            .Timer().Says("nothing");

    [Fact]
    public void Waiting_keeps_the_hold_alive_and_goes_on_when_somebody_acts()
    {
        var saga = Paying.Waiting("pay").Says("renew hold").Is(SagaStatus.Waiting);
        Assert.Equal(saga.Now + 4 * Minute, saga.State["hold"].RenewAt);
        saga.After(4 * Minute).Timer().Says("ask pay 2, renew hold")
            .Completed("pay").Says("ask commit 1").Is(SagaStatus.Running);
        Assert.Null(saga.State["hold"].RenewAt);
    }

    [Fact]
    public void Nobody_acts_and_it_expires() =>
        Paying.Waiting("pay").Silence(60 * Minute).Says("undo pay 1")
            .Undone("pay").Undone("hold").Says("tell Expired");

    [Fact]
    public void In_doubt_is_asked_again_and_never_undone_by_guess()
    {
        var saga = Paying.InDoubt("pay").Says("renew hold").Is(SagaStatus.Running).Silence(119 * Minute);
        Assert.InRange(saga.State["pay"].Do!.Attempts, 480, 3_600);
        Assert.Null(saga.State["pay"].Undo);
        saga.Completed("pay").Says("ask commit 1");
    }

    [Fact]
    public void In_doubt_past_its_limit_is_an_incident_that_an_answer_heals()
    {
        var saga = Paying.InDoubt("pay").Silence(120 * Minute).Is(SagaStatus.Failed);
        Assert.Equal(SagaCodes.InDoubt, saga.State["pay"].Do!.Code);
        Assert.Null(saga.State.NextActionAt);
        saga.After(24 * 60 * Minute).Timer(askNow: true).Says("nothing")
            .Completed("pay").Says("ask commit 1").Is(SagaStatus.Running);
    }

    [Fact]
    public void Going_to_and_fro_between_doubt_and_waiting_buys_no_time()
    {
        var saga = Paying;
        for (var i = 0; i < 70; i++) saga.InDoubt("pay").After(Minute).Waiting("pay").Timer();
        saga.Is(SagaStatus.Compensating);
    }

    [Fact]
    public void What_was_in_doubt_stays_in_doubt_when_the_participant_says_not_now() =>
        Paying.InDoubt("pay").Replies("pay", new Reply.Retry(Minute)).Silence(30 * Minute)
            .Is(SagaStatus.Running).Rejected("pay").Says("undo hold 1");

    [Fact]
    public void An_undo_that_is_refused_is_an_incident_until_it_is_done_after_all()
    {
        var saga = Paying.Completed("pay").Rejected("commit")
            .OnUndo("pay", new Reply.Rejected("refund_failed", "The card is closed.")).Says("noted")
            .Is(SagaStatus.Failed);
        Assert.Equal("refund_failed", saga.State["pay"].Undo!.Code);
        saga.Undone("pay").Says("undo hold 1").Is(SagaStatus.Compensating);
    }

    [Fact]
    public void An_undo_that_nobody_answers_is_an_incident_after_half_an_hour()
    {
        var saga = Paying.Rejected("pay").Silence(29 * Minute).Is(SagaStatus.Compensating).Silence(Minute)
            .Is(SagaStatus.Failed);
        Assert.Equal(SagaCodes.AttemptsExhausted, saga.State["hold"].Undo!.Code);
        saga.Undone("hold").Says("tell Rejected");
    }

    [Fact]
    public void A_forward_only_step_is_never_refused_into_compensation() =>
        Shipping.Rejected("ship", "no_van").Says("noted").Is(SagaStatus.Failed)
            .On(new SagaEvent.RetryRequested()).Says("ask ship 2").Is(SagaStatus.Running)
            .Completed("ship").Says("tell Completed");

    [Fact]
    public void A_forward_only_step_that_nobody_answers_is_an_incident_that_an_answer_heals() =>
        Shipping.Silence(10 * Minute).Is(SagaStatus.Failed).Completed("ship").Says("tell Completed");

    [Fact]
    public void Cancel_in_flight_awaits_the_answer_and_undoes_a_late_success() =>
        Paying.Cancel().Says("noted").Is(SagaStatus.Compensating)
            .Completed("pay").Says("undo pay 1")
            .Undone("pay").Says("undo hold 1")
            .Undone("hold").Says("tell Cancelled");

    [Fact]
    public void Cancel_in_flight_of_a_step_that_is_refused_undoes_only_what_came_before() =>
        Paying.Cancel().Rejected("pay").Says("undo hold 1").Undone("hold").Says("tell Cancelled");

    [Fact]
    public void Cancel_in_flight_of_a_silent_step_waits_for_its_deadline_and_undoes_it_too() =>
        Paying.Cancel().Silence(9 * Minute).Is(SagaStatus.Compensating).Silence(Minute).Says("undo pay 1");

    [Fact]
    public void Cancel_does_not_wait_for_a_customer() =>
        Paying.Waiting("pay").Cancel().Says("undo pay 1");

    [Fact]
    public void Cancel_in_flight_does_not_wait_for_a_customer_either_when_that_comes_out_later() =>
        Paying.Cancel().Waiting("pay").Says("undo pay 1");

    [Fact]
    public void Cancel_waits_for_a_doubt_to_settle()
    {
        var saga = Paying.InDoubt("pay").Cancel().Silence(60 * Minute).Is(SagaStatus.Compensating);
        Assert.Null(saga.State["pay"].Undo);
        saga.Completed("pay").Says("undo pay 1");
    }

    [Fact]
    public void Cancel_that_meets_the_pivots_answer_wins_and_the_pivot_is_undone() =>
        Paying.Completed("pay").Cancel().Completed("commit").Says("undo commit 1")
            .Undone("commit").Says("undo pay 1").Undone("pay").Says("undo hold 1")
            .Undone("hold").Says("tell Cancelled");

    [Fact]
    public void Cancel_of_a_confirmed_sale_undoes_everything_in_reverse() =>
        Shipping.Completed("ship").Cancel().Says("undo commit 1").Is(SagaStatus.Compensating)
            .Undone("commit").Says("undo pay 1").Undone("pay").Says("undo hold 1")
            .Undone("hold").Says("tell Cancelled").Is(SagaStatus.Compensated);

    [Fact]
    public void Cancel_after_the_pivot_waits_for_what_only_goes_forward() =>
        Shipping.Cancel().Says("noted").Waiting("ship").Says("noted").Completed("ship").Says("undo commit 1");

    [Fact]
    public void Cancel_after_the_pivot_of_a_final_sale_is_answered_with_how_it_stands() =>
        new Dialogue(Processes.FinalSale).Started().Completed("hold").Completed("pay").Completed("commit")
            .Cancel().Says("tell Pivoted")
            .Completed("ship").Says("tell Completed")
            .Cancel().Says("tell Completed").Is(SagaStatus.Completed);

    [Fact]
    public void Cancel_that_overtakes_the_start_ends_it_before_anybody_is_asked() =>
        Sale.Cancel().Says("tell Cancelled").Started().Says("tell Cancelled").Is(SagaStatus.Compensated);

    [Fact]
    public void Cancel_of_a_refused_sale_is_told_as_cancelled_from_then_on() =>
        Sale.Started().Rejected("hold").Says("tell Rejected").Cancel().Says("tell Cancelled")
            .Started().Says("tell Cancelled");

    [Fact]
    public void Cancel_while_it_is_undone_changes_only_as_what_it_ends()
    {
        var saga = Paying.Rejected("pay", "declined").Cancel().Says("noted")
            .Undone("hold").Says("tell Cancelled");
        Assert.Equal("declined", saga.State.Reason!.Code);
    }

    [Fact]
    public void Start_again_is_answered_with_the_end_or_not_at_all() =>
        Sale.Started().Started().Says("nothing").Completed("hold").Completed("pay").Started().Says("nothing")
            .Completed("commit").Started().Says("tell Pivoted")
            .Completed("ship").Started().Says("tell Completed");

    [Fact]
    public void Duplicates_late_and_stale_answers_are_nothing() =>
        Paying.Completed("hold").Says("nothing").Rejected("hold").Says("nothing")
            .Undone("hold").Says("nothing").Completed("commit").Says("nothing")
            .Undone("pay").Says("nothing").Completed("nowhere").Says("nothing");

    [Fact]
    public void A_parallel_stage_ends_with_its_last_step_and_lacks_its_optional_one() =>
        Trip.Started().Says("ask flight 1, ask hotel 1, ask lounge 1")
            .Completed("hotel").Says("noted").Rejected("lounge").Says("noted")
            .Completed("flight").Says("noted").Is(SagaStatus.Waiting);

    [Fact]
    public void A_refusal_in_a_parallel_stage_awaits_the_others_and_undoes_the_last_one_first() =>
        Trip.Started().Completed("hotel").Rejected("flight").Says("noted").Is(SagaStatus.Compensating)
            .Completed("lounge").Says("undo lounge 1").Undone("lounge").Says("undo hotel 1")
            .Undone("hotel").Says("tell Rejected");

    [Fact]
    public void Only_a_person_answers_what_a_person_has_to_decide() =>
        Deciding.Completed("approve").Says("nothing")
            .On(new SagaEvent.Resolved("approve", false, true, "fine")).Says("ask charge 1");

    [Fact]
    public void A_person_may_refuse() =>
        Deciding.On(new SagaEvent.Resolved("approve", false, false, "too dear")).Says("undo lounge 1");

    [Fact]
    public void A_person_who_does_not_decide_lets_it_expire() =>
        Deciding.Silence(60 * Minute).Says("undo lounge 1").Is(SagaStatus.Compensating);

    static Dialogue Deciding => Trip.Started().Completed("flight").Completed("hotel").Completed("lounge");

    [Fact]
    public void A_person_may_settle_an_incident_in_the_participants_place() =>
        Paying.Rejected("pay").OnUndo("hold", new Reply.Rejected("lost", "Not found."))
            .On(new SagaEvent.Resolved("hold", true, true, "counted by hand")).Says("tell Rejected");

    [Fact]
    public void A_person_may_undo_what_is_stuck_without_awaiting_it() =>
        Paying.InDoubt("pay").Silence(120 * Minute)
            .On(new SagaEvent.CompensateRequested("give up")).Says("undo pay 1")
            .Undone("pay").Undone("hold").Says("tell Cancelled");

    [Fact]
    public void Asking_again_does_not_make_a_doubt_less_doubtful()
    {
        var saga = Paying.InDoubt("pay").Silence(120 * Minute).On(new SagaEvent.RetryRequested());
        Assert.Equal(LegPhase.InDoubt, saga.State["pay"].Do!.Phase);
        saga.Silence(119 * Minute).Is(SagaStatus.Running).Silence(Minute).Is(SagaStatus.Failed);
    }

    [Fact]
    public void A_step_is_not_asked_more_often_than_it_may_be()
    {
        var step = new SagaStep("a", "x") { Ask = new(Minute / 60, 1, Minute / 60, 3, Minute) };
        var saga = new Dialogue(new SagaDefinition("p", 1, step)).Started().Silence(Minute / 2);
        Assert.Equal(3, saga.State["a"].Do!.Attempts);
        saga.Silence(Minute / 2).Says("tell Expired");
    }

    [Fact]
    public void An_answer_to_a_step_that_was_never_asked_changes_nothing() =>
        Sale.Started().Completed("pay").Says("nothing");
}
