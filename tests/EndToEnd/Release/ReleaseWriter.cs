using Orderwright.LocalServers;

namespace Orderwright.EndToEnd.Release;

/// <summary>Writes the data of the current release, see tests/Fixtures/README.md.</summary>
static class ReleaseWriter
{
    const string Release = "0.1.0";

    public static async Task RunAsync(Action<string> print)
    {
        var directory = Directory.CreateTempSubdirectory("orderwright-release-broker-").FullName;
        await using (var first = await PrivateRabbitMq.StartAsync(Path.Combine(directory, "1")))
        await using (var second = await PrivateRabbitMq.StartAsync(Path.Combine(directory, "2")))
            await Task.WhenAll(WriteAsync("sqlite", first, print), WriteAsync("postgres", second, print));
        Directory.Delete(directory, recursive: true);
    }

    static async Task WriteAsync(string engine, PrivateRabbitMq broker, Action<string> print)
    {
        await using var store = ReleaseStore.Create(engine);
        await store.StartAsync();
        await using (var states = new EveryState(store, broker, print)) await states.RunAsync();
        Assert.Empty(await ReleaseStates.FindMissingAsync(store));
        var archive = ReleaseStore.ArchiveOf(Release, engine);
        await store.SaveAsync(archive);
        print($"{archive}: {new FileInfo(archive).Length:N0} bytes");
    }
}
