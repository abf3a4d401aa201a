using System.CommandLine;
using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Npgsql;
using Orderwright.Chaos.Bounds;
using Orderwright.Contracts;
using Orderwright.Verification;

namespace Orderwright.Chaos.Payments;

/// <summary>
/// <c>payments</c>: orders paid at a gateway process that is slow, times out, fails and declines; then the gateway falls
/// silent for minutes while orders keep arriving. At the end every order is settled, no charge is duplicated, and our
/// record agrees with the gateway's, charge by charge.
/// </summary>
static class PaymentsRun
{
    static readonly string[] Gateway =
        ["--latency", "200±150", "--timeouts", "2%", "--errors", "2%", "--declines", "3%", "--seed", "7"];

    /// <summary>
    /// Limit after the last order or the end of the outage: I7, plus the time for a backlog on a busy machine.
    /// </summary>
    static readonly TimeSpan SettledWithin = TimeSpan.FromSeconds(60);

    static readonly TimeSpan ReconciledWithin = TimeSpan.FromMinutes(5);

    const int BacklogPerSecond = 25;

    /// <summary>
    /// Limit of attempts per request. Failures before the breaker opens, and the probes of an open breaker, come on top and
    /// weigh more in a short outage.
    /// </summary>
    const double MostAttempts = 1.2;

    const int AtTheEdges = 60;

