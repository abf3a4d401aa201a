using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.SagaCoordinator.Process;
using static Orderwright.Conformance.Coordinator.TestMessages;

namespace Orderwright.Conformance.Coordinator;

// Timers: resent commands, deadlines, questions about holds, restarts and wrong clocks.
public abstract partial class CoordinatorSuite
{
    [Fact]
    public async Task A_lost_command_is_resent_until_a_reply_arrives()
    {
        var order = NewOrders(1);
        await coordinator.ReceiveAsync(Placed(order));
        clock.Now += TimeSpan.FromSeconds(1);
        Assert.Empty(await coordinator.RunTimersAsync());

        clock.Now += TimeSpan.FromSeconds(3);
        var again = Assert.Single(await coordinator.RunTimersAsync());
        Assert.Equal(("ReserveStock", 2), (again.Body.GetType().Name, again.Attempt));

        clock.Now += TimeSpan.FromSeconds(15);
        Assert.Equal(3, Assert.Single(await coordinator.RunTimersAsync()).Attempt);
        Assert.Equal(["AuthorizePayment"], Types(await coordinator.ReceiveAsync(Reserved(order))));
    }

    [Fact]
    public async Task An_outdated_timer_decides_nothing_and_moves_on()
    {
        var order = NewOrders(1);
        await coordinator.ReceiveAsync(Placed(order));
        var due = (await coordinator.RowAsync(order[0]))!.DueAt!.Value;
        clock.Now = due - TimeSpan.FromMilliseconds(1);
        await coordinator.ReceiveAsync(Reserved(order));
        Assert.Equal(due, (await coordinator.RowAsync(order[0]))!.DueAt);

        clock.Now = due;
        Assert.Empty(await coordinator.RunTimersAsync());
        Assert.Equal(["lock_due_sagas", "postpone_timers"], coordinator.Statements);
        Assert.True((await coordinator.RowAsync(order[0]))!.DueAt > due);
    }

    [Fact]
    public async Task A_question_about_a_hold_repeats_what_is_due_and_ends_the_hold_of_an_ended_order()
    {
        var (open, sold, undone) = (NewOrders(1), NewOrders(1), NewOrders(1));
        await coordinator.ReceiveAsync([.. Placed(open), .. Placed(undone)]);
        await EndAsync(sold);
        await coordinator.ReceiveAsync(Cancelled(undone));
        await coordinator.ReceiveAsync(Reserved(undone));
        await coordinator.ReceiveAsync(Undone(undone, StepNames.ReserveStock));

        Assert.Empty(await coordinator.ReceiveAsync(MessageOf(open[0], new AskSaga())));
        clock.Now += TimeSpan.FromSeconds(4);
        var sent = await coordinator.ReceiveAsync(
            [.. ((Guid[])[.. open, .. sold, .. undone]).Select(id => MessageOf(id, new AskSaga()))]);
        Assert.Equal(
            [(sold[0], "CommitStock"), (undone[0], "ReleaseStock"), (open[0], "ReserveStock")],
            sent.Select(message => (message.OrderId, Type: message.Body.GetType().Name)).OrderBy(message => message.Type));
        Assert.Empty(await coordinator.ReceiveAsync([.. Committed(sold), .. Undone(undone, StepNames.ReserveStock)]));
    }

    [Fact]
    public async Task A_lost_saga_is_recreated_from_the_facts_of_order_service_and_goods_of_no_order_are_released()
    {
        var (lost, unknown) = (NewOrders(1), NewOrders(1));
        var questions = await coordinator.ReceiveAsync(MessageOf(lost[0], new AskSaga()), MessageOf(unknown[0], new AskSaga()));
        Assert.Equal(["RecallOrder", "RecallOrder"], Types(questions));
        Assert.All(questions, question => Assert.Null(question.Step));
        Assert.Null(await coordinator.RowAsync(lost[0]));

        SagaRepair confirmed = new(
            lost[0], SagaTargets.Confirmed, Order: (OrderPlaced)Placed(lost)[0].Body with
            {
                Lines = [new(1, "MUG-01", 2, 300)],
            }, IsPaid: true);
        var sent = await coordinator.ReceiveAsync(
            MessageOf(lost[0], new OrderRecalled(confirmed)), MessageOf(unknown[0], new OrderRecalled()),
            MessageOf(lost[0], new OrderRecalled(confirmed)));
        Assert.Equal(["CommitStock", "OrderConfirmed", "ReleaseStock"], Types(sent).Order());
        var row = (await coordinator.RowAsync(lost[0]))!;
        Assert.Equal(("running", true), (row.State, row.HasTimer));
        Assert.Null(await coordinator.RowAsync(unknown[0]));
        await coordinator.ReceiveAsync([.. Committed(lost), .. Undone(unknown, StepNames.ReserveStock)]);
        Assert.Equal("completed", (await coordinator.RowAsync(lost[0]))!.State);
    }

    [Fact]
    public async Task Silence_past_the_deadline_undoes_the_order_and_lets_it_expire()
    {
        var order = NewOrders(1);
        await coordinator.ReceiveAsync(Placed(order));
        clock.Now += TimeSpan.FromMinutes(10);
        Assert.Equal(["ReleaseStock"], Types(await coordinator.RunTimersAsync()));
        Assert.Equal(["OrderExpired"], Types(await coordinator.ReceiveAsync(Undone(order, StepNames.ReserveStock))));
        Assert.Equal("timed_out", (await coordinator.RowAsync(order[0]))!.Code);
    }

