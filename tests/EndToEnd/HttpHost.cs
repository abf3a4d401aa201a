using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Orderwright.EndToEnd;

/// <summary>
/// All-in-one process, started from its dll: on a free port, with a temporary data directory.
/// </summary>
public sealed class HttpHost : IAsyncDisposable
{
    const string AllInOne = "AllInOne";
    const string Ready = " is ready: ";
    const string Ended = "It has ended.";
    static readonly TimeSpan StartLimit = Waiting.HangLimit;

    readonly Process process;
    readonly StringBuilder output = new();
    readonly List<(string Part, TaskCompletionSource<string> Output)> awaited = [];
    readonly string? ownDirectory;

    HttpHost(Process process, string? ownDirectory)
    {
        this.process = process;
        this.ownDirectory = ownDirectory;
    }

    /// <summary>Creates the client of a host; the end-to-end suite validates the calls of its clients.</summary>
    public static Func<Uri, HttpClient> NewClient { get; set; } = url => new HttpClient { BaseAddress = url };

    public Uri Url { get; private set; } = null!;

    public HttpClient Client { get; private set; } = null!;

    public int ProcessId => process.Id;

    /// <summary>Output so far, including the log.</summary>
    public string Output
    {
        get
        {
            lock (output) return output.ToString();
        }
    }

    /// <summary>Waits for a line of output with a text; earlier output counts.</summary>
    public async Task<string> WaitForAsync(string part)
    {
        var found = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (output)
        {
            foreach (var line in output.ToString().Split('\n'))
                if (line.Contains(part, StringComparison.Ordinal)) return line;
            awaited.Add((part, found));
        }
        return await found.Task.WaitAsync(StartLimit);
    }

    /// <summary>Built program of a project below src.</summary>
    public static string ProgramOf(string project)
    {
        // tests/EndToEnd/bin/Release/net10.0 corresponds to src/AllInOne/bin/Release/net10.0.
        var tests = $"{Path.DirectorySeparatorChar}tests{Path.DirectorySeparatorChar}";
        var at = AppContext.BaseDirectory.LastIndexOf(tests, StringComparison.Ordinal);
        var output = AppContext.BaseDirectory[(at + tests.Length)..].Split(Path.DirectorySeparatorChar, 2)[1];
        return Path.Combine(AppContext.BaseDirectory[..at], "src", project, output, $"Orderwright.{project}.dll");
    }

    /// <summary>Starts the process and waits until it reports ready.</summary>
    /// <param name="data">Data directory; null for a temporary one.</param>
    /// <param name="arguments">Arguments after <c>--data</c> and <c>--port</c>.</param>
    public static async Task<HttpHost> StartAsync(string? data = null, params string[] arguments)
    {
        var own = data is null ? NewDirectory() : null;
        return await StartAsync(
            AllInOne, own, ["--data", data ?? own!, "--port", "0", "--no-open", "--no-trickle", .. arguments]);
    }

    /// <summary>
    /// Starts the all-in-one process with environment variables, on a free port and with a temporary directory.
    /// </summary>
    public static Task<HttpHost> StartWithAsync((string Name, string Value)[] variables, params string[] arguments)
    {
        var own = NewDirectory();
        return StartAsync(
            AllInOne, own, ["--data", own, "--port", "0", "--no-open", "--no-trickle", .. arguments], "", variables);
    }

    /// <summary>Starts the all-in-one process with exactly the given arguments.</summary>
    public static Task<HttpHost> StartProcessAsync(IReadOnlyList<string> arguments) => StartAsync(AllInOne, null, [.. arguments]);

    /// <summary>Starts the sandbox gateway as a process; its API is below <c>/v1</c>.</summary>
    public static Task<HttpHost> StartGatewayAsync(string data, string secret) =>
        StartAsync("SandboxGateway", null, ["--data", data, "--port", "0", "--gateway-secret", secret]);

    /// <summary>Starts the all-in-one process in a working directory, with exactly these arguments.</summary>
    public static Task<HttpHost> StartInAsync(string directory, params string[] arguments) =>
        StartAsync(AllInOne, null, arguments, directory);

