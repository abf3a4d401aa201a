using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Orderwright.LocalServers;

/// <summary>What a private server needs and this machine lacks, in one sentence that says what to do.</summary>
public sealed class MissingServerException(string message) : Exception(message);

/// <summary>Starts programs in a session of their own, so that a Ctrl+C at the terminal reaches only who asked.</summary>
static class ServerProcess
{
    public static bool IsRoot => OperatingSystem.IsLinux() && Environment.UserName == "root";

    /// <summary>Starts <paramref name="program"/>; its output goes line by line to <paramref name="logFile"/>.</summary>
    public static Process Start(
        string program, IEnumerable<string> arguments, string logFile, IReadOnlyDictionary<string, string>? environment = null)
    {
        // The shell only joins the session, redirects and is replaced: the process id is the server's own.
        var start = new ProcessStartInfo("setsid")
        {
            ArgumentList = { "sh", "-c", "log=$1; shift; exec \"$@\" >>\"$log\" 2>&1 </dev/null", "sh", logFile, program },
            UseShellExecute = false,
        };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        return Process.Start(start) ?? throw new InvalidOperationException($"{program} could not be started.");
    }

    /// <summary>Runs a program to its end and returns what it printed; throws with it when it fails.</summary>
    public static async Task<string> RunAsync(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null,
        CancellationToken cancel = default)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(cancel);
        var errors = process.StandardError.ReadToEndAsync(cancel);
        await process.WaitForExitAsync(cancel);
        return process.ExitCode == 0
            ? await output
            : throw new InvalidOperationException(
                $"{program} ended with {process.ExitCode}: {(await errors).Trim()} {(await output).Trim()}");
    }

    /// <summary>Sends a signal by number; does nothing to a process that has ended.</summary>
    public static void Signal(Process process, int signal)
    {
        if (!process.HasExited) _ = kill(process.Id, signal);
    }

    /// <summary>SIGKILL to a process and what it started, as far as it stayed in its process group.</summary>
    public static void KillGroup(Process process) => _ = kill(-process.Id, 9);

    /// <summary>
    /// A port of the loopback interface that nobody listens on right now, below those that outgoing connections get:
    /// a server that is started again must find its port free.
    /// </summary>
    public static int FreePort()
    {
        while (true)
        {
            using var listener = new TcpListener(IPAddress.Loopback, Random.Shared.Next(15_000, 32_000));
            try
            {
                listener.Start();
                return ((IPEndPoint)listener.LocalEndpoint).Port;
            }
            catch (SocketException)
            {
                // Taken: another one.
            }
        }
    }

    /// <summary>Asks <paramref name="isReady"/> every 100 ms; throws with the log's end when it takes too long.</summary>
    public static async Task WaitUntilAsync(
        string what, Process process, string logFile, Func<Task<bool>> isReady, TimeSpan limit, CancellationToken cancel)
    {
        var since = Stopwatch.StartNew();
        while (!await isReady())
        {
            if (process.HasExited || since.Elapsed > limit)
                throw new InvalidOperationException(
                    $"{what} did not start {(process.HasExited ? $"(it ended with {process.ExitCode})" : $"within {limit}")}. " +
                    $"The end of {logFile}:\n{EndOf(logFile)}");
            await Task.Delay(100, cancel);
        }
    }

    static string EndOf(string file) => File.Exists(file) ? string.Join('\n', File.ReadLines(file).TakeLast(15)) : "";

    public static async Task<bool> AnswersAsync(int port)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int kill(int pid, int signal);
}
