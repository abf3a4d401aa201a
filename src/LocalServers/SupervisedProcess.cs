using System.Diagnostics;

namespace Orderwright.LocalServers;

/// <summary>
/// A supervised .NET program: output is passed on, and a dead process restarts after half a second. Cancellation stops the
/// process gracefully.
/// </summary>
/// <param name="name">Display name.</param>
/// <param name="program">Path of the dll.</param>
/// <param name="arguments">Command-line arguments.</param>
/// <param name="environment">Additional environment variables.</param>
/// <param name="say">Receives each line of output, from several threads.</param>
/// <param name="wrapper">
/// Command executing the program, such as <c>ip netns exec NAME</c>; may be empty.
/// </param>
public sealed class SupervisedProcess(
    string name, string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment,
    Action<string> say, params IReadOnlyList<string> wrapper)
{
    const int Stop = 19, Continue = 18, Terminate = 15, KillHard = 9;

    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);
    static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(15);

    readonly Lock gate = new();
    IReadOnlyDictionary<string, string> once = new Dictionary<string, string>();
    TaskCompletionSource released = NotHeld();
    Process? process;

    public string Name => name;

    /// <summary>Called after each start.</summary>
    public Action Started { get; init; } = () => { };

    /// <summary>Process id; 0 before the first start.</summary>
    public int ProcessId
    {
        get
        {
            lock (gate) return process?.Id ?? 0;
        }
    }

    /// <summary>Number of starts.</summary>
    public int Starts { get; private set; }

    /// <summary>Runs the program until cancelled; completes when the process has ended.</summary>
    public async Task KeepRunningAsync(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            await Held.WaitAsync(cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancel.IsCancellationRequested) return;
            using var current = Start();
            Started();
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

    /// <summary>Kills the process (SIGKILL). Only the next start gets the given settings as well.</summary>
    public void Kill(params IEnumerable<KeyValuePair<string, string>> settings)
    {
        lock (gate)
        {
            once = settings.ToDictionary();
            Signal(KillHard);
        }
    }

    /// <summary>Kills the process (SIGKILL), and keeps it from starting until <see cref="Release"/>.</summary>
    public async Task HoldAsync()
    {
        lock (gate) released = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Kill();
        while (ProcessId != 0) await Task.Delay(20);
    }

    /// <summary>Lets the process start again.</summary>
    public void Release()
    {
        lock (gate) released.TrySetResult();
    }

    /// <summary>Suspends the process (SIGSTOP) until <see cref="Resume"/>.</summary>
    public void Suspend() => Signal(Stop);

    /// <summary>Resumes the process (SIGCONT).</summary>
    public void Resume() => Signal(Continue);

    Task Held
    {
        get
        {
            lock (gate) return released.Task;
        }
    }

    void Signal(int signal)
    {
        lock (gate)
            if (process is not null) ServerProcess.Signal(process, signal);
    }

    static TaskCompletionSource NotHeld()
    {
        var source = new TaskCompletionSource();
        source.SetResult();
        return source;
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
