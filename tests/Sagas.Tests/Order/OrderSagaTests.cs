using Orderwright.Contracts;
using Orderwright.SagaCoordinator.Process;

namespace Orderwright.Sagas.Tests.Order;

public sealed class OrderSagaTests
{
    static OrderDialogue Placed => new OrderDialogue().Placed();

    static OrderDialogue Paying => Placed.Reserved();

    static OrderDialogue Confirmed => Paying.Authorized();

    [Fact]
    public void The_participant_of_a_step_is_the_only_sender_of_its_replies() =>
        Assert.All(
            OrderSaga.BuiltIn.Definition.Steps,
            step => Assert.Equal(
                [step.Participant],
                MessageCatalog.SendersOf(new StepAnswered(Undo: false, StepOutcome.Completed), step.Name)));

    [Fact]
    public void A_successful_order_is_confirmed_at_the_pivot_and_again_after_the_capture()
    {
        var saga = Placed.Sends("ReserveStock").Reserved().Sends("AuthorizePayment");
        Assert.Equal(1_000, saga.SentBody<AuthorizePayment>().AmountMinor);

        saga.Authorized().Sends("CommitStock", "CapturePayment", "OrderConfirmed");
        Assert.Equal(PaymentStatuses.Authorized, saga.SentBody<OrderConfirmed>().Payment.Status);
        Assert.Equal(1_000, saga.SentBody<OrderConfirmed>().TotalMinor);

        saga.CapturedNow().Sends().Committed().Sends("OrderConfirmed").Is(SagaStatus.Completed);
        Assert.Equal(PaymentStatuses.Paid, saga.SentBody<OrderConfirmed>().Payment.Status);
    }

    [Fact]
    public void Store_credit_needs_no_capture_and_the_end_no_second_confirmation() =>
        Paying.Authorized(captured: 1_000).Sends("CommitStock", "OrderConfirmed").Is(SagaStatus.Running)
            .Committed().Sends().Is(SagaStatus.Completed)
            .Placed().Sends("OrderConfirmed");

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
    public void A_hold_lost_with_its_database_is_taken_again_by_a_commit_that_names_the_goods()
    {
        StepAnswered lost = new(
            false, StepOutcome.Retry, ReasonCodes.NotReserved, "Nothing is held for this order.", TimeSpan.Zero);
        var saga = Paying.Authorized(captured: 1_000);
        Assert.Null(saga.SentBody<CommitStock>().Lines);
        var again = saga.Answers(StepNames.CommitStock, lost).Sends().After(TimeSpan.FromSeconds(4)).Timer()
            .SentBody<CommitStock>();
        Assert.Equal(("GBP", 300L), (again.Currency, again.Lines![0].UnitPrice));
        saga.Rejects(StepNames.CommitStock, ReasonCodes.OutOfStock).Is(SagaStatus.Failed);
    }

    [Fact]
    public void A_question_about_a_hold_repeats_the_command_that_has_ended_the_hold()
    {
        Placed.Reserved().Receives(new AskSaga()).Sends();
        Placed.After(TimeSpan.FromSeconds(4)).Receives(new AskSaga()).Sends("ReserveStock");
        Paying.Authorized(captured: 1_000).Committed().Receives(new AskSaga()).Sends("CommitStock")
            .Committed().Sends().Is(SagaStatus.Completed);
        Paying.Rejects(StepNames.AuthorizePayment, ReasonCodes.PaymentDeclined).Receives(new AskSaga()).Sends()
            .Undone(StepNames.ReserveStock).Receives(new AskSaga()).Sends("ReleaseStock")
            .Undone(StepNames.ReserveStock).Sends().Is(SagaStatus.Compensated);
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
            .Sends("OrderWaiting").Is(SagaStatus.Waiting)
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
        saga.Authorized().Sends("CommitStock", "CapturePayment", "OrderConfirmed").Placed().Sends("OrderConfirmed");
    }

