namespace Orderwright.Simulation.Tests;

/// <summary>
/// Every invariant holds within a minute after the last fault heals. Replay a failing seed with <c>./orderwright sim --seed
/// N</c>.
/// </summary>
public sealed class SeedTests
{
    const int Seeds = 2_000;

    // A run takes longer: participants decide within seconds, and people within minutes.
    const int SeedsOfOthers = 500;

    /// <summary>Steps of others before and after the payment, and of a person.</summary>
    public static readonly string ProcessOfOthers = Path.Combine(AppContext.BaseDirectory, "process-of-others.json");

    [Fact]
    public async Task Every_invariant_holds_whatever_fails()
    {
        var tally = await Sweep.RunAsync(1, Seeds);
        Assert.Empty(tally.Failed.Select(failed => $"seed {failed.Key}: {string.Join("; ", failed.Value.Findings)}"));
        Assert.Equal(Seeds, tally.Runs);

        // Each outcome and each fault occurs often enough for the runs to mean something.
        Assert.All(
            new[] { "confirmed", "completed", "rejected", "cancelled", "incident" },
            status => IsFrequent(status, tally.OrderCounts));
        Assert.All(
            new[]
            {
                "message lost", "message duplicated", "message late", "broker wiped", "publish failed", "database unavailable",
                "commit failed", "commit reply lost", "crash BeforeCommit", "crash AfterCommit", "crash BeforePublish",
                "crash BeforeAck", "killed", "stopped", "request lost", "response lost", "gateway 503", "gateway response lost",
                "gateway request lost", "garbage", "commit cut", "standby took over", "database restored", "disk full",
                "clock skewed", "clock wrong at start", "message forged", "key revoked", "taken over",
            },
            kind => IsFrequent(kind, tally.FaultCounts));

        static void IsFrequent(string kind, IReadOnlyDictionary<string, long> counts) =>
            Assert.True(counts.GetValueOrDefault(kind) >= Seeds / 100, $"{kind}: {counts.GetValueOrDefault(kind)}");
    }

    [Fact]
    public async Task Every_invariant_holds_with_steps_of_others_that_misbehave()
    {
        var tally = await Sweep.RunAsync(1, SeedsOfOthers, process: ProcessOfOthers);
        Assert.Empty(tally.Failed.Select(failed => $"seed {failed.Key}: {string.Join("; ", failed.Value.Findings)}"));
        string[] kinds =
            ["step 503", "step request lost", "step request late", "step response lost", "step request twice"];
        foreach (var kind in kinds)
            Assert.True(tally.FaultCounts.GetValueOrDefault(kind) >= SeedsOfOthers / 100, kind);
    }

    [Fact]
    public void The_same_seed_is_the_same_run()
    {
        using var arena = Arena.Open();
        using var other = Arena.Open();
        for (var seed = 1; seed <= 20; seed++)
        {
            var first = new World(Plan.Of(seed), arena).Run();
            // Traced or not, in used or new databases.
            var again = new World(Plan.Of(seed), other, isTraced: seed % 2 == 0).Run();
            Assert.Equal(first.Hash, again.Hash);
        }
    }

    [Fact]
    public void Another_seed_is_another_run()
    {
        using var arena = Arena.Open();
        var hashes = Enumerable.Range(1, 20).Select(seed => new World(Plan.Of(seed), arena).Run().Hash);
        Assert.Equal(20, hashes.Distinct().Count());
    }
}