    [Fact]
    public async Task While_the_time_is_uncertain_commands_are_resent_and_no_deadline_ends_a_step()
    {
        var order = NewOrders(1);
        await coordinator.ReceiveAsync(Placed(order));
        var uncertain = await StartAsync(clockTolerance: TimeSpan.FromSeconds(30));
        Assert.Empty(await uncertain.RunTimersAsync());
        clock.Now += TimeSpan.FromMinutes(10);
        Sends(order, "ReserveStock", await uncertain.RunTimersAsync());
        // Until the time is certain, the saga is looked at every few seconds and not at every run.
        Assert.Empty(await uncertain.RunTimersAsync());
        var row = (await coordinator.RowAsync(order[0]))!;
        Assert.Equal(("running", clock.Now.AddSeconds(5)), (row.State, row.DueAt!.Value));
        // Nor does a question from stock-service end a step.
        Assert.DoesNotContain("ReleaseStock", Types(await uncertain.ReceiveAsync(MessageOf(order[0], new AskSaga()))));

        clock.Now = row.DueAt!.Value;
        Assert.Equal(["ReleaseStock"], Types(await coordinator.RunTimersAsync()));
    }

    [Fact]
    public async Task An_incident_waits_for_an_operator_without_an_active_timer_until_a_reply_ends_the_incident()
    {
        var order = NewOrders(1);
        await coordinator.ReceiveAsync(Placed(order));
        await coordinator.ReceiveAsync(Reserved(order));
        await coordinator.ReceiveAsync(Rejected(order, StepNames.AuthorizePayment));
        await coordinator.ReceiveAsync(Answer(
            order[0], StepNames.ReserveStock, new(true, StepOutcome.Rejected, "not_found", "There is no such hold.")));
        clock.Now += TimeSpan.FromMinutes(1);
        Assert.Empty(await coordinator.RunTimersAsync());
        var row = await coordinator.RowAsync(order[0]);
        Assert.Equal(
            ("failed", "reserve-stock", "operator", "not_found"), (row!.State, row.Step, row.WaitingFor, row.Code));
        Assert.Equal((true, null), (row.HasTimer, row.DueAt));

        await coordinator.ReceiveAsync(Answer(order[0], StepNames.ReserveStock, new(true, StepOutcome.Waiting)));
        Assert.NotNull((await coordinator.RowAsync(order[0]))!.DueAt);
        clock.Now += TimeSpan.FromSeconds(30);
        Assert.Equal(["ReleaseStock"], Types(await coordinator.RunTimersAsync()));
    }

    [Fact]
    public async Task After_a_restart_everything_outstanding_is_resent_once_in_chunks()
    {
        var orders = NewOrders(5);
        var ended = NewOrders(1);
        await coordinator.ReceiveAsync(Placed(orders));
        await EndAsync(ended);

        var restarted = await StartAsync();
        var first = await restarted.SweepAsync(most: 2);
        var second = await restarted.RunTimersAsync(most: 2);
        var third = await restarted.RunTimersAsync(most: 2);
        Sends(orders, "ReserveStock", [.. first, .. second, .. third]);
        Assert.Empty(await restarted.RunTimersAsync(most: 2));
    }

    [Fact]
    public async Task A_full_inbox_throttles_the_timers_for_a_limited_time()
    {
        var order = NewOrders(1);
        await coordinator.ReceiveAsync(Placed(order));
        clock.Now += TimeSpan.FromSeconds(5);
        coordinator.Backlog = coordinator.Options.MaxMessages + 1;
        Assert.Empty(await coordinator.RunTimersAsync());
        clock.Now += ResendDueCommands.LongestThrottle;
        Assert.Single(await coordinator.RunTimersAsync());
    }

    [Fact]
    public async Task A_retry_postponed_by_a_clock_that_was_ahead_is_due_once_the_clock_is_right()
    {
        var order = NewOrders(1);
        clock.Now += TimeSpan.FromHours(2);
        var wrong = await StartAsync();
        await wrong.ReceiveAsync(Placed(order));
        await wrong.SweepAsync();
        clock.Now -= TimeSpan.FromHours(2);
        // Also at an instance whose own clock was right all along.
        Assert.Empty(await coordinator.RunTimersAsync());
        await coordinator.RepairClockAsync();
        Sends(order, "ReserveStock", await coordinator.RunTimersAsync());
        Assert.Empty(await coordinator.RunTimersAsync());
    }

    [Fact]
    public async Task A_clock_set_back_makes_the_instance_resend_at_once()
    {
        var order = NewOrders(1);
        await coordinator.ReceiveAsync(Placed(order));
        await coordinator.RunTimersAsync();
        clock.Now -= TimeSpan.FromMinutes(1);
        Sends(order, "ReserveStock", await coordinator.RunTimersAsync());
        Assert.Empty(await coordinator.RunTimersAsync());
    }

    [Fact]
    public async Task An_unreadable_saga_does_not_block_other_timers()
    {
        var (good, bad) = (NewOrders(2), NewOrders(1));
        await coordinator.ReceiveAsync([.. Placed(bad), .. Placed(good)]);
        await coordinator.CorruptAsync(bad[0]);
        clock.Now += TimeSpan.FromSeconds(5);
        Sends(good, "ReserveStock", await coordinator.RunTimersAsync());
        Assert.True((await coordinator.RowAsync(bad[0]))!.DueAt > clock.Now + TimeSpan.FromMinutes(5));
    }
}
