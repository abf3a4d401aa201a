using System.Diagnostics;
using System.Text.Json;
using Orderwright.Load;

namespace Orderwright.Bench;

/// <summary>The load client's process. It does one load at a time; how it is spoken to, stands in its Program.cs.</summary>
sealed class LoadClient : IDisposable
{
    readonly Process process = Process.Start(Programs.Start("bench/Load"))!;

    public int Id => process.Id;

    /// <summary>Makes the requests and opens the connections; the load begins with <see cref="RunAsync"/>.</summary>
    public async Task PrepareAsync(PlaceCommand command, CancellationToken cancel)
    {
        await process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(command, LoadJson.Default.PlaceCommand).AsMemory(), cancel);
        await process.StandardInput.FlushAsync(cancel);
        if (await process.StandardOutput.ReadLineAsync(cancel) != "ready") throw await FailureAsync(cancel);
    }

    public async Task<PlaceResult> RunAsync(CancellationToken cancel)
    {
        await process.StandardInput.WriteLineAsync("go".AsMemory(), cancel);
        await process.StandardInput.FlushAsync(cancel);
        var line = await process.StandardOutput.ReadLineAsync(cancel) ?? throw await FailureAsync(cancel);
        return JsonSerializer.Deserialize(line, LoadJson.Default.PlaceResult)!;
    }

    public void Dispose()
    {
        if (!process.HasExited) process.Kill();
        process.Dispose();
    }

    async Task<Exception> FailureAsync(CancellationToken cancel) =>
        new InvalidOperationException($"The load client failed: {await process.StandardError.ReadToEndAsync(cancel)}");
}
