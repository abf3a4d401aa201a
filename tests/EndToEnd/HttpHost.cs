using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Orderwright.EndToEnd;

/// <summary>
/// The real all-in-one process, as its dll starts it: on a free port, with a data directory of its own that is deleted
/// at the end.
/// </summary>
public sealed class HttpHost : IAsyncDisposable
{
    const string Ready = " is ready: ";
    static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    readonly Process process;
    readonly StringBuilder output = new();
    readonly List<(string Part, TaskCompletionSource<string> Said)> awaited = [];
    readonly string? ownDirectory;

    HttpHost(Process process, string? ownDirectory)
    {
        this.process = process;
        this.ownDirectory = ownDirectory;
    }

    public Uri Url { get; private set; } = null!;

    public HttpClient Client { get; private set; } = null!;

    /// <summary>All it has said so far, log included.</summary>
    public string Output
    {
        get
        {
            lock (output) return output.ToString();
        }
    }

    /// <summary>Waits for a line that contains this; one that was said before counts.</summary>
    public async Task<string> SaysAsync(string part)
    {
        var said = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (output)
        {
            foreach (var line in output.ToString().Split('\n'))
                if (line.Contains(part, StringComparison.Ordinal)) return line;
            awaited.Add((part, said));
        }
        return await said.Task.WaitAsync(StartLimit);
    }

    static string Program => Path.Combine(
        AppContext.BaseDirectory.Replace(
            $"{Path.DirectorySeparatorChar}tests{Path.DirectorySeparatorChar}EndToEnd{Path.DirectorySeparatorChar}",
            $"{Path.DirectorySeparatorChar}src{Path.DirectorySeparatorChar}AllInOne{Path.DirectorySeparatorChar}",
            StringComparison.Ordinal),
        "Orderwright.AllInOne.dll");

    /// <summary>Returns when it has said that it is ready.</summary>
    /// <param name="data">Null for a directory of its own.</param>
    /// <param name="arguments">Besides <c>--data</c> and <c>--port</c>.</param>
    public static async Task<HttpHost> StartAsync(string? data = null, params string[] arguments)
    {
        var own = data is null ? NewDirectory() : null;
        var host = new HttpHost(Launch(["--data", data ?? own!, "--port", "0", "--no-open", .. arguments]), own);
        host.process.OutputDataReceived += (_, line) => host.Take(line.Data);
        host.process.ErrorDataReceived += (_, line) => host.Take(line.Data);
        host.process.Exited += (_, _) => host.Take("It has ended.");
        host.process.EnableRaisingEvents = true;
        host.process.BeginOutputReadLine();
        host.process.BeginErrorReadLine();
        var ready = await await Task.WhenAny(host.SaysAsync(Ready), host.SaysAsync("It has ended."));
        if (!ready.Contains(Ready, StringComparison.Ordinal)) throw new InvalidOperationException(host.Output);
        host.Url = new Uri(ready.Split(Ready)[1].Split(' ')[0]);
        host.Client = new HttpClient { BaseAddress = host.Url };
        return host;
    }

    /// <summary>For a start that must fail: its exit code and what it said.</summary>
    public static async Task<(int ExitCode, string Said)> RunAsync(params string[] arguments)
    {
        using var process = Launch(arguments);
        using var limit = new CancellationTokenSource(StartLimit);
        var said = await Task.WhenAll(
            process.StandardOutput.ReadToEndAsync(limit.Token), process.StandardError.ReadToEndAsync(limit.Token));
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, string.Concat(said));
    }

    public static string NewDirectory() => Directory.CreateTempSubdirectory("orderwright-").FullName;

    /// <summary>SIGTERM, then the exit code.</summary>
    public async Task<int> StopAsync()
    {
        using (var kill = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]))
            await kill.WaitForExitAsync();
        using var limit = new CancellationTokenSource(StartLimit);
        await process.WaitForExitAsync(limit.Token);
        return process.ExitCode;
    }

    /// <summary>SIGKILL: what a crash looks like.</summary>
    public async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) await KillAsync();
        Client?.Dispose();
        process.Dispose();
        if (ownDirectory is not null) Directory.Delete(ownDirectory, recursive: true);
    }

    static Process Launch(string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("ORDERWRIGHT_", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        return Process.Start(start) ?? throw new InvalidOperationException($"{Program} could not be started.");
    }

    void Take(string? line)
    {
        if (line is null) return;
        lock (output)
        {
            output.Append(line).Append('\n');
            foreach (var (part, said) in awaited)
                if (line.Contains(part, StringComparison.Ordinal)) said.TrySetResult(line);
        }
    }
}

/// <summary>One process without keys and without demo, for all facts that leave it as they found it.</summary>
public sealed class SharedHttpHost : IAsyncLifetime
{
    public HttpHost Host { get; private set; } = null!;

    public HttpClient Client => Host.Client;

    public async ValueTask InitializeAsync() => Host = await HttpHost.StartAsync(null, "--no-demo");

    public ValueTask DisposeAsync() => Host.DisposeAsync();
}
