using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Orderwright.Contracts;
using Orderwright.LocalServers;
using Orderwright.Runtime;
using Orderwright.Runtime.Transport;
using Orderwright.Transport.RabbitMq;
using RabbitMQ.Client;

namespace Orderwright.Conformance.Transport;

/// <summary>Failures of a broker, and recovery of publishing and receiving without help.</summary>
[Collection("RabbitMQ")]
public sealed class RabbitMqOutageTests(RabbitMqFixture rabbit) : IAsyncLifetime
{
    static readonly TimeSpan Patience = Waiting.HangLimit;
    // Lets a busy machine be late.
    static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);
    static readonly RuntimeOptions Limits = new() { PublishTimeout = TimeSpan.FromSeconds(2) };

    readonly string service = $"test-{Guid.NewGuid():N}";
    RabbitMqTransport transport = null!;
    IInbox inbox = null!;

    PrivateRabbitMq Broker => rabbit.Broker;

    public async ValueTask InitializeAsync()
    {
        transport = rabbit.Open(Limits);
        inbox = await transport.OpenInboxAsync(service, default);
        await GoesOnAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (transport is not null) await transport.DisposeAsync();
    }

    [Fact]
    public async Task A_broker_that_was_restarted()
    {
        await Broker.StopAsync();
        await FailsInTimeAsync();
        Assert.NotNull(transport.Trouble);
        await Broker.RestartAsync();
        await GoesOnAsync();
    }

    [Fact]
    public async Task A_broker_that_was_killed_and_wiped()
    {
        await Broker.WipeAsync();
        await FailsInTimeAsync();
        await Broker.RestartAsync();
        // The receiver alone declares the queue: nothing has been sent yet.
        await EventuallyAsync(async () =>
            (await Broker.ControlAsync(["list_queues", "-q", "name"])).Contains(service, StringComparison.Ordinal));
        await GoesOnAsync();
    }

    [Fact]
    public async Task Unacknowledged_messages_are_redelivered_after_a_broken_connection_and_old_acknowledgements_dropped()
    {
        var sent = Samples.Many(3);
        await transport.PublishAsync(service, sent, default);
        var before = await ReceiveAsync(3);

        await Broker.ControlAsync(["close_all_connections", "test"]);

        var again = await ReceiveAsync(3);
        Assert.Equal(Ids(sent), Ids(again));
        await inbox.AcknowledgeAsync(before, default);
        await inbox.AcknowledgeAsync(again, default);
        await GoesOnAsync();
    }

    [Fact]
    public async Task Connections_that_the_broker_closed()
    {
        await Broker.ControlAsync(["close_all_connections", "test"]);
        await GoesOnAsync();
    }

    [Fact]
    public async Task A_queue_that_was_deleted_under_us()
    {
        await Broker.ControlAsync(["delete_queue", service]);
        await GoesOnAsync();
    }

    [Fact]
    public async Task A_queue_that_was_deleted_and_has_no_receiver_is_declared_again_by_the_sender()
    {
        await inbox.DisposeAsync();
        await Broker.ControlAsync(["delete_queue", service]);

        // A message without a queue is not lost silently.
        await Assert.ThrowsAsync<PublishFailedException>(() => transport.PublishAsync(service, Samples.Many(1), default));
        await transport.PublishAsync(service, Samples.Many(2), default);

        inbox = await transport.OpenInboxAsync(service, default);
        Assert.Equal(2, (await ReceiveAsync(2)).Sum(delivery => delivery.Messages.Count));
    }

    [Fact]
    public async Task A_hanging_broker_fails_a_publish_within_the_limit()
    {
        Signal("STOP");
        try
        {
            // More than sockets and the client's buffers can store, so that the client hangs.
            var publishes = Enumerable.Range(0, 20).Select(_ => FailsInTimeAsync(Samples.Many(20_000)));
            await Task.WhenAll(publishes);
            await FailsInTimeAsync();
        }
        finally
        {
            Signal("CONT");
        }
        await GoesOnAsync();
    }

    [Fact]
    public async Task A_silent_publishing_connection_is_replaced_long_before_a_missed_heartbeat()
    {
        await using var proxy = new SilentProxy(Broker.Port);
        var url = new UriBuilder(Broker.Url) { Port = proxy.Port }.Uri.ToString();
        await using var through = new RabbitMqTransport(
            new RabbitMqOptions { Url = url }, Limits, TimeProvider.System, NullLoggerFactory.Instance);
        await through.PublishAsync(service, Samples.Many(1), default);
        proxy.GoSilent();

        await Assert.ThrowsAsync<PublishFailedException>(
            () => through.PublishAsync(service, Samples.Many(1), default));

        var since = Stopwatch.StartNew();
        await EventuallyPublishedAsync(through, Samples.Many(1));
        Assert.InRange(since.Elapsed, TimeSpan.Zero, Limits.PublishTimeout + Grace);
    }

    [Fact]
    public async Task A_memory_alarm_stops_publishing_and_not_receiving()
    {
        for (var i = 0; i < 10; i++) await transport.PublishAsync(service, Samples.Many(10), default);
        await Broker.ControlAsync(["set_vm_memory_high_watermark", "absolute", "1"]);
        try
        {
            await FailsInTimeAsync();
            Assert.Contains("blocks publishers", transport.Trouble, StringComparison.Ordinal);
            // Once the block is known, a publish fails without waiting for its time-out.
            await Waiting.UntilAsync(async () =>
            {
                var since = Stopwatch.StartNew();
                await FailsInTimeAsync();
                return since.Elapsed < Limits.PublishTimeout;
            });

            await inbox.AcknowledgeAsync(await ReceiveAsync(100), default);
            await EventuallyAsync(async () =>
                (await Broker.ControlAsync(["list_queues", "-q", "name", "messages"]))
                    .Contains($"{service}\t0", StringComparison.Ordinal));
        }
        finally
        {
            await Broker.ControlAsync(["set_vm_memory_high_watermark", "0.4"]);
        }
        await GoesOnAsync();
        Assert.Null(transport.Trouble);
    }

    [Fact]
    public async Task A_wrong_password_is_reported_but_not_shown()
    {
        var url = new UriBuilder(Broker.Url) { Password = "not-the-password" }.Uri.ToString();
        await using var refused = new RabbitMqTransport(
            new RabbitMqOptions { Url = url }, Limits, TimeProvider.System, NullLoggerFactory.Instance);

        await Assert.ThrowsAsync<PublishFailedException>(() => refused.PublishAsync(service, Samples.Many(1), default));

        Assert.Contains("refuses the user", refused.Trouble, StringComparison.Ordinal);
        Assert.DoesNotContain("not-the-password", refused.Trouble, StringComparison.Ordinal);
    }

    /// <summary>Checks that a newly published message is received soon.</summary>
    async Task GoesOnAsync()
    {
        var marker = Samples.Many(2);
        await EventuallyPublishedAsync(transport, marker);
        using var limit = new CancellationTokenSource(Patience);
        for (var received = Array.Empty<Guid>(); !Ids(marker).All(received.Contains);)
        {
            var deliveries = await inbox.ReceiveAsync(1_000, limit.Token);
            received = [.. received, .. Ids(deliveries)];
            await inbox.AcknowledgeAsync(deliveries, limit.Token);
        }
    }

    Task EventuallyPublishedAsync(RabbitMqTransport by, IReadOnlyList<Message> messages) =>
        EventuallyAsync(async () =>
        {
            try
            {
                await by.PublishAsync(service, messages, default);
                return true;
            }
            catch (PublishFailedException)
            {
                return false;
            }
        });

    async Task FailsInTimeAsync(IReadOnlyList<Message>? messages = null)
    {
        messages ??= Samples.Many(1);
        var since = Stopwatch.StartNew();
        await Assert.ThrowsAsync<PublishFailedException>(() => transport.PublishAsync(service, messages, default));
        Assert.InRange(since.Elapsed, TimeSpan.Zero, Limits.PublishTimeout + Grace);
    }

    async Task<IReadOnlyList<Delivery>> ReceiveAsync(int messages)
    {
        using var limit = new CancellationTokenSource(Patience);
        var deliveries = new List<Delivery>();
        while (deliveries.Sum(delivery => delivery.Messages.Count) < messages)
            deliveries.AddRange(await inbox.ReceiveAsync(1_000, limit.Token));
        return deliveries;
    }

    // Signals the whole process group: the start script and the Erlang machine below.
    void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", "--", $"-{Broker.ProcessId}"]);
        kill.WaitForExit();
    }

    static async Task EventuallyAsync(Func<Task<bool>> holds)
    {
        var since = Stopwatch.StartNew();
        while (!await holds())
        {
            Assert.True(since.Elapsed < Patience, "It did not come about in time.");
            await Task.Delay(20);
        }
    }

    static IEnumerable<Guid> Ids(IEnumerable<Message> messages) => messages.Select(message => message.Id);

    static IEnumerable<Guid> Ids(IEnumerable<Delivery> deliveries) =>
        deliveries.SelectMany(delivery => delivery.Messages).Select(message => message.Id);
}
