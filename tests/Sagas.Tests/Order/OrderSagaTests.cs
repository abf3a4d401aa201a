using Orderwright.Contracts;
using Orderwright.SagaCoordinator;

namespace Orderwright.Sagas.Tests.Order;

public sealed class OrderSagaTests
{
    static OrderDialogue Placed => new OrderDialogue().Placed();

    static OrderDialogue Paying => Placed.Reserved();

    static OrderDialogue Confirmed => Paying.Authorized().Committed();

    [Fact]
    public void An_order_that_goes_well_is_confirmed_at_the_pivot_and_told_again_when_it_is_captured()
    {
        var saga = Placed.Says("ReserveStock");
        Assert.Equal(saga.Now + TimeSpan.FromMinutes(15), saga.Said<ReserveStock>().HoldUntil);

        saga.Reserved().Says("AuthorizePayment");
        Assert.Equal(1_000, saga.Said<AuthorizePayment>().AmountMinor);

        saga.Authorized().Says("CommitStock").Committed().Says("CapturePayment", "OrderConfirmed");
        Assert.Equal(PaymentStatuses.Authorized, saga.Said<OrderConfirmed>().Payment.Status);
        Assert.Equal(1_000, saga.Said<OrderConfirmed>().TotalMinor);

        saga.CapturedNow().Says("OrderConfirmed").Is(SagaStatus.Completed);
        Assert.Equal(PaymentStatuses.Paid, saga.Said<OrderConfirmed>().Payment.Status);
    }

    [Fact]
    public void Store_credit_needs_no_capture() =>
        Paying.Authorized(captured: 1_000).Committed().Says("OrderConfirmed").Is(SagaStatus.Completed);

    [Fact]
    public void A_declined_payment_releases_the_goods()
    {
        var saga = Paying.Rejects(StepNames.AuthorizePayment, ReasonCodes.PaymentDeclined).Says("ReleaseStock")
            .Undone(StepNames.ReserveStock).Says("OrderRejected");
        var told = saga.Said<OrderRejected>();
        Assert.Equal((ReasonCodes.PaymentDeclined, StepNames.AuthorizePayment), (told.Code, told.Step));
        Assert.Equal(
            ["reserve-stock completed", "authorize-payment rejected", "undo reserve-stock completed"],
            told.Steps.Select(s => $"{(s.Undo ? "undo " : "")}{s.Step} {s.Outcome}"));
    }

    [Fact]
    public void Goods_that_are_gone_at_the_commit_give_the_money_back()
    {
        var saga = Paying.Authorized(captured: 1_000).Rejects(StepNames.CommitStock, ReasonCodes.HoldLost);
        Assert.Equal(ReasonCodes.HoldLost, saga.Says("UndoPayment").Said<UndoPayment>().Reason);
        saga.Undone(StepNames.AuthorizePayment, new(1_000, 1_000, 1_000, false)).Says("ReleaseStock")
            .Undone(StepNames.ReserveStock).Says("OrderRejected");
        Assert.Equal(PaymentStatuses.Refunded, saga.Said<OrderRejected>().Payment.Status);
    }

    [Fact]
    public void Nobody_pays_for_a_total_that_cannot_be_paid()
    {
        var saga = new OrderDialogue().Placed(OrderDialogue.Order with { AdjustmentsMinor = -2_000 })
            .Reserved().Says("ReleaseStock")
            .Undone(StepNames.ReserveStock).Says("OrderRejected");
        Assert.Equal(ReasonCodes.TotalOutOfRange, saga.Said<OrderRejected>().Code);
    }

    [Fact]
    public void A_total_that_overflows_is_refused() =>
        Placed.Reserved([new(1, "MUG-01", 2, long.MaxValue)]).Says("ReleaseStock");

    [Fact]
    public void A_customer_who_does_not_confirm_the_payment_lets_the_order_expire()
    {
        var saga = Paying
            .Answers(StepNames.AuthorizePayment, new(false, StepOutcome.Waiting, Action: "https://bank.example/3ds"))
            .Says("RenewHold", "OrderWaiting").Is(SagaStatus.Waiting)
            .After(TimeSpan.FromHours(1)).Timer().Says("UndoPayment")
            .Undone(StepNames.AuthorizePayment).Undone(StepNames.ReserveStock).Says("OrderExpired");
        Assert.Equal(ReasonCodes.ActionExpired, saga.Said<OrderExpired>().Code);
    }