    public static Command Command()
    {
        var orders = new Option<int>("--orders")
        {
            Description = "Number of orders, placed as fast as they are admitted.",
            DefaultValueFactory = _ => 10_000,
        };
        var clients = new Option<int>("--clients")
        {
            Description = "Number of concurrent clients.",
            DefaultValueFactory = _ => 64,
        };
        var outage = new Option<double>("--outage")
        {
            Description = "Length of the gateway outage in minutes; 0 skips it.",
            DefaultValueFactory = _ => 10,
        };
        var rate = new Option<double>("--rate")
        {
            Description = "Orders per second during the outage.",
            DefaultValueFactory = _ => 2,
        };
        var command = new Command("payments", "Pay orders at a gateway that misbehaves and then is unavailable for minutes.")
        {
            orders, clients, outage, rate,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var violations = await RunAsync(
                parsed.GetValue(orders), parsed.GetValue(clients), TimeSpan.FromMinutes(parsed.GetValue(outage)),
                parsed.GetValue(rate), Console.WriteLine, cancel);
            Console.WriteLine(
                violations.Count == 0 ? "✓ Everything is settled, and both records agree." : $"✗ {violations.Count} violations.");
            return violations.Count == 0 ? 0 : 1;
        });
        return command;
    }

    public static async Task<IReadOnlyList<string>> RunAsync(
        int orders, int clients, TimeSpan outage, double rate, Action<string> print, CancellationToken cancel)
    {
        var directory = Path.Combine("/tmp", $"orderwright-payments-{Environment.ProcessId}");
        var violations = new List<string>();
        await using (var cluster = await Cluster.StartAsync(
            directory, Gateway, 1, new Dictionary<string, string>(), cancel))
        {
            await new Knockers(cluster, 1).StockUpAsync();
            var payers = new Payers(cluster);
            print($"gateway: {string.Join(' ', Gateway)}; servers and logs in {directory}");
            violations.AddRange(await RunMisbehavingAsync(cluster, payers, orders, clients, print, cancel));
            if (outage > TimeSpan.Zero) violations.AddRange(await RunOutageAsync(cluster, payers, outage, rate, print, cancel));
            violations.AddRange(payers.Violations.Take(10).Select(violation => $"an order got {violation}"));
            violations.AddRange(await CheckAsync(cluster, payers, print));
            violations.AddRange(await ReconcileAsync(cluster, print, cancel));
        }
        foreach (var violation in violations.Take(30)) print($"✗ {violation}");
        if (violations.Count == 0) Directory.Delete(directory, recursive: true);
        return violations;
    }

    static async Task<List<string>> RunMisbehavingAsync(
        Cluster cluster, Payers payers, int orders, int clients, Action<string> print, CancellationToken cancel)
    {
        using var threads = new Threads(cluster);
        var clock = Stopwatch.StartNew();
        await payers.PlaceAsync(orders, clients, cancel);
        var placed = clock.Elapsed;
        var violations = await SettleAsync(cluster, orders, "after the last order", cancel);
        print(
            $"{orders:N0} orders by {clients} clients: placed in {placed.TotalSeconds:0.0} s, "
            + $"settled in {clock.Elapsed.TotalSeconds:0.0} s, "
            + $"{orders / clock.Elapsed.TotalSeconds:0} orders/s; "
            + $"threads of customer-service {threads.AtRest} before, {threads.Most} at most; "
            + $"payments under way at once {threads.MostInFlight} at most; {Load()}");
        return violations;
    }

    static async Task<List<string>> RunOutageAsync(
        Cluster cluster, Payers payers, TimeSpan outage, double rate, Action<string> print, CancellationToken cancel)
    {
        using var threads = new Threads(cluster);
        var before = await CallsAsync(cluster);
        cluster.Gateway.Suspend();
        try
        {
            await payers.PlaceAsync(rate, outage, cancel);
        }
        finally
        {
            cluster.Gateway.Resume();
        }
        var healed = Stopwatch.StartNew();
        var many = (int)(rate * outage.TotalSeconds);
        var violations = await SettleAsync(cluster, many, "after the outage", cancel);
        var after = await CallsAsync(cluster);
        var (requests, attempts) = (after.Requests - before.Requests, after.Attempts - before.Attempts);
        print(
            $"{outage.TotalMinutes:0.#} min without the gateway: {many:N0} orders came; "
            + $"settled {healed.Elapsed.TotalSeconds:0.0} s after it was back; "
            + $"{attempts:N0} attempts for {requests:N0} requests ({(double)attempts / requests:0.00}); "
            + $"threads {threads.Most} at most; {Load()}");
        if (attempts > MostAttempts * requests + AtTheEdges) violations.Add($"{attempts} attempts for {requests} requests");
        return violations;
    }

    static async Task<List<string>> SettleAsync(Cluster cluster, int orders, string since, CancellationToken cancel)
    {
        var record = new Record(cluster);
        var clock = Stopwatch.StartNew();
        var bound = SettledWithin + TimeSpan.FromSeconds(orders / BacklogPerSecond);
        OpenOrders? open;
        while ((open = await record.OpenAsync()) is not { Ids: [] } && clock.Elapsed < bound) await Task.Delay(250, cancel);
        return open is { Ids: [] } ? [] : [$"{bound.TotalSeconds:0} s {since}: {open?.Ids.Count} are open: {open?.First}"];
    }

    static async Task<List<string>> CheckAsync(Cluster cluster, Payers payers, Action<string> print)
    {
        var record = new Record(cluster);
        var databases = cluster.OpenDatabases();
        var report = await ChaosRun.VerifyAsync(databases);
        foreach (var database in databases.Values) await database.DisposeAsync();
        var (byStatus, incidents, letters) =
            (await record.OrdersByStatusAsync(), await record.IncidentsAsync(), await record.DeadLettersAsync());
        var calls = await CallsAsync(cluster);
        print(
            $"verify, with the gateway's own record: {(report.Holds ? "all holds" : "BROKEN")}, {report.Orders:N0} orders "
            + $"({string.Join(", ", byStatus.Select(pair => $"{pair.Value:N0} {pair.Key}"))}); {incidents} incidents; "
            + $"{calls.Requests:N0} requests, {calls.Attempts:N0} attempts, {calls.LookUps:N0} look-ups; "
            + $"{letters.Count} dead letters");
        List<string> violations =
        [
            .. report.Checks.SelectMany(check => check.Findings).Select(finding => $"{finding}"), .. letters,
        ];
        // The gateway can always resolve a key.
        if (incidents > 0) violations.Add($"{incidents} incidents");
        if (report.Orders != payers.Placed) violations.Add($"{payers.Placed} orders were accepted, but {report.Orders} exist");
        return violations;
    }

    // The product's own reconciliation, from the gateway's public list.
    static async Task<List<string>> ReconcileAsync(Cluster cluster, Action<string> print, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(ReconciledWithin);
        var run = await ReconcileOnceAsync(cluster, limit.Token);
        // Excludes recent changes, possibly on the way to either record.
        while ((string?)run["state"] == "agrees" && (int)run["inProgress"]! > 0)
        {
            await Task.Delay(TimeSpan.FromSeconds(10), limit.Token);
            run = await ReconcileOnceAsync(cluster, limit.Token);
        }
        var summary = $"reconcile: {run["state"]}; {run["listed"]} charges listed, {run["compared"]} orders compared, "
            + $"{run["differences"]} differences, {run["inProgress"]} still on their way {run["message"]}";
        print(summary.TrimEnd());
        return (string?)run["state"] == "agrees" ? [] : [summary];
    }

    static async Task<JsonNode> ReconcileOnceAsync(Cluster cluster, CancellationToken cancel)
    {
        var runs = new Uri(cluster.UrlsOf(ServiceNames.Customer)[0], "/api/v1/reconciliations");
        using var begun = await cluster.Http.PostAsJsonAsync(runs, new { provider = "http" }, cancel);
        begun.EnsureSuccessStatusCode();
        var run = (await begun.Content.ReadFromJsonAsync<JsonNode>(cancel))!;
        while (run["finishedAt"] is null)
        {
            await Task.Delay(200, cancel);
            run = (await cluster.Http.GetFromJsonAsync<JsonNode>(new Uri($"{runs}/{run["id"]}"), cancel))!;
        }
        return run;
    }

    static async Task<(long Requests, long Attempts, long LookUps)> CallsAsync(Cluster cluster)
    {
        await using var connection = new NpgsqlConnection(cluster.DatabaseOf(ServiceNames.Customer) + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "SELECT count(*), COALESCE(sum(sends), 0)::bigint, COALESCE(sum(look_ups), 0)::bigint FROM payment_attempts",
            connection);
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return (reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2));
    }

    static string Load() => $"load {File.ReadAllText("/proc/loadavg").Split(' ')[0]}";
}

