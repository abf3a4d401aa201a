using System.Text;
using Orderwright.Contracts;
using Orderwright.CustomerService.Providers;
using Orderwright.CustomerService.Providers.Http;

namespace Orderwright.Chaos;

/// <summary>What a fault may reach for: targets of its own this round, dice, and a way to wait.</summary>
sealed class Scene(Cluster cluster, Random dice, CancellationToken cancel)
{
    readonly Queue<Instance> free = new(cluster.Instances.OrderBy(_ => dice.Next()));

    public Cluster Cluster => cluster;

    public CancellationToken Cancel => cancel;

    /// <summary>From 0 up to, not including, <paramref name="below"/>.</summary>
    public int Roll(int below)
    {
        lock (dice) return dice.Next(below);
    }

    /// <summary>An instance that no other fault of this round has; null when none is left.</summary>
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

    /// <summary>Waits, in seconds.</summary>
    public Task HoldAsync(double least, double most) =>
        Task.Delay(TimeSpan.FromSeconds(least + Roll(1_000) / 1_000.0 * (most - least)), cancel);
}

/// <summary>Something that goes wrong. It returns when it is healed, also when it is cancelled before.</summary>
/// <param name="Name">For the table.</param>
/// <param name="On">Of two faults on the same thing only one happens in a round.</param>
/// <param name="Weight">How often, against the others.</param>
/// <param name="HappenAsync">Does it, waits, heals it; returns what it did, or null if there was nothing to do it to.</param>
sealed record Fault(string Name, string On, int Weight, Func<Scene, Task<string?>> HappenAsync)
{
    const string AService = "a service", TheBroker = "broker", TheDatabase = "database", TheGateway = "gateway";

    public static IReadOnlyList<Fault> All { get; } =
    [
        new("service killed", AService, 5, KillAsync),
        new("both instances killed", AService + " twice", 2, KillBothAsync),
        new("killed before commit", "fault point 1", 2, scene => DieAtAsync(scene, "before-commit")),
        new("killed after commit", "fault point 2", 2, scene => DieAtAsync(scene, "after-commit")),
        new("killed after publish", "fault point 3", 2, scene => DieAtAsync(scene, "after-publish")),
        new("service stopped past its turn", "pause", 3, SuspendAsync),
        new("PostgreSQL killed", TheDatabase, 3, KillDatabaseAsync),
        new("broker restarted", TheBroker, 2, RestartBrokerAsync),
        new("broker wiped", TheBroker, 2, WipeBrokerAsync),
        new("broker out of memory", TheBroker, 2, AlarmAsync),
        new("partition", "network", 4, PartitionAsync),
        new("gateway killed", TheGateway, 2, KillGatewayAsync),
        new("gateway hangs", TheGateway, 2, HangGatewayAsync),
        new("gateway answers 503", TheGateway, 2, StormAsync),
    ];

    static Task<string?> KillAsync(Scene scene)
    {
        var target = scene.Take();
        target?.Process.Kill();
        return Task.FromResult(target?.Name);
    }

    static async Task<string?> KillBothAsync(Scene scene)
    {
        if (scene.Take() is not { } one) return null;
        var other = scene.Take(instance => instance.Service == one.Service);
        one.Process.Kill();
        await scene.HoldAsync(0, 0.5);
        other?.Process.Kill();
        return one.Service;
    }

    // It comes back with the order to die at that moment, does so under load, and comes back without.
    static async Task<string?> DieAtAsync(Scene scene, string point)
    {
        if (scene.Take() is not { } target) return null;
        var told = $"{point}:{1 + scene.Roll(20)}";
        var starts = target.Process.Starts;
        target.Process.Kill([KeyValuePair.Create("ORDERWRIGHT_FAULT", told)]);
        var limit = DateTime.UtcNow.AddSeconds(20);
        while (target.Process.Starts < starts + 2 && DateTime.UtcNow < limit && !scene.Cancel.IsCancellationRequested)
            await Task.Delay(100);
        if (target.Process.Starts >= starts + 2) return $"{target.Name} {told}";
        target.Process.Kill();
        return null;
    }

    static async Task<string?> SuspendAsync(Scene scene)
    {
        if (scene.Take() is not { } target) return null;
        target.Process.Suspend();
        try
        {
            // A command is asked again after 2 to 4 s, then up to 15 s later.
            await scene.HoldAsync(5, 20);
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
        await HoldAsync(scene, 0, 8, () => scene.Cluster.Postgres.RestartAsync());
        return "";
    }

    static async Task<string?> RestartBrokerAsync(Scene scene)
    {
        await scene.Cluster.Broker.StopAsync();
        await HoldAsync(scene, 0, 8, () => scene.Cluster.Broker.RestartAsync());
        return "";
    }

    static async Task<string?> WipeBrokerAsync(Scene scene)
    {
        await scene.Cluster.Broker.WipeAsync();
        await HoldAsync(scene, 0, 5, () => scene.Cluster.Broker.RestartAsync());
        return "";
    }

    static async Task<string?> AlarmAsync(Scene scene)
    {
        await scene.Cluster.Broker.ControlAsync(["set_vm_memory_high_watermark", "0.000001"]);
        await HoldAsync(scene, 3, 12, () => scene.Cluster.Broker.ControlAsync(["set_vm_memory_high_watermark", "0.4"]));
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
            await scene.HoldAsync(4, 20);
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
        await scene.HoldAsync(0, 1);
        return "";
    }

    static async Task<string?> HangGatewayAsync(Scene scene)
    {
        scene.Cluster.Gateway.Suspend();
        try
        {
            await scene.HoldAsync(3, 12);
        }
        finally
        {
            scene.Cluster.Gateway.Resume();
        }
        return "";
    }

    static async Task<string?> StormAsync(Scene scene)
    {
        await BehaveAsync(scene.Cluster, """{"errors":"100%"}""");
        await HoldAsync(scene, 3, 12, () => BehaveAsync(scene.Cluster, ChaosRun.GatewayBehaviour));
        return "";
    }

    static async Task HoldAsync(Scene scene, double least, double most, Func<Task> heal)
    {
        try
        {
            await scene.HoldAsync(least, most);
        }
        finally
        {
            await heal();
        }
    }

    // A gateway that was killed a moment ago is waited for.
    static async Task BehaveAsync(Cluster cluster, string behaviour)
    {
        var body = Encoding.UTF8.GetBytes(behaviour);
        var url = new Uri(cluster.GatewayUrl, "/v1/behaviour");
        for (var limit = DateTime.UtcNow.AddSeconds(30); ; await Task.Delay(200))
        {
            using var request = new HttpRequestMessage(HttpMethod.Put, url) { Content = new ByteArrayContent(body) };
            request.Headers.Add(
                HttpGatewayNames.SignatureHeader,
                new Signature(Encoding.UTF8.GetBytes(Cluster.GatewaySecret)).Write(
                    HttpGatewayNames.Signed("PUT", url.PathAndQuery), body, DateTimeOffset.UtcNow));
            try
            {
                using var answer = await cluster.Http.SendAsync(request);
                answer.EnsureSuccessStatusCode();
                return;
            }
            catch (HttpRequestException) when (DateTime.UtcNow < limit)
            {
            }
        }
    }
}
