using Microsoft.Extensions.Logging;
using Orderwright.Runtime;
using Orderwright.Runtime.Transport;

namespace Orderwright.Transport.RabbitMq;

/// <summary>
/// Queues of a service and of this instance, over a connection of their own: an alarm that blocks publishers does not block
/// acknowledgements. Reconnects until disposed; the broker redelivers unacknowledged messages of an old connection.
/// </summary>
/// <remarks>
/// The broker delivers the messages of a service to a single active instance, and does not tell which. An instance without
/// deliveries therefore sends a probe now and then: a batch without messages, which the active instance replies to.
/// </remarks>
sealed class RabbitMqInbox : IInbox
{
    const int BatchesDecodedAhead = 4;

    static readonly TimeSpan ProbeInterval = TimeSpan.FromSeconds(5);

    readonly string service;
    readonly Broker broker;
    readonly Publisher publisher;
    readonly TimeProvider time;
    readonly Action<RabbitMqInbox> onClosed;
    readonly CancellationTokenSource closing = new();
    // Decoded deliveries. The rest of the prefetch waits undecoded, as bytes.
    readonly Mailbox mailbox;
    readonly Reconnecting<ConsumeSession> connection;
    readonly Task running;

    public RabbitMqInbox(
        string service, Broker broker, Topology topology, Publisher publisher, RuntimeOptions limits, TimeProvider time,
        ILogger log, Action<RabbitMqInbox> onClosed)
    {
        this.service = service;
        this.broker = broker;
        this.publisher = publisher;
        this.time = time;
        this.onClosed = onClosed;
        mailbox = new Mailbox(BatchesDecodedAhead * limits.MaxMessages);
        connection = new($"the inbox of {service}", broker, time, log);
        running = Task.Run(() => connection.RunAsync(
            () => ConsumeSession.OpenAsync(service, broker, topology, limits, mailbox, ReplyToProbe, time, closing.Token),
            UseAsync,
            failed: null,
            closing.Token));
    }

    public string? Trouble =>
        connection.Unreachable
        ?? (connection.Session is null ? $"The inbox of {service} is not connected to RabbitMQ at {broker.Address}." : null);

    public int Backlog => mailbox.Messages;

    public string Service => service;

    /// <summary>Queue for replies; null while there is none.</summary>
    public string? ReplyTo => connection.Session?.ReplyTo;

    public string? Instance => connection.Session?.Instance;

    public string? ActiveInstance => connection.Session?.Active;

    public bool IsActive => connection.Session is { } session && session.Active == session.Instance;

    public Task HandOverAsync() => connection.Session?.HandOverAsync() ?? Task.CompletedTask;

    public async ValueTask<IReadOnlyList<Delivery>> ReceiveAsync(int maxMessages, CancellationToken cancel)
    {
        ObjectDisposedException.ThrowIf(closing.IsCancellationRequested, this);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, closing.Token);
        var taken = new List<Delivery>();
        while (mailbox.TryTake(maxMessages, taken) is { } arrival) await arrival.WaitAsync(either.Token);
        return taken;
    }

    public async ValueTask AcknowledgeAsync(IReadOnlyList<Delivery> deliveries, CancellationToken cancel)
    {
        // At most two sessions: deliveries of an ended session remain only until they are acknowledged here.
        foreach (var group in deliveries.GroupBy(delivery => ((DeliveryTag)delivery.Tag!).Session))
            await group.Key.AcknowledgeAsync([.. group.Select(delivery => ((DeliveryTag)delivery.Tag!).Number)]);
    }

    /// <summary>State of any service's queue; null while not connected, or without such a queue.</summary>
    public async Task<QueueState?> LookAsync(string other, CancellationToken cancel) =>
        connection.Session is { } session ? await session.LookAsync(other, cancel) : null;

    // The next connection is last in line.
    public void StepAside() => connection.Session?.End("This instance cannot work now; another takes over.");

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await running;
        onClosed(this);
    }

    async Task<string> UseAsync(ConsumeSession session)
    {
        while (session.Active != session.Instance && !session.Ended.IsCompleted)
        {
            if (session.ReplyTo is { } replyTo) _ = SendProbeAsync(null, replyTo);
            await Task.WhenAny(session.Ended, Task.Delay(ProbeInterval, time, closing.Token));
            closing.Token.ThrowIfCancellationRequested();
        }
        return await session.Ended.WaitAsync(closing.Token);
    }

    void ReplyToProbe(string instance) => _ = SendProbeAsync(instance, ReplyTo);

    async Task SendProbeAsync(string? instance, string? replyTo)
    {
        try
        {
            await publisher.PublishAsync(new Publication(service, instance, replyTo, []), closing.Token);
        }
        catch (Exception error) when (error is PublishFailedException or InstanceGoneException or OperationCanceledException)
        {
            // Only the display lacks the active instance until the next probe.
        }
    }
}

/// <summary>Number of a delivery, and the only session that may acknowledge it.</summary>
/// <param name="Session">Session that received the delivery.</param>
/// <param name="Number">AMQP delivery tag.</param>
/// <param name="IsOwn">True for a delivery from the queue of the instance.</param>
sealed record DeliveryTag(ConsumeSession Session, ulong Number, bool IsOwn);
