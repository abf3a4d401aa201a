using System.Diagnostics;
using System.Text.RegularExpressions;
using Orderwright.Hosting.Keys;
using Orderwright.Http;
using Orderwright.Http.Visitors;

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
    public async Task A_file_of_release_0_1_0_is_read_with_a_warning_and_rewritten_by_the_next_change()
    {
        var token = Add("one");
        File.WriteAllText(
            Path, Regex.Replace(File.ReadAllText(Path), "\"channels\": \\[\\s*\"main\"\\s*\\]", "\"merchant\": \"acme\""));
        await using (var host = await HttpHost.StartAsync(null, "--keys", Path))
        {
            Assert.Equal(200, (await host.Client.AskAsync("/api/v1/orders", ("Authorization", $"Bearer {token}"))).Status);
            Assert.Contains("the former word merchant", host.Output, StringComparison.Ordinal);
        }
        Add("two");
        Assert.DoesNotContain("merchant", File.ReadAllText(Path), StringComparison.Ordinal);
        Assert.All(KeyFile.Read(Path), key => Assert.Equal([key.Name == "one" ? "acme" : "main"], key.Channels!));
    }

    [Fact]
    public async Task Setup_makes_a_session_key_that_services_read_and_keeps_it()
    {
        var file = System.IO.Path.Combine(directory, "keys", "session.key");
        Assert.Equal(0, (await ToolAsync("setup", directory)).ExitCode);
        var first = await File.ReadAllTextAsync(file);
        Assert.Equal("x"u8.ToArray(), Sealer.Read(file).Open("a", Sealer.Read(file).Seal("a", "x"u8)));
        Assert.Equal(0, (await ToolAsync("setup", directory)).ExitCode);
        Assert.Equal(first, await File.ReadAllTextAsync(file));
        // An installation of release 0.1.0 gains one at the next start.
        File.Delete(file);
        Assert.Equal(0, (await ToolAsync("setup", directory)).ExitCode);
        Assert.True(File.Exists(file));
    }

    [Fact]
    public async Task A_key_with_a_role_has_the_scopes_of_the_role()
    {
        Assert.Equal(0, (await ToolAsync(
            "keys", "add", "--file", Path, "--name", "desk", "--role", "support", "--scopes", "metrics")).ExitCode);
        var key = Assert.Single(KeyFile.Read(Path));
        Assert.Equal("metrics support", $"{Assert.Single(key.Scopes)} {Assert.Single(key.Roles!)}");
        Assert.Equal(Roles.Table["support"].Append("metrics").Order(StringComparer.Ordinal), key.AllScopes);
        Assert.Contains(
            "support,metrics", (await ToolAsync("keys", "list", "--file", Path)).Output, StringComparison.Ordinal);
        var (exit, output) = await ToolAsync("keys", "add", "--file", Path, "--name", "none", "--role", "chief");
        Assert.Equal(2, exit);
        Assert.Contains("support, warehouse, finance, operator, auditor, admin", output, StringComparison.Ordinal);
        Assert.Equal(2, (await ToolAsync("keys", "add", "--file", Path, "--name", "none")).ExitCode);
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

    [Fact]
    public async Task A_running_service_sees_a_file_replaced_behind_a_link()
    {
        if (OperatingSystem.IsWindows()) return;
        // As Kubernetes mounts a secret: links to the current of several directories.
        var (before, after) = (Directory.CreateDirectory(In("1")).FullName, Directory.CreateDirectory(In("2")).FullName);
        var old = KeyFile.Add(System.IO.Path.Combine(before, "keys.json"), "old", [Scopes.Orders], DateTimeOffset.UtcNow);
        var fresh = KeyFile.Add(System.IO.Path.Combine(after, "keys.json"), "new", [Scopes.Orders], DateTimeOffset.UtcNow);
        Directory.CreateSymbolicLink(In("current"), "1");
        File.CreateSymbolicLink(Path, System.IO.Path.Combine("current", "keys.json"));
        await using var host = await HttpHost.StartAsync(null, "--keys", Path);
        Assert.Equal(200, (await host.Client.AskAsync("/api/v1/orders", ("Authorization", $"Bearer {old}"))).Status);

        Directory.Delete(In("current"));
        Directory.CreateSymbolicLink(In("current"), "2");
        await Waiting.UntilAsync(async () =>
            (await host.Client.AskAsync("/api/v1/orders", ("Authorization", $"Bearer {fresh}"))).Status == 200);
        Assert.Equal(401, (await host.Client.AskAsync("/api/v1/orders", ("Authorization", $"Bearer {old}"))).Status);

        string In(string name) => System.IO.Path.Combine(directory, name);
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
