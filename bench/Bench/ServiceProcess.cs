using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Orderwright.Bench;

/// <summary>A service as a process on a free port, started as a user would.</summary>
sealed partial class ServiceProcess : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    readonly Process process;
    readonly StreamWriter log;
    readonly TaskCompletionSource<Uri> ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    ServiceProcess(string name, Process process, StreamWriter log)
    {
        Name = name;
        this.process = process;
        this.log = log;
    }

    public string Name { get; }

    public int Id => process.Id;

    public Uri Url { get; private set; } = null!;

    /// <summary>Starts the service and returns once ready.</summary>
    /// <param name="project">Project path such as <c>src/OrderService</c>.</param>
    /// <param name="name">Name in reports and of the log.</param>
    /// <param name="settings">Settings without the prefix <c>ORDERWRIGHT_</c>.</param>
    /// <param name="logs">Directory of the log.</param>
    /// <param name="cancel">Ends the wait, and the process.</param>
    public static async Task<ServiceProcess> StartAsync(
        string project, string name, IReadOnlyDictionary<string, string> settings, string logs, CancellationToken cancel)
    {
        var start = Programs.Start(project);
        start.Environment["ORDERWRIGHT_LISTEN"] = "http://127.0.0.1:0";
        foreach (var (key, value) in settings) start.Environment[$"ORDERWRIGHT_{key}"] = value;
        var log = new StreamWriter(Path.Combine(logs, $"{name}.log"), append: true) { AutoFlush = true };
        var service = new ServiceProcess(name, Process.Start(start)!, log);
        try
        {
            _ = service.ReadAsync(service.process.StandardOutput);
            _ = service.ReadAsync(service.process.StandardError);
            var ended = service.process.WaitForExitAsync(cancel);
            if (await Task.WhenAny(service.ready.Task, ended).WaitAsync(Patience, cancel) == ended)
                throw new InvalidOperationException($"{name} ended before it was ready; see {logs}.");
            service.Url = await service.ready.Task;
            return service;
        }
        catch
        {
            await service.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends the process without warning (SIGKILL), as a crash does.</summary>
    public async Task KillAsync()
    {
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        await DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            using var terminate = Process.Start("kill", ["-TERM", $"{process.Id}"]);
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(15));
            try
            {
                await process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
            }
        }
        process.Dispose();
        lock (log) log.Dispose();
    }

    async Task ReadAsync(StreamReader output)
    {
        while (await output.ReadLineAsync() is { } line)
        {
            if (ReadyLine().Match(line) is { Success: true } match) ready.TrySetResult(new Uri(match.Groups[1].Value));
            lock (log)
            {
                if (log.BaseStream.CanWrite) log.WriteLine(line);
            }
        }
    }

    [GeneratedRegex(@" is ready: (http://\S+) ")]
    private static partial Regex ReadyLine();
}
