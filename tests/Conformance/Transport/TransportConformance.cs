using System.Diagnostics;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Transport;

namespace Orderwright.Conformance.Transport;

/// <summary>Guarantees of every transport (<see cref="ITransport"/>).</summary>
public abstract class TransportConformance
{
    protected static readonly TimeSpan Patience = Waiting.HangLimit;

    /// <summary>Unique queue.</summary>
    protected string Service { get; } = $"test-{Guid.NewGuid():N}";

    /// <summary>Lets a busy machine be late, and still tells a time-out that works from one of the driver's minutes.</summary>
    protected static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    protected static RuntimeOptions Limits => new() { PublishTimeout = TimeSpan.FromSeconds(2), InboxCapacity = 5_000 };

    protected abstract ITransport Open(RuntimeOptions limits);

    /// <summary>Transport with queues limited to some thousand messages.</summary>
    protected abstract ITransport OpenSmall();

    [Fact]
    public async Task Every_type_of_message_arrives_equal_in_every_field()
    {
        await using var transport = Open(Limits);
        await using var inbox = await transport.OpenInboxAsync(Service, default);
        var sent = Samples.OfEveryType();
        Assert.Equal(MessageCatalog.Types.Order(), sent.Select(message => message.Type).Distinct().Order());

        await transport.PublishAsync(Service, sent, default);

        var received = await TakeAsync(inbox, sent.Count);
        Assert.Equal(sent.Count, received.Count);
        foreach (var (expected, actual) in sent.Zip(received)) Assert.Equivalent(expected, actual, strict: true);
    }

    [Fact]
    public async Task Absent_fields_of_a_message_stay_absent()
    {
        await using var transport = Open(Limits);
        await using var inbox = await transport.OpenInboxAsync(Service, default);
        var sent = Samples.One();

        await transport.PublishAsync(Service, [sent], default);

        var received = Assert.Single(await TakeAsync(inbox, 1));
        Assert.Equal(sent, received);
        Assert.Null(received.Step);
        Assert.Null(received.Deadline);
        Assert.Equal(1, received.Attempt);
    }

    [Fact]
    public async Task Messages_to_a_service_that_never_ran_wait()
    {
        await using var transport = Open(Limits);
        var sent = Samples.Many(3);
        await transport.PublishAsync(Service, sent, default);

        await using var inbox = await transport.OpenInboxAsync(Service, default);

        Assert.Equal(Ids(sent), Ids(await TakeAsync(inbox, 3)));
    }

    [Fact]
    public async Task Waiting_messages_and_listeners_of_any_service_are_visible()
    {
        await using var transport = Open(Limits);
        await using var own = await transport.OpenInboxAsync($"{Service}-own", default);
        await transport.PublishAsync(Service, Samples.Many(3), default);
        await transport.PublishAsync(Service, Samples.Many(2), default);
        await EventuallyAsync(async () => await transport.LookAsync(Service, default) == new QueueState(2, 0));

        await using (var inbox = await transport.OpenInboxAsync(Service, default))
        {
            await TakeAsync(inbox, 5);
            await EventuallyAsync(async () => await transport.LookAsync(Service, default) == new QueueState(0, 1));
        }
        await EventuallyAsync(async () => await transport.LookAsync(Service, default) == new QueueState(0, 0));
    }

    [Fact]
    public async Task All_that_waits_comes_at_once_up_to_the_limit_and_no_delivery_is_split()
    {
        await using var transport = Open(Limits);
        await using var inbox = await transport.OpenInboxAsync(Service, default);
        for (var i = 0; i < 10; i++) await transport.PublishAsync(Service, Samples.Many(10), default);
        await EventuallyAsync(() => inbox.Backlog == 100);

        var first = await inbox.ReceiveAsync(35, default);
        var one = await inbox.ReceiveAsync(3, default);
        var rest = await inbox.ReceiveAsync(1_000, default);

        Assert.Equal([10, 10, 10], first.Select(delivery => delivery.Messages.Count));
        Assert.Equal([10], one.Select(delivery => delivery.Messages.Count));
        Assert.Equal(60, rest.Sum(delivery => delivery.Messages.Count));
        Assert.Equal(0, inbox.Backlog);
    }

    [Fact]
    public async Task Deliveries_come_in_the_order_in_which_one_sender_sent_them()
    {
        await using var transport = Open(Limits);
        await using var inbox = await transport.OpenInboxAsync(Service, default);
        var sent = Samples.Many(200);
        foreach (var part in sent.Chunk(7)) await transport.PublishAsync(Service, part, default);

        Assert.Equal(Ids(sent), Ids(await TakeAsync(inbox, 200)));
    }

    [Fact]
    public async Task Unacknowledged_messages_are_redelivered_after_closing_the_inbox()
    {
        await using var transport = Open(Limits);
        var sent = Samples.Many(6);
        var first = await transport.OpenInboxAsync(Service, default);
        foreach (var part in sent.Chunk(2)) await transport.PublishAsync(Service, part, default);
        var deliveries = await DeliveriesAsync(first, 6);
        // Neither the oldest nor the youngest delivery: the others must stay unacknowledged.
        await first.AcknowledgeAsync([deliveries[1]], default);
        await first.DisposeAsync();

        await using var second = await transport.OpenInboxAsync(Service, default);

        var again = await TakeAsync(second, 4);
        Assert.Equal(Ids([.. sent.Take(2), .. sent.Skip(4)]), Ids(again));
    }

