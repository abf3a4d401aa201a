using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using Orderwright.Contracts;

namespace Orderwright.Chaos.Restores;

/// <summary>A cluster under load whose services get restored, with the command-line tool as an operator uses it.</summary>
sealed class RestoredShop(Cluster cluster, string directory, int seed, double rate)
{
    const int OrdersStillMoving = 6;

    static readonly TimeSpan SettleLimit = TimeSpan.FromMinutes(5);

    // The sandbox keeps its charges in customer-service's database, and would lose them with the payments.
    readonly Buyers buyers = new(cluster, seed, rate, count: 24, usesSandbox: false);
    readonly Record record = new(cluster);
    readonly string backup = Path.Combine(directory, "backup");

    int Acknowledged => buyers.Acknowledged.Count;

    /// <summary>Creates goods and customers, and places the first orders.</summary>
    public async Task OpenAsync(int orders, CancellationToken cancel)
    {
        // The addresses of the databases, as ./orderwright up writes them for the tool.
        var addresses = new JsonObject();
        foreach (var service in ServiceNames.All) addresses[service] = cluster.DatabaseOf(service);
        await File.WriteAllTextAsync(
            Path.Combine(directory, "run.json"), new JsonObject { ["postgres"] = addresses }.ToJsonString(), cancel);
        await buyers.StockUpAsync();
        await UnderLoadAsync(async () =>
        {
            while (Acknowledged < orders) await Task.Delay(100, cancel);
        });
    }

    /// <param name="service">The service to restore.</param>
    /// <param name="age">Age of the copy; null for an empty database.</param>
    /// <param name="cancel">Ends waiting.</param>
    public async Task<RestoreResult> RestoreAsync(string service, TimeSpan? age, CancellationToken cancel)
    {
        var problems = new List<string>();
        var (heal, passes, repairs, conflicts) = (TimeSpan.Zero, 0, 0L, 0);
        await UnderLoadAsync(async () =>
        {
            if (age is { } time)
            {
                Require(await RunToolAsync("backup", backup, "--data", directory));
                await Task.Delay(time, cancel);
            }
            else
            {
                await Task.Delay(TimeSpan.FromSeconds(5), cancel);
            }
            await ReplaceAsync(service, age is null, cancel);
            await BehindAsync(service, cancel);
            var since = Stopwatch.StartNew();
            (passes, repairs, conflicts) = await HealAsync(problems, cancel);
            heal = since.Elapsed;
            while (!await cluster.IsReadyAsync()) await Task.Delay(100, cancel);
            await Task.Delay(TimeSpan.FromSeconds(2), cancel);
        });
        await SettleAsync(problems, cancel);
        await VerifyAsync(problems);
        var stored = (await record.OrderIdsAsync()).ToHashSet();
        var lost = buyers.Acknowledged.Values.Count(order => !stored.Contains(order.Id));
        problems.AddRange(buyers.Violations.Skip(reported).Take(5));
        reported = buyers.Violations.Count;
        return new(
            service, age, Acknowledged, heal, passes, repairs, conflicts, await record.IncidentsByCodeAsync(), lost,
            await ChargedTwiceAsync(), problems);
    }

    int reported;

    async Task UnderLoadAsync(Func<Task> act)
    {
        using var end = new CancellationTokenSource();
        var buying = buyers.BuyAsync(end.Token);
        try
        {
            await act();
        }
        finally
        {
            await end.CancelAsync();
            await buying;
        }
    }

    async Task ReplaceAsync(string service, bool isEmptied, CancellationToken cancel)
    {
        var stopped = cluster.Instances.Where(instance => instance.Service == service).ToList();
        foreach (var instance in stopped) await instance.Process.HoldAsync();
        await cluster.Broker.ControlAsync(["purge_queue", service], cancel);
        if (isEmptied) await cluster.EmptyAsync(service, cancel);
        else Require(await RunToolAsync("restore", backup, "--data", directory, "--service", service));
        foreach (var instance in stopped) instance.Process.Release();
    }