    [Fact]
    public void With_capture_on_fulfilment_the_process_ends_with_the_payment_authorized()
    {
        var saga = new OrderDialogue().Placed(OrderDialogue.Order with { Capture = CapturePolicies.Fulfilment })
            .Reserved().Authorized().Sends("CommitStock", "OrderConfirmed");
        Assert.Equal(PaymentStatuses.Authorized, saga.SentBody<OrderConfirmed>().Payment.Status);
        saga.Committed().Sends().Is(SagaStatus.Completed);
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
        Confirmed.Committed().CapturedNow().Cancelled().Sends("ReleaseStock")
            .Undone(StepNames.CommitStock).Sends("UndoPayment")
            .Undone(StepNames.AuthorizePayment, new(1_000, 1_000, 1_000, false)).Sends("ReleaseStock")
            .Undone(StepNames.ReserveStock).Sends("OrderCancelled");

    [Fact]
    public void A_cancellation_of_an_unknown_order_undoes_whatever_may_have_happened()
    {
        var saga = new OrderDialogue().Cancelled().Sends("ReleaseStock").Placed().Sends()
            .Undone(StepNames.CommitStock).Sends("UndoPayment");
        Assert.Equal(
            new PaymentTerms("17850", "GBP", new("sandbox", "tok_visa"), Channel: "main"), saga.SentBody<UndoPayment>().Terms);
        saga.Undone(StepNames.AuthorizePayment, new(1_000, 1_000, 1_000, false)).Sends("ReleaseStock")
            .Undone(StepNames.ReserveStock).Sends("OrderCancelled").Placed().Sends("OrderCancelled");
        Assert.Equal(1_000, saga.SentBody<OrderCancelled>().Payment.RefundedMinor);
    }

    [Fact]
    public void A_repeated_order_gets_the_outcome_again() =>
        Placed.Placed().Sends().Reserved().Authorized().Placed().Sends("OrderConfirmed")
            .Committed().CapturedNow().Placed().Sends("OrderConfirmed");

    [Fact]
    public void Placed_and_cancelled_in_one_batch_awaits_the_reply_and_undoes_the_step() =>
        new OrderDialogue().Receives(OrderDialogue.Order, new CancelRequested("customer", OrderDialogue.Order))
            .Sends("ReserveStock").Is(SagaStatus.Compensating)
            .Reserved().Sends("ReleaseStock").Undone(StepNames.ReserveStock).Sends("OrderCancelled");

    [Fact]
    public void A_late_reply_changes_no_facts()
    {
        var saga = Confirmed.Committed().CapturedNow();
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
            ReasonCodes.Cancelled, ReasonCodes.AlreadyUndone),
        (SagaCodes.TimedOut, SagaCodes.ActionExpired, SagaCodes.AttemptsExhausted, SagaCodes.InDoubt,
            SagaCodes.Cancelled, SagaCodes.AlreadyUndone));

    [Theory]
    [InlineData(OrderStatuses.Confirmed, "CommitStock,CapturePayment,OrderConfirmed", SagaStatus.Running)]
    [InlineData(OrderStatuses.Pending, "ReserveStock", SagaStatus.Running)]
    [InlineData(OrderStatuses.Expired, "ReleaseStock", SagaStatus.Compensating)]
    public void A_lost_saga_is_recreated_from_the_facts_of_order_service(string status, string sends, SagaStatus becomes)
    {
        var repair = new SagaRepair(OrderDialogue.OrderId, SagaTargets.Running, Order: OrderDialogue.Order with
        {
            Lines = [new(1, "MUG-01", 2, 300), new(2, "TEA-03", 1, 450)],
        });
        repair = status switch
        {
            OrderStatuses.Confirmed => repair with { To = SagaTargets.Confirmed, Payment = new(1_000, 0, 0, false) },
            OrderStatuses.Expired => repair with
            {
                To = SagaTargets.Undone, Ending = new(status, ReasonCodes.TimedOut, "stock-service did not reply."),
            },
            _ => repair,
        };
        var saga = new OrderDialogue().Receives(new AskSaga(), new OrderRecalled(repair)).Sends(sends.Split(',')).Is(becomes);
        Assert.True(saga.State.IsBehind);
        // Recalled twice, as two questions were on their way.
        saga.Receives(new OrderRecalled(repair)).Sends();
    }
}

public sealed class TimerChangeTests
{
    static readonly SagaDefinition Process = OrderSaga.BuiltIn.Definition;

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
