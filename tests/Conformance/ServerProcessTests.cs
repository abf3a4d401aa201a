using System.Diagnostics;
using Orderwright.LocalServers;

namespace Orderwright.Conformance;

public sealed class ServerProcessTests
{
    [Fact]
    public async Task A_server_that_does_not_become_ready_leaves_no_process_behind()
    {
        var log = Path.Combine(Path.GetTempPath(), $"server-{Guid.NewGuid():N}.log");
        // The server has a child, as PostgreSQL and RabbitMQ have.
        using var server = ServerProcess.Start("sh", ["-c", "sleep 600 & echo $!; wait"], log);
        try
        {
            var error = await Assert.ThrowsAsync<InvalidOperationException>(() => ServerProcess.WaitUntilAsync(
                "The server", server, log, () => Task.FromResult(false), TimeSpan.FromSeconds(1), default));
            Assert.StartsWith("The server did not start within", error.Message, StringComparison.Ordinal);
            await server.WaitForExitAsync(TestContext.Current.CancellationToken);
            var child = (await File.ReadAllTextAsync(log)).Trim();
            await Waiting.UntilAsync(() => Task.FromResult(!IsAlive(child)));
        }
        finally
        {
            ServerProcess.SignalGroup(server, 9);
            File.Delete(log);
        }
    }

    [Fact]
    public async Task A_process_has_an_identity_from_its_start()
    {
        for (var i = 0; i < 300; i++)
        {
            using var sleeper = Process.Start("sleep", "600");
            var identity = ProcessIdentity.Of(sleeper.Id);
            sleeper.Kill();
            await sleeper.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.NotNull(identity);
        }
    }

    // A child whose parent has died and which nobody has waited for yet is a zombie.
    static bool IsAlive(string process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/stat").Split(") ")[^1][0] != 'Z';
        }
        catch (IOException)
        {
            return false;
        }
    }
}
