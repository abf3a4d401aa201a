using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Orderwright.EndToEnd;

/// <summary>
/// The real all-in-one process, as its dll starts it: on a free port, with a data directory of its own that is deleted
/// at the end.
/// </summary>
public sealed class HttpHost : IAsyncDisposable
{
    const string AllInOne = "AllInOne";
    const string Ready = " is ready: ";
    const string Ended = "It has ended.";
    static readonly TimeSpan StartLimit = Waiting.HangLimit;

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

    public int ProcessId => process.Id;

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

    /// <summary>The built program of a project of src.</summary>
    public static string ProgramOf(string project)
    {
        // tests/EndToEnd/bin/Release/net10.0 stands beside src/AllInOne/bin/Release/net10.0.
        var tests = $"{Path.DirectorySeparatorChar}tests{Path.DirectorySeparatorChar}";
        var at = AppContext.BaseDirectory.LastIndexOf(tests, StringComparison.Ordinal);
        var output = AppContext.BaseDirectory[(at + tests.Length)..].Split(Path.DirectorySeparatorChar, 2)[1];
        return Path.Combine(AppContext.BaseDirectory[..at], "src", project, output, $"Orderwright.{project}.dll");
    }

    /// <summary>Returns when it has said that it is ready.</summary>
    /// <param name="data">Null for a directory of its own.</param>
    /// <param name="arguments">Besides <c>--data</c> and <c>--port</c>.</param>
    public static async Task<HttpHost> StartAsync(string? data = null, params string[] arguments)
    {
        var own = data is null ? NewDirectory() : null;
        return await StartAsync(AllInOne, own, ["--data", data ?? own!, "--port", "0", "--no-open", "--no-trickle", .. arguments]);
    }

    /// <summary>Starts the all-in-one process with exactly these arguments.</summary>
    public static Task<HttpHost> StartProcessAsync(IReadOnlyList<string> arguments) => StartAsync(AllInOne, null, [.. arguments]);

    /// <summary>The sandbox gateway as a process of its own; its base address is <c>/v1</c> below its own.</summary>
    public static Task<HttpHost> StartGatewayAsync(string data, string secret) =>
        StartAsync("SandboxGateway", null, ["--data", data, "--port", "0", "--gateway-secret", secret]);

    static async Task<HttpHost> StartAsync(string project, string? ownDirectory, string[] arguments)
    {
        var host = Watch(Launch(project, arguments), ownDirectory);
        var ready = await await Task.WhenAny(host.SaysAsync(Ready), host.SaysAsync(Ended));
        if (!ready.Contains(Ready, StringComparison.Ordinal)) throw new InvalidOperationException(host.Output);
        return host.At(new Uri(ready.Split(Ready)[1].Split(' ')[0]));
    }

    /// <summary>A service alone that never gets ready; returns when it answers that it lives.</summary>
    public static async Task<HttpHost> StartUnreadyAsync(string project, params string[] arguments)
    {
        var port = FreePort();
        var host = Watch(
            Launch(project, ["--port", port.ToString(CultureInfo.InvariantCulture), .. arguments]), null)
            .At(new Uri($"http://127.0.0.1:{port}"));
        using var limit = new CancellationTokenSource(StartLimit);
        while (!await LivesAsync(host)) limit.Token.ThrowIfCancellationRequested();
        return host;

        static async Task<bool> LivesAsync(HttpHost host)
        {
            try
            {
                return (await host.Client.AskAsync("/health/live")).Status == 200;
            }
            catch (HttpRequestException) when (!host.process.HasExited)
            {
                return false;
            }
        }
    }

    /// <summary>For a start that must fail: its exit code and what it said.</summary>
    public static async Task<(int ExitCode, string Said)> RunAsync(params string[] arguments)
    {
        using var process = Launch(AllInOne, arguments);
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

    static HttpHost Watch(Process process, string? ownDirectory)
    {
        var host = new HttpHost(process, ownDirectory);
        process.OutputDataReceived += (_, line) => host.Take(line.Data);
        process.ErrorDataReceived += (_, line) => host.Take(line.Data);
        process.Exited += (_, _) => host.Take(Ended);
        process.EnableRaisingEvents = true;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return host;
    }

    /// <summary>A port that nobody has just now.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    HttpHost At(Uri url)
    {
        Url = url;
        Client = new HttpClient { BaseAddress = url };
        return this;
    }

    static Process Launch(string project, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [ProgramOf(project), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("ORDERWRIGHT_", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        return Process.Start(start) ?? throw new InvalidOperationException($"{project} could not be started.");
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
