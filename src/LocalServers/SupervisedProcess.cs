using System.Diagnostics;

namespace Orderwright.LocalServers;

/// <summary>
/// A program of ours under watch: what it says is passed on, and when it dies it comes back half a second later.
/// Stopped in an orderly way when its watch is cancelled.
/// </summary>
/// <param name="name">For people.</param>
/// <param name="program">A .NET program's dll.</param>
/// <param name="arguments">Of the program.</param>
/// <param name="environment">Besides that of this process.</param>
/// <param name="say">Takes each line, from several threads.</param>
/// <param name="wrapper">A command that runs it and is replaced by it, such as <c>ip netns exec NAME</c>; or nothing.</param>
public sealed class SupervisedProcess(
    string name, string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment,
    Action<string> say, params IReadOnlyList<string> wrapper)
{
    const int Stop = 19, Continue = 18, Terminate = 15, KillHard = 9;

    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);
    static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(15);

    readonly Lock gate = new();
    IReadOnlyDictionary<string, string> once = new Dictionary<string, string>();
    Process? process;

    public string Name => name;

    /// <summary>0 before the first start.</summary>
    public int ProcessId
    {
        get
        {
            lock (gate) return process?.Id ?? 0;
        }
    }

    /// <summary>How often it was started.</summary>
    public int Starts { get; private set; }

    /// <summary>Returns when it was cancelled and the process has ended.</summary>
    public async Task KeepRunningAsync(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            using var current = Start();
            var output = Task.WhenAll(PassOnAsync(current.StandardOutput), PassOnAsync(current.StandardError));
            try
            {
                await current.WaitForExitAsync(cancel);
                await output;
                say($"has ended with {current.ExitCode}; starting it again");
                await Task.Delay(Pause, cancel);
            }
            catch (OperationCanceledException)
            {
                await StopAsync(current);
            }
            lock (gate) process = null;
        }
    }

    /// <summary>SIGKILL. It comes back with these settings besides, this once.</summary>
    public void Kill(params IEnumerable<KeyValuePair<string, string>> settings)
    {
        lock (gate)
        {
            once = settings.ToDictionary();
            Signal(KillHard);
        }
    }

    /// <summary>SIGSTOP: it is there, and does nothing, until <see cref="Resume"/>.</summary>
    public void Suspend() => Signal(Stop);

    /// <summary>SIGCONT.</summary>
    public void Resume() => Signal(Continue);

    void Signal(int signal)
    {
        lock (gate)
            if (process is not null) ServerProcess.Signal(process, signal);
    }

    Process Start()
    {
        string[] command = [.. wrapper, "dotnet", program, .. arguments];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        lock (gate)
        {
            foreach (var (key, value) in environment.Concat(once)) start.Environment[key] = value;
            once = new Dictionary<string, string>();
            Starts++;
            return process = Process.Start(start) ?? throw new InvalidOperationException($"{name} could not be started.");
        }
    }

    async Task PassOnAsync(StreamReader from)
    {
        while (await from.ReadLineAsync() is { } line) say(line);
    }

    static async Task StopAsync(Process running)
    {
        ServerProcess.Signal(running, Continue);
        ServerProcess.Signal(running, Terminate);
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
