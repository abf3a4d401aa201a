using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.SagaCoordinator;
using static Orderwright.Conformance.Coordinator.Talk;

namespace Orderwright.Conformance.Coordinator;

/// <summary>A coordinator that is alone saves a step that went well later, and may forget it: on every engine.</summary>
public abstract class RunningAheadSuite(StorageEngine engine) : IAsyncLifetime
{
    static readonly TimeSpan SaveWithin = TimeSpan.FromSeconds(1);

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
    public async Task An_order_that_goes_well_is_written_twice()
    {
        var orders = NewOrders(100);
        await coordinator.HearsAsync(Placed(orders));
        Assert.Equal(["insert_sagas", "insert_timers"], coordinator.Statements);

        Assert.Equal(["AuthorizePayment"], Types(await coordinator.HearsAsync(Reserved(orders))));
        Assert.Empty(coordinator.Statements);
        Assert.Equal(["CommitStock"], Types(await coordinator.HearsAsync(Authorized(orders, captured: 600))));
        Assert.Empty(coordinator.Statements);

        Assert.Equal(["OrderConfirmed"], Types(await coordinator.HearsAsync(Committed(orders))));
        Assert.Equal(["update_sagas", "delete_timers"], coordinator.Statements);
        var row = await coordinator.RowAsync(orders[42]);
        Assert.Equal(("completed", 4, false), (row!.State, row.Version, row.HasTimer));
    }

    [Fact]
    public async Task One_that_takes_longer_is_saved_with_what_was_learnt()
    {
        var order = NewOrders(1);
        await coordinator.HearsAsync(Placed(order));
        await coordinator.HearsAsync(Reserved(order));
        await coordinator.SavesProgressAsync();
        Assert.Equal("reserve-stock", (await coordinator.RowAsync(order[0]))!.Step);

        clock.Now += SaveWithin;
        await coordinator.SavesProgressAsync();
        var row = await coordinator.RowAsync(order[0]);
        Assert.Equal(("authorize-payment", 2), (row!.Step, row.Version));

        // Whoever reads the row knows the price.
        var other = await StartAsync();
        Assert.Equal(["CommitStock"], Types(await other.HearsAsync(Authorized(order))));
        Assert.Equal(["OrderConfirmed", "CapturePayment"], Types(await other.HearsAsync(Committed(order))).OrderDescending());
    }

    [Fact]
    public async Task One_that_is_still_ahead_when_it_was_saved_goes_on()
    {
        var order = NewOrders(1);
        await coordinator.HearsAsync(Placed(order));
        await coordinator.HearsAsync(Reserved(order));
        clock.Now += SaveWithin;
        await coordinator.SavesProgressAsync();
        await coordinator.HearsAsync(Authorized(order, captured: 600));
        Assert.Empty(coordinator.Statements);
        Assert.Equal(["OrderConfirmed"], Types(await coordinator.HearsAsync(Committed(order))));
    }

    [Fact]
    public async Task What_a_crash_made_it_forget_is_asked_again_and_goes_on()
    {
        var order = NewOrders(1);
        await coordinator.HearsAsync(Placed(order));
        await coordinator.HearsAsync(Reserved(order));
        await coordinator.HearsAsync(Authorized(order, captured: 600));

        var again = await StartAsync();
        Assert.Equal(["ReserveStock"], Types(await again.SweepsAsync()));
        Assert.Equal(["AuthorizePayment"], Types(await again.HearsAsync(Reserved(order))));
        Assert.Equal(["CommitStock"], Types(await again.HearsAsync(Authorized(order, captured: 600))));
        Assert.Equal(["OrderConfirmed"], Types(await again.HearsAsync(Committed(order))));
    }

    [Fact]
    public async Task What_it_may_have_asked_before_it_forgot_is_undone()
    {
        var order = NewOrders(1);
        await coordinator.HearsAsync(Placed(order));
        await coordinator.HearsAsync(Reserved(order));

        var again = await StartAsync();
        await again.SweepsAsync();
        Assert.Equal(["ReleaseStock"], Types(await again.HearsAsync(Rejected(order, StepNames.ReserveStock))));
        Assert.Equal(["UndoPayment"], Types(await again.HearsAsync(Undone(order, StepNames.CommitStock))));
        Assert.Equal(["OrderRejected"], Types(await again.HearsAsync(Undone(order, StepNames.AuthorizePayment))));
    }

    [Fact]
    public async Task Answers_that_come_to_another_instance_have_both_save_every_step()
    {
        var (order, next) = (NewOrders(1), NewOrders(1));
        var other = await StartAsync();
        await coordinator.HearsAsync(Placed(order));
        await other.HearsAsync(Reserved(order));
        await other.HearsAsync(Placed(next));
        await other.HearsAsync(Reserved(next));
        Assert.Equal(["update_sagas"], other.Statements);

        clock.Now += SagaMemory.CompanyLasts;
        var later = NewOrders(1);
        await other.HearsAsync(Placed(later));
        await other.HearsAsync(Reserved(later));
        Assert.Empty(other.Statements);
    }

