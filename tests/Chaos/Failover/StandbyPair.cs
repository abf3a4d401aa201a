using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Npgsql;
using Orderwright.LocalServers;

namespace Orderwright.Chaos.Failover;

/// <summary>Outcome of a round.</summary>
/// <param name="Acknowledged">Orders with a 2xx response.</param>
/// <param name="Replayed">Orders first acknowledged to a repeated Idempotency-Key.</param>
/// <param name="DuringStall">Orders acknowledged while the standby stalled.</param>
/// <param name="Refused">Responses without an acknowledgement.</param>
/// <param name="Lost">Acknowledged orders missing after the failover.</param>
/// <param name="Recovery">Time from the promotion to the first order acknowledged by the promoted server.</param>
sealed record RoundResult(int Acknowledged, int Replayed, int DuringStall, int Refused, int Lost, TimeSpan Recovery);

/// <summary>
/// A primary, its synchronous standby, and order-service with clients. The service knows both servers and stays up.
/// </summary>
sealed class StandbyPair : IAsyncDisposable
{
    const string Database = "orders";
    const int Clients = 8;
    static readonly TimeSpan RecoveryLimit = TimeSpan.FromMinutes(2);

    readonly PrivatePostgres primary;
    readonly PrivatePostgres standby;
    readonly SupervisedProcess service;
    readonly BoundedLog log;
    readonly HttpClient http;
    readonly CancellationTokenSource ending = new();
    readonly Task watching;
    readonly ConcurrentDictionary<Guid, bool> acknowledged = [];
    volatile bool isStalled;
    int duringStall;
    int refused;

    StandbyPair(PrivatePostgres primary, PrivatePostgres standby, string directory)
    {
        (this.primary, this.standby) = (primary, standby);
        var url = new Uri($"http://127.0.0.1:{ServerProcess.FreePort()}/");
        http = new HttpClient { BaseAddress = url, Timeout = TimeSpan.FromSeconds(20) };
        log = new BoundedLog(Path.Combine(directory, "service.log"));
        service = new SupervisedProcess(
            "order-service", Cluster.ProgramOf("OrderService"), [],
            new Dictionary<string, string>
            {
                ["ORDERWRIGHT_DATABASE"] = primary.UrlWith(Database, standby),
                ["ORDERWRIGHT_LISTEN"] = url.GetLeftPart(UriPartial.Authority),
                // No broker: the orders stay undecided, and the database alone is on trial.
                ["ORDERWRIGHT_TRANSPORT"] = "amqp://nobody:nothing@127.0.0.1:1/",
                ["ORDERWRIGHT_MAXORDERSINFLIGHT"] = "1000000",
                ["ORDERWRIGHT_MAXUNSETTLEDORDERS"] = "1000000",
            },
            log.Write);
        watching = service.KeepRunningAsync(ending.Token);
    }

    public static async Task<StandbyPair> StartAsync(string directory, CancellationToken cancel)
    {
        Directory.CreateDirectory(directory);
        var primary = await PrivatePostgres.StartAsync(Path.Combine(directory, "primary"), cancel: cancel);
        await primary.AdministerAsync("postgres", $"CREATE DATABASE {Database}", cancel);
        var standby = await primary.StartStandbyAsync(Path.Combine(directory, "standby"), cancel: cancel);
        await primary.AdministerAsync("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'standby'", cancel);
        await primary.AdministerAsync("postgres", "SELECT pg_reload_conf()", cancel);
        while (await primary.AskAsync("postgres", "SELECT sync_state FROM pg_stat_replication", cancel) != "sync")
            await Task.Delay(100, cancel);
        return new(primary, standby, directory);
    }

    public async Task<RoundResult> RunAsync(StallFault fault, TimeSpan stall, Random dice, CancellationToken cancel)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var replayed = 0;
        var clients = Enumerable.Range(0, Clients)
            .Select(client => PlaceAsync(client, () => Interlocked.Increment(ref replayed), stopping.Token)).ToList();
        while (acknowledged.Count < 5 * Clients) await Task.Delay(50, cancel);
        await Task.Delay(dice.Next(500, 2_000), cancel);

