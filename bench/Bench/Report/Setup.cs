using System.Collections;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Orderwright.LocalServers;
using Orderwright.Runtime;

namespace Orderwright.Bench;

/// <summary>The machine and the method of measurement.</summary>
sealed partial record Setup(
    DateTimeOffset At, string Commit, int Cores, string Processor, double MemoryGb, string Kernel, string DotNet,
    string RabbitMq, string FileSystem, double FsyncMs, IReadOnlyDictionary<string, string> Settings)
{
    /// <param name="options">Duration and size of the measurements.</param>
    /// <param name="postgres">Settings reported by a stack's server; empty without one.</param>
    /// <param name="cancel">Ends the work.</param>
    public static async Task<Setup> ReadAsync(
        BenchOptions options, IReadOnlyDictionary<string, string> postgres, CancellationToken cancel)
    {
        var settings = new Dictionary<string, string>
        {
            ["repeat"] = $"{options.Repeat}",
            ["run length"] = $"{options.Length.TotalSeconds} s saturated, {options.OpenLength.TotalSeconds} s at a fixed rate",
            ["connections, saturated"] = $"{options.Connections}",
            ["orders that ask for their decision, saturated"] = $"1 in {options.WaitEvery}",
        };
        foreach (var property in typeof(RuntimeOptions).GetProperties())
            settings[$"ORDERWRIGHT_{property.Name.ToUpperInvariant()}"] = $"{property.GetValue(new RuntimeOptions())}";
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
            if (RuntimeKnob().IsMatch((string)variable.Key))
                settings[(string)variable.Key] = $"{variable.Value}";
        foreach (var (name, value) in postgres) settings[$"PostgreSQL {name}"] = value;
        Directory.CreateDirectory(options.Data);
        return new Setup(
            DateTimeOffset.UtcNow, await CommitAsync(cancel), Environment.ProcessorCount,
            Field("/proc/cpuinfo", "model name"),
            Math.Round(double.Parse(Field("/proc/meminfo", "MemTotal").Split(' ')[0], null) / (1 << 20), 1),
            $"{File.ReadAllText("/proc/sys/kernel/osrelease").Trim()}, {RuntimeInformation.OSDescription}",
            Environment.Version.ToString(), RabbitMqVersion(), DriveOf(options.Data), MeasureFsync(options.Data), settings);
    }

    static async Task<string> CommitAsync(CancellationToken cancel)
    {
        try
        {
            var commit = (await GitAsync(["rev-parse", "--short=12", "HEAD"], cancel)).Trim();
            var changed = (await GitAsync(["status", "--porcelain", "--untracked-files=no"], cancel)).Length > 0;
            return commit.Length == 0 ? "unknown" : changed ? $"{commit} with changes" : commit;
        }
        catch (Win32Exception)
        {
            return "unknown"; // A copy without git or repository is measured all the same.
        }
    }

    static async Task<string> GitAsync(string[] arguments, CancellationToken cancel)
    {
        using var git = Process.Start(new ProcessStartInfo("git", ["-C", Programs.Home, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        return await git.StandardOutput.ReadToEndAsync(cancel);
    }

    // RabbitMQ's own tool knows the version too, but takes seconds.
    static string RabbitMqVersion()
    {
        var home = Path.Combine(Path.GetDirectoryName(PrivateRabbitMq.FindProgram()) ?? "", "..", "lib");
        return !Directory.Exists(home) ? "unknown" : Directory.EnumerateDirectories(home, "rabbitmq_server-*")
            .Select(folder => Path.GetFileName(folder).Split('-')[1]).FirstOrDefault("unknown");
    }

    static string DriveOf(string directory) => DriveInfo.GetDrives()
        .Where(drive => directory.StartsWith(drive.RootDirectory.FullName, StringComparison.Ordinal))
        .MaxBy(drive => drive.RootDirectory.FullName.Length)?.DriveFormat ?? "unknown";

    // Best-case wait of a commit: the median of 8 KB written and synced.
    static double MeasureFsync(string directory)
    {
        var page = new byte[8_192];
        using var file = new FileStream(Path.Combine(directory, "fsync"), FileMode.Create);
        return Math.Round(
            Spread.Of(Enumerable.Range(0, 101).Select(_ =>
            {
                var since = Stopwatch.GetTimestamp();
                file.Write(page);
                file.Flush(flushToDisk: true);
                return Stopwatch.GetElapsedTime(since).TotalMilliseconds;
            })).Median, 2);
    }

    [GeneratedRegex("^DOTNET_(gc|GC|Thread|Tier|TC_|Ready|Process)")]
    private static partial Regex RuntimeKnob();

    static string Field(string file, string name) =>
        File.ReadLines(file).First(line => line.StartsWith(name, StringComparison.Ordinal)).Split(':', 2)[1].Trim();
}
