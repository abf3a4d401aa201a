using System.Diagnostics;

namespace Orderwright.Bench;

/// <summary>Locates and starts programs, without the caller's environment settings.</summary>
static class Programs
{
    /// <summary>Root of the repository, relative to <c>bench/Bench/bin/Release/net10.0</c>.</summary>
    public static string Home { get; } = Environment.GetEnvironmentVariable("ORDERWRIGHT_HOME")
        ?? Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../../.."));

    /// <param name="project">Path from the root of the repository, such as <c>src/OrderService</c>.</param>
    public static string Find(string project)
    {
        var file = Path.Combine(
            Home, project, "bin", "Release", "net10.0", $"Orderwright.{Path.GetFileName(project)}.dll");
        return File.Exists(file)
            ? file
            : throw new InvalidOperationException($"{file} was not found; ./orderwright build makes it.");
    }

    public static ProcessStartInfo Start(string project)
    {
        var start = new ProcessStartInfo("dotnet", [Find(project)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(IsSetting).ToList()) start.Environment.Remove(name);
        return start;
    }

    static bool IsSetting(string name) => name.StartsWith("ORDERWRIGHT_", StringComparison.Ordinal);
}
