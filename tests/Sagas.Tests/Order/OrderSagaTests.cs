using Orderwright.Contracts;
using Orderwright.SagaCoordinator.Process;

namespace Orderwright.Sagas.Tests.Order;

public sealed class OrderSagaTests
{
    static OrderDialogue Placed => new OrderDialogue().Placed();

    static OrderDialogue Paying => Placed.Reserved();

    static OrderDialogue Confirmed => Paying.Authorized().Committed();

    [Fact]
    public void The_participant_of_a_step_is_the_only_sender_of_its_replies() =>
        Assert.All(
            OrderSaga.Current.Steps,
            step => Assert.Equal(
                step.Participant,
                MessageCatalog.SenderOf(new StepAnswered(Undo: false, StepOutcome.Completed), step.Name)));

    [Fact]
    public void A_successful_order_is_confirmed_at_the_pivot_and_again_after_the_capture()
    {
        var saga = Placed.Sends("ReserveStock");
        Assert.Equal(saga.Now + TimeSpan.FromMinutes(15), saga.SentBody<ReserveStock>().HoldUntil);

        saga.Reserved().Sends("AuthorizePayment");
        Assert.Equal(1_000, saga.SentBody<AuthorizePayment>().AmountMinor);

        saga.Authorized().Sends("CommitStock").Committed().Sends("CapturePayment", "OrderConfirmed");
        Assert.Equal(PaymentStatuses.Authorized, saga.SentBody<OrderConfirmed>().Payment.Status);
        Assert.Equal(1_000, saga.SentBody<OrderConfirmed>().TotalMinor);

        saga.CapturedNow().Sends("OrderConfirmed").Is(SagaStatus.Completed);
        Assert.Equal(PaymentStatuses.Paid, saga.SentBody<OrderConfirmed>().Payment.Status);
    }

    [Fact]
    public void Store_credit_needs_no_capture() =>
        Paying.Authorized(captured: 1_000).Committed().Sends("OrderConfirmed").Is(SagaStatus.Completed);

    [Fact]
    public void A_declined_payment_releases_the_goods()
    {
        var saga = Paying.Rejects(StepNames.AuthorizePayment, ReasonCodes.PaymentDeclined).Sends("ReleaseStock")
            .Undone(StepNames.ReserveStock).Sends("OrderRejected");
        var message = saga.SentBody<OrderRejected>();
        Assert.Equal((ReasonCodes.PaymentDeclined, StepNames.AuthorizePayment), (message.Code, message.Step));
        Assert.Equal(
            ["reserve-stock completed", "authorize-payment rejected", "undo reserve-stock completed"],
            message.Steps.Select(s => $"{(s.Undo ? "undo " : "")}{s.Step} {s.Outcome}"));
    }

    [Fact]
    public void A_lost_hold_at_the_commit_returns_the_money()
    {
        var saga = Paying.Authorized(captured: 1_000).Rejects(StepNames.CommitStock, ReasonCodes.HoldLost);
        Assert.Equal(ReasonCodes.HoldLost, saga.Sends("UndoPayment").SentBody<UndoPayment>().Reason);
        saga.Undone(StepNames.AuthorizePayment, new(1_000, 1_000, 1_000, false)).Sends("ReleaseStock")
            .Undone(StepNames.ReserveStock).Sends("OrderRejected");
        Assert.Equal(PaymentStatuses.Refunded, saga.SentBody<OrderRejected>().Payment.Status);
    }

    [Fact]
    public void A_total_out_of_range_is_refused_before_the_payment()
    {
        var saga = new OrderDialogue().Placed(OrderDialogue.Order with { AdjustmentsMinor = -2_000 })
            .Reserved().Sends("ReleaseStock")
            .Undone(StepNames.ReserveStock).Sends("OrderRejected");
        Assert.Equal(ReasonCodes.TotalOutOfRange, saga.SentBody<OrderRejected>().Code);
    }

    [Fact]
    public void A_total_that_overflows_is_refused() =>
        Placed.Reserved([new(1, "MUG-01", 2, long.MaxValue)]).Sends("ReleaseStock");

    [Fact]
    public void A_customer_who_does_not_confirm_the_payment_lets_the_order_expire()
    {
        var saga = Paying
            .Answers(StepNames.AuthorizePayment, new(false, StepOutcome.Waiting, Action: "https://bank.example/3ds"))
            .Sends("RenewHold", "OrderWaiting").Is(SagaStatus.Waiting)
            .After(TimeSpan.FromHours(1)).Timer().Sends("UndoPayment")
            .Undone(StepNames.AuthorizePayment).Undone(StepNames.ReserveStock).Sends("OrderExpired");
        Assert.Equal(ReasonCodes.ActionExpired, saga.SentBody<OrderExpired>().Code);
    }

    [Fact]
    public void Order_service_is_notified_of_the_customers_action_and_again_on_request()
    {
        StepAnswered atTheBank = new(false, StepOutcome.Waiting, Action: "https://bank.example/3ds");
        var saga = Paying.Answers(StepNames.AuthorizePayment, atTheBank);
        var message = saga.SentBody<OrderWaiting>();
        Assert.Equal(
            ("https://bank.example/3ds", OrderDialogue.Noon.AddHours(1)), (message.Action, message.Until));
        saga.After(TimeSpan.FromSeconds(30)).Answers(StepNames.AuthorizePayment, atTheBank).Sends();
        Assert.Equal(message, saga.Placed().Sends("OrderWaiting").SentBody<OrderWaiting>());
        saga.Authorized().Sends("CommitStock").Placed().Sends();
    }

