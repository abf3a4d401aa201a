using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.SagaCoordinator;
using static Orderwright.Conformance.Coordinator.Talk;

namespace Orderwright.Conformance.Coordinator;

/// <summary>The coordinator's handlers and timers with their SQL, as dialogues: on every engine.</summary>
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
        await coordinator.SweepsAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var instance in instances) await instance.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task An_order_goes_its_way_in_a_few_statements_however_many_come_along()
    {
        var orders = NewOrders(100);

        Sends(orders, "ReserveStock", await coordinator.HearsAsync(Placed(orders)));
        Assert.Equal(["insert_sagas", "insert_timers"], coordinator.Statements);

        Sends(orders, "AuthorizePayment", await coordinator.HearsAsync(Reserved(orders)));
        Assert.Equal(["update_sagas"], coordinator.Statements);

        Sends(orders, "CommitStock", await coordinator.HearsAsync(Authorized(orders, captured: 600)));
        Assert.Equal(["update_sagas"], coordinator.Statements);

        Sends(orders, "OrderConfirmed", await coordinator.HearsAsync(Committed(orders)));
        Assert.Equal(["update_sagas", "delete_timers"], coordinator.Statements);

        var row = await coordinator.RowAsync(orders[42]);
        Assert.Equal(("completed", null, null, null), (row!.State, row.Step, row.WaitingFor, row.Code));
        Assert.False(row.HasTimer);
        Assert.Equal(clock.Now, row.EndedAt);
    }

    [Fact]
    public async Task Another_instance_loads_what_it_does_not_remember()
    {
        var orders = NewOrders(100);
        var other = await StartAsync();
        await coordinator.HearsAsync(Placed(orders));
        Sends(orders, "AuthorizePayment", await other.HearsAsync(Reserved(orders)));
        Assert.Equal(["lock_sagas", "update_sagas"], other.Statements);
    }

    [Fact]
    public async Task What_is_remembered_counts_only_while_nobody_else_has_advanced_it()
    {
        var (order, cancelled) = (NewOrders(1), NewOrders(1));
        var other = await StartAsync();
        await coordinator.HearsAsync([.. Placed(order), .. Placed(cancelled)]);
        await other.HearsAsync([.. Reserved(order), .. Cancelled(cancelled)]);

        var sent = await coordinator.HearsAsync([.. Authorized(order), .. Reserved(cancelled)]);
        Assert.Equal(["CommitStock", "ReleaseStock"], Types(sent).Order());
        Assert.Equal(["update_sagas", "lock_sagas", "update_sagas"], coordinator.Statements);
    }

    [Fact]
    public async Task A_batch_of_everything_at_once_is_sorted_out()
    {
        var (fresh, paying, ending) = (NewOrders(3), NewOrders(3), NewOrders(3));
        await coordinator.HearsAsync([.. Placed(paying), .. Placed(ending)]);
        await coordinator.HearsAsync([.. Reserved(paying), .. Reserved(ending)]);
        await coordinator.HearsAsync(Authorized(ending, captured: 600));

        var sent = await coordinator.HearsAsync(
            [.. Committed(ending), .. Placed(fresh), .. Authorized(paying), .. Placed(paying, attempt: 2)]);

        Sends(fresh, "ReserveStock", [.. sent.Where(m => fresh.Contains(m.OrderId))]);
        Sends(paying, "CommitStock", [.. sent.Where(m => paying.Contains(m.OrderId))]);
        Sends(ending, "OrderConfirmed", [.. sent.Where(m => ending.Contains(m.OrderId))]);
    }

    [Fact]
    public async Task Several_messages_of_one_order_in_a_batch_are_one_write()
    {
        var order = NewOrders(1);
        var sent = await coordinator.HearsAsync([.. Placed(order), .. Reserved(order), .. Authorized(order)]);

        Assert.Equal(["AuthorizePayment", "CommitStock", "ReserveStock"], Types(sent).Order());
        Assert.Equal(["insert_sagas", "insert_timers"], coordinator.Statements);
        Assert.Equal(3, (await coordinator.RowAsync(order[0]))!.Version);
    }

    [Fact]
    public async Task A_batch_that_comes_again_changes_nothing_and_sends_nothing()
    {
        var orders = NewOrders(5);
        await coordinator.HearsAsync(Placed(orders));
        await coordinator.HearsAsync(Reserved(orders));
        var before = await coordinator.RowAsync(orders[0]);

        Assert.Empty(await coordinator.HearsAsync(Placed(orders)));
        Assert.Empty(await coordinator.HearsAsync(Reserved(orders)));
        Assert.Empty(await coordinator.HearsAsync([.. Placed(orders), .. Placed(orders), .. Reserved(orders)]));
        Assert.Equal(before, await coordinator.RowAsync(orders[0]));
    }

    [Fact]
    public async Task An_order_that_has_ended_is_answered_again()
    {
        var order = NewOrders(1);
        await EndAsync(order);
        Assert.Equal(["OrderConfirmed"], Types(await coordinator.HearsAsync(Placed(order, attempt: 2))));
        Assert.Equal(["OrderConfirmed"], Types(await coordinator.HearsAsync(Placed(order))));
    }

    [Fact]
    public async Task An_answer_about_an_order_that_nobody_knows_is_dropped()
    {
        var order = NewOrders(1);
        Assert.Empty(await coordinator.HearsAsync(Reserved(order)));
        Assert.Null(await coordinator.RowAsync(order[0]));
    }

    [Fact]
    public async Task A_cancel_that_overtakes_its_order_ends_it_without_a_timer()
    {
        var order = NewOrders(1);
        Assert.Equal(["OrderCancelled"], Types(await coordinator.HearsAsync(Cancelled(order))));
        var row = await coordinator.RowAsync(order[0]);
        Assert.Equal(("compensated", false), (row!.State, row.HasTimer));
        Assert.Equal(["OrderCancelled"], Types(await coordinator.HearsAsync(Placed(order))));
    }

    [Fact]
    public async Task A_cancel_in_flight_awaits_the_answer_and_undoes_it()
    {
        var order = NewOrders(1);
        await coordinator.HearsAsync(Placed(order));
        Assert.Empty(await coordinator.HearsAsync(Cancelled(order)));
        Assert.Equal(["ReleaseStock"], Types(await coordinator.HearsAsync(Reserved(order))));
        Assert.Equal(["OrderCancelled"], Types(await coordinator.HearsAsync(Undone(order, StepNames.ReserveStock))));
    }

    [Fact]
    public async Task A_cancelled_confirmed_order_is_undone_with_a_new_timer()
    {
        var order = NewOrders(1);
        await EndAsync(order);
        Assert.Equal(["ReleaseStock"], Types(await coordinator.HearsAsync(Cancelled(order))));
        var row = await coordinator.RowAsync(order[0]);
        Assert.Equal(("compensating", StepNames.CommitStock, true), (row!.State, row.Step, row.HasTimer));
        Assert.Null(row.EndedAt);

        clock.Now += TimeSpan.FromSeconds(4);
        Assert.Equal(["ReleaseStock"], Types(await coordinator.LooksAtTheClockAsync()));
    }

    [Fact]
    public async Task A_lost_command_is_sent_again_until_it_is_answered()
    {
        var order = NewOrders(1);
        await coordinator.HearsAsync(Placed(order));
        clock.Now += TimeSpan.FromSeconds(1);
        Assert.Empty(await coordinator.LooksAtTheClockAsync());

        clock.Now += TimeSpan.FromSeconds(3);
        var again = Assert.Single(await coordinator.LooksAtTheClockAsync());
        Assert.Equal(("ReserveStock", 2), (again.Body.GetType().Name, again.Attempt));

        clock.Now += TimeSpan.FromSeconds(15);
        Assert.Equal(3, Assert.Single(await coordinator.LooksAtTheClockAsync()).Attempt);
        Assert.Equal(["AuthorizePayment"], Types(await coordinator.HearsAsync(Reserved(order))));
    }

    [Fact]
    public async Task A_timer_that_its_saga_has_left_behind_decides_nothing_and_moves_on()
    {
        var order = NewOrders(1);
        await coordinator.HearsAsync(Placed(order));
        var due = (await coordinator.RowAsync(order[0]))!.DueAt!.Value;
        clock.Now = due - TimeSpan.FromMilliseconds(1);
        await coordinator.HearsAsync(Reserved(order));
        Assert.Equal(due, (await coordinator.RowAsync(order[0]))!.DueAt);

        clock.Now = due;
        Assert.Empty(await coordinator.LooksAtTheClockAsync());
        Assert.Equal(["lock_due_sagas", "postpone_timers"], coordinator.Statements);
        Assert.True((await coordinator.RowAsync(order[0]))!.DueAt > due);
    }

    [Fact]
    public async Task Silence_past_the_deadline_undoes_the_order_and_lets_it_expire()
    {
        var order = NewOrders(1);
        await coordinator.HearsAsync(Placed(order));
        clock.Now += TimeSpan.FromMinutes(10);
        Assert.Equal(["ReleaseStock"], Types(await coordinator.LooksAtTheClockAsync()));
        Assert.Equal(["OrderExpired"], Types(await coordinator.HearsAsync(Undone(order, StepNames.ReserveStock))));
        Assert.Equal("timed_out", (await coordinator.RowAsync(order[0]))!.Code);
    }

    [Fact]
    public async Task An_incident_waits_for_an_operator_without_a_timer_that_fires_until_an_answer_heals_it()
    {
        var order = NewOrders(1);
        await coordinator.HearsAsync(Placed(order));
        await coordinator.HearsAsync(Reserved(order));
        await coordinator.HearsAsync(Rejected(order, StepNames.AuthorizePayment));
        await coordinator.HearsAsync(Answer(
            order[0], StepNames.ReserveStock, new(true, StepOutcome.Rejected, "not_found", "There is no such hold.")));
        clock.Now += TimeSpan.FromMinutes(1);
        Assert.Empty(await coordinator.LooksAtTheClockAsync());
        var row = await coordinator.RowAsync(order[0]);
        Assert.Equal(
            ("failed", "reserve-stock", "operator", "not_found"), (row!.State, row.Step, row.WaitingFor, row.Code));
        Assert.Equal((true, null), (row.HasTimer, row.DueAt));

        await coordinator.HearsAsync(Answer(order[0], StepNames.ReserveStock, new(true, StepOutcome.Waiting)));
        Assert.NotNull((await coordinator.RowAsync(order[0]))!.DueAt);
        clock.Now += TimeSpan.FromSeconds(30);
        Assert.Equal(["ReleaseStock"], Types(await coordinator.LooksAtTheClockAsync()));
    }

    [Fact]
    public async Task After_a_restart_everything_outstanding_is_asked_once_in_chunks()
    {
        var orders = NewOrders(5);
        var ended = NewOrders(1);
        await coordinator.HearsAsync(Placed(orders));
        await EndAsync(ended);

        var restarted = await StartAsync();
        var first = await restarted.SweepsAsync(most: 2);
        var second = await restarted.LooksAtTheClockAsync(most: 2);
        var third = await restarted.LooksAtTheClockAsync(most: 2);
        Sends(orders, "ReserveStock", [.. first, .. second, .. third]);
        Assert.Empty(await restarted.LooksAtTheClockAsync(most: 2));
    }

    [Fact]
    public async Task Timers_hold_back_while_the_inbox_is_full_but_not_for_ever()
    {
        var order = NewOrders(1);
        await coordinator.HearsAsync(Placed(order));
        clock.Now += TimeSpan.FromSeconds(5);
        coordinator.Backlog = coordinator.Options.MaxMessages + 1;
        Assert.Empty(await coordinator.LooksAtTheClockAsync());
        clock.Now += AskAgain.HeldBackAtMost;
        Assert.Single(await coordinator.LooksAtTheClockAsync());
    }

    [Fact]
    public async Task What_a_clock_that_was_ahead_has_put_off_is_asked_once_it_is_set_right()
    {
        var order = NewOrders(1);
        clock.Now += TimeSpan.FromHours(2);
        var ahead = await StartAsync();
        await ahead.HearsAsync(Placed(order));
        await ahead.SweepsAsync();
        clock.Now -= TimeSpan.FromHours(2);
        // By one that knows nothing of it, too.
        Assert.Empty(await coordinator.LooksAtTheClockAsync());
        await coordinator.MindsTheClockAsync();
        Sends(order, "ReserveStock", await coordinator.LooksAtTheClockAsync());
        Assert.Empty(await coordinator.LooksAtTheClockAsync());
    }

    [Fact]
    public async Task One_whose_own_clock_was_set_back_asks_at_once_by_however_little()
    {
        var order = NewOrders(1);
        await coordinator.HearsAsync(Placed(order));
        await coordinator.LooksAtTheClockAsync();
        clock.Now -= TimeSpan.FromMinutes(1);
        Sends(order, "ReserveStock", await coordinator.LooksAtTheClockAsync());
        Assert.Empty(await coordinator.LooksAtTheClockAsync());
    }

    [Fact]
    public async Task A_saga_that_cannot_be_read_keeps_no_other_from_its_timer()
    {
        var (good, bad) = (NewOrders(2), NewOrders(1));
        await coordinator.HearsAsync([.. Placed(bad), .. Placed(good)]);
        await coordinator.SpoilAsync(bad[0]);
        clock.Now += TimeSpan.FromSeconds(5);
        Sends(good, "ReserveStock", await coordinator.LooksAtTheClockAsync());
        Assert.True((await coordinator.RowAsync(bad[0]))!.DueAt > clock.Now + TimeSpan.FromMinutes(5));
    }

    [Fact]
    public async Task Of_two_coordinators_that_hear_the_same_one_acts()
    {
        var other = await StartAsync();
        for (var round = 0; round < 20; round++)
        {
            var orders = NewOrders(5);
            await OneOf(orders, "ReserveStock", Placed(orders), other);
            await OneOf(orders, "AuthorizePayment", Reserved(orders), other);
            await OneOf(orders, "CommitStock", Authorized(orders), other);
        }
    }

    [Fact]
    public async Task What_was_decided_on_a_saga_that_somebody_else_advanced_is_void()
    {
        var order = NewOrders(1);
        await coordinator.HearsAsync(Placed(order));
        var loaded = await coordinator.WriteAsync(work => coordinator.Store.LockAsync(order, work));
        await coordinator.HearsAsync(Reserved(order));

        var stale = SagaProgress.Of(loaded[order[0]], clock.Now);
        stale.Take(Rejected(order, StepNames.ReserveStock)[0]);
        await Assert.ThrowsAsync<StaleSagaException>(() => coordinator.WriteAsync(async work =>
        {
            await coordinator.Store.UpdateLockedAsync([stale], work);
            return true;
        }));
        var row = await coordinator.RowAsync(order[0]);
        Assert.Equal(("running", 2), (row!.State, row.Version));
    }

    // ---- what comes of it ----

    async Task<TestCoordinator> StartAsync()
    {
        var instance = await TestCoordinator.StartAsync(engine, address, clock);
        instances.Add(instance);
        return instance;
    }

    async Task EndAsync(IReadOnlyList<Guid> orders)
    {
        await coordinator.HearsAsync(Placed(orders));
        await coordinator.HearsAsync(Reserved(orders));
        await coordinator.HearsAsync(Authorized(orders, captured: 600));
        await coordinator.HearsAsync(Committed(orders));
    }

    async Task OneOf(IReadOnlyList<Guid> orders, string type, IReadOnlyList<Message> batch, TestCoordinator other)
    {
        var heard = await Task.WhenAll(
            Task.Run(() => coordinator.HearsAsync(batch)),
            Task.Run(() => other.HearsAsync([.. batch.Reverse()])));
        Sends(orders, type, [.. heard[0], .. heard[1]]);
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
