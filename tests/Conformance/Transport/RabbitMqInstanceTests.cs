using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Transport;
using Orderwright.Transport.RabbitMq;
using RabbitMQ.Client;

namespace Orderwright.Conformance.Transport;

/// <summary>
/// Several instances of a service on a real broker: one receives, the others stand by and take over, and a reply reaches the
/// instance that asked.
/// </summary>
[Collection("RabbitMQ")]
public class RabbitMqInstanceTests(RabbitMqFixture rabbit) : IAsyncLifetime
{
    static readonly RuntimeOptions Limits = new() { PublishTimeout = TimeSpan.FromSeconds(10) };

    // Documented: 5 s. The rest lets a busy machine be late, and is still far below the heartbeats of other connections.
    static readonly TimeSpan TakeoverLimit = TimeSpan.FromSeconds(12);

    readonly string service = $"test-{Guid.NewGuid():N}";
    readonly List<(RabbitMqTransport Transport, IInbox Inbox)> instances = [];
    RabbitMqTransport sender = null!;

    protected virtual bool QuorumQueues => false;

    public ValueTask InitializeAsync()
    {
        sender = Open();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (transport, _) in instances) await transport.DisposeAsync();
        if (sender is not null) await sender.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task One_of_three_instances_receives_and_all_know_which()
    {
        for (var i = 0; i < 3; i++) await AddAsync();
        var names = instances.Select(instance => instance.Inbox.Instance).ToList();
        Assert.Equal(3, names.Distinct().Count());
        var sent = Samples.Many(50);
        foreach (var part in sent.Chunk(1)) await sender.PublishAsync(service, part, default);

        await Waiting.UntilAsync(() => instances.TrueForAll(instance => instance.Inbox.ActiveInstance is not null));

        var active = Assert.Single(instances, instance => instance.Inbox.IsActive);
        Assert.All(instances, instance => Assert.Equal(active.Inbox.Instance, instance.Inbox.ActiveInstance));
        Assert.Equal(Ids(sent), Ids(await TakeAsync(active.Inbox, 50)));
        Assert.All(instances, instance => Assert.Equal(0, instance.Inbox.Backlog));
    }

    [Fact]
    public async Task A_hand_over_makes_the_next_instance_active_at_once_and_loses_nothing()
    {
        var (_, first) = await AddAsync();
        var sent = Samples.Many(20);
        foreach (var part in sent.Chunk(1)) await sender.PublishAsync(service, part, default);
        await Waiting.UntilAsync(() => first.Backlog == 20);
        var (_, second) = await AddAsync();
        var inHand = await first.ReceiveAsync(5, default);

        await first.HandOverAsync();

        Assert.Equal(Ids(sent.Skip(5)), Ids(await TakeAsync(second, 15)));
        Assert.False(first.IsActive);
        // The first is not closed: it acknowledges the messages in hand, which are not redelivered.
        await first.AcknowledgeAsync(inHand, default);
        await first.DisposeAsync();
        await sender.PublishAsync(service, [Samples.One()], default);
        Assert.Single(await TakeAsync(second, 1));
        Assert.Equal(0, second.Backlog);
    }

    [Fact]
    public async Task An_instance_that_no_longer_reacts_is_taken_over_within_seconds()
    {
        await using var proxy = new SilentProxy(rabbit.Broker.Port);
        var (_, first) = await AddAsync(proxy.Port);
        await sender.PublishAsync(service, [Samples.One()], default);
        await Waiting.UntilAsync(() => first.IsActive);
        var (_, second) = await AddAsync();
        proxy.GoSilent();

        var since = Stopwatch.StartNew();
        // Never acknowledged by the first, hence redelivered to the second.
        Assert.Single(await TakeAsync(second, 1));
        TestContext.Current.TestOutputHelper?.WriteLine($"taken over after {since.Elapsed}");
        Assert.InRange(since.Elapsed, TimeSpan.Zero, TakeoverLimit);
    }

