using System.Diagnostics;
using System.Text.Json;
using Orderwright.Load;

namespace Orderwright.Bench;

/// <summary>A load client's process. It does one load at a time; how it is spoken to stands in its Program.cs.</summary>
sealed class LoadClient : IDisposable
{
    readonly Process process = Process.Start(Programs.Start("bench/Load"))!;

    public int Id => process.Id;

    /// <summary>Makes the requests and opens the connections.</summary>
    public async Task PrepareAsync(LoadCommand command, CancellationToken cancel)
    {
        await SayAsync(JsonSerializer.Serialize(command, LoadJson.Default.LoadCommand), cancel);
        if (await process.StandardOutput.ReadLineAsync(cancel) != "ready") throw await FailureAsync(cancel);
    }

    /// <summary>Begins what was prepared; the task ends with it.</summary>
    public async Task<LoadResult> RunAsync(CancellationToken cancel)
    {
        await SayAsync("go", cancel);
        var line = await process.StandardOutput.ReadLineAsync(cancel) ?? throw await FailureAsync(cancel);
        return JsonSerializer.Deserialize(line, LoadJson.Default.LoadResult)!;
    }

    /// <summary>Ends reads, which go on until then.</summary>
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
