using Microsoft.Extensions.Logging;
using Orderwright.Runtime;
using Orderwright.Runtime.Transport;

namespace Orderwright.Transport.RabbitMq;

/// <summary>
/// Queue of a service, over a connection of its own: an alarm that blocks publishers does not block acknowledgements.
/// Reconnects until disposed; the broker redelivers unacknowledged messages of an old connection.
/// </summary>
sealed class RabbitMqInbox : IInbox
{
    const int BatchesDecodedAhead = 4;

    readonly string service;
    readonly Broker broker;
    readonly Action<RabbitMqInbox> onClosed;
    readonly CancellationTokenSource closing = new();
    // Decoded deliveries. The rest of the prefetch waits undecoded, as bytes.
    readonly Mailbox mailbox;
    readonly Reconnecting<ConsumeSession> connection;
    readonly Task running;

    public RabbitMqInbox(
        string service, Broker broker, Topology topology, RuntimeOptions limits, TimeProvider time, ILogger log,
        Action<RabbitMqInbox> onClosed)
    {
        this.service = service;
        this.broker = broker;
        this.onClosed = onClosed;
        mailbox = new Mailbox(BatchesDecodedAhead * limits.MaxMessages);
        connection = new($"the inbox of {service}", broker, time, log);
        running = Task.Run(() => connection.RunAsync(
            () => ConsumeSession.OpenAsync(service, broker, topology, limits, mailbox, time, closing.Token),
            session => session.Ended.WaitAsync(closing.Token),
            failed: null,
            closing.Token));
    }

    public string? Trouble =>
        connection.Unreachable
        ?? (connection.Session is null ? $"The inbox of {service} is not connected to RabbitMQ at {broker.Address}." : null);

    public int Backlog => mailbox.Messages;

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

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await running;
        onClosed(this);
    }
}

/// <summary>Number of a delivery, and the only session that may acknowledge it.</summary>
sealed record DeliveryTag(ConsumeSession Session, ulong Number);