    [Fact]
    public async Task An_instance_that_stands_by_learns_of_its_takeover_without_any_message()
    {
        var (transport, first) = await AddAsync();
        await Waiting.UntilAsync(() => first.IsActive);
        var (_, second) = await AddAsync();
        await Waiting.UntilAsync(() => second.ActiveInstance == first.Instance);

        await transport.DisposeAsync();

        await Waiting.UntilAsync(() => second.IsActive);
    }

    [Fact]
    public async Task A_reply_reaches_the_instance_that_asked()
    {
        await using var participant = Open();
        await using var commands = await participant.OpenInboxAsync($"{service}-other", default);
        for (var i = 0; i < 3; i++) await AddAsync();
        foreach (var (transport, inbox) in instances)
        {
            var command = Samples.One() with { Source = service };
            await transport.PublishAsync($"{service}-other", [command], default);
            var received = Assert.Single(await TakeAsync(commands, 1));
            Assert.Equal(inbox.Instance, received.ReplyTo);

            var reply = Samples.One() with { To = received.ReplyTo };
            await participant.PublishAsync(service, [reply], default);

            Assert.Equal([reply.Id], Ids(await TakeAsync(inbox, 1)));
        }
    }

    [Fact]
    public async Task A_reply_to_an_instance_that_is_gone_reaches_the_active_one()
    {
        var (transport, asking) = await AddAsync();
        var (_, other) = await AddAsync();
        var gone = asking.Instance;
        await transport.DisposeAsync();
        var reply = Samples.One() with { To = gone };

        await sender.PublishAsync(service, [reply], default);

        Assert.Equal([reply.Id], Ids(await TakeAsync(other, 1)));
    }

    [Fact]
    public async Task Replies_in_the_queue_of_an_instance_that_hands_over_reach_the_next_active_one()
    {
        var (_, asking) = await AddAsync();
        var (_, other) = await AddAsync();
        var replies = Samples.Many(10).Select(message => message with { To = asking.Instance }).ToList();
        foreach (var reply in replies) await sender.PublishAsync(service, [reply], default);
        await Waiting.UntilAsync(() => asking.Backlog == 10);

        await asking.HandOverAsync();
        var late = Samples.One() with { To = asking.Instance };
        await sender.PublishAsync(service, [late], default);

        Assert.Equal(
            Ids(replies).Append(late.Id).Order(), Ids(await TakeAsync(other, 11)).Order());
    }

