using System.CommandLine;
using System.Diagnostics;

namespace Orderwright.Chaos.Bounds;

/// <summary>An outage of a server needed by every order.</summary>
sealed record Outage(string Name, Func<Cluster, Task> BeginAsync, Func<Cluster, Task> EndAsync)
{
    public static IReadOnlyList<Outage> All { get; } =
    [
        new("database", cluster => cluster.Postgres.KillAsync(), cluster => cluster.Postgres.RestartAsync()),
        new("broker", cluster => cluster.Broker.StopAsync(), cluster => cluster.Broker.RestartAsync()),
        new("gateway", cluster => Do(cluster.Gateway.Suspend), cluster => Do(cluster.Gateway.Resume)),
    ];

    static Task Do(Action action)
    {
        action();
        return Task.CompletedTask;
    }
}

/// <summary>
/// <c>bounds</c>: while PostgreSQL, then the broker, then the gateway is unavailable, clients send requests at full speed.
/// Each gets 202, or 503 with Retry-After, in time; no process grows without bound; and the system recovers unaided.
/// </summary>
static class BoundsRun
{
    /// <summary>A request waits up to 10 s for its transaction; the rest allows for a busy machine.</summary>
    static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(14);

    /// <summary>
    /// I7, counted from the healing. A backlog adds to the limit, since working it off takes time on a busy machine.
    /// </summary>
    static readonly TimeSpan RecoveryBound = TimeSpan.FromSeconds(60);

    const int BacklogPerSecond = 100;

    /// <summary>Memory limit of a service process, about three times its size at rest.</summary>
    const int MostMegabytes = 512;

