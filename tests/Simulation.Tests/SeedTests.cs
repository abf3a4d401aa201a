namespace Orderwright.Simulation.Tests;

/// <summary>
/// Whatever goes wrong, in the end everybody agrees, within a minute after it was mended. A seed that fails is replayed and
/// told by <c>./orderwright sim --seed N</c>.
/// </summary>
public sealed class SeedTests
{
    const int Seeds = 2_000;

    [Fact]
    public async Task All_holds_whatever_breaks()
    {
        var tally = await Sweep.RunAsync(1, Seeds, TimeSpan.FromMinutes(5));
        Assert.Empty(tally.Failed.Select(failed => $"seed {failed.Key}: {string.Join("; ", failed.Value.Findings)}"));
        Assert.Equal(Seeds, tally.Runs);

        // Each way out is taken, and each fault strikes, often enough for the runs to mean something.
        Assert.All(
            new[] { "confirmed", "completed", "rejected", "cancelled", "incident" },
            end => Assert.True(tally.Ends.GetValueOrDefault(end) >= Seeds / 100, $"{end}: {tally.Ends.GetValueOrDefault(end)}"));
        Assert.All(
            new[]
            {
                "message lost", "message doubled", "message late", "broker wiped", "publish failed", "database away",
                "commit failed", "commit answer lost", "crash BeforeCommit", "crash AfterCommit", "crash BeforePublish",
                "crash BeforeAck", "killed", "stopped", "request lost", "answer lost", "gateway 503", "gateway answer lost",
                "gateway request lost", "garbage",
            },
            kind => Assert.True(tally.Struck.GetValueOrDefault(kind) >= Seeds / 100, $"{kind}: {tally.Struck.GetValueOrDefault(kind)}"));
    }

    [Fact]
    public void The_same_seed_is_the_same_run()
    {
        using var arena = Arena.Open();
        using var other = Arena.Open();
        for (var seed = 1; seed <= 20; seed++)
        {
            var first = new World(Plan.Of(seed), arena).Run();
            // Told or not, in used databases or in new ones.
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