    [Fact]
    public async Task Two_that_get_the_answers_to_each_others_last_question_do_not_go_round_in_circles()
    {
        var order = NewOrders(1);
        var other = await StartAsync();
        await coordinator.HearsAsync(Placed(order));
        clock.Now += TimeSpan.FromSeconds(20);
        var (asks, hears) = (other, coordinator);
        var asked = Types(await asks.SweepsAsync()).Single();
        for (var round = 0; round < 10; round++)
        {
            var answer = asked switch
            {
                "ReserveStock" => Reserved(order),
                "AuthorizePayment" => Authorized(order, captured: 600),
                _ => Committed(order),
            };
            if (asked == "CommitStock") (asks, hears) = (hears, asks);
            asked = Types(await asks.HearsAsync(answer)).Single();
            if (asked == "OrderConfirmed") return;
        }
        Assert.Fail("Each found a row that the other had left behind, and asked again, for ever.");
    }

    [Fact]
    public async Task An_answer_that_overtook_the_row_at_another_instance_has_it_asked_again()
    {
        var order = NewOrders(1);
        var other = await StartAsync();
        await coordinator.HearsAsync(Placed(order));
        await coordinator.HearsAsync(Reserved(order));
        Assert.Equal(["ReserveStock"], Types(await other.HearsAsync(Authorized(order))));

        // What the first one knew is void when it comes to be saved.
        clock.Now += SaveWithin;
        await coordinator.SavesProgressAsync();
        Assert.Equal(["AuthorizePayment"], Types(await other.HearsAsync(Reserved(order))));
        Assert.Equal(["CommitStock"], Types(await coordinator.HearsAsync(Authorized(order))));
    }

    [Fact]
    public async Task A_message_that_comes_twice_changes_nothing_and_asks_the_database_nothing()
    {
        var order = NewOrders(1);
        await coordinator.HearsAsync(Placed(order));
        await coordinator.HearsAsync(Reserved(order));
        Assert.Empty(await coordinator.HearsAsync([.. Placed(order, attempt: 2), .. Reserved(order)]));
        Assert.Empty(coordinator.Statements);
    }

    [Fact]
    public async Task A_cancel_undoes_just_what_was_asked()
    {
        var order = NewOrders(1);
        await coordinator.HearsAsync(Placed(order));
        await coordinator.HearsAsync(Reserved(order));
        Assert.Empty(await coordinator.HearsAsync(Cancelled(order)));
        Assert.Equal(["update_sagas"], coordinator.Statements);
        Assert.Equal(["UndoPayment"], Types(await coordinator.HearsAsync(Authorized(order))));
        Assert.Equal(["ReleaseStock"], Types(await coordinator.HearsAsync(Undone(order, StepNames.AuthorizePayment))));
    }

    [Fact]
    public async Task Who_only_read_a_row_does_not_run_ahead_of_it()
    {
        var order = NewOrders(1);
        await coordinator.HearsAsync(Placed(order));
        var other = await StartAsync();
        await other.HearsAsync(Placed(order, attempt: 2)); // Reads the row, which says that it may be behind.
        await coordinator.HearsAsync(Cancelled(order)); // Its writer knows that it is not, and writes that.

        // Asked by the other from what it has read, the payment would be in nobody's row, and never be undone.
        var asked = await other.HearsAsync(Reserved(order));
        Assert.DoesNotContain("AuthorizePayment", Types(asked));
        Assert.Equal(["ReleaseStock"], Types(asked));
    }

    [Fact]
    public async Task People_see_what_is_ahead_of_its_row()
    {
        var order = NewOrders(1);
        await coordinator.HearsAsync(Placed(order));
        await coordinator.HearsAsync(Reserved(order));
        var http = await coordinator.ServeAsync();
        var shown = await http.GetStringAsync($"sagas/{order[0]}");
        Assert.Contains("\"step\":\"authorize-payment\"", shown, StringComparison.Ordinal);
    }

    async Task<TestCoordinator> StartAsync()
    {
        var instance = await TestCoordinator.StartAsync(engine, address, clock, SaveWithin);
        instances.Add(instance);
        return instance;
    }

    static IEnumerable<string> Types(IReadOnlyList<Message> sent) =>
        sent.Select(message => message.Body.GetType().Name).Distinct();
}

public sealed class PostgresRunningAheadTests(PostgresEngine engine) : RunningAheadSuite(engine), IClassFixture<PostgresEngine>;

public sealed class SqliteRunningAheadTests(SqliteEngine engine) : RunningAheadSuite(engine), IClassFixture<SqliteEngine>;
