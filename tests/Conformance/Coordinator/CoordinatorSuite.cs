using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.SagaCoordinator.Process;
using static Orderwright.Conformance.Coordinator.TestMessages;

namespace Orderwright.Conformance.Coordinator;

/// <summary>Handlers, timers and SQL of the coordinator, as dialogues, on every engine.</summary>
public abstract partial class CoordinatorSuite(StorageEngine engine) : IAsyncLifetime
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

        var confirmed = await coordinator.ReceiveAsync(Authorized(orders, captured: 600));
        Sends(orders, "CommitStock", [.. confirmed.Where(message => message.Body is CommitStock)]);
        Sends(orders, "OrderConfirmed", [.. confirmed.Where(message => message.Body is not CommitStock)]);
        Assert.Equal(["update_sagas"], coordinator.Statements);

        // The confirmation has told everything.
        Assert.Empty(await coordinator.ReceiveAsync(Committed(orders)));
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
        Assert.Equal(["CapturePayment", "CommitStock", "OrderConfirmed", "ReleaseStock"], Types(sent).Order());
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
        // Asked again in the same batch, and confirmed once.
        foreach (var type in new[] { "CommitStock", "CapturePayment", "OrderConfirmed" })
            Sends(paying, type, [.. sent.Where(m => paying.Contains(m.OrderId) && m.Body.GetType().Name == type)]);
        Assert.Equal(3 + 3 * 3, sent.Count);
    }

    [Fact]
    public async Task Several_messages_of_one_order_in_a_batch_are_one_write()
    {
        var order = NewOrders(1);
        var sent = await coordinator.ReceiveAsync([.. Placed(order), .. Reserved(order), .. Authorized(order)]);

        Assert.Equal(
            ["AuthorizePayment", "CapturePayment", "CommitStock", "OrderConfirmed", "ReserveStock"], Types(sent).Order());
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
    public async Task With_the_same_messages_at_two_coordinators_only_one_acts()
    {
        var other = await StartAsync();
        for (var round = 0; round < 20; round++)
        {
            var orders = NewOrders(5);
            await OnlyOneSendsAsync(orders, "ReserveStock", Placed(orders), other);
            await OnlyOneSendsAsync(orders, "AuthorizePayment", Reserved(orders), other);
            await OnlyOneSendsAsync(orders, "OrderConfirmed", Authorized(orders), other);
        }
    }

    [Fact]
    public async Task An_outcome_goes_to_the_instance_of_order_service_that_asked_last_and_commands_go_to_any()
    {
        var orders = NewOrders(3);
        var reserve = await coordinator.ReceiveAsync([.. Placed(orders).Select(placed => placed with { ReplyTo = "first" })]);
        Assert.All(reserve, command => Assert.Null(command.To));
        await coordinator.ReceiveAsync([.. Reserved(orders).Select(reserved => reserved with { ReplyTo = "stock" })]);
        // Repeated by another instance, while the first order is on its way.
        await coordinator.ReceiveAsync(Placed(orders)[0] with { ReplyTo = "second", Attempt = 2 });
        var sent = await coordinator.ReceiveAsync(Authorized(orders, captured: 600));
        Message[] outcomes = [.. sent.Where(message => message.Body is OrderConfirmed)];

        Assert.Equal(["first", "first", "second"], outcomes.Select(outcome => outcome.To).Order());
        // A coordinator that loads the saga does not know who asked, and replies to the sender of a repeated question.
        var other = await StartAsync();
        var again = await other.ReceiveAsync(Placed(orders)[1] with { ReplyTo = "third", Attempt = 3 });
        Assert.Equal("third", Assert.Single(again).To);
    }

    [Fact]
    public async Task Each_of_three_coordinators_resends_a_due_command_once()
    {
        var orders = NewOrders(60);
        await coordinator.ReceiveAsync(Placed(orders));
        TestCoordinator[] three = [coordinator, await StartAsync(), await StartAsync()];
        foreach (var started in three[1..]) await started.SweepAsync();
        clock.Now += TimeSpan.FromSeconds(20);

        var sent = await Task.WhenAll(three.Select(instance => Task.Run(() => instance.RunTimersAsync(7))));
        for (var round = 0; round < 20; round++)
            sent = [.. sent, .. await Task.WhenAll(three.Select(instance => Task.Run(() => instance.RunTimersAsync(7))))];

        Sends(orders, "ReserveStock", [.. sent.SelectMany(messages => messages)]);
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

    [Fact]
    public async Task An_instance_learns_a_version_that_another_has_started_with()
    {
        await coordinator.BeginAsync();
        var other = await StartAsync(Process("approve"));
        await other.BeginAsync();
        var (replied, timed) = (NewOrders(3), NewOrders(3));
        await other.ReceiveAsync([.. Placed(replied), .. Placed(timed)]);

        // The first instance has never read version 2: the replies find it within their transaction, and so do the timers.
        Assert.Empty(await coordinator.ReceiveAsync(Reserved(replied)));
        var row = await coordinator.RowAsync(replied[0]);
        Assert.Equal(("waiting", "approve"), (row!.State, row.Step));
        var third = await StartAsync();
        Sends(timed, "ReserveStock", [.. (await third.SweepAsync()).Where(message => timed.Contains(message.OrderId))]);
    }

    [Fact]
    public async Task A_version_keeps_its_content()
    {
        await (await StartAsync(Process("approve"))).BeginAsync();
        await (await StartAsync(Process("approve"))).BeginAsync();
        var error = await Assert.ThrowsAsync<InvalidSettingException>(
            async () => await (await StartAsync(Process("review"))).BeginAsync());
        Assert.Contains("has changed under version 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_order_on_a_version_that_is_gone_refuses_the_start_by_name()
    {
        var orders = NewOrders(1);
        await coordinator.ReceiveAsync(Placed(orders));
        await coordinator.CorruptAsync(orders[0]);
        var error = await Assert.ThrowsAsync<InvalidSettingException>(coordinator.BeginAsync);
        Assert.Contains("on version 99 of the process", error.Message, StringComparison.Ordinal);
    }

    static Dictionary<string, string?> Process(string step)
    {
        var path = Path.Combine(Path.GetTempPath(), $"orderwright-process-{step}.json");
        File.WriteAllText(
            path,
            $$"""
            { "name": "order-process", "version": 2, "steps": [
              { "step": "reserve-stock" }, { "step": "{{step}}", "human": true }, { "step": "authorize-payment", "pivot": true },
              { "parallel": [ { "step": "commit-stock" }, { "step": "capture-payment" } ] } ] }
            """);
        return new() { ["Process"] = path };
    }

    async Task<TestCoordinator> StartAsync(
        IReadOnlyDictionary<string, string?>? settings = null, TimeSpan clockTolerance = default)
    {
        var instance = await TestCoordinator.StartAsync(engine, address, clock, settings, clockTolerance);
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
        Sends(orders, type, [.. sent.SelectMany(messages => messages).Where(message => message.Body.GetType().Name == type)]);
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