    [Fact]
    public void With_capture_on_fulfilment_the_process_ends_with_the_payment_authorized()
    {
        var saga = new OrderDialogue().Placed(OrderDialogue.Order with { Capture = CapturePolicies.Fulfilment })
            .Reserved().Authorized().Committed().Sends("OrderConfirmed").Is(SagaStatus.Completed);
        Assert.Equal(PaymentStatuses.Authorized, saga.SentBody<OrderConfirmed>().Payment.Status);
        // The order can be cancelled until goods are shipped: the authorization is released.
        saga.Cancelled().Sends("ReleaseStock").Undone(StepNames.CommitStock).Sends("UndoPayment");
    }

    [Fact]
    public void A_silent_service_lets_the_order_expire()
    {
        var saga = Placed.After(TimeSpan.FromMinutes(10)).Timer().Sends("ReleaseStock")
            .Undone(StepNames.ReserveStock).Sends("OrderExpired");
        Assert.Equal(ReasonCodes.TimedOut, saga.SentBody<OrderExpired>().Code);
        Assert.Equal("timed_out", saga.SentBody<OrderExpired>().Steps[0].Outcome);
    }

    [Fact]
    public void A_cancelled_confirmed_order_returns_money_and_goods() =>
        Confirmed.CapturedNow().Cancelled().Sends("ReleaseStock")
            .Undone(StepNames.CommitStock).Sends("UndoPayment")
            .Undone(StepNames.AuthorizePayment, new(1_000, 1_000, 1_000, false)).Sends("ReleaseStock")
            .Undone(StepNames.ReserveStock).Sends("OrderCancelled");

    [Fact]
    public void A_cancellation_of_an_unknown_order_undoes_whatever_may_have_happened()
    {
        var saga = new OrderDialogue().Cancelled().Sends("ReleaseStock").Placed().Sends()
            .Undone(StepNames.CommitStock).Sends("UndoPayment");
        Assert.Equal(
            new PaymentTerms("17850", "GBP", new("sandbox", "tok_visa")), saga.SentBody<UndoPayment>().Terms);
        saga.Undone(StepNames.AuthorizePayment, new(1_000, 1_000, 1_000, false)).Sends("ReleaseStock")
            .Undone(StepNames.ReserveStock).Sends("OrderCancelled").Placed().Sends("OrderCancelled");
        Assert.Equal(1_000, saga.SentBody<OrderCancelled>().Payment.RefundedMinor);
    }

    [Fact]
    public void A_repeated_order_gets_the_outcome_again() =>
        Placed.Placed().Sends().Reserved().Authorized().Committed().Placed().Sends("OrderConfirmed")
            .CapturedNow().Placed().Sends("OrderConfirmed");

    [Fact]
    public void Placed_and_cancelled_in_one_batch_awaits_the_reply_and_undoes_the_step() =>
        new OrderDialogue().Receives(OrderDialogue.Order, new CancelRequested("customer", OrderDialogue.Order))
            .Sends("ReserveStock").Is(SagaStatus.Compensating)
            .Reserved().Sends("ReleaseStock").Undone(StepNames.ReserveStock).Sends("OrderCancelled");

    [Fact]
    public void A_late_reply_changes_no_facts()
    {
        var saga = Confirmed.CapturedNow();
        saga.Answers(
            StepNames.AuthorizePayment, new(false, StepOutcome.Completed, Payment: PaymentTotals.None)).Sends();
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
    public void Core_and_contract_use_the_same_codes() => Assert.Equal(
        (ReasonCodes.TimedOut, ReasonCodes.ActionExpired, ReasonCodes.AttemptsExhausted, ReasonCodes.InDoubt,
            ReasonCodes.Cancelled),
        (SagaCodes.TimedOut, SagaCodes.ActionExpired, SagaCodes.AttemptsExhausted, SagaCodes.InDoubt,
            SagaCodes.Cancelled));

    [Fact]
    public void Every_step_expires_well_before_the_hold_ends() => Assert.All(
        OrderSaga.Current.Steps.Where(step => !step.ForwardOnly),
        step => Assert.True(step.Ask.Within < OrderSaga.HoldFor));

    [Fact]
    public void A_wait_renews_the_hold_well_before_the_hold_ends() => Assert.True(
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
    public void A_successful_reply_leaves_the_timer_alone() =>
        Assert.Equal(
            TimerChange.Keep, After(new OrderDialogue().Placed(), Done, StepNames.ReserveStock).TimerChange);

    [Fact]
    public void An_end_deletes_the_timer() => Assert.Equal(
        TimerChange.Delete,
        After(new OrderDialogue().Placed(), Done with { Outcome = StepOutcome.Rejected }, StepNames.ReserveStock).TimerChange);

    [Fact]
    public void A_reply_that_ends_an_incident_sets_the_timer()
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
    public void A_reply_during_a_long_pause_brings_the_timer_forward()
    {
        var paused = new OrderDialogue().Placed().Answers(
            StepNames.ReserveStock, new(false, StepOutcome.Retry, RetryAfter: TimeSpan.FromMinutes(5)));
        Assert.Equal(TimerChange.Move, After(paused, Done, StepNames.ReserveStock).TimerChange);
    }

    [Fact]
    public void A_cancelled_confirmed_order_gets_a_new_timer()
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
