using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.SagaCoordinator.Process;
using static Orderwright.Conformance.Coordinator.TestMessages;

namespace Orderwright.Conformance.Coordinator;

/// <summary>Handlers, timers and SQL of the coordinator, as dialogues, on every engine.</summary>
public abstract class CoordinatorSuite(StorageEngine engine) : IAsyncLifetime
{
    readonly TestClock clock = new();
    readonly List<TestCoordinator> instances = [];
    string address = "";
    TestCoordinator coordinator = null!;

    public async ValueTask InitializeAsync()
    {
        address = await engine.NewAddressAsync();
        coordinator = await StartAsync();
        await coordinator.SweepAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var instance in instances) await instance.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_batch_of_orders_takes_a_constant_number_of_statements()
    {
        var orders = NewOrders(100);

        Sends(orders, "ReserveStock", await coordinator.ReceiveAsync(Placed(orders)));
        Assert.Equal(["insert_sagas", "insert_timers"], coordinator.Statements);

        Sends(orders, "AuthorizePayment", await coordinator.ReceiveAsync(Reserved(orders)));
        Assert.Equal(["update_sagas"], coordinator.Statements);

        Sends(orders, "CommitStock", await coordinator.ReceiveAsync(Authorized(orders, captured: 600)));
        Assert.Equal(["update_sagas"], coordinator.Statements);

        Sends(orders, "OrderConfirmed", await coordinator.ReceiveAsync(Committed(orders)));
        Assert.Equal(["update_sagas", "delete_timers"], coordinator.Statements);

        var row = await coordinator.RowAsync(orders[42]);
        Assert.Equal(("completed", null, null, null), (row!.State, row.Step, row.WaitingFor, row.Code));
        Assert.False(row.HasTimer);
        Assert.Equal(clock.Now, row.EndedAt);
    }

    [Fact]
    public async Task Another_instance_loads_sagas_absent_from_its_memory()
    {
        var orders = NewOrders(100);
        var other = await StartAsync();
        await coordinator.ReceiveAsync(Placed(orders));
        Sends(orders, "AuthorizePayment", await other.ReceiveAsync(Reserved(orders)));
        Assert.Equal(["lock_sagas", "update_sagas"], other.Statements);
    }

    [Fact]
    public async Task An_outdated_memory_is_detected_by_the_version_of_the_row()
    {
        var (order, cancelled) = (NewOrders(1), NewOrders(1));
        var other = await StartAsync();
        await coordinator.ReceiveAsync([.. Placed(order), .. Placed(cancelled)]);
        await other.ReceiveAsync([.. Reserved(order), .. Cancelled(cancelled)]);

        var sent = await coordinator.ReceiveAsync([.. Authorized(order), .. Reserved(cancelled)]);
        Assert.Equal(["CommitStock", "ReleaseStock"], Types(sent).Order());
        Assert.Equal(["update_sagas", "lock_sagas", "update_sagas"], coordinator.Statements);
    }

    [Fact]
    public async Task A_mixed_batch_advances_every_saga()
    {
        var (fresh, paying, ending) = (NewOrders(3), NewOrders(3), NewOrders(3));
        await coordinator.ReceiveAsync([.. Placed(paying), .. Placed(ending)]);
        await coordinator.ReceiveAsync([.. Reserved(paying), .. Reserved(ending)]);
        await coordinator.ReceiveAsync(Authorized(ending, captured: 600));

        var sent = await coordinator.ReceiveAsync(
            [.. Committed(ending), .. Placed(fresh), .. Authorized(paying), .. Placed(paying, attempt: 2)]);

        Sends(fresh, "ReserveStock", [.. sent.Where(m => fresh.Contains(m.OrderId))]);
        Sends(paying, "CommitStock", [.. sent.Where(m => paying.Contains(m.OrderId))]);
        Sends(ending, "OrderConfirmed", [.. sent.Where(m => ending.Contains(m.OrderId))]);
    }

    [Fact]
    public async Task Several_messages_of_one_order_in_a_batch_are_one_write()
    {
        var order = NewOrders(1);
        var sent = await coordinator.ReceiveAsync([.. Placed(order), .. Reserved(order), .. Authorized(order)]);

        Assert.Equal(["AuthorizePayment", "CommitStock", "ReserveStock"], Types(sent).Order());
        Assert.Equal(["insert_sagas", "insert_timers"], coordinator.Statements);
        Assert.Equal(3, (await coordinator.RowAsync(order[0]))!.Version);
    }

    [Fact]
    public async Task A_redelivered_batch_changes_nothing_and_sends_nothing()
    {
        var orders = NewOrders(5);
        await coordinator.ReceiveAsync(Placed(orders));
        await coordinator.ReceiveAsync(Reserved(orders));
        var before = await coordinator.RowAsync(orders[0]);

        Assert.Empty(await coordinator.ReceiveAsync(Placed(orders)));
        Assert.Empty(await coordinator.ReceiveAsync(Reserved(orders)));
        Assert.Empty(await coordinator.ReceiveAsync([.. Placed(orders), .. Placed(orders), .. Reserved(orders)]));
        Assert.Equal(before, await coordinator.RowAsync(orders[0]));
    }

    [Fact]
    public async Task An_ended_order_gets_the_outcome_again()
    {
        var order = NewOrders(1);
        await EndAsync(order);
        Assert.Equal(["OrderConfirmed"], Types(await coordinator.ReceiveAsync(Placed(order, attempt: 2))));
        Assert.Equal(["OrderConfirmed"], Types(await coordinator.ReceiveAsync(Placed(order))));
    }

