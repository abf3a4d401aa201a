using System.Diagnostics;
using Orderwright.Hosting.Keys;
using Orderwright.Http;

namespace Orderwright.EndToEnd;

/// <summary>Changes of a key file: concurrent ones, and the owner and mode of the file.</summary>
public sealed class KeyFileTests : IDisposable
{
    readonly string directory = HttpHost.NewDirectory();

    string Path => System.IO.Path.Combine(directory, "keys.json");

    [Fact]
    public async Task Keys_added_and_revoked_at_once_by_several_processes_are_all_in_the_file()
    {
        var first = Enumerable.Range(0, 20).Select(i => Add($"first-{i}")).ToList();
        var tools = Enumerable.Range(0, 4).Select(i => ToolAsync(
            "keys", "add", "--file", Path, "--name", $"tool-{i}", "--scopes", "orders")).ToList();
        await Task.WhenAll(
            Parallel.ForEachAsync(first, (token, _) =>
            {
                Assert.True(KeyFile.Revoke(Path, token.Split('_')[1], DateTimeOffset.UtcNow));
                return default;
            }),
            Parallel.ForEachAsync(Enumerable.Range(0, 40), (i, _) =>
            {
                Add($"second-{i}");
                return default;
            }));
        Assert.All(await Task.WhenAll(tools), tool => Assert.Equal(0, tool.ExitCode));

        var keys = KeyFile.Read(Path);
        Assert.Equal(64, keys.Count);
        Assert.Equal(20, keys.Count(key => key.RevokedAt is not null));
    }

    [Fact]
    public async Task A_change_keeps_the_mode_and_the_owner_of_the_file()
    {
        if (OperatingSystem.IsWindows()) return;
        var token = Add("one");
        var mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        File.SetUnixFileMode(Path, mode);
        var owner = Environment.UserName == "root" ? "1654:1654" : await RunAsync("stat", "-c", "%u:%g", Path);
        if (Environment.UserName == "root") await RunAsync("chown", owner, Path);

        Add("two");
        Assert.Equal((mode, owner), (File.GetUnixFileMode(Path), await RunAsync("stat", "-c", "%u:%g", Path)));
        KeyFile.Revoke(Path, token.Split('_')[1], DateTimeOffset.UtcNow);
        Assert.Equal((mode, owner), (File.GetUnixFileMode(Path), await RunAsync("stat", "-c", "%u:%g", Path)));
    }

    [Fact]
    public void A_link_to_the_file_stays_a_link()
    {
        Add("one");
        var link = System.IO.Path.Combine(directory, "link.json");
        File.CreateSymbolicLink(link, Path);
        KeyFile.Add(link, "two", [Scopes.Orders], DateTimeOffset.UtcNow);
        Assert.NotNull(new FileInfo(link).LinkTarget);
        Assert.Equal(2, KeyFile.Read(Path).Count);
    }

    [Fact]
    public async Task A_file_that_cannot_be_changed_is_one_sentence_and_exit_code_1()
    {
        Add("one");
        Directory.CreateDirectory(Path + ".new");
        var (exit, output) = await ToolAsync("keys", "add", "--file", Path, "--name", "two", "--scopes", "orders");
        Assert.Equal(1, exit);
        Assert.StartsWith($"{Path} was not changed: ", output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
        Assert.Single(KeyFile.Read(Path));
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    string Add(string name) => KeyFile.Add(Path, name, [Scopes.Orders], DateTimeOffset.UtcNow);

    static async Task<string> RunAsync(string program, params string[] arguments) =>
        (await StartAsync(program, arguments)).Output.Trim();

    static Task<(int ExitCode, string Output)> ToolAsync(params string[] arguments) =>
        StartAsync("dotnet", [HttpHost.ProgramOf("Cli"), .. arguments]);

    static async Task<(int ExitCode, string Output)> StartAsync(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var text = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, string.Concat(text));
    }
}