    [Fact]
    public async Task Acknowledged_messages_are_never_redelivered()
    {
        await using var transport = Open(Limits);
        var first = await transport.OpenInboxAsync(Service, default);
        await transport.PublishAsync(Service, Samples.Many(5), default);
        await transport.PublishAsync(Service, Samples.Many(5), default);
        await first.AcknowledgeAsync(await DeliveriesAsync(first, 10), default);
        await first.DisposeAsync();

        await using var second = await transport.OpenInboxAsync(Service, default);
        var marker = Samples.Many(1);
        await transport.PublishAsync(Service, marker, default);

        Assert.Equal(Ids(marker), Ids(await TakeAsync(second, 1)));
    }

    [Fact]
    public async Task Of_two_inboxes_exactly_one_receives_each_message()
    {
        await using var transport = Open(new RuntimeOptions { Prefetch = 5, PublishTimeout = Limits.PublishTimeout });
        await using var left = await transport.OpenInboxAsync(Service, default);
        await using var right = await transport.OpenInboxAsync(Service, default);
        var sent = Samples.Many(100);
        foreach (var part in sent.Chunk(1)) await transport.PublishAsync(Service, part, default);

        var received = new List<Message>();
        using var limit = new CancellationTokenSource(Patience);
        while (received.Count < 100)
            foreach (var inbox in new[] { left, right })
                if (inbox.Backlog > 0)
                {
                    var deliveries = await inbox.ReceiveAsync(3, limit.Token);
                    received.AddRange(deliveries.SelectMany(delivery => delivery.Messages));
                    await inbox.AcknowledgeAsync(deliveries, limit.Token);
                }
                else
                {
                    await Task.Delay(1, limit.Token);
                }

        Assert.Equal(Ids(sent).Order(), Ids(received).Order());
        Assert.Equal(0, left.Backlog + right.Backlog);
    }

    [Fact]
    public async Task A_full_queue_refuses_within_the_time_limit_and_takes_again_once_there_is_room()
    {
        await using var transport = OpenSmall();
        var full = false;
        for (var i = 0; i < 100 && !full; i++)
        {
            var since = Stopwatch.StartNew();
            try
            {
                await transport.PublishAsync(Service, Samples.Many(100), default);
            }
            catch (PublishFailedException)
            {
                full = true;
            }
            Assert.InRange(since.Elapsed, TimeSpan.Zero, Limits.PublishTimeout + Grace);
        }
        Assert.True(full);

        await using var inbox = await transport.OpenInboxAsync(Service, default);
        await inbox.AcknowledgeAsync(await DeliveriesAsync(inbox, 1_000), default);
        await EventuallyPublishedAsync(transport, Samples.Many(100));
    }

    [Fact]
    public async Task Cancelling_a_receive_loses_no_message()
    {
        await using var transport = Open(Limits);
        await using var inbox = await transport.OpenInboxAsync(Service, default);
        using var cancel = new CancellationTokenSource();
        var waiting = inbox.ReceiveAsync(10, cancel.Token).AsTask();
        Assert.False(waiting.IsCompleted);

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(Patience));
        await transport.PublishAsync(Service, Samples.Many(2), default);
        Assert.Equal(2, (await TakeAsync(inbox, 2)).Count);
    }

    [Fact]
    public async Task An_acknowledgement_after_the_inbox_is_closed_is_dropped_in_silence()
    {
        await using var transport = Open(Limits);
        var first = await transport.OpenInboxAsync(Service, default);
        await transport.PublishAsync(Service, Samples.Many(2), default);
        var deliveries = await DeliveriesAsync(first, 2);
        await first.DisposeAsync();

        await first.AcknowledgeAsync(deliveries, default);

        await using var second = await transport.OpenInboxAsync(Service, default);
        Assert.Equal(2, (await TakeAsync(second, 2)).Count);
    }

    [Fact]
    public async Task A_transport_that_is_closed_refuses()
    {
        var transport = Open(Limits);
        await transport.DisposeAsync();
        await Assert.ThrowsAsync<PublishFailedException>(() => transport.PublishAsync(Service, Samples.Many(1), default));
    }

    protected static IEnumerable<Guid> Ids(IEnumerable<Message> messages) => messages.Select(message => message.Id);

    /// <summary>Receives and acknowledges until <paramref name="count"/> messages have arrived.</summary>
    protected static async Task<List<Message>> TakeAsync(IInbox inbox, int count)
    {
        var deliveries = await DeliveriesAsync(inbox, count);
        await inbox.AcknowledgeAsync(deliveries, default);
        return [.. deliveries.SelectMany(delivery => delivery.Messages)];
    }

    protected static async Task<List<Delivery>> DeliveriesAsync(IInbox inbox, int messages)
    {
        using var limit = new CancellationTokenSource(Patience);
        var deliveries = new List<Delivery>();
        while (deliveries.Sum(delivery => delivery.Messages.Count) < messages)
            deliveries.AddRange(await inbox.ReceiveAsync(1_000, limit.Token));
        return deliveries;
    }

    protected async Task EventuallyPublishedAsync(ITransport transport, IReadOnlyList<Message> messages)
    {
        var since = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await transport.PublishAsync(Service, messages, default);
                return;
            }
            catch (PublishFailedException) when (since.Elapsed < Patience)
            {
                await Task.Delay(20);
            }
        }
    }

    protected static Task EventuallyAsync(Func<bool> holds) => EventuallyAsync(() => Task.FromResult(holds()));

    protected static async Task EventuallyAsync(Func<Task<bool>> holds)
    {
        var since = Stopwatch.StartNew();
        while (!await holds())
        {
            Assert.True(since.Elapsed < Patience, "It did not come about in time.");
            await Task.Delay(10);
        }
    }
}
