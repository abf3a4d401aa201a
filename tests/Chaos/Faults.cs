using System.Diagnostics;
using System.Globalization;
using System.Text;
using Orderwright.Contracts;
using Orderwright.CustomerService.Providers;
using Orderwright.CustomerService.Providers.Http;
using Orderwright.LocalServers;

namespace Orderwright.Chaos;

/// <summary>The means of a fault: targets unused by other faults of the round, randomness, and a way to wait.</summary>
sealed class Scene(Cluster cluster, Random dice, CancellationToken cancel)
{
    readonly Queue<Instance> free = new(cluster.Instances.OrderBy(_ => dice.Next()));

    public Cluster Cluster => cluster;

    public CancellationToken Cancel => cancel;

    /// <summary>A number from 0 to <paramref name="below"/>, exclusive.</summary>
    public int Roll(int below)
    {
        lock (dice) return dice.Next(below);
    }

    /// <summary>Claims an instance for this fault; null when none is left.</summary>
    public Instance? Take(Func<Instance, bool>? fits = null)
    {
        lock (free)
            for (var looked = free.Count; looked > 0; looked--)
            {
                var next = free.Dequeue();
                if (fits is null || fits(next)) return next;
                free.Enqueue(next);
            }
        return null;
    }

    /// <summary>Waits for a random number of seconds.</summary>
    public Task WaitAsync(double least, double most) =>
        Task.Delay(TimeSpan.FromSeconds(least + Roll(1_000) / 1_000.0 * (most - least)), cancel);
}

/// <summary>A fault. Completes once healed, also when cancelled.</summary>
/// <param name="Name">Name in the report.</param>
/// <param name="On">Target; in a round at most one fault hits the same target.</param>
/// <param name="Weight">Relative frequency.</param>
/// <param name="InjectAsync">
/// Injects the fault, waits and heals it; returns a description, or null without a suitable target.
/// </param>
sealed record Fault(string Name, string On, int Weight, Func<Scene, Task<string?>> InjectAsync)
{
    const string AService = "a service", TheBroker = "broker", TheDatabase = "database", TheGateway = "gateway";

    // Faults of services, of the network and of the gateway, which single and replicated servers share.
    static readonly Fault[] Shared =
    [
        new("service killed", AService, 5, KillAsync),
        new("both instances killed", AService + " twice", 2, KillBothAsync),
        new("killed before commit", "fault point 1", 2, scene => CrashAtAsync(scene, "before-commit")),
        new("killed after commit", "fault point 2", 2, scene => CrashAtAsync(scene, "after-commit")),
        new("killed after publish", "fault point 3", 2, scene => CrashAtAsync(scene, "after-publish")),
        new("service suspended past its resend", "pause", 3, SuspendAsync),
        new("PostgreSQL killed", TheDatabase, 3, KillDatabaseAsync),
        new("broker out of memory", TheBroker, 2, ExhaustBrokerMemoryAsync),
        new("partition", "network", 4, PartitionAsync),
        new("gateway killed", TheGateway, 2, KillGatewayAsync),
        new("gateway hangs", TheGateway, 2, HangGatewayAsync),
        new("gateway answers 503", TheGateway, 2, AnswerUnavailableAsync),
    ];

    public static IReadOnlyList<Fault> All { get; } =
    [
        .. Shared,
        new("broker restarted", TheBroker, 2, RestartBrokerAsync),
        new("broker wiped", TheBroker, 2, WipeBrokerAsync),
    ];

    /// <summary>Faults of a cluster with replicated servers.</summary>
    public static IReadOnlyList<Fault> Replicated { get; } =
    [
        .. Shared,
        new("primary lost, standby promoted", TheDatabase, 3, FailOverAsync),
        new("standby stalled, then promoted", TheDatabase, 2, FailOverAfterStallAsync),
        new("standby killed", TheDatabase, 2, KillStandbyAsync),
        new("leader of a queue killed", TheBroker, 3, KillLeaderAsync),
        new("broker node restarted", TheBroker, 2, RestartNodeAsync),
        new("broker node frozen, then restarted", TheBroker, 2, FreezeNodeAsync),
    ];

