using System.ComponentModel;
using System.Diagnostics;

namespace Orderwright.AllInOne;

/// <summary>Opens a page in the browser. Does nothing without a terminal or without a browser.</summary>
static class Browser
{
    public static void Open(Uri page)
    {
        if (Console.IsOutputRedirected || !HasScreen()) return;
        try
        {
            var opener = OperatingSystem.IsMacOS() ? "open" : "xdg-open";
            var start = OperatingSystem.IsWindows()
                ? new ProcessStartInfo(page.AbsoluteUri) { UseShellExecute = true }
                : new ProcessStartInfo(opener, page.AbsoluteUri)
                {
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                };
            using var process = Process.Start(start);
        }
        catch (Win32Exception)
        {
            // No program opens pages here; the line that reports readiness contains the address.
        }
    }

    static bool HasScreen() =>
        !OperatingSystem.IsLinux()
        || Environment.GetEnvironmentVariable("DISPLAY") is { Length: > 0 }
        || Environment.GetEnvironmentVariable("WAYLAND_DISPLAY") is { Length: > 0 };
}