/// <summary>Samples every 200 ms the threads of customer-service and the payments in progress.</summary>
sealed class Threads : IDisposable
{
    readonly CancellationTokenSource stop = new();
    readonly Task looking;

    public Threads(Cluster cluster)
    {
        var process = cluster.Instances.First(instance => instance.Service == ServiceNames.Customer).Process;
        AtRest = Most = Of(process.ProcessId);
        looking = LookAsync(cluster, process.ProcessId);
    }

    public int AtRest { get; }

    public int Most { get; private set; }

    public long MostInFlight { get; private set; }

    public void Dispose()
    {
        stop.Cancel();
        looking.GetAwaiter().GetResult();
        stop.Dispose();
    }

    async Task LookAsync(Cluster cluster, int process)
    {
        await using var connection = new NpgsqlConnection(cluster.DatabaseOf(ServiceNames.Customer) + ";Pooling=false");
        await connection.OpenAsync();
        await using var open = new NpgsqlCommand("SELECT count(*) FROM payment_attempts WHERE due_at IS NOT NULL", connection);
        while (!stop.IsCancellationRequested)
        {
            Most = Math.Max(Most, Of(process));
            MostInFlight = Math.Max(MostInFlight, (long)(await open.ExecuteScalarAsync())!);
            await Task.Delay(200);
        }
    }

    static int Of(int process)
    {
        var line = File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("Threads:", StringComparison.Ordinal));
        return int.Parse(line["Threads:".Length..], System.Globalization.CultureInfo.InvariantCulture);
    }
}
