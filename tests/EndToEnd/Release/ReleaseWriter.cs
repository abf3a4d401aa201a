using Orderwright.LocalServers;

namespace Orderwright.EndToEnd.Release;

/// <summary>Writes the data of the current release, see tests/Fixtures/README.md.</summary>
static class ReleaseWriter
{
    const string Release = "0.1.0";

    /// <param name="isTrial">Skips the long wait: expired states are missing, and the archives go to the temp directory.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(bool isTrial)
    {
        var directory = Directory.CreateTempSubdirectory("orderwright-release-broker-").FullName;
        bool[] done;
        await using (var first = await PrivateRabbitMq.StartAsync(Path.Combine(directory, "1")))
        await using (var second = await PrivateRabbitMq.StartAsync(Path.Combine(directory, "2")))
            done = await Task.WhenAll(WriteAsync("sqlite", first, isTrial), WriteAsync("postgres", second, isTrial));
        Directory.Delete(directory, recursive: true);
        return done.All(isDone => isDone) ? 0 : 1;
    }

    static async Task<bool> WriteAsync(string engine, PrivateRabbitMq broker, bool isTrial)
    {
        try
        {
            await using var store = ReleaseStore.Create(engine);
            await store.StartAsync();
            await using (var states = new EveryState(store, broker, line => Console.WriteLine($"{engine}: {line}")))
                await states.RunAsync(isTrial);
            var missing = await ReleaseStates.FindMissingAsync(store);
            foreach (var state in missing) Console.WriteLine($"{engine}: no row for {state}");
            if (missing.Count > 0 && !isTrial) return false;
            var archive = isTrial
                ? Path.Combine(Path.GetTempPath(), "orderwright-trial", $"{engine}.zip")
                : ReleaseStore.ArchiveOf(Release, engine);
            await store.SaveAsync(archive);
            Console.WriteLine($"{archive}: {new FileInfo(archive).Length:N0} bytes");
            return true;
        }
        catch (Exception error)
        {
            Console.WriteLine($"{engine}: {error}");
            return false;
        }
    }
}