    [Fact]
    public void An_order_is_told_what_its_customer_has_to_do_and_told_again_when_it_asks()
    {
        StepAnswered atTheBank = new(false, StepOutcome.Waiting, Action: "https://bank.example/3ds");
        var saga = Paying.Answers(StepNames.AuthorizePayment, atTheBank);
        var told = saga.Said<OrderWaiting>();
        Assert.Equal(
            ("https://bank.example/3ds", OrderDialogue.Noon.AddHours(1)), (told.Action, told.Until));
        saga.After(TimeSpan.FromSeconds(30)).Answers(StepNames.AuthorizePayment, atTheBank).Says();
        Assert.Equal(told, saga.Placed().Says("OrderWaiting").Said<OrderWaiting>());
        saga.Authorized().Says("CommitStock").Placed().Says();
    }

    [Fact]
    public void Where_money_is_taken_with_what_is_shipped_the_process_ends_with_it_secured()
    {
        var saga = new OrderDialogue().Placed(OrderDialogue.Order with { Capture = CapturePolicies.Fulfilment })
            .Reserved().Authorized().Committed().Says("OrderConfirmed").Is(SagaStatus.Completed);
        Assert.Equal(PaymentStatuses.Authorized, saga.Said<OrderConfirmed>().Payment.Status);
        // Until something is shipped it can be cancelled: the money is released.
        saga.Cancelled().Says("ReleaseStock").Undone(StepNames.CommitStock).Says("UndoPayment");
    }

    [Fact]
    public void A_silent_service_lets_the_order_expire()
    {
        var saga = Placed.After(TimeSpan.FromMinutes(10)).Timer().Says("ReleaseStock")
            .Undone(StepNames.ReserveStock).Says("OrderExpired");
        Assert.Equal(ReasonCodes.TimedOut, saga.Said<OrderExpired>().Code);
        Assert.Equal("timed_out", saga.Said<OrderExpired>().Steps[0].Outcome);
    }

    [Fact]
    public void A_cancelled_confirmed_order_gives_everything_back() =>
        Confirmed.CapturedNow().Cancelled().Says("ReleaseStock")
            .Undone(StepNames.CommitStock).Says("UndoPayment")
            .Undone(StepNames.AuthorizePayment, new(1_000, 1_000, 1_000, false)).Says("ReleaseStock")
            .Undone(StepNames.ReserveStock).Says("OrderCancelled");

    [Fact]
    public void A_cancel_that_overtakes_its_order_ends_it_before_anybody_is_asked() =>
        new OrderDialogue().Cancelled().Says("OrderCancelled").Placed().Says("OrderCancelled");

    [Fact]
    public void An_order_asked_about_again_is_answered_again() =>
        Placed.Placed().Says().Reserved().Authorized().Committed().Placed().Says("OrderConfirmed")
            .CapturedNow().Placed().Says("OrderConfirmed");

    [Fact]
    public void Placed_and_cancelled_in_one_batch_awaits_the_answer_and_undoes_it() =>
        new OrderDialogue().Hears(OrderDialogue.Order, new CancelRequested("customer", OrderDialogue.Order))
            .Says("ReserveStock").Is(SagaStatus.Compensating)
            .Reserved().Says("ReleaseStock").Undone(StepNames.ReserveStock).Says("OrderCancelled");

    [Fact]
    public void A_late_answer_teaches_nothing()
    {
        var saga = Confirmed.CapturedNow();
        saga.Answers(
            StepNames.AuthorizePayment, new(false, StepOutcome.Completed, Payment: PaymentTotals.None)).Says();
        Assert.Equal(PaymentStatuses.Paid, saga.Stored.Payment.Status);
    }

