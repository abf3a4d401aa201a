using System.ComponentModel;
using System.Diagnostics;

namespace Orderwright.EndToEnd.Contract;

/// <summary>
/// Programs of npm packages, at the versions of clients/typescript/package-lock.json. They are installed on first use in
/// <c>orderwright/typescript</c> of the user's directory for application data, beside a copy of the client's source.
/// </summary>
static class NodePackages
{
    static readonly string[] Copied = ["package.json", "package-lock.json", "tsconfig.json", "src", "test"];

    static readonly Lazy<Task<string>> Installed = new(InstallAsync);

    /// <summary>Folder with the packages and the client's source. Skips the test without node and npm.</summary>
    public static async Task<string> FolderAsync()
    {
        if (!await IsThereAsync("node", "--version") || !await IsThereAsync("npm", "--version"))
            Assert.Skip("node and npm are not installed here.");
        return await Installed.Value;
    }

    /// <summary>Runs a program of a package; returns the exit code, and the output followed by the errors.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(string program, params string[] arguments) =>
        await StartAsync(Path.Combine(await FolderAsync(), "node_modules", ".bin", program), arguments, []);

    /// <summary>Runs a program with further environment variables.</summary>
    public static async Task<(int ExitCode, string Output)> StartAsync(
        string program, string[] arguments, (string Name, string Value)[] variables)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var (name, value) in variables) start.Environment[name] = value;
        start.Environment["NO_COLOR"] = "1";
        start.Environment["REDOCLY_TELEMETRY"] = "off";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await errors);
    }

    static async Task<bool> IsThereAsync(string program, string argument)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, argument) { RedirectStandardOutput = true })!;
            await process.WaitForExitAsync();
            return process.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }

    static async Task<string> InstallAsync()
    {
        var folder = Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create),
            "orderwright", "typescript");
        Directory.CreateDirectory(folder);
        var source = Path.Combine(ApiContract.Repository, "clients", "typescript");
        var locked = await File.ReadAllTextAsync(Path.Combine(source, "package-lock.json"));
        var mark = Path.Combine(folder, "node_modules", ".orderwright");
        foreach (var name in Copied) Copy(Path.Combine(source, name), Path.Combine(folder, name));
        if (File.Exists(mark) && await File.ReadAllTextAsync(mark) == locked) return folder;
        using var process = Process.Start(new ProcessStartInfo(
            "npm", ["ci", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder,
        })!;
        var output = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"npm could not install: {string.Concat(output)}");
        await File.WriteAllTextAsync(mark, locked);
        return folder;
    }

    static void Copy(string from, string to)
    {
        if (!Directory.Exists(from))
        {
            File.Copy(from, to, overwrite: true);
            return;
        }
        if (Directory.Exists(to)) Directory.Delete(to, recursive: true);
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from)) File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
    }
}