    static async Task<HttpHost> StartAsync(
        string project, string? ownDirectory, string[] arguments, string directory = "",
        params (string Name, string Value)[] variables)
    {
        var host = Watch(Launch(project, arguments, directory, variables), ownDirectory);
        var ready = await await Task.WhenAny(host.WaitForAsync(Ready), host.WaitForAsync(Ended));
        if (!ready.Contains(Ready, StringComparison.Ordinal)) throw new InvalidOperationException(host.Output);
        return host.At(new Uri(ready.Split(Ready)[1].Split(' ')[0].Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal)));
    }

    /// <summary>
    /// Starts a single service without its dependencies, never to become ready; returns when the liveness check succeeds.
    /// </summary>
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

    /// <summary>Runs the command-line tool against this host; returns the exit code, and the output or else the errors.</summary>
    public async Task<(int ExitCode, string Output)> RunToolAsync(params string[] arguments)
    {
        var (exit, output, errors) = await RunToolAsync(Url, "", arguments);
        return (exit, output.Length > 0 ? output : errors);
    }

    /// <summary>Runs the command-line tool.</summary>
    /// <param name="server">Server of the tool; null for the default.</param>
    /// <param name="directory">Working directory; empty for that of this process.</param>
    /// <param name="arguments">Verb and options.</param>
    public static Task<(int ExitCode, string Output, string Errors)> RunToolAsync(
        Uri? server, string directory, params string[] arguments) => RunToolAsync(server, directory, key: null, arguments);

    /// <inheritdoc cref="RunToolAsync(Uri?, string, string[])"/>
    /// <param name="server">Server of the tool; null for the default.</param>
    /// <param name="directory">Working directory; empty for that of this process.</param>
    /// <param name="key">API key; null for none.</param>
    /// <param name="arguments">Verb and options.</param>
    public static Task<(int ExitCode, string Output, string Errors)> RunToolAsync(
        Uri? server, string directory, string? key, IReadOnlyList<string> arguments) =>
        SetBackClock.VerifyAsync(() => StartToolAsync(server, directory, key, arguments), result => result.Output);

    static async Task<(int ExitCode, string Output, string Errors)> StartToolAsync(
        Uri? server, string directory, string? key, IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo("dotnet", [ProgramOf("Cli"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = directory,
            Environment = { ["ORDERWRIGHT_URL"] = server?.AbsoluteUri, ["ORDERWRIGHT_KEY"] = key, ["NO_COLOR"] = "1" },
        };
        using var tool = Process.Start(start)!;
        var output = await Task.WhenAll(tool.StandardOutput.ReadToEndAsync(), tool.StandardError.ReadToEndAsync());
        await tool.WaitForExitAsync();
        return (tool.ExitCode, output[0], output[1]);
    }

    /// <summary>Runs a process with a failing start; returns the exit code and output.</summary>
    public static Task<(int ExitCode, string Output)> RunAsync(params string[] arguments) => RunAsync("", [], arguments);

    /// <inheritdoc cref="RunAsync(string[])"/>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        string directory, (string Name, string Value)[] variables, params string[] arguments)
    {
        using var process = Launch(AllInOne, arguments, directory, variables);
        using var limit = new CancellationTokenSource(StartLimit);
        var found = await Task.WhenAll(
            process.StandardOutput.ReadToEndAsync(limit.Token), process.StandardError.ReadToEndAsync(limit.Token));
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, string.Concat(found));
    }

    public static string NewDirectory() => Directory.CreateTempSubdirectory("orderwright-").FullName;

    /// <summary>Sends SIGTERM; returns the exit code.</summary>
    public async Task<int> StopAsync()
    {
        using (var kill = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]))
            await kill.WaitForExitAsync();
        using var limit = new CancellationTokenSource(StartLimit);
        await process.WaitForExitAsync(limit.Token);
        return process.ExitCode;
    }

    /// <summary>Sends SIGKILL, like a crash.</summary>
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

    /// <summary>Returns a currently free port.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    HttpHost At(Uri url)
    {
        Url = url;
        Client = NewClient(url);
        return this;
    }

    static Process Launch(
        string project, string[] arguments, string directory = "", params (string Name, string Value)[] variables)
    {
        var start = new ProcessStartInfo("dotnet", [ProgramOf(project), .. arguments])
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys
            .Where(name => name.StartsWith("ORDERWRIGHT_", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in variables) start.Environment[name] = value;
        return Process.Start(start) ?? throw new InvalidOperationException($"{project} could not be started.");
    }

    void Take(string? line)
    {
        if (line is null) return;
        lock (output)
        {
            output.Append(line).Append('\n');
            foreach (var (part, found) in awaited)
                if (line.Contains(part, StringComparison.Ordinal)) found.TrySetResult(line);
        }
    }
}

/// <summary>Process without keys and demo, shared by all tests without changes to the data.</summary>
public sealed class SharedHttpHost : IAsyncLifetime
{
    public HttpHost Host { get; private set; } = null!;

    public HttpClient Client => Host.Client;

    public async ValueTask InitializeAsync() => Host = await HttpHost.StartAsync(null, "--no-demo");

    public ValueTask DisposeAsync() => Host.DisposeAsync();
}
