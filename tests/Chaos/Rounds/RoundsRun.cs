using System.CommandLine;
using System.Diagnostics;
using Orderwright.LocalServers;

namespace Orderwright.Chaos.Rounds;

/// <summary><c>rounds</c>: races of two instances over the same rows of PostgreSQL, thousands of times.</summary>
static class RoundsRun
{
    public static Command Command()
    {
        var rounds = new Option<int>("--rounds") { Description = "Rounds per trial.", DefaultValueFactory = _ => 10_000 };
        var seed = new Option<int?>("--seed") { Description = "Seed of all random choices." };
        var only = new Option<string?>("--only")
        {
            Description = $"Run a single trial: {string.Join(", ", Trial.All.Select(trial => trial.Name))}.",
        };
        var command = new Command(
            "rounds", "Race two instances over the same rows of PostgreSQL, thousands of times.") { rounds, seed, only };
        command.SetAction(async (parsed, _) =>
        {
            var chosen = Trial.All.Where(trial => parsed.GetValue(only) is not { } name || trial.Name == name).ToList();
            await using var ground = await RoundsServer.StartAsync();
            var failed = 0;
            foreach (var trial in chosen)
                if (!await RunAsync(
                        ground, trial, parsed.GetValue(seed) ?? Environment.TickCount & 0xffff, parsed.GetValue(rounds)))
                    failed++;
            return failed == 0 ? 0 : 1;
        });
        return command;
    }

    static async Task<bool> RunAsync(RoundsServer server, Trial trial, int seed, int rounds)
    {
        Console.WriteLine($"{trial.Name}: {rounds:N0} rounds, seed {seed}: {trial.Property}");
        var watch = Stopwatch.StartNew();
        var reported = TimeSpan.Zero;
        void Progress(int done)
        {
            if (watch.Elapsed < reported + TimeSpan.FromSeconds(10)) return;
            reported = watch.Elapsed;
            Console.WriteLine($"  {done:N0} rounds in {watch.Elapsed.TotalSeconds:0} s");
        }
        try
        {
            var saw = await trial.RunAsync(new TrialGround(server.NewDatabaseAsync, seed, rounds, Progress));
            Console.WriteLine($"✓ {trial.Name}: {rounds:N0} rounds in {watch.Elapsed.TotalSeconds:0.0} s: {saw}");
            return true;
        }
        catch (InvalidOperationException error)
        {
            Console.WriteLine($"✗ {trial.Name}: {error.Message}");
            return false;
        }
    }
}

/// <summary>A private PostgreSQL whose databases are deleted with the server.</summary>
sealed class RoundsServer : IAsyncDisposable
{
    readonly string directory;
    readonly PrivatePostgres postgres;

    RoundsServer(string directory, PrivatePostgres postgres) => (this.directory, this.postgres) = (directory, postgres);

    public static async Task<RoundsServer> StartAsync()
    {
        var directory = Path.Combine("/tmp", $"orderwright-rounds-{Environment.ProcessId}");
        return new(directory, await PrivatePostgres.StartAsync(
            // Two batches may deadlock, and one is retried; the trials provoke this constantly.
            directory, settings: ["deadlock_timeout=20ms"]));
    }

    public async Task<string> NewDatabaseAsync(string name)
    {
        await postgres.CreateDatabaseAsync(name, "trial", postgres.Password);
        return $"Host=127.0.0.1;Port={postgres.Port};Username=trial;Password={postgres.Password};Database={name}";
    }

    public async ValueTask DisposeAsync()
    {
        await postgres.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }
}
