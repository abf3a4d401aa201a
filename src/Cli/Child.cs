using System.Diagnostics;

namespace Orderwright.Cli;

/// <summary>A service's process under watch: what it says is passed on with its name, and when it dies it comes back.</summary>
sealed class Child(string name, string program, IReadOnlyDictionary<string, string> environment, string logFile)
{
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);
    static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(15);
    Process? process;

    public int ProcessId => process?.Id ?? 0;

    /// <summary>Returns when it was cancelled and the process has ended.</summary>
    public async Task KeepRunningAsync(CancellationToken cancel)
    {
        await using var log = new StreamWriter(logFile, append: true) { AutoFlush = true };
        while (!cancel.IsCancellationRequested)
        {
            using var current = process = Start();
            var output = Task.WhenAll(PassOnAsync(current.StandardOutput, log), PassOnAsync(current.StandardError, log));
            try
            {
                await current.WaitForExitAsync(cancel);
                await output;
                Say(log, $"has ended with {current.ExitCode}; starting it again");
                await Task.Delay(Pause, cancel);
            }
            catch (OperationCanceledException)
            {
                await StopAsync(current);
            }
        }
    }

    Process Start()
    {
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList = { program },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var (key, value) in environment) start.Environment[key] = value;
        return Process.Start(start) ?? throw new InvalidOperationException($"{name} could not be started.");
    }

    async Task PassOnAsync(StreamReader from, StreamWriter log)
    {
        while (await from.ReadLineAsync() is { } line) Say(log, line);
    }

    void Say(StreamWriter log, string line)
    {
        lock (log) log.WriteLine(line);
        Console.WriteLine($"{name,-17} | {line}");
    }

    static async Task StopAsync(Process running)
    {
        if (running.HasExited) return;
        using var kill = Process.Start("kill", ["-TERM", $"{running.Id}"]);
        using var limit = new CancellationTokenSource(StopLimit);
        try
        {
            await running.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            running.Kill(entireProcessTree: true);
        }
    }
}
