using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Transport;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Orderwright.Transport.RabbitMq;

/// <summary>
/// Consumer of a queue for the lifetime of a connection. Ends with the channel, the connection or the consumer (deleting a
/// queue cancels its consumers), and drops deliveries not yet taken.
/// </summary>
sealed class ConsumeSession : IAsyncDisposable
{
    static readonly TimeSpan AcknowledgeTime = TimeSpan.FromSeconds(10);

    readonly IConnection connection;
    readonly Func<string?, Sender> senderOf;
    readonly Mailbox mailbox;
    readonly TimeProvider time;
    readonly Lock gate = new();
    readonly SortedSet<ulong> unacknowledged = [];
    readonly TaskCompletionSource<string> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    IChannel channel = null!;

    ConsumeSession(IConnection connection, Func<string?, Sender> senderOf, Mailbox mailbox, TimeProvider time)
    {
        this.connection = connection;
        this.senderOf = senderOf;
        this.mailbox = mailbox;
        this.time = time;
        connection.ConnectionShutdownAsync += (_, reason) => EndAsync(reason);
    }

    /// <summary>Completes with the reason.</summary>
    public Task<string> Ended => ended.Task;

    public static async Task<ConsumeSession> OpenAsync(
        string service, Broker broker, Topology topology, RuntimeOptions limits, Mailbox mailbox, TimeProvider time,
        CancellationToken cancel)
    {
        var session = new ConsumeSession(
            await broker.ConnectAsync($"{service} receives", cancel), broker.SenderOf, mailbox, time);
        try
        {
            await topology.DeclareExchangeAsync(session.connection, cancel);
            await topology.DeclareServiceAsync(session.connection, service, cancel);
            await session.ConsumeAsync(service, (ushort)limits.Prefetch, cancel);
            // Last and not awaited: the declaration of a queue without a living node may take until a time-out.
            _ = topology.DeclareDeadLettersAsync(session.connection, cancel);
            return session;
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Acknowledges deliveries of this session. All up to the oldest still in work are acknowledged together. After the end
    /// of the session nothing is sent: the broker redelivers.
    /// </summary>
    public async Task AcknowledgeAsync(IReadOnlyList<ulong> numbers)
    {
        var upTo = 0UL;
        List<ulong> singly = [];
        lock (gate)
        {
            if (ended.Task.IsCompleted) return;
            foreach (var number in numbers) unacknowledged.Remove(number);
            var oldest = unacknowledged.Count > 0 ? unacknowledged.Min : ulong.MaxValue;
            foreach (var number in numbers)
                if (number > oldest) singly.Add(number);
                else upTo = Math.Max(upTo, number);
        }
        try
        {
            if (upTo > 0) await SendAsync(upTo, multiple: true);
            foreach (var number in singly) await SendAsync(number, multiple: false);
        }
        catch (Exception error)
        {
            End(error.Message);
        }
    }

    /// <summary>Asks the broker about a queue without declaring it; null if the queue does not exist.</summary>
    public async Task<QueueState?> LookAsync(string queue, CancellationToken cancel)
    {
        try
        {
            // On a separate channel, because asking for a missing queue closes the channel.
            await using var asking = await connection.CreateChannelAsync(cancellationToken: cancel);
            var found = await asking.QueueDeclarePassiveAsync(queue, cancel);
            return new(found.MessageCount, found.ConsumerCount);
        }
        catch (Exception error) when (error is RabbitMQClientException or ObjectDisposedException or TimeoutException)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        var broken = ended.Task.IsCompleted;
        End("We are closing.");
        var closed = Broker.CloseAsync(connection);
        // If the broker is gone, closing takes seconds, and the next connection need not wait. An orderly close is awaited,
        // because only then do other instances get the unacknowledged messages.
        if (!broken) await closed;
    }

    async Task ConsumeAsync(string queue, ushort prefetch, CancellationToken cancel)
    {
        channel = await connection.CreateChannelAsync(cancellationToken: cancel);
        channel.ChannelShutdownAsync += (_, reason) => EndAsync(reason);
        await channel.BasicQosAsync(prefetchSize: 0, prefetch, global: false, cancel);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, delivery) => TakeAsync(delivery);
        consumer.UnregisteredAsync += (_, _) =>
        {
            End("The broker cancelled the consumer; the queue may have been deleted.");
            return Task.CompletedTask;
        };
        await channel.BasicConsumeAsync(queue, autoAck: false, consumer, cancel);
    }

    // Decodes at once, because the client reuses the body's buffer after this method returns. Without space the method does
    // not return, and the client keeps further deliveries as bytes, up to the prefetch.
    async Task TakeAsync(BasicDeliverEventArgs delivery)
    {
        var (messages, unreadable) = CloudEventsBatch.Read(delivery.Body);
        var taken = new Delivery(messages, unreadable, new DeliveryTag(this, delivery.DeliveryTag))
        {
            Sender = senderOf(delivery.BasicProperties.UserId),
        };
        lock (gate)
        {
            if (ended.Task.IsCompleted) return;
            unacknowledged.Add(delivery.DeliveryTag);
        }
        while (PutUnlessEnded(taken) is { } room) await room;
    }

    Task? PutUnlessEnded(Delivery delivery)
    {
        lock (gate) return ended.Task.IsCompleted ? null : mailbox.TryPut(delivery);
    }

    // Only passes the frame to the connection's writer. A hanging writer (#1930) must not block the inbox loop.
    Task SendAsync(ulong number, bool multiple) =>
        channel.BasicAckAsync(number, multiple, CancellationToken.None).AsTask().WaitAsync(AcknowledgeTime, time);

    void End(string why)
    {
        lock (gate)
        {
            if (ended.TrySetResult(why)) mailbox.Clear();
        }
    }

    Task EndAsync(ShutdownEventArgs reason)
    {
        End($"{reason.ReplyText} ({reason.ReplyCode})");
        return Task.CompletedTask;
    }
}