    public static Command Command()
    {
        var minutes = new Option<double>("--minutes") { Description = "Duration of each outage.", DefaultValueFactory = _ => 5 };
        var clients = new Option<int>("--clients")
        {
            Description = "Number of concurrent clients.",
            DefaultValueFactory = _ => 64,
        };
        var only = new Option<string?>("--only") { Description = "Run a single outage: database, broker or gateway." };
        var command = new Command("bounds", "Take away the database, the broker, the gateway under full load; limits must hold.")
        {
            minutes, clients, only,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var violations = await RunAsync(
                TimeSpan.FromMinutes(parsed.GetValue(minutes)), parsed.GetValue(clients),
                parsed.GetValue(only), Console.WriteLine, cancel);
            Console.WriteLine(violations.Count == 0 ? "✓ Every limit held." : $"✗ {violations.Count} violations.");
            return violations.Count == 0 ? 0 : 1;
        });
        return command;
    }

    public static async Task<IReadOnlyList<string>> RunAsync(
        TimeSpan length, int clients, string? only, Action<string> print, CancellationToken cancel)
    {
        var directory = Path.Combine("/tmp", $"orderwright-bounds-{Environment.ProcessId}");
        var violations = new List<string>();
        await using (var cluster = await Cluster.StartAsync(
            directory, ["--latency", "5"], 1, new Dictionary<string, string> { ["ORDERWRIGHT_GATEWAY_DEADLINE"] = "2s" }, cancel))
        {
            await new Knockers(cluster, 1).StockUpAsync();
            foreach (var outage in Outage.All.Where(outage => only is null || outage.Name == only))
                violations.AddRange(await RunAsync(cluster, outage, length, clients, print));
            var databases = cluster.OpenDatabases();
            var report = await ChaosRun.VerifyAsync(databases);
            foreach (var database in databases.Values) await database.DisposeAsync();
            print($"verify: {(report.Holds ? "every invariant holds" : "BROKEN")}, {report.Orders:N0} orders");
            violations.AddRange(report.Checks.SelectMany(check => check.Findings).Select(finding => $"{finding}"));
        }
        foreach (var violation in violations.Take(30)) print($"✗ {violation}");
        if (violations.Count == 0) Directory.Delete(directory, recursive: true);
        return violations;
    }

    static async Task<List<string>> RunAsync(Cluster cluster, Outage outage, TimeSpan length, int clients, Action<string> print)
    {
        var violations = new List<string>();
        var record = new Record(cluster);
        var knockers = new Knockers(cluster, clients);
        using var stop = new CancellationTokenSource();
        var knocking = knockers.KnockAsync(stop.Token);
        await Task.Delay(TimeSpan.FromSeconds(3));
        var memory = new Memory(cluster);
        var (before, calm) = (knockers.Accepted, memory.Look());
        await outage.BeginAsync(cluster);
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < length; await Task.Delay(1_000))
        {
            memory.Look();
            if (length > TimeSpan.FromMinutes(1) && clock.Elapsed.Seconds % 30 == 0)
                print($"  {outage.Name} unavailable for {clock.Elapsed:mm\\:ss}: {Pairs(knockers.Answers)}; {memory.Last}");
        }
        var during = knockers.Accepted - before;
        await outage.EndAsync(cluster);

        // First new orders are admitted again, then the backlog is worked off.
        var healed = Stopwatch.GetTimestamp();
        var back = Stopwatch.StartNew();
        while (knockers.LastAccepted < healed && back.Elapsed < RecoveryBound) await Task.Delay(100);
        var resumed = back.Elapsed;
        await stop.CancelAsync();
        await knocking;
        OpenOrders? open;
        var bound = RecoveryBound + TimeSpan.FromSeconds(during / BacklogPerSecond);
        while ((open = await record.OpenAsync()) is not { Ids: [] } && back.Elapsed < bound) await Task.Delay(250);
        memory.Look();

        print(
            $"{outage.Name} unavailable for {length.TotalSeconds:0} s, {clients} clients: {during:N0} accepted meanwhile; " +
            $"answers {Pairs(knockers.Answers)}; " +
            $"longest wait {knockers.Longest.TotalSeconds:0.0} s; memory {calm} before, {memory.Most} at most; " +
            $"orders again after {resumed.TotalSeconds:0.0} s, all settled after {back.Elapsed.TotalSeconds:0.0} s");
        violations.AddRange(knockers.Violations.Take(10).Select(violation => $"{outage.Name}: {violation}"));
        if (knockers.Longest > LongestWait) violations.Add($"{outage.Name}: somebody waited for {knockers.Longest}");
        if (memory.MostMegabytes > MostMegabytes) violations.Add($"{outage.Name}: a process took {memory.MostMegabytes} MB");
        if (open is not { Ids: [] })
            violations.Add(
                $"{outage.Name}: {bound.TotalSeconds:0} s after it was back: "
                + (open is null ? "no database" : $"{open.Ids.Count} open: {open.First}"));
        return violations;
    }

    static string Pairs(IReadOnlyDictionary<string, int> counts) =>
        string.Join(", ", counts.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key} {pair.Value:N0}"));
}

/// <summary>Resident memory of the services' processes, in megabytes.</summary>
sealed class Memory(Cluster cluster)
{
    readonly Dictionary<string, int> most = [];

    public int MostMegabytes => most.Values.DefaultIfEmpty().Max();

    public string Most => Text(most);

    public string Last { get; private set; } = "";

    public string Look()
    {
        var now = cluster.Instances.ToDictionary(instance => instance.Service, instance => Megabytes(instance.Process.ProcessId));
        foreach (var (service, megabytes) in now) most[service] = Math.Max(megabytes, most.GetValueOrDefault(service));
        return Last = Text(now);
    }

    static string Text(IReadOnlyDictionary<string, int> megabytes) =>
        string.Join("/", megabytes.Select(pair => pair.Value)) + " MB";

    static int Megabytes(int process)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/status")
                .First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
            return int.Parse(
                line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
                System.Globalization.CultureInfo.InvariantCulture) / 1024;
        }
        catch (Exception error) when (error is IOException or InvalidOperationException)
        {
            return 0; // The process has just died and restarts.
        }
    }
}
