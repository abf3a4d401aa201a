using System.Diagnostics;

namespace Orderwright.Rules.Tests;

/// <summary>Help from the script on a clone on which nothing has been built.</summary>
public sealed class ScriptHelpTests : IDisposable
{
    readonly string clone = Directory.CreateTempSubdirectory("orderwright-clone-").FullName;

    [Theory]
    [InlineData("orderwright list [options]", "list", "--help")]
    [InlineData("orderwright keys [command] [options]", "keys", "-h")]
    [InlineData("orderwright keys add [options]", "keys", "add", "--help")]
    [InlineData("orderwright retry [<order>] [options]", "retry", "R-1", "--help")]
    [InlineData("orderwright process check <file> [options]", "process", "check", "--help")]
    [InlineData("usage: ./orderwright dev [OPTIONS]", "dev", "--help")]
    [InlineData("usage: ./orderwright test [OPTIONS]", "test", "--help")]
    [InlineData("usage: ./orderwright sim [OPTIONS]", "sim", "-h")]
    public void Help_needs_no_build(string line, params string[] arguments)
    {
        var (exit, output, errors) = Run(arguments);
        Assert.Equal((0, ""), (exit, errors));
        Assert.Contains(line, output.Split('\n').Select(text => text.Trim()));
    }

    [Fact]
    public void The_tool_itself_answers_for_an_unknown_verb() => Assert.Contains("SDK", Run("lisst", "--help").Errors);

    public void Dispose() => Directory.Delete(clone, recursive: true);

    (int ExitCode, string Output, string Errors) Run(params string[] arguments)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The script needs a Unix shell.");
        Directory.CreateDirectory(Path.Combine(clone, "src", "Cli"));
        Directory.CreateDirectory(Path.Combine(clone, "bin"));
        foreach (var file in new[] { "orderwright", Path.Combine("src", "Cli", "Help.txt") })
            File.Copy(Path.Combine(Repository.Root, file), Path.Combine(clone, file), overwrite: true);
        // A build begins with a look at the SDK, which is too old here.
        var sdk = Path.Combine(clone, "bin", "dotnet");
        File.WriteAllText(sdk, "#!/bin/sh\nexit 1\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(sdk, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var start = new ProcessStartInfo("bash", [Path.Combine(clone, "orderwright"), .. arguments])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
            Environment = { ["PATH"] = $"{Path.Combine(clone, "bin")}:{Environment.GetEnvironmentVariable("PATH")}" },
        };
        start.Environment.Remove("ORDERWRIGHT_BUILT");
        using var script = Process.Start(start)!;
        var errors = script.StandardError.ReadToEndAsync();
        var output = script.StandardOutput.ReadToEnd();
        script.WaitForExit();
        return (script.ExitCode, output, errors.Result);
    }
}
