using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Orderwright.LocalServers;
using Orderwright.Runtime;
using Orderwright.Runtime.Transport;
using Orderwright.Transport.RabbitMq;
using RabbitMQ.Client;

namespace Orderwright.Conformance.Transport;

/// <summary>Three nodes of a cluster; the node that holds the queues of an earlier configuration dies.</summary>
public sealed class RabbitMqClusterTests(ITestOutputHelper output) : IAsyncLifetime
{
    const string Service = "stock-service";

    readonly string directory = Path.Combine(Path.GetTempPath(), $"orderwright-cluster-{Guid.NewGuid():N}");
    readonly List<PrivateRabbitMq> nodes = [];

    public async ValueTask InitializeAsync()
    {
        if (Machine.LacksRabbitMq is not null) return;
        var first = await PrivateRabbitMq.StartAsync(Path.Combine(directory, "1"));
        nodes.Add(first);
        foreach (var name in new[] { "2", "3" }) nodes.Add(await first.StartMemberAsync(Path.Combine(directory, name)));
        // A quorum queue gets its members from the nodes that are online when it is declared.
        foreach (var node in nodes) await node.ControlAsync(["await_online_nodes", $"{nodes.Count}"]);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in Enumerable.Reverse(nodes)) await node.DisposeAsync();
        if (Directory.Exists(directory)) Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task Every_queue_is_a_quorum_queue_and_the_death_of_a_queues_home_node_stops_no_service()
    {
        Machine.Require(Machine.LacksRabbitMq);
        await using (var transport = Open(nodes[0]))
        await using (await transport.OpenInboxAsync("order-service", default))
            await Waiting.UntilAsync(async () =>
            {
                var queues = await nodes[0].ControlAsync(["list_queues", "-q", "name", "type"]);
                return queues.Contains("order-service\tquorum", StringComparison.Ordinal)
                    && queues.Contains("orderwright.dead\tquorum", StringComparison.Ordinal);
            });
        await nodes[0].ControlAsync(["delete_queue", "orderwright.dead"]);

        // Classic queues of an earlier configuration, for dead letters and for a neighbour, at home on the node that dies.
        await using (var client = await new ConnectionFactory { Uri = new Uri(nodes[0].Url) }.CreateConnectionAsync())
        await using (var channel = await client.CreateChannelAsync())
            foreach (var queue in new[] { "orderwright.dead", "customer-service" })
                await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false);
        await using (var earlier = Open(nodes[1]))
        await using (var inbox = await earlier.OpenInboxAsync(Service, default))
            Assert.Single(await ExchangeAsync(earlier, inbox));

        await nodes[0].AwaitSpareMembersAsync();
        await nodes[0].KillAsync();
        await using var later = Open(nodes[1]);
        await using var receiving = await later.OpenInboxAsync(Service, default);
        Assert.Single(await ExchangeAsync(later, receiving));
        // A neighbour without a living queue fails its own messages only.
        await Assert.ThrowsAsync<PublishFailedException>(
            () => later.PublishAsync("customer-service", [Samples.One()], default));
        Assert.Single(await ExchangeAsync(later, receiving));
        Assert.Null(later.Trouble);
    }

    [Fact]
    public async Task A_service_that_knows_all_nodes_goes_to_another_when_its_node_dies()
    {
        Machine.Require(Machine.LacksRabbitMq);
        await using var transport = new RabbitMqTransport(
            new RabbitMqOptions { Url = nodes[0].UrlWith(nodes), ClientName = "cluster" },
            new RuntimeOptions { PublishTimeout = TimeSpan.FromSeconds(10) }, TimeProvider.System, NullLoggerFactory.Instance);
        await using var inbox = await transport.OpenInboxAsync(Service, default);
        Assert.Single(await ExchangeAsync(transport, inbox));
        // The address names several nodes, so no setting is needed.
        Assert.Contains(
            $"{Service}\tquorum", await nodes[1].ControlAsync(["list_queues", "-q", "name", "type"]), StringComparison.Ordinal);
        // Lines of the properties of a connection, its name among them, and the port of the node.
        var connections = (await nodes[1].ControlAsync(["list_connections", "-q", "client_properties", "port"])).Split('\n');
        var receiver = connections.Single(line => line.Contains($"cluster {Service} receives", StringComparison.Ordinal));
        var port = receiver.Split('\t')[^1];
        var home = nodes.Single(node => $"{node.Port}" == port);
        await home.AwaitSpareMembersAsync();
        await home.KillAsync();
        var since = Stopwatch.StartNew();
        Assert.Single(await ExchangeAsync(transport, inbox));
        output.WriteLine($"a message arrived {since.Elapsed.TotalSeconds:0.0} s after the death of the receiver's node");
    }

    static RabbitMqTransport Open(PrivateRabbitMq node) => new(
        new RabbitMqOptions { Url = node.Url, ClientName = "cluster", QuorumQueues = true },
        new RuntimeOptions { PublishTimeout = TimeSpan.FromSeconds(10) }, TimeProvider.System, NullLoggerFactory.Instance);

    // A queue elects a new leader first, and an unconfirmed message is sent again, as by every sender.
    static async Task<IReadOnlyList<Delivery>> ExchangeAsync(RabbitMqTransport transport, IInbox inbox)
    {
        await Waiting.RetryAsync<bool, PublishFailedException>(async () =>
        {
            await transport.PublishAsync(Service, [Samples.One()], default);
            return true;
        });
        var deliveries = await inbox.ReceiveAsync(1, Waiting.NewLimit());
        await inbox.AcknowledgeAsync(deliveries, default);
        return deliveries;
    }
}
