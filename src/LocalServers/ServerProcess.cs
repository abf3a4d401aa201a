using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Orderwright.LocalServers;

/// <summary>Thrown when a private server needs a program missing on this machine. The message names the remedy.</summary>
public sealed class MissingServerException(string message) : Exception(message);

/// <summary>Starts programs in separate sessions, so that Ctrl+C at the terminal reaches only the caller.</summary>
static class ServerProcess
{
    const int SignalKill = 9;

    public static bool IsRoot => OperatingSystem.IsLinux() && Environment.UserName == "root";

    /// <summary>Starts <paramref name="program"/> and appends its output to <paramref name="logFile"/>.</summary>
    public static Process Start(
        string program, IEnumerable<string> arguments, string logFile, IReadOnlyDictionary<string, string>? environment = null)
    {
        // The shell only joins the session, redirects and is replaced, so the process id is the server's own.
        var start = new ProcessStartInfo("setsid")
        {
            ArgumentList = { "sh", "-c", "log=$1; shift; exec \"$@\" >>\"$log\" 2>&1 </dev/null", "sh", logFile, program },
            UseShellExecute = false,
        };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        return Process.Start(start) ?? throw new InvalidOperationException($"{program} could not be started.");
    }

    /// <summary>Runs a program to the end and returns the output; throws with the output on failure.</summary>
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

    /// <summary>
    /// Sends a signal by number; no effect on an ended process. Windows has no signals: the process is killed instead.
    /// </summary>
    public static void Signal(Process process, int signal)
    {
        if (process.HasExited) return;
        if (OperatingSystem.IsWindows()) process.Kill(entireProcessTree: true);
        else _ = kill(process.Id, signal);
    }

    /// <summary>Sends a signal by number, as on Linux, to a process and the members of its process group.</summary>
    public static void SignalGroup(Process process, int signal)
    {
        if (OperatingSystem.IsWindows()) Signal(process, signal);
        else _ = kill(-process.Id, signal);
    }

    /// <summary>
    /// A free port of the loopback interface, below the range of outgoing connections: a restarted server must find its
    /// port free.
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
                // In use, so try another.
            }
        }
    }

    /// <summary>
    /// Polls <paramref name="isReady"/> every 100 ms; throws with the end of the log after <paramref name="limit"/>. A server
    /// that does not become ready is killed, so that none is left behind.
    /// </summary>
    public static async Task WaitUntilAsync(
        string what, Process process, string logFile, Func<Task<bool>> isReady, TimeSpan limit, CancellationToken cancel)
    {
        var since = Stopwatch.StartNew();
        try
        {
            while (!await isReady())
            {
                if (process.HasExited || since.Elapsed > limit)
                {
                    var why = process.HasExited ? $"(it ended with {process.ExitCode})" : $"within {limit}";
                    throw new InvalidOperationException(
                        $"{what} did not start {why}. The end of {logFile}:\n{EndOf(logFile)}");
                }
                await Task.Delay(100, cancel);
            }
        }
        catch
        {
            SignalGroup(process, SignalKill);
            throw;
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