        var receiver = int.Parse(
            await standby.AskAsync("postgres", "SELECT pid FROM pg_stat_wal_receiver", cancel), CultureInfo.InvariantCulture);
        await PrivatePostgres.SignalAsync(receiver, "STOP");
        // What was already under way to the standby may still be acknowledged.
        await Task.Delay(TimeSpan.FromMilliseconds(200), cancel);
        isStalled = true;
        await Task.Delay(stall / 3, cancel);
        await fault.StrikeAsync(this);
        await Task.Delay(stall * 2 / 3, cancel);

        await primary.KillAsync();
        // Killed, and not resumed: a resumed receiver would still read what the dead primary had sent.
        await PrivatePostgres.SignalAsync(receiver, "KILL");
        isStalled = false;
        await standby.PromoteAsync(cancel);
        var promoted = Stopwatch.StartNew();
        var before = acknowledged.Count;
        while (acknowledged.Count == before)
        {
            if (promoted.Elapsed > RecoveryLimit)
                throw new InvalidOperationException($"No order was acknowledged within {RecoveryLimit} of the promotion.");
            await Task.Delay(20, cancel);
        }
        var recovery = promoted.Elapsed;
        await Task.Delay(TimeSpan.FromSeconds(2), cancel);
        await stopping.CancelAsync();
        await Task.WhenAll(clients);
        var survived = await SurvivorsAsync(cancel);
        return new(
            acknowledged.Count, replayed, duringStall, refused, acknowledged.Keys.Count(id => !survived.Contains(id)),
            recovery);
    }

    public async Task RestartPrimaryAsync()
    {
        await primary.KillAsync();
        await primary.RestartAsync();
    }

    public Task KillServiceAsync()
    {
        service.Kill();
        return Task.CompletedTask;
    }

    public Task CancelWaitsAsync() => primary.AdministerAsync(
        "postgres", "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        await watching;
        await standby.DisposeAsync();
        await primary.DisposeAsync();
        http.Dispose();
        log.Dispose();
        ending.Dispose();
    }

    // A client repeats a request with the same key until it is acknowledged, as docs/reference/http-api.md asks for.
    async Task PlaceAsync(int client, Action onReplay, CancellationToken cancel)
    {
        for (var number = 0; !cancel.IsCancellationRequested; number++)
        {
            var key = $"{client}-{number}";
            for (var attempt = 0; !cancel.IsCancellationRequested; attempt++)
            {
                if (await TryAsync(key, cancel))
                {
                    if (attempt > 0) onReplay();
                    break;
                }
                Interlocked.Increment(ref refused);
                await Task.Delay(100, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    async Task<bool> TryAsync(string key, CancellationToken cancel)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "api/v1/orders")
            {
                Content = JsonContent.Create(new JsonObject
                {
                    ["customerId"] = "ada", ["currency"] = "GBP", ["reference"] = key,
                    ["lines"] = new JsonArray(new JsonObject { ["sku"] = "MUG-01", ["quantity"] = 1 }),
                }),
            };
            request.Headers.Add("Idempotency-Key", key);
            var stalledAtStart = isStalled;
            using var answer = await http.SendAsync(request, cancel);
            if (!answer.IsSuccessStatusCode) return false;
            var id = JsonNode.Parse(await answer.Content.ReadAsStringAsync(cancel))!["id"]!.GetValue<Guid>();
            acknowledged.TryAdd(id, true);
            if (stalledAtStart) Interlocked.Increment(ref duringStall);
            return true;
        }
        catch (Exception error) when (
            error is HttpRequestException or OperationCanceledException or SocketException or IOException)
        {
            return false;
        }
    }

    async Task<HashSet<Guid>> SurvivorsAsync(CancellationToken cancel)
    {
        await using var connection = new NpgsqlConnection(standby.ConnectionString(Database));
        await connection.OpenAsync(cancel);
        await using var command = new NpgsqlCommand("SELECT id FROM orders", connection);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var ids = new HashSet<Guid>();
        while (await reader.ReadAsync(cancel)) ids.Add(reader.GetGuid(0));
        return ids;
    }
}
