using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Transport;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Orderwright.Transport.RabbitMq;

/// <summary>
/// Consumer of a service's queue and of the instance's own queue for the lifetime of a connection. Ends with the channel, the
/// connection or the consumer (deleting a queue cancels its consumers), and drops deliveries not yet taken.
/// </summary>
sealed class ConsumeSession : IAsyncDisposable
{
    static readonly TimeSpan AcknowledgeTime = TimeSpan.FromSeconds(10);
    static readonly TimeSpan HandOverTime = TimeSpan.FromSeconds(2);

    readonly string service;
    readonly IConnection connection;
    readonly Func<string?, Sender> senderOf;
    readonly Action<string> onProbe;
    readonly Mailbox mailbox;
    readonly TimeProvider time;
    readonly Lock gate = new();
    readonly SortedSet<ulong> unacknowledged = [];
    readonly TaskCompletionSource<string> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    IChannel channel = null!;
    string tag = "";
    bool hasOwnQueue;
    volatile bool isHandedOver;
    volatile string? active;

    ConsumeSession(
        string service, IConnection connection, Func<string?, Sender> senderOf, Action<string> onProbe, Mailbox mailbox,
        TimeProvider time)
    {
        this.service = service;
        this.connection = connection;
        this.senderOf = senderOf;
        this.onProbe = onProbe;
        this.mailbox = mailbox;
        this.time = time;
        connection.ConnectionShutdownAsync += (_, reason) => EndAsync(reason);
    }

    /// <summary>Completes with the reason.</summary>
    public Task<string> Ended => ended.Task;

    /// <summary>Name of this instance during the session.</summary>
    public string Instance { get; } = InstanceQueue.NewInstance();

    /// <summary>Queue for replies; null without the right to declare the queue.</summary>
    public string? ReplyTo => hasOwnQueue && !isHandedOver ? InstanceQueue.NameOf(service, Instance) : null;

    /// <summary>
    /// Instance that receives the service's messages; null if unknown. A delivery proves that this instance does, until the
    /// session ends or hands over. Any other instance is known from its reply to a probe.
    /// </summary>
    public string? Active => active;

