using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Orderwright.LocalServers;

namespace Orderwright.EndToEnd;

/// <summary>
/// Processes named in the run.json of a killed <c>up</c>: only those that it started, and that still run, are killed.
/// </summary>
public sealed class UpLeftoverTests : IDisposable
{
    readonly string data = HttpHost.NewDirectory();
    // The shell stays, because a command follows.
    readonly Process sleeper = Process.Start("sh", ["-c", "sleep 600; true"]);

    // Services of the last up.
    IReadOnlyList<ProcessIdentity> started = [];

    [Fact]
    public async Task A_process_that_up_started_is_killed()
    {
        await LeaveAsync(ProcessIdentity.Of(sleeper.Id)!);
        await StartUpAsync();
        Assert.True(sleeper.HasExited);
    }

    [Fact]
    public async Task A_process_that_has_the_id_of_an_ended_one_is_not_killed()
    {
        await LeaveAsync(ProcessIdentity.Of(sleeper.Id)! with { Started = "long ago" });
        await StartUpAsync();
        Assert.False(sleeper.HasExited);
    }

    [Fact]
    public async Task A_process_with_another_executable_is_not_killed()
    {
        await LeaveAsync(ProcessIdentity.Of(sleeper.Id)! with { Executable = "/usr/bin/dotnet" });
        await StartUpAsync();
        Assert.False(sleeper.HasExited);
    }

    [Fact]
    public async Task An_up_that_is_stopped_during_its_start_leaves_no_service_behind()
    {
        for (var i = 0; i < 4; i++)
        {
            await StartUpAsync();
            Assert.NotEmpty(started);
            Assert.DoesNotContain(started, service => service.IsRunning);
        }
    }

    [Fact]
    public async Task A_file_of_ids_alone_kills_nothing()
    {
        await WriteAsync(new JsonArray(sleeper.Id));
        await StartUpAsync();
        Assert.False(sleeper.HasExited);
    }

    public void Dispose()
    {
        if (!sleeper.HasExited) sleeper.Kill(entireProcessTree: true);
        sleeper.Dispose();
        Directory.Delete(data, recursive: true);
    }

    Task LeaveAsync(ProcessIdentity process) => WriteAsync(new JsonArray(new JsonObject
    {
        ["id"] = process.Id, ["started"] = process.Started, ["executable"] = process.Executable,
    }));

    Task WriteAsync(JsonArray processes) => File.WriteAllTextAsync(
        Path.Combine(data, "run.json"),
        new JsonObject
        {
            ["mode"] = "distributed", ["up"] = null, ["postgres"] = new JsonObject(), ["rabbitmq"] = new JsonObject(),
            ["urls"] = new JsonObject(), ["processes"] = processes,
        }.ToJsonString());

    // Servers that do not answer: the leftovers are dealt with before anything is started.
    async Task StartUpAsync()
    {
        var port = FourProcesses.FreePorts().ToString(CultureInfo.InvariantCulture);
        var start = new ProcessStartInfo("dotnet", [
            HttpHost.ProgramOf("Cli"), "up", "--data", data, "--port", port, "--postgres", "postgres://a:b@127.0.0.1:1",
            "--rabbitmq", "amqp://a:b@127.0.0.1:1/",
        ])
        {
            RedirectStandardOutput = true,
        };
        using var up = Process.Start(start)!;
        while (await up.StandardOutput.ReadLineAsync() is { } line
            && !line.Contains("saga-coordinator", StringComparison.Ordinal))
        {
        }
        var rest = up.StandardOutput.ReadToEndAsync();
        using (var end = Process.Start("kill", ["-TERM", up.Id.ToString(CultureInfo.InvariantCulture)]))
            await end.WaitForExitAsync();
        await rest;
        await up.WaitForExitAsync(Waiting.NewLimit());
        Assert.Equal(0, up.ExitCode);
        var run = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(data, "run.json")))!;
        started = [.. run["processes"]!.AsArray().Select(process => new ProcessIdentity(
            (int)process!["id"]!, (string)process["started"]!, (string)process["executable"]!))];
    }
}
