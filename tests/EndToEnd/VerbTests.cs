using System.Diagnostics;
using System.Globalization;
using Orderwright.LocalServers;

namespace Orderwright.EndToEnd;

/// <summary>The verbs of a service's own program: <c>health</c> and <c>migrate</c>.</summary>
public sealed class VerbTests
{
    [Fact]
    public async Task Health_tells_a_ready_process_from_none()
    {
        await using var host = await HttpHost.StartAsync();
        var port = host.Url.Port.ToString(CultureInfo.InvariantCulture);
        Assert.Equal((0, "Ready.\n"), await RunAsync("AllInOne", "health", "--port", port));
        await host.StopAsync();
        var (exit, output) = await RunAsync("AllInOne", "health", "--port", port);
        Assert.Equal(1, exit);
        Assert.StartsWith($"No reply from http://127.0.0.1:{port}/health/ready: ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_fails_for_a_process_that_waits_for_its_database()
    {
        await using var host = await HttpHost.StartUnreadyAsync(
            "OrderService", "--database", "postgres://u:p@127.0.0.1:1/x", "--transport", "amqp://u:p@127.0.0.1:1/");
        var (exit, output) = await RunAsync(
            "OrderService", "health", "--port", host.Url.Port.ToString(CultureInfo.InvariantCulture));
        Assert.Equal(1, exit);
        Assert.Contains("replies 503", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_reaches_a_process_that_listens_on_every_address_and_allows_few_names()
    {
        var directory = HttpHost.NewDirectory();
        try
        {
            var keys = Path.Combine(directory, "keys.json");
            Hosting.Keys.KeyFile.Add(keys, "one", [Http.Scopes.Orders], DateTimeOffset.UtcNow);
            var listen = $"http://0.0.0.0:{HttpHost.FreePort()}";
            string[] settings = ["--listen", listen, "--keys", keys, "--hosts", "orders.example.com"];
            await using var host = await HttpHost.StartProcessAsync(
                ["--data", Path.Combine(directory, "data"), "--no-open", "--no-trickle", .. settings]);
            Assert.Contains($" is ready: {listen} ", host.Output, StringComparison.Ordinal);
            Assert.Equal(0, (await RunAsync("AllInOne", ["health", .. settings])).ExitCode);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task Services_run_on_databases_that_they_may_not_alter()
    {
        Machine.Require(Machine.LacksServers);
        var directory = Path.Combine("/tmp", $"orderwright-migrate-{Guid.NewGuid():N}");
        await using (var postgres = await PrivatePostgres.StartAsync(Path.Combine(directory, "postgres")))
        {
            await postgres.AdministerAsync("postgres", "CREATE ROLE service LOGIN PASSWORD 'p'");
            var server = postgres.UrlWith("").Split("/?")[0];
            var refusal = await RunAsync("AllInOne", "migrate", "--data", directory);
            Assert.Equal(2, refusal.ExitCode);
            Assert.Contains("migrates its SQLite file itself", refusal.Output, StringComparison.Ordinal);

            var script = await RunAsync("OrderService", "migrate", "--script", "--database", server);
            Assert.Contains("CREATE TABLE orders", script.Output, StringComparison.Ordinal);
            Assert.EndsWith("COMMIT;\n", script.Output, StringComparison.Ordinal);
            var (exit, output) = await RunAsync("AllInOne", "migrate", "--grant", "service", "--database", server);
            Assert.True(exit == 0, output);
            Assert.Equal(4, output.Split("up to date; service has the rights on rows").Length - 1);
            Assert.Equal(
                4, (await RunAsync("AllInOne", "migrate", "--database", server)).Output.Split("nothing to migrate").Length - 1);

            // All four services in a process, on PostgreSQL, as a role without rights on the schema; the demo places orders.
            var role = server.Replace("orderwright:", "service:", StringComparison.Ordinal)
                .Replace(postgres.Password, "p", StringComparison.Ordinal);
            await using var host = await HttpHost.StartProcessAsync(
                ["--database", role, "--migrate", "false", "--port", "0", "--no-open", "--no-trickle"]);
            await Waiting.UntilAsync(async () =>
                (await host.Client.AskAsync("/api/v1/orders?status=confirmed")).Json["items"]!.AsArray().Count > 0);
            Assert.DoesNotContain("permission denied", host.Output, StringComparison.Ordinal);
        }
        Directory.Delete(directory, recursive: true);
    }

    static async Task<(int ExitCode, string Output)> RunAsync(string project, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", [HttpHost.ProgramOf(project), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var text = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, string.Concat(text));
    }
}
