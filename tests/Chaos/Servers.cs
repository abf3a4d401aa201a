using Orderwright.Contracts;
using Orderwright.Hosting;
using Orderwright.LocalServers;
using Orderwright.Transport.RabbitMq;

namespace Orderwright.Chaos;

/// <summary>
/// Databases and brokers of a <see cref="Cluster"/>: a PostgreSQL and a RabbitMQ node, or, replicated, a primary with a
/// synchronous standby and a cluster of three nodes with quorum queues.
/// </summary>
sealed class Servers : IAsyncDisposable
{
    const int Nodes = 3;
    const string StandbyName = "standby";

    readonly string data;
    readonly List<PrivateRabbitMq> brokers = [];

    Servers(string data) => this.data = data;

    /// <summary>The database server that accepts writes.</summary>
    public PrivatePostgres Primary { get; private set; } = null!;

    /// <summary>The synchronous standby of <see cref="Primary"/>; null unless replicated.</summary>
    public PrivatePostgres? Standby { get; private set; }

    public IReadOnlyList<PrivateRabbitMq> Brokers => brokers;

    public IReadOnlyDictionary<Server, IReadOnlyList<int>> Ports => new Dictionary<Server, IReadOnlyList<int>>
    {
        [Server.Broker] = [.. brokers.Select(broker => broker.Port)],
        [Server.Database] = Standby is null ? [Primary.Port] : [Primary.Port, Standby.Port],
    };

    /// <param name="data">A directory that PostgreSQL's user can enter.</param>
    /// <param name="replicated">True for a standby and three nodes.</param>
    /// <param name="cancel">Ends the start.</param>
    public static async Task<Servers> StartAsync(string data, bool replicated, CancellationToken cancel)
    {
        var servers = new Servers(data);
        try
        {
            await Task.WhenAll(servers.StartDatabaseAsync(replicated, cancel), servers.StartBrokersAsync(replicated, cancel));
            return servers;
        }
        catch
        {
            await servers.DisposeAsync();
            throw;
        }
    }

    public static string DatabaseNameOf(string service) => $"orderwright_{Databases.WordOf(service)}";

    /// <summary>Npgsql connection string of a service's database at the primary of the moment.</summary>
    public string DatabaseOf(string service) =>
        $"Host=127.0.0.1;Port={Primary.Port};Username={DatabaseNameOf(service)};Password={Primary.Password};" +
        $"Database={DatabaseNameOf(service)}";

    /// <summary>Address of a service's database for the service itself, with both servers if there are two.</summary>
    public string DatabaseUrlOf(string service)
    {
        var name = DatabaseNameOf(service);
        var hosts = Ports[Server.Database].Select(port => $"127.0.0.1:{port}");
        return Standby is null
            ? DatabaseOf(service)
            : $"postgres://{name}:{Primary.Password}@{string.Join(',', hosts)}/{name}?target_session_attrs=read-write";
    }

    /// <summary>Address of the broker for a service, with all nodes.</summary>
    public string TransportUrlOf(string service) => brokers[0].UrlOf(service, brokers);

    /// <summary>
    /// Loses the primary for good: it is killed, the standby is promoted, and a fresh copy of the new primary becomes the
    /// standby at the address of the lost server. As Patroni does, the new primary accepts writes without a standby until one
    /// follows.
    /// </summary>
    public async Task FailOverAsync()
    {
        var (lost, promoted) = (Primary, Standby!);
        await lost.KillAsync();
        await promoted.PromoteAsync();
        await SetStandbyAsync(promoted, "");
        Primary = promoted;
        await lost.DisposeAsync();
        lost.DeleteData();
        Standby = await promoted.StartStandbyAsync(lost.Home, lost.Port);
        await FollowAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (Standby is not null) await Standby.DisposeAsync();
        if (Primary is not null) await Primary.DisposeAsync();
        foreach (var broker in Enumerable.Reverse(brokers)) await broker.DisposeAsync();
    }

    async Task StartDatabaseAsync(bool replicated, CancellationToken cancel)
    {
        // Bounds the disk usage of long runs: the log is rewritten after a gigabyte.
        string[] settings = ["max_wal_size=1GB", "wal_keep_size=256MB", "log_min_messages=fatal"];
        Primary = await PrivatePostgres.StartAsync(Path.Combine(data, "postgres"), settings: settings, cancel: cancel);
        foreach (var name in ServiceNames.All.Select(DatabaseNameOf))
            await Primary.CreateDatabaseAsync(name, name, Primary.Password, cancel);
        if (!replicated) return;
        Standby = await Primary.StartStandbyAsync(Path.Combine(data, "postgres-2"), cancel: cancel);
        await FollowAsync(cancel);
    }

    async Task StartBrokersAsync(bool replicated, CancellationToken cancel)
    {
        // A node that answers no tick for ten seconds counts as lost; sixty are usual.
        string[] settings = replicated ? ["cluster_partition_handling = pause_minority", "net_ticktime = 10"] : [];
        brokers.Add(await PrivateRabbitMq.StartAsync(
            Path.Combine(data, "rabbitmq"), definitions: BrokerRights.Definitions, settings: settings, cancel: cancel));
        if (!replicated) return;
        for (var number = 2; number <= Nodes; number++)
            brokers.Add(await brokers[0].StartMemberAsync(Path.Combine(data, $"rabbitmq-{number}"), cancel));
        // A quorum queue gets its members from the nodes that are online when it is declared.
        foreach (var broker in brokers) await broker.ControlAsync(["await_online_nodes", $"{Nodes}"], cancel);
    }

    async Task FollowAsync(CancellationToken cancel = default)
    {
        await SetStandbyAsync(Primary, StandbyName, cancel);
        while (await Primary.AskAsync("postgres", "SELECT sync_state FROM pg_stat_replication", cancel) != "sync")
            await Task.Delay(100, cancel);
    }

    static async Task SetStandbyAsync(PrivatePostgres server, string names, CancellationToken cancel = default)
    {
        await server.AdministerAsync("postgres", $"ALTER SYSTEM SET synchronous_standby_names = '{names}'", cancel);
        await server.AdministerAsync("postgres", "SELECT pg_reload_conf()", cancel);
    }
}
