using System.Diagnostics;
using System.Text.Json;
using Orderwright.Load;

namespace Orderwright.Bench;

/// <summary>The process of a load client, which runs one load at a time. Its Program.cs describes the protocol.</summary>
sealed class LoadClient : IDisposable
{
    readonly Process process = Process.Start(Programs.Start("bench/Load"))!;

    public int Id => process.Id;

    /// <summary>Builds the requests and opens the connections.</summary>
    public async Task PrepareAsync(LoadCommand command, CancellationToken cancel)
    {
        await SayAsync(JsonSerializer.Serialize(command, LoadJson.Default.LoadCommand), cancel);
        if (await process.StandardOutput.ReadLineAsync(cancel) != "ready") throw await FailureAsync(cancel);
    }

    /// <summary>Starts the prepared load and completes with the result.</summary>
    public async Task<LoadResult> RunAsync(CancellationToken cancel)
    {
        await SayAsync("go", cancel);
        var line = await process.StandardOutput.ReadLineAsync(cancel) ?? throw await FailureAsync(cancel);
        return JsonSerializer.Deserialize(line, LoadJson.Default.LoadResult)!;
    }

    /// <summary>Ends reads, which otherwise continue.</summary>
    public Task StopAsync(CancellationToken cancel) => SayAsync("stop", cancel);

    public void Dispose()
    {
        if (!process.HasExited) process.Kill();
        process.Dispose();
    }

    async Task SayAsync(string line, CancellationToken cancel)
    {
        await process.StandardInput.WriteLineAsync(line.AsMemory(), cancel);
        await process.StandardInput.FlushAsync(cancel);
    }

    async Task<Exception> FailureAsync(CancellationToken cancel) =>
        new InvalidOperationException($"The load client failed: {await process.StandardError.ReadToEndAsync(cancel)}");
}