    // An emptied database is noticed by the marks of the neighbours.
    async Task BehindAsync(string service, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(SettleLimit);
        while (await cluster.IsReadyAsync() || !await IsBehindAsync(service, limit.Token)) await Task.Delay(100, limit.Token);
    }

    async Task<bool> IsBehindAsync(string service, CancellationToken cancel)
    {
        try
        {
            var text = await cluster.Http.GetStringAsync(new Uri(cluster.UrlsOf(service)[0], "/api/v1/heal"), cancel);
            return JsonNode.Parse(text)!["services"]!.AsArray()
                .Any(one => (string?)one!["service"] == service && one["behind"] is not null);
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    async Task<(int Passes, long Repairs, int Conflicts)> HealAsync(List<string> problems, CancellationToken cancel)
    {
        for (var (attempt, all) = (1, 0L); ; attempt++)
        {
            var (exit, output, errors) = await RunToolAsync("heal", "--data", directory, "--json");
            var report = exit is 0 or 1 or OrdersStillMoving ? JsonNode.Parse(output)! : new JsonObject();
            all += (long?)report["repairs"] ?? 0;
            var conflicts = report["conflicts"]?.AsArray() ?? [];
            if (exit == 0) return ((int)report["passes"]!, all, 0);
            // A stock-service that lost its levels only knows what orders have taken, until somebody counts.
            if (exit == 1 && attempt == 1 && conflicts.Count > 0
                && conflicts.All(conflict => (string?)conflict!["code"] == "oversold"))
            {
                await buyers.FillWarehouseAsync();
                continue;
            }
            if (exit == 1 || attempt == 5)
            {
                problems.Add($"heal ended with {exit}: {errors.Trim()}");
                problems.AddRange(conflicts.Take(5).Select(conflict => conflict!.ToJsonString()));
                return ((int?)report["passes"] ?? 0, all, conflicts.Count);
            }
            await Task.Delay(TimeSpan.FromSeconds(2), cancel);
        }
    }

    async Task SettleAsync(List<string> problems, CancellationToken cancel)
    {
        var since = Stopwatch.StartNew();
        while (await record.OpenAsync() is not { Ids: [] })
        {
            if (since.Elapsed > SettleLimit)
            {
                problems.Add($"not settled: {(await record.OpenAsync())?.First}");
                return;
            }
            await Task.Delay(250, cancel);
        }
    }

    async Task VerifyAsync(List<string> problems)
    {
        var databases = cluster.OpenDatabases();
        try
        {
            var report = await ChaosRun.VerifyAsync(databases);
            problems.AddRange(report.Checks.SelectMany(check => check.Findings).Take(10)
                .Select(finding => $"{finding.Invariant}: {finding.Subject} {finding.What}"));
        }
        finally
        {
            foreach (var database in databases.Values) await database.DisposeAsync();
        }
    }

    async Task<long> ChargedTwiceAsync()
    {
        await using var connection = new SqliteConnection($"Data Source={cluster.GatewayDatabase};Mode=ReadOnly;Pooling=false");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText =
            "SELECT count(*) FROM "
            + "(SELECT order_id FROM sandbox_charges WHERE authorized > 0 GROUP BY order_id HAVING count(*) > 1)";
        return (long)(await command.ExecuteScalarAsync())!;
    }

    async Task<(int Exit, string Output, string Errors)> RunToolAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Cluster.ProgramOf("Cli"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["ORDERWRIGHT_KEY"] = cluster.Key, ["NO_COLOR"] = "1" },
        };
        foreach (var service in ServiceNames.All)
            start.Environment[Client.ServiceAddresses.SettingOf(service)] = cluster.UrlsOf(service)[0].AbsoluteUri;
        using var tool = Process.Start(start)!;
        var output = await Task.WhenAll(tool.StandardOutput.ReadToEndAsync(), tool.StandardError.ReadToEndAsync());
        await tool.WaitForExitAsync();
        return (tool.ExitCode, output[0], output[1]);
    }

    static void Require((int Exit, string Output, string Errors) run)
    {
        if (run.Exit != 0) throw new InvalidOperationException($"{run.Output}\n{run.Errors}");
    }
}
