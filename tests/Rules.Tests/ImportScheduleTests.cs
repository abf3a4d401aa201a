using System.Collections.Concurrent;
using Orderwright.Cli.Import;

namespace Orderwright.Rules.Tests;

/// <summary>Concurrency and order of operations.</summary>
public class ImportScheduleTests
{
    static AdjustStock Operation(string[] alone, params int[] after) => new("note", "A", 1, "other", after) { Alone = alone };

    static AdjustStock Beside(params string[] keys) => new("note", "A", 1, "other", []) { Beside = keys };

    [Fact]
    public async Task Exclusive_users_of_a_key_run_in_the_order_of_the_plan()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var dice = new Random(seed);
        var operations = Enumerable.Range(0, 400)
            .Select(_ => Operation([.. Enumerable.Range(0, dice.Next(3)).Select(_ => $"sku:{dice.Next(5)}").Distinct()]))
            .ToList();
        var turns = operations.Select(_ => dice.Next(4)).ToList();
        var ended = new ConcurrentQueue<int>();

        await new Schedule(16).RunAsync(
            operations,
            async (place, _) =>
            {
                for (var i = turns[place]; i > 0; i--) await Task.Yield();
                ended.Enqueue(place);
            },
            CancellationToken.None);

        Assert.Equal(400, ended.Count);
        foreach (var key in Enumerable.Range(0, 5).Select(i => $"sku:{i}"))
        {
            var order = ended.Where(place => operations[place].Alone.Contains(key)).ToList();
            Assert.Equal(order.Order(), order);
        }
    }

    [Fact]
    public async Task Operations_without_a_common_key_do_not_wait()
    {
        var both = new Barrier(2);

        await new Schedule(2).RunAsync(
            [Operation(["sku:1"]), Operation(["sku:2"])],
            (_, cancel) => Task.Run(() => Assert.True(both.SignalAndWait(TimeSpan.FromSeconds(10))), cancel),
            CancellationToken.None);
    }

    [Fact]
    public async Task Shared_users_of_a_key_do_not_wait_for_each_other()
    {
        var both = new Barrier(2);

        await new Schedule(2).RunAsync(
            [Beside("sku:1"), Beside("sku:1")],
            (_, cancel) => Task.Run(() => Assert.True(both.SignalAndWait(TimeSpan.FromSeconds(10), cancel)), cancel),
            CancellationToken.None);
    }

    [Fact]
    public async Task An_exclusive_user_of_a_key_waits_for_earlier_shared_users_and_later_ones_wait_for_it()
    {
        var ended = new ConcurrentQueue<int>();

        await new Schedule(8).RunAsync(
            [Beside("sku:1"), Beside("sku:1"), Operation(["sku:1"]), Beside("sku:1"), Beside("sku:1")],
            async (place, _) =>
            {
                for (var i = place == 1 ? 5 : 1; i > 0; i--) await Task.Yield();
                ended.Enqueue(place);
            },
            CancellationToken.None);

        Assert.Equal(2, ended.ElementAt(2));
        Assert.Equal([0, 1], ended.Take(2).Order());
    }

    [Fact]
    public async Task An_operation_waits_for_the_end_of_its_predecessors()
    {
        var ended = new ConcurrentQueue<int>();

        await new Schedule(4).RunAsync(
            [Operation([]), Operation([]), Operation([], 0, 1)],
            async (place, _) =>
            {
                await Task.Yield();
                ended.Enqueue(place);
            },
            CancellationToken.None);

        Assert.Equal(2, ended.Last());
    }

    [Fact]
    public async Task A_failure_stops_all_operations_and_is_rethrown()
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => new Schedule(2).RunAsync(
            [Operation(["sku:1"]), Operation(["sku:1"]), Operation([])],
            (place, _) => place == 0 ? throw new InvalidOperationException("planted") : Task.CompletedTask,
            CancellationToken.None));

        Assert.Equal("planted", error.Message);
    }
}