    static Task<string?> KillAsync(Scene scene)
    {
        var target = scene.Take();
        target?.Process.Kill();
        return Task.FromResult(target?.Name);
    }

    static async Task<string?> KillBothAsync(Scene scene)
    {
        if (scene.Take() is not { } first) return null;
        var other = scene.Take(instance => instance.Service == first.Service);
        first.Process.Kill();
        await scene.WaitAsync(0, 0.5);
        other?.Process.Kill();
        return first.Service;
    }

    // The instance restarts with the order to die at the point, dies under load, and restarts normally.
    static async Task<string?> CrashAtAsync(Scene scene, string point)
    {
        if (scene.Take() is not { } target) return null;
        var fault = $"{point}:{1 + scene.Roll(20)}";
        var starts = target.Process.Starts;
        target.Process.Kill([KeyValuePair.Create("ORDERWRIGHT_FAULT", fault)]);
        var since = Stopwatch.StartNew();
        while (target.Process.Starts < starts + 2 && since.Elapsed.TotalSeconds < 20 && !scene.Cancel.IsCancellationRequested)
            await Task.Delay(100);
        if (target.Process.Starts >= starts + 2) return $"{target.Name} {fault}";
        target.Process.Kill();
        return null;
    }

    static async Task<string?> SuspendAsync(Scene scene)
    {
        if (scene.Take() is not { } target) return null;
        target.Process.Suspend();
        try
        {
            // A command is resent after 2 to 4 s, then up to 15 s later.
            await scene.WaitAsync(5, 20);
        }
        finally
        {
            target.Process.Resume();
        }
        return target.Name;
    }

    static async Task<string?> KillDatabaseAsync(Scene scene)
    {
        await scene.Cluster.Postgres.KillAsync();
        await WaitAsync(scene, 0, 8, () => scene.Cluster.Postgres.RestartAsync());
        return "";
    }

    static async Task<string?> FailOverAsync(Scene scene)
    {
        await scene.Cluster.Servers.FailOverAsync();
        return "";
    }

    // Commits wait for the stalled standby; what was acknowledged has to be on it.
    static async Task<string?> FailOverAfterStallAsync(Scene scene)
    {
        var receiver = int.Parse(
            await scene.Cluster.Servers.Standby!.AskAsync("postgres", "SELECT pid FROM pg_stat_wal_receiver"),
            CultureInfo.InvariantCulture);
        await PrivatePostgres.SignalAsync(receiver, "STOP");
        await WaitAsync(scene, 3, 15, async () =>
        {
            // Killed, and not resumed: a resumed receiver would still read what the dead primary had sent.
            await scene.Cluster.Postgres.KillAsync();
            await PrivatePostgres.SignalAsync(receiver, "KILL");
            await scene.Cluster.Servers.FailOverAsync();
        });
        return "";
    }

    static async Task<string?> KillStandbyAsync(Scene scene)
    {
        var standby = scene.Cluster.Servers.Standby!;
        await standby.KillAsync();
        await WaitAsync(scene, 0, 8, () => standby.RestartAsync());
        return "";
    }

    static async Task<string?> KillLeaderAsync(Scene scene)
    {
        var brokers = scene.Cluster.Servers.Brokers;
        var queue = ServiceNames.All[scene.Roll(ServiceNames.All.Count)];
        foreach (var broker in brokers)
        {
            if (!await broker.LeadsAsync(queue)) continue;
            await broker.KillAsync();
            await WaitAsync(scene, 3, 15, () => broker.RestartAsync());
            return $"of {queue}";
        }
        return null;
    }

    static async Task<string?> RestartNodeAsync(Scene scene)
    {
        var node = ANode(scene);
        await node.StopAsync();
        await WaitAsync(scene, 0, 8, () => node.RestartAsync());
        return "";
    }

