using System.Collections.Concurrent;
using Orderwright.Cli.Import;

namespace Orderwright.Rules.Tests;

/// <summary>What runs side by side, and what waits for what.</summary>
public class ImportScheduleTests
{
    static AdjustStock Operation(string[] scarce, params int[] after) => new("note", "A", 1, "other", after) { Scarce = scarce };

    [Fact]
    public async Task What_shares_a_scarce_key_runs_in_the_order_of_the_plan()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var dice = new Random(seed);
        var operations = Enumerable.Range(0, 400)
            .Select(_ => Operation([.. Enumerable.Range(0, dice.Next(3)).Select(_ => $"sku:{dice.Next(5)}").Distinct()])).ToList();
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
            var order = ended.Where(place => operations[place].Scarce.Contains(key)).ToList();
            Assert.Equal(order.Order(), order);
        }
    }

    [Fact]
    public async Task What_shares_nothing_does_not_wait()
    {
        var both = new Barrier(2);

        await new Schedule(2).RunAsync(
            [Operation(["sku:1"]), Operation(["sku:2"])],
            (_, cancel) => Task.Run(() => Assert.True(both.SignalAndWait(TimeSpan.FromSeconds(10))), cancel),
            CancellationToken.None);
    }

    [Fact]
    public async Task What_comes_after_another_waits_for_its_end()
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
    public async Task A_failure_ends_all_and_is_told()
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => new Schedule(2).RunAsync(
            [Operation(["sku:1"]), Operation(["sku:1"]), Operation([])],
            (place, _) => place == 0 ? throw new InvalidOperationException("planted") : Task.CompletedTask,
            CancellationToken.None));

        Assert.Equal("planted", error.Message);
    }
}
