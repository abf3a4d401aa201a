using System.CommandLine;
using System.Diagnostics;
using Orderwright.Runtime.Database;
using Orderwright.Verification;

namespace Orderwright.Chaos;

/// <summary>
/// <c>chaos</c>: the distributed mode under load with faults, round after round: inject one to three faults, heal them, and
/// measure the time until every earlier order is settled. At the end no order may be lost, duplicated or left open.
/// </summary>
static class ChaosRun
{
    public const string GatewayBehaviour = """{"latency":"20±15","timeouts":"1%","errors":"1%","declines":"2%"}""";

    static readonly string[] GatewayArguments =
        ["--latency", "20±15", "--timeouts", "1%", "--errors", "1%", "--declines", "2%"];

    /// <summary>Limit of the recovery (I7).</summary>
    static readonly TimeSpan RecoveryBound = TimeSpan.FromSeconds(60);

    static readonly TimeSpan ProgressEvery = TimeSpan.FromSeconds(10);

    public static Command Command()
    {
        var minutes = new Option<double>("--minutes")
        {
            Description = "Duration of load and faults.",
            DefaultValueFactory = _ => 2,
        };
        var seed = new Option<int?>("--seed") { Description = "Seed of the fault schedule. Runs are not fully reproducible." };
        var rate = new Option<double>("--rate") { Description = "Orders per second.", DefaultValueFactory = _ => 80 };
        var data = new Option<string?>("--data") { Description = "Directory of servers and logs, kept after a failure." };
        var json = new Option<string?>("--json") { Description = "File for the result as JSON." };
        var only = new Option<string?>("--only") { Description = "Only inject faults whose name contains this text." };
        var isCluster = new Option<bool>("--cluster")
        {
            Description = "Use three RabbitMQ nodes, a PostgreSQL primary with a synchronous standby, and load balancers.",
        };
        var command = new Command("chaos", "Inject faults under load, and check that nothing is lost.")
        {
            minutes, seed, rate, data, json, only, isCluster,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var report = await RunAsync(
                TimeSpan.FromMinutes(parsed.GetValue(minutes)), parsed.GetValue(seed) ?? Environment.TickCount & 0xffff,
                parsed.GetValue(rate), parsed.GetValue(data), parsed.GetValue(only), Console.WriteLine, cancel,
                parsed.GetValue(isCluster));
            report.Print(Console.WriteLine);
            if (parsed.GetValue(json) is { } file) await File.WriteAllTextAsync(file, report.ToJson(), CancellationToken.None);
            return report.Holds ? 0 : 1;
        });
        return command;
    }

    /// <param name="duration">Duration of load and faults; start, final recovery and checks come on top.</param>
    /// <param name="seed">Selects orders and faults.</param>
    /// <param name="rate">Orders per second.</param>
    /// <param name="data">Directory of servers and logs; null for a temporary directory deleted after success.</param>
    /// <param name="only">Part of the names of the permitted faults; null for all.</param>
    /// <param name="print">Receives progress lines.</param>
    /// <param name="cancel">Ends the run early; faults are still healed and the result checked.</param>
    /// <param name="isCluster">True for replicated servers and their faults.</param>
    public static async Task<ChaosReport> RunAsync(
        TimeSpan duration, int seed, double rate, string? data, string? only, Action<string> print, CancellationToken cancel,
        bool isCluster = false)
    {
        var directory = data is null
            ? Path.Combine("/tmp", $"orderwright-chaos-{Environment.ProcessId}")
            : Path.GetFullPath(data);
        var report = new ChaosReport(seed, duration);
        print($"chaos: seed {seed}, {duration.TotalMinutes:0.#} min, {rate:0} orders/s; servers and logs in {directory}");
        await using (var cluster = await Cluster.StartAsync(
            directory, [.. GatewayArguments, "--seed", $"{seed}"], 2, new Dictionary<string, string>(), cancel,
            isCluster))
        {
            if (cluster.WithoutLinks is { } why) report.Skipped["partition"] = why;
            var buyers = new Buyers(cluster, seed, rate, count: 24);
            await buyers.StockUpAsync();
            var node = 0;
            var judge = MessageJudge.Open(
                Path.Combine(AppContext.BaseDirectory, "asyncapi.json"),
                () => cluster.Servers.Brokers[node++ % cluster.Servers.Brokers.Count].Url);
            using var enough = new CancellationTokenSource();
            var listening = judge.ListenAsync(enough.Token);
            var faults = (isCluster ? Fault.Replicated : Fault.All)
                .Where(fault => only is null || fault.Name.Contains(only, StringComparison.Ordinal))
                .Where(fault => !report.Skipped.ContainsKey(fault.Name)).ToList();
            await InjectFaultsAsync(cluster, buyers, report, duration, faults, print, cancel);
            await enough.CancelAsync();
            await listening;
            report.Messages = judge.Judged;
            report.Violations.AddRange(judge.Violations);
            await CheckAsync(cluster, buyers, report, print);
        }
        if (report.Holds && data is null) Directory.Delete(directory, recursive: true);
        return report;
    }

    static async Task InjectFaultsAsync(
        Cluster cluster, Buyers buyers, ChaosReport report, TimeSpan duration, IReadOnlyList<Fault> faults,
        Action<string> print, CancellationToken cancel)
    {
        var record = new Record(cluster);
        var dice = new Random(report.Seed);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var clock = Stopwatch.StartNew();
        var buying = buyers.BuyAsync(over.Token);
        using var stopPrinting = new CancellationTokenSource();
        var now = "calm";
        var printing = PrintProgressAsync(() => Line(report, buyers, clock, now), print, stopPrinting.Token);
        var since = new List<string>();
        try
        {
            while (clock.Elapsed < duration && !cancel.IsCancellationRequested)
            {
                var chosen = Choose(faults, dice);
                now = string.Join(" + ", chosen.Select(fault => fault.Name));
                report.Rounds++;
                var scene = new Scene(cluster, dice, over.Token);
                var injected = await Task.WhenAll(chosen.Select((fault, i) => InjectAsync(fault, scene, i, report)));
                since.AddRange(chosen.Zip(injected).Where(pair => pair.Second is not null).Select(pair => pair.First.Name));
                // In every other round the next faults come on top.
                if (dice.Next(2) == 0) continue;
                var after = string.Join(", ", injected.OfType<string>());
                now = $"recovering from {after}";
                var recovery = await RecoverAsync(cluster, record, report, after, print);
                report.Add(since, recovery);
                since.Clear();
                now = "calm";
                await Task.Delay(TimeSpan.FromMilliseconds(dice.Next(200, 2_000)), CancellationToken.None);
            }
        }
        finally
        {
            await over.CancelAsync();
            now = "waiting for the last responses";
            await buying;
            await stopPrinting.CancelAsync();
            await printing;
        }
        report.Load = clock.Elapsed;
        report.Add(since, await RecoverAsync(cluster, record, report, "the end", print));
    }

    // Up to three faults with distinct targets.
    internal static List<Fault> Choose(IReadOnlyList<Fault> faults, Random dice)
    {
        var chosen = new List<Fault>();
        for (var wanted = 1 + dice.Next(10) / 5 + dice.Next(10) / 8; wanted > 0; wanted--)
        {
            var rest = faults.Where(fault => chosen.All(other => other.On != fault.On)).ToList();
            if (rest.Count == 0) break;
            var at = dice.Next(rest.Sum(fault => fault.Weight));
            chosen.Add(rest.First(fault => (at -= fault.Weight) < 0));
        }
        return chosen;
    }

    static async Task<string?> InjectAsync(Fault fault, Scene scene, int place, ChaosReport report)
    {
        try
        {
            if (place > 0) await scene.WaitAsync(0, 3);
            return await fault.InjectAsync(scene) is { } detail ? $"{fault.Name} {detail}".Trim() : null;
        }
        catch (OperationCanceledException)
        {
            return fault.Name; // Healed during shutdown.
        }
        catch (Exception error) when (error is InvalidOperationException or HttpRequestException)
        {
            report.Violations.Add($"the fault '{fault.Name}' itself failed: {error.Message}");
            return null;
        }
    }

    // Waits under continued load until every instance is ready and every order open at the healing is settled. The orders are
    // known by their ids: the clocks of the services and of this process may jump.
    static async Task<TimeSpan> RecoverAsync(
        Cluster cluster, Record record, ChaosReport report, string after, Action<string> print)
    {
        var since = Stopwatch.StartNew();
        IReadOnlyList<Guid>? healed = null;
        var (slow, late) = (false, false);
        while (true)
        {
            var ready = await cluster.IsReadyAsync();
            var open = await record.OpenAsync(healed);
            healed ??= open?.Ids;
            if (ready && open is { Ids: [] }) return since.Elapsed;
            var state = $"{since.Elapsed.TotalSeconds:0} s after {after} healed: every instance ready: {ready}; " +
                $"open: {(open is null ? "the database is unavailable" : $"{open.Ids.Count} ({open.First})")}";
            if (!slow && since.Elapsed > RecoveryBound / 2)
            {
                slow = true;
                print(state);
            }
            if (!late && since.Elapsed > RecoveryBound)
            {
                late = true;
                report.Violations.Add($"I7: {state}");
            }
            if (since.Elapsed > 3 * RecoveryBound) return since.Elapsed;
            await Task.Delay(250);
        }
    }

    static async Task CheckAsync(Cluster cluster, Buyers buyers, ChaosReport report, Action<string> print)
    {
        print("healed and settled; checking …");
        var record = new Record(cluster);
        await buyers.CompareReplaysAsync(most: 1_000);
        var stored = (await record.OrderIdsAsync()).ToHashSet();
        var acknowledged = buyers.Acknowledged.Values.Select(order => order.Id).ToList();
        report.Accepted = acknowledged.Count;
        report.ComparedReplays = buyers.ComparedReplays;
        report.Cancels = buyers.Cancelled;
        report.Answers = buyers.Answers;
        if (acknowledged.Count != acknowledged.Distinct().Count())
            report.Violations.Add("I1: two buyers received the same order");
        foreach (var lost in acknowledged.Where(id => !stored.Contains(id)).Take(10))
            report.Violations.Add($"I1: {lost} was acknowledged but does not exist");
        foreach (var extra in stored.Except(acknowledged).Take(10))
            report.Violations.Add(
                $"I1: {extra} exists, but was never acknowledged although its buyer kept retrying under the key");
        report.Violations.AddRange(buyers.Violations.Take(20));

        report.ByStatus = await record.OrdersByStatusAsync();
        report.Incidents = await record.IncidentsAsync();
        report.DeadLetters = await record.DeadLettersAsync();
        report.Violations.AddRange(report.DeadLetters.Take(5).Select(letter => $"dead letter: {letter}"));

        var databases = cluster.OpenDatabases();
        try
        {
            report.Verification = await VerifyAsync(databases);
        }
        finally
        {
            foreach (var database in databases.Values) await database.DisposeAsync();
        }
        foreach (var finding in report.Verification.Checks.SelectMany(check => check.Findings).Take(20))
            report.Violations.Add($"{finding.Invariant}: {finding.Subject} {finding.What}");
    }

    internal static Task<VerificationReport> VerifyAsync(IReadOnlyDictionary<string, IDatabase> databases) =>
        SetBackClock.VerifyAsync(
            () => new Verifier(databases, TimeProvider.System).RunAsync(CancellationToken.None),
            report => string.Join('\n', report.Checks.SelectMany(check => check.Findings)));

    static async Task PrintProgressAsync(Func<string> line, Action<string> print, CancellationToken cancel)
    {
        try
        {
            while (true)
            {
                await Task.Delay(ProgressEvery, cancel);
                print(line());
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    static string Line(ChaosReport report, Buyers buyers, Stopwatch clock, string now) =>
        $"{clock.Elapsed:hh\\:mm\\:ss}  accepted {buyers.Acknowledged.Count:N0} " +
        $"({buyers.Acknowledged.Count / clock.Elapsed.TotalSeconds:0}/s)  " +
        $"faults {report.Faults}  longest recovery {report.LongestRecovery.TotalSeconds:0.0} s  " +
        $"violations {report.Violations.Count}  {now}";
}
