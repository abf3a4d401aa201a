using System.Diagnostics;
using System.Globalization;

namespace Orderwright.LocalServers;

/// <summary>
/// Identity of a process beyond its id, which the system gives to another process later: the moment of its start and its
/// executable.
/// </summary>
/// <param name="Id">Process id.</param>
/// <param name="Started">Moment of the start, exact and independent of the wall clock where the system allows.</param>
/// <param name="Executable">Full path.</param>
public sealed record ProcessIdentity(int Id, string Started, string Executable)
{
    /// <summary>Identity of the process that has an id now; null for no process, and for one that may not be seen.</summary>
    public static ProcessIdentity? Of(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            return ExecutableOf(process) is { } executable ? new(id, StartOf(process), executable) : null;
        }
        catch (Exception error) when (
            error is ArgumentException or InvalidOperationException or IOException or UnauthorizedAccessException
                or System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    /// <summary>True while exactly this process runs.</summary>
    public bool IsRunning => Of(Id) == this;

    /// <summary>Kills the process and its descendants, if exactly this process runs.</summary>
    public void Kill()
    {
        if (!IsRunning) return;
        try
        {
            using var process = Process.GetProcessById(Id);
            process.Kill(entireProcessTree: true);
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException)
        {
            // The process has ended.
        }
    }

    // On Linux the modules of a process that starts right now are not mapped yet; its executable is linked.
    static string? ExecutableOf(Process process) => OperatingSystem.IsLinux()
        ? File.ResolveLinkTarget($"/proc/{process.Id}/exe", returnFinalTarget: false)?.FullName
        : process.MainModule?.FileName;

    // Linux counts clock ticks since the boot: field 22, after the name in parentheses, which may contain spaces.
    static string StartOf(Process process)
    {
        if (!OperatingSystem.IsLinux()) return process.StartTime.ToUniversalTime().ToString("O", CultureInfo.InvariantCulture);
        var stat = File.ReadAllText($"/proc/{process.Id}/stat");
        var ticks = stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[19];
        return $"{ticks} ticks after boot {File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim()}";
    }
}