    /// <param name="service">Service with the queue.</param>
    /// <param name="broker">Opens the connection.</param>
    /// <param name="topology">Declares the queues.</param>
    /// <param name="limits">Prefetch.</param>
    /// <param name="mailbox">Receives the deliveries.</param>
    /// <param name="onProbe">Called with another instance that asks which instance is active, if this instance is.</param>
    /// <param name="time">Measures time limits.</param>
    /// <param name="cancel">Stops opening.</param>
    public static async Task<ConsumeSession> OpenAsync(
        string service, Broker broker, Topology topology, RuntimeOptions limits, Mailbox mailbox, Action<string> onProbe,
        TimeProvider time, CancellationToken cancel)
    {
        var session = new ConsumeSession(
            service, await broker.ConnectToReceiveAsync($"{service} receives", cancel), broker.SenderOf, onProbe, mailbox,
            time);
        try
        {
            await topology.DeclareExchangeAsync(session.connection, cancel);
            await topology.DeclareOwnServiceAsync(session.connection, service, cancel);
            session.hasOwnQueue = await topology.DeclareInstanceAsync(session.connection, service, session.Instance, cancel);
            await session.ConsumeAsync((ushort)limits.Prefetch, cancel);
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

    /// <summary>
    /// Cancels the consumer, so that the broker makes another instance active at once, and returns deliveries not yet taken.
    /// Replies for this instance go to the service's queue from now on. Never throws.
    /// </summary>
    public async Task HandOverAsync()
    {
        List<Delivery> left = [];
        lock (gate)
        {
            if (ended.Task.IsCompleted || isHandedOver) return;
            isHandedOver = true;
            active = null;
            mailbox.TryTake(int.MaxValue, left);
        }
        try
        {
            await channel.BasicCancelAsync(tag, noWait: false).WaitAsync(HandOverTime, time);
            if (hasOwnQueue) await Topology.UnbindInstanceAsync(channel, service, Instance).WaitAsync(HandOverTime, time);
            foreach (var delivery in left) await ReturnAsync((DeliveryTag)delivery.Tag!);
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

    /// <summary>Ends the session: nothing more is received or acknowledged.</summary>
    public void End(string why)
    {
        lock (gate)
        {
            active = null;
            if (ended.TrySetResult(why)) mailbox.Clear();
        }
    }

    async Task ConsumeAsync(ushort prefetch, CancellationToken cancel)
    {
        channel = await connection.CreateChannelAsync(cancellationToken: cancel);
        channel.ChannelShutdownAsync += (_, reason) => EndAsync(reason);
        await channel.BasicQosAsync(prefetchSize: 0, prefetch, global: false, cancel);
        if (hasOwnQueue) await ConsumeAsync(InstanceQueue.NameOf(service, Instance), isOwn: true, cancel);
        tag = await ConsumeAsync(service, isOwn: false, cancel);
    }

    Task<string> ConsumeAsync(string queue, bool isOwn, CancellationToken cancel)
    {
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, delivery) => TakeAsync(delivery, isOwn);
        consumer.UnregisteredAsync += (_, _) =>
        {
            if (!isHandedOver) End("The broker cancelled the consumer; the queue may have been deleted.");
            return Task.CompletedTask;
        };
        return channel.BasicConsumeAsync(queue, autoAck: false, consumer, cancel);
    }

    // Decodes at once, because the client reuses the body's buffer after this method returns. Without space the method does
    // not return, and the client keeps further deliveries as bytes, up to the prefetch.
    async Task TakeAsync(BasicDeliverEventArgs delivery, bool isOwn)
    {
        var replyTo = InstanceQueue.InstanceOf(delivery.BasicProperties.ReplyTo);
        var (messages, unreadable) = CloudEventsBatch.Read(
            BinaryEvent.ToStructured(delivery.BasicProperties, delivery.Body), time.GetUtcNow(), replyTo);
        var number = new DeliveryTag(this, delivery.DeliveryTag, isOwn);
        var taken = new Delivery(messages, unreadable, number) { Sender = senderOf(delivery.BasicProperties.UserId) };
        lock (gate)
        {
            if (ended.Task.IsCompleted) return;
            unacknowledged.Add(delivery.DeliveryTag);
            if (!isOwn && !isHandedOver) active = Instance;
        }
        if (messages.Count + unreadable.Count == 0)
        {
            TakeProbe(replyTo, isOwn);
            await AcknowledgeAsync([delivery.DeliveryTag]);
            return;
        }
        while (!isHandedOver)
        {
            if (PutUnlessEnded(taken) is not { } room) return;
            await room;
        }
        await ReturnAsync(number);
    }

    // A batch without messages. In the service's queue it asks which instance is active; in an instance's it is the reply.
    void TakeProbe(string? instance, bool isOwn)
    {
        if (instance is null || instance == Instance) return;
        if (!isOwn) onProbe(instance);
        else if (active != Instance) active = instance;
    }

    Task? PutUnlessEnded(Delivery delivery)
    {
        lock (gate)
            return ended.Task.IsCompleted ? null : isHandedOver ? Task.CompletedTask : mailbox.TryPut(delivery);
    }

    // The broker redelivers a message of the service's queue, and moves a message of the own queue to the service's. The number
    // counts as in work until then: an acknowledgement of later deliveries must not include it.
    async Task ReturnAsync(DeliveryTag number)
    {
        await channel.BasicNackAsync(number.Number, multiple: false, requeue: !number.IsOwn, CancellationToken.None)
            .AsTask().WaitAsync(AcknowledgeTime, time);
        lock (gate) unacknowledged.Remove(number.Number);
    }

    // Only passes the frame to the connection's writer. A hanging writer (#1930) must not block the inbox loop.
    Task SendAsync(ulong number, bool multiple) =>
        channel.BasicAckAsync(number, multiple, CancellationToken.None).AsTask().WaitAsync(AcknowledgeTime, time);

    Task EndAsync(ShutdownEventArgs reason)
    {
        End($"{reason.ReplyText} ({reason.ReplyCode})");
        return Task.CompletedTask;
    }
}
