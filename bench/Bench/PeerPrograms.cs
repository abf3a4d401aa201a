using System.Diagnostics;

namespace Orderwright.Bench;

/// <summary>Builds the peers, which are not part of the solution, with Wolverine's generated code compiled in.</summary>
static class PeerPrograms
{
    /// <summary>Project of all peers; settings name the library and the service.</summary>
    public const string Project = "bench/Peers";

    public static async Task BuildAsync(CancellationToken cancel)
    {
        var folder = Path.Combine(Programs.Home, Project);
        var generated = Path.Combine(folder, "obj", "Wolverine");
        if (Directory.Exists(generated)) Directory.Delete(generated, recursive: true);
        var build = new ProcessStartInfo(
            "dotnet", ["build", folder, "-c", "Release", "-v", "quiet", "-nologo", "-nodeReuse:false"]);
        await RunAsync(build, cancel);
        await RunAsync(WriteCode(), cancel);
        await RunAsync(build, cancel);
    }

    // The settings are read, but no server is called.
    static ProcessStartInfo WriteCode()
    {
        var start = Programs.Start(Project);
        start.ArgumentList.Add("codegen");
        start.ArgumentList.Add("write");
        start.Environment["ORDERWRIGHT_PEER"] = "wolverine-durable";
        start.Environment["ORDERWRIGHT_SERVICE"] = "order-service";
        start.Environment["ORDERWRIGHT_LISTEN"] = "http://127.0.0.1:0";
        start.Environment["ORDERWRIGHT_DATABASE"] = "Host=127.0.0.1;Username=none;Database=none";
        start.Environment["ORDERWRIGHT_TRANSPORT"] = "amqp://none:none@127.0.0.1/";
        return start;
    }

    static async Task RunAsync(ProcessStartInfo start, CancellationToken cancel)
    {
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        using var process = Process.Start(start)!;
        var output = await Task.WhenAll(
            process.StandardOutput.ReadToEndAsync(cancel), process.StandardError.ReadToEndAsync(cancel));
        await process.WaitForExitAsync(cancel);
        if (process.ExitCode != 0)
            throw new InvalidOperationException(
                $"dotnet {string.Join(' ', start.ArgumentList)} failed: {string.Concat(output)}");
    }
}