    [Fact]
    public async Task A_queue_of_release_0_1_0_that_is_in_use_stays_and_is_shared()
    {
        await DeclareEarlierQueueAsync();
        await sender.PublishAsync(service, Samples.Many(3), default);

        var (_, inbox) = await AddAsync();

        Assert.Equal(3, (await TakeAsync(inbox, 3)).Count);
        Assert.DoesNotContain("x-single-active-consumer", await ArgumentsAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_queue_of_release_0_1_0_that_is_empty_and_unused_is_replaced()
    {
        await DeclareEarlierQueueAsync();

        var (_, inbox) = await AddAsync();
        await sender.PublishAsync(service, Samples.Many(3), default);

        Assert.Equal(3, (await TakeAsync(inbox, 3)).Count);
        Assert.Contains("x-single-active-consumer", await ArgumentsAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_user_with_the_rights_of_release_0_1_0_receives_and_sends_without_a_queue_of_its_own()
    {
        foreach (var arguments in new string[][]
        {
            ["add_user", service, "secret"],
            [
                "set_permissions", service, $"^({service})$", $"^(orderwright|orderwright\\.dead|{service})$",
                $"^(orderwright|{service})$",
            ],
            ["set_topic_permissions", service, "orderwright", $"^({service})\\.", $"^({service})\\."],
        })
            await rabbit.Broker.ControlAsync(arguments);
        var url = new UriBuilder(rabbit.Broker.Url) { UserName = service, Password = "secret" }.Uri.ToString();
        await using var transport = rabbit.Open(Limits, options => options.Url = url);
        await using var inbox = await transport.OpenInboxAsync(service, default);
        await Waiting.UntilAsync(() => transport.Trouble is null);

        await transport.PublishAsync(service, [Samples.One() with { Source = service }], default);

        Assert.Null(Assert.Single(await TakeAsync(inbox, 1)).ReplyTo);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("orders", null)]
    [InlineData("orders@", null)]
    [InlineData("orders@a.b", null)]
    [InlineData("orders@#", null)]
    [InlineData("orders@host-1-2f", "host-1-2f")]
    public async Task Only_a_proper_address_counts_as_an_instance(string? replyTo, string? instance)
    {
        var (_, inbox) = await AddAsync();
        await using var client = await ClientAsync();
        await using var channel = await client.CreateChannelAsync();
        var body = new System.Buffers.ArrayBufferWriter<byte>();
        CloudEventsBatch.Write(body, [Samples.One()]);
        await channel.BasicPublishAsync(
            "orderwright", $"{service}.any", mandatory: true, new BasicProperties { ReplyTo = replyTo }, body.WrittenMemory);

        Assert.Equal(instance, Assert.Single(await TakeAsync(inbox, 1)).ReplyTo);
    }

    RabbitMqTransport Open(int? port = null) => new(
        new RabbitMqOptions
        {
            Url = port is null
                ? rabbit.Broker.Url
                : new UriBuilder(rabbit.Broker.Url) { Port = port.Value }.Uri.ToString(),
            ClientName = "instances",
            QuorumQueues = QuorumQueues,
        },
        Limits, TimeProvider.System, NullLoggerFactory.Instance);

    async Task<(RabbitMqTransport Transport, IInbox Inbox)> AddAsync(int? port = null)
    {
        var transport = Open(port);
        var inbox = await transport.OpenInboxAsync(service, default);
        instances.Add((transport, inbox));
        await Waiting.UntilAsync(() => transport.Trouble is null);
        return (transport, inbox);
    }

    static async Task<List<Message>> TakeAsync(IInbox inbox, int count)
    {
        var messages = new List<Message>();
        for (var limit = Waiting.NewLimit(); messages.Count < count;)
        {
            var deliveries = await inbox.ReceiveAsync(1_000, limit);
            messages.AddRange(deliveries.SelectMany(delivery => delivery.Messages));
            await inbox.AcknowledgeAsync(deliveries, limit);
        }
        return messages;
    }

    static IEnumerable<Guid> Ids(IEnumerable<Message> messages) => messages.Select(message => message.Id);

    async Task DeclareEarlierQueueAsync()
    {
        await using var client = await ClientAsync();
        await using var channel = await client.CreateChannelAsync();
        var arguments = new Dictionary<string, object?>
        {
            ["x-queue-type"] = QuorumQueues ? "quorum" : "classic",
            ["x-max-length"] = 50_000,
            ["x-max-length-bytes"] = 2L << 30,
            ["x-overflow"] = "reject-publish",
            ["x-dead-letter-exchange"] = "orderwright.dead",
        };
        if (QuorumQueues) arguments["x-delivery-limit"] = 50;
        await channel.QueueDeclareAsync(service, durable: true, exclusive: false, autoDelete: false, arguments);
        await channel.ExchangeDeclareAsync("orderwright", ExchangeType.Topic, durable: true);
        await channel.QueueBindAsync(service, "orderwright", $"{service}.#");
    }

    async Task<string> ArgumentsAsync() =>
        (await rabbit.Broker.ControlAsync(["list_queues", "-q", "name", "arguments"]))
            .Split('\n').Single(line => line.StartsWith($"{service}\t", StringComparison.Ordinal));

    Task<IConnection> ClientAsync() =>
        new ConnectionFactory { Uri = new Uri(rabbit.Broker.Url), AutomaticRecoveryEnabled = false }.CreateConnectionAsync();
}

/// <summary>The same on quorum queues.</summary>
[Collection("RabbitMQ")]
public sealed class RabbitMqQuorumInstanceTests(RabbitMqFixture rabbit) : RabbitMqInstanceTests(rabbit)
{
    protected override bool QuorumQueues => true;
}