    [Fact]
    public async Task A_reply_about_an_unknown_order_is_dropped()
    {
        var order = NewOrders(1);
        Assert.Empty(await coordinator.ReceiveAsync(Reserved(order)));
        Assert.Null(await coordinator.RowAsync(order[0]));
    }

    [Fact]
    public async Task A_cancellation_of_an_order_lost_with_the_database_undoes_every_step()
    {
        var order = NewOrders(1);
        Assert.Equal(["ReleaseStock"], Types(await coordinator.ReceiveAsync(Cancelled(order))));
        var row = await coordinator.RowAsync(order[0]);
        Assert.Equal(("compensating", true), (row!.State, row.HasTimer));
        Assert.Equal(["UndoPayment"], Types(await coordinator.ReceiveAsync(Undone(order, StepNames.CommitStock))));
        Assert.Equal(["ReleaseStock"], Types(await coordinator.ReceiveAsync(Undone(order, StepNames.AuthorizePayment))));
        Assert.Equal(["OrderCancelled"], Types(await coordinator.ReceiveAsync(Undone(order, StepNames.ReserveStock))));
        row = await coordinator.RowAsync(order[0]);
        Assert.Equal(("compensated", false), (row!.State, row.HasTimer));
        Assert.Equal(["OrderCancelled"], Types(await coordinator.ReceiveAsync(Placed(order))));
    }

    [Fact]
    public async Task A_cancellation_in_flight_awaits_the_reply_and_undoes_the_step()
    {
        var order = NewOrders(1);
        await coordinator.ReceiveAsync(Placed(order));
        Assert.Empty(await coordinator.ReceiveAsync(Cancelled(order)));
        Assert.Equal(["ReleaseStock"], Types(await coordinator.ReceiveAsync(Reserved(order))));
        Assert.Equal(["OrderCancelled"], Types(await coordinator.ReceiveAsync(Undone(order, StepNames.ReserveStock))));
    }

    [Fact]
    public async Task A_cancelled_confirmed_order_is_undone_with_a_new_timer()
    {
        var order = NewOrders(1);
        await EndAsync(order);
        Assert.Equal(["ReleaseStock"], Types(await coordinator.ReceiveAsync(Cancelled(order))));
        var row = await coordinator.RowAsync(order[0]);
        Assert.Equal(("compensating", StepNames.CommitStock, true), (row!.State, row.Step, row.HasTimer));
        Assert.Null(row.EndedAt);

        clock.Now += TimeSpan.FromSeconds(4);
        Assert.Equal(["ReleaseStock"], Types(await coordinator.RunTimersAsync()));
    }

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

    [Fact]
    public async Task With_the_same_messages_at_two_coordinators_only_one_acts()
    {
        var other = await StartAsync();
        for (var round = 0; round < 20; round++)
        {
            var orders = NewOrders(5);
            await OnlyOneSendsAsync(orders, "ReserveStock", Placed(orders), other);
            await OnlyOneSendsAsync(orders, "AuthorizePayment", Reserved(orders), other);
            await OnlyOneSendsAsync(orders, "CommitStock", Authorized(orders), other);
        }
    }

    [Fact]
    public async Task A_decision_on_an_outdated_saga_is_void()
    {
        var order = NewOrders(1);
        await coordinator.ReceiveAsync(Placed(order));
        var loaded = await coordinator.WriteAsync(work => coordinator.Store.LockAsync(work, order));
        await coordinator.ReceiveAsync(Reserved(order));

        var stale = SagaProgress.Of(loaded[order[0]], clock.Now);
        stale.Take(Rejected(order, StepNames.ReserveStock)[0]);
        await Assert.ThrowsAsync<StaleSagaException>(() => coordinator.WriteAsync(async work =>
        {
            await coordinator.Store.UpdateLockedAsync(work, [stale]);
            return true;
        }));
        var row = await coordinator.RowAsync(order[0]);
        Assert.Equal(("running", 2), (row!.State, row.Version));
    }

    // ---- shared steps ----

    async Task<TestCoordinator> StartAsync()
    {
        var instance = await TestCoordinator.StartAsync(engine, address, clock);
        instances.Add(instance);
        return instance;
    }

    async Task EndAsync(IReadOnlyList<Guid> orders)
    {
        await coordinator.ReceiveAsync(Placed(orders));
        await coordinator.ReceiveAsync(Reserved(orders));
        await coordinator.ReceiveAsync(Authorized(orders, captured: 600));
        await coordinator.ReceiveAsync(Committed(orders));
    }

    async Task OnlyOneSendsAsync(IReadOnlyList<Guid> orders, string type, IReadOnlyList<Message> batch, TestCoordinator other)
    {
        var sent = await Task.WhenAll(
            Task.Run(() => coordinator.ReceiveAsync(batch)),
            Task.Run(() => other.ReceiveAsync([.. batch.Reverse()])));
        Sends(orders, type, [.. sent[0], .. sent[1]]);
    }

    static void Sends(IReadOnlyList<Guid> orders, string type, IReadOnlyList<Message> sent)
    {
        Assert.All(sent, message => Assert.Equal(type, message.Body.GetType().Name));
        Assert.Equal(orders.Order(), sent.Select(message => message.OrderId).Order());
    }

    static IEnumerable<string> Types(IReadOnlyList<Message> sent) =>
        sent.Select(message => message.Body.GetType().Name);
}

public sealed class PostgresCoordinatorTests(PostgresEngine engine) : CoordinatorSuite(engine), IClassFixture<PostgresEngine>;

public sealed class SqliteCoordinatorTests(SqliteEngine engine) : CoordinatorSuite(engine), IClassFixture<SqliteEngine>;