    // Its clients see silence, and the others elect leaders. RabbitMQ 3.10 leaves a node that runs again outside the cluster
    // until it restarts (docs/operations/deployment.md).
    static async Task<string?> FreezeNodeAsync(Scene scene)
    {
        var node = ANode(scene);
        node.Suspend();
        await WaitAsync(scene, 12, 25, async () =>
        {
            node.Resume();
            await node.KillAsync();
            await node.RestartAsync();
        });
        return "";
    }

    static PrivateRabbitMq ANode(Scene scene) =>
        scene.Cluster.Servers.Brokers[scene.Roll(scene.Cluster.Servers.Brokers.Count)];

    static async Task<string?> RestartBrokerAsync(Scene scene)
    {
        await scene.Cluster.Broker.StopAsync();
        await WaitAsync(scene, 0, 8, () => scene.Cluster.Broker.RestartAsync());
        return "";
    }

    static async Task<string?> WipeBrokerAsync(Scene scene)
    {
        await scene.Cluster.Broker.WipeAsync();
        await WaitAsync(scene, 0, 5, () => scene.Cluster.Broker.RestartAsync());
        return "";
    }

    static async Task<string?> ExhaustBrokerMemoryAsync(Scene scene)
    {
        await scene.Cluster.Broker.ControlAsync(["set_vm_memory_high_watermark", "0.000001"]);
        await WaitAsync(scene, 3, 12, () => scene.Cluster.Broker.ControlAsync(["set_vm_memory_high_watermark", "0.4"]));
        return "";
    }

    static async Task<string?> PartitionAsync(Scene scene)
    {
        if (scene.Take(instance => instance.Link is not null) is not { Link: { } link } target) return null;
        var servers = target.Service == ServiceNames.Customer
            ? new[] { Server.Broker, Server.Database, Server.Gateway }
            : [Server.Broker, Server.Database];
        var server = servers[scene.Roll(servers.Length)];
        var direction = (Direction)scene.Roll(3);
        link.Cut(server, direction);
        try
        {
            await scene.WaitAsync(4, 20);
        }
        finally
        {
            link.Heal();
        }
        return $"{target.Name} from the {server}, {direction}";
    }

    static async Task<string?> KillGatewayAsync(Scene scene)
    {
        scene.Cluster.Gateway.Kill();
        await scene.WaitAsync(0, 1);
        return "";
    }

    static async Task<string?> HangGatewayAsync(Scene scene)
    {
        scene.Cluster.Gateway.Suspend();
        try
        {
            await scene.WaitAsync(3, 12);
        }
        finally
        {
            scene.Cluster.Gateway.Resume();
        }
        return "";
    }

    static async Task<string?> AnswerUnavailableAsync(Scene scene)
    {
        await SetBehaviourAsync(scene.Cluster, """{"errors":"100%"}""");
        await WaitAsync(scene, 3, 12, () => SetBehaviourAsync(scene.Cluster, ChaosRun.GatewayBehaviour));
        return "";
    }

    static async Task WaitAsync(Scene scene, double least, double most, Func<Task> heal)
    {
        try
        {
            await scene.WaitAsync(least, most);
        }
        finally
        {
            await heal();
        }
    }

    // Waits for a recently killed gateway.
    static async Task SetBehaviourAsync(Cluster cluster, string behaviour)
    {
        var body = Encoding.UTF8.GetBytes(behaviour);
        var url = new Uri(cluster.GatewayUrl, "/v1/behaviour");
        for (var since = Stopwatch.StartNew(); ; await Task.Delay(200))
        {
            using var request = new HttpRequestMessage(HttpMethod.Put, url) { Content = new ByteArrayContent(body) };
            request.Headers.Add(
                HttpGatewayNames.SignatureHeader,
                new Signature(Encoding.UTF8.GetBytes(Cluster.GatewaySecret)).Sign(
                    HttpGatewayNames.SigningPrefix("PUT", url.PathAndQuery), body, DateTimeOffset.UtcNow));
            try
            {
                using var answer = await cluster.Http.SendAsync(request);
                answer.EnsureSuccessStatusCode();
                return;
            }
            catch (HttpRequestException) when (since.Elapsed.TotalSeconds < 30)
            {
            }
        }
    }
}