    [Fact]
    public void Every_command_carries_step_attempt_deadline_and_the_orders_trace()
    {
        var saga = Placed.After(TimeSpan.FromSeconds(4)).Timer();
        var command = Assert.Single(saga.Sent);
        Assert.Equal((StepNames.ReserveStock, 2), (command.Step, command.Attempt));
        Assert.Equal(OrderDialogue.Noon + TimeSpan.FromMinutes(10), command.Deadline);
        Assert.Equal("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", command.TraceParent);
    }

    [Fact]
    public void The_core_and_the_contract_call_the_same_thing_the_same() => Assert.Equal(
        (ReasonCodes.TimedOut, ReasonCodes.ActionExpired, ReasonCodes.AttemptsExhausted, ReasonCodes.InDoubt,
            ReasonCodes.Cancelled),
        (SagaCodes.TimedOut, SagaCodes.ActionExpired, SagaCodes.AttemptsExhausted, SagaCodes.InDoubt,
            SagaCodes.Cancelled));

    [Fact]
    public void Every_step_is_answered_well_before_its_hold_ends() => Assert.All(
        OrderSaga.Current.Steps.Where(step => !step.ForwardOnly),
        step => Assert.True(step.Ask.Within < OrderSaga.HoldFor));

    [Fact]
    public void A_wait_renews_the_hold_well_before_it_ends() => Assert.True(
        OrderSaga.Current.Find(StepNames.ReserveStock)!.RenewEvery * 3 < OrderSaga.HoldFor);
}

public sealed class TimerChangeTests
{
    static readonly SagaDefinition Process = OrderSaga.Current;

    static SagaProgress After(OrderDialogue saga, StepAnswered answer, string step)
    {
        var progress = SagaProgress.Of(saga.Stored, saga.Now);
        progress.Take(new Message
        {
            Id = default, Source = "test", OrderId = OrderDialogue.OrderId, Time = saga.Now, Body = answer, Step = step,
        });
        return progress;
    }

    static readonly StepAnswered Done = new(false, StepOutcome.Completed, Priced: [new(1, "A", 1, 1)]);

    [Fact]
    public void An_answer_on_the_way_leaves_the_timer_alone() =>
        Assert.Equal(
            TimerChange.Keep, After(new OrderDialogue().Placed(), Done, StepNames.ReserveStock).TimerChange);

    [Fact]
    public void An_end_deletes_it() => Assert.Equal(
        TimerChange.Delete,
        After(new OrderDialogue().Placed(), Done with { Outcome = StepOutcome.Rejected }, StepNames.ReserveStock).TimerChange);

    [Fact]
    public void What_heals_an_incident_sets_it_again()
    {
        var stuck = new OrderDialogue().Placed().Reserved().Rejects(StepNames.AuthorizePayment, "no")
            .Answers(StepNames.ReserveStock, new(true, StepOutcome.Rejected, "lost", "Not found."));
        Assert.Equal(SagaStatus.Failed, stuck.State.Status);
        Assert.Equal(
            TimerChange.Move,
            After(stuck, new(true, StepOutcome.InDoubt), StepNames.CommitStock) is { Changed: false }
                ? After(stuck, new(true, StepOutcome.Waiting), StepNames.ReserveStock).TimerChange
                : TimerChange.Keep);
    }

    [Fact]
    public void An_answer_after_a_long_pause_brings_it_forward()
    {
        var paused = new OrderDialogue().Placed().Answers(
            StepNames.ReserveStock, new(false, StepOutcome.Retry, RetryAfter: TimeSpan.FromMinutes(5)));
        Assert.Equal(TimerChange.Move, After(paused, Done, StepNames.ReserveStock).TimerChange);
    }

    [Fact]
    public void A_cancelled_confirmed_order_gets_a_new_one()
    {
        var done = new OrderDialogue().Placed().Reserved().Authorized(captured: 1_000).Committed();
        var progress = SagaProgress.Of(done.Stored, done.Now);
        progress.Take(new Message
        {
            Id = default, Source = "test", OrderId = OrderDialogue.OrderId, Time = done.Now,
            Body = new CancelRequested("customer", OrderDialogue.Order),
        });
        Assert.Equal(TimerChange.Add, progress.TimerChange);
    }
}
