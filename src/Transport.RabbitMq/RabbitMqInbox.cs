using Microsoft.Extensions.Logging;
using Orderwright.Runtime;
using Orderwright.Runtime.Transport;

namespace Orderwright.Transport.RabbitMq;

/// <summary>
/// One service's queue as it is seen from this process, over a connection of its own: an alarm that blocks
/// publishers does not block acknowledgements. Connects again for ever; what an old connection had delivered
/// comes again.
/// </summary>
sealed partial class RabbitMqInbox : IInbox
{
    const int BatchesDecodedAhead = 4;

    static readonly TimeSpan Settled = TimeSpan.FromSeconds(10);

    readonly string service;
    readonly Broker broker;
    readonly Topology topology;
    readonly RuntimeOptions limits;
    readonly TimeProvider time;
    readonly ILogger log;
    readonly Action<RabbitMqInbox> onClosed;
    readonly CancellationTokenSource closing = new();
    // What is decoded and waits. The rest of the prefetch waits undecoded, as the bytes that it came in.
    readonly Mailbox mailbox;
    readonly Task running;
    volatile string? away;
    volatile ConsumeSession? current;

    public RabbitMqInbox(
        string service, Broker broker, Topology topology, RuntimeOptions limits, TimeProvider time, ILogger log,
        Action<RabbitMqInbox> onClosed)
    {
        this.service = service;
        this.broker = broker;
        this.topology = topology;
        this.limits = limits;
        this.time = time;
        this.log = log;
        this.onClosed = onClosed;
        mailbox = new Mailbox(BatchesDecodedAhead * limits.MaxMessages);
        running = Task.Run(RunAsync);
    }

    public string? Trouble =>
        away ?? (current is not null ? null : $"The inbox of {service} is not connected to RabbitMQ at {broker.Address}.");

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
        // Two sessions at most: deliveries of one that has ended lie about only until they are acknowledged
        // here.
        foreach (var group in deliveries.GroupBy(delivery => ((DeliveryTag)delivery.Tag!).Session))
            await group.Key.AcknowledgeAsync([.. group.Select(delivery => ((DeliveryTag)delivery.Tag!).Number)]);
    }

    /// <summary>How any service's queue stands; null while this inbox is not connected, or where there is none.</summary>
    public async Task<QueueState?> LookAsync(string other, CancellationToken cancel) =>
        current is { } session ? await session.LookAsync(other, cancel) : null;

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await running;
        onClosed(this);
    }

    async Task RunAsync()
    {
        for (var failures = 0; !closing.IsCancellationRequested;)
        {
            var since = time.GetTimestamp();
            try
            {
                await using var session = await ConsumeSession.OpenAsync(
                    service, broker, topology, limits, mailbox, time, closing.Token);
                LogConnected(service, broker.Address);
                away = null;
                current = session;
                LogLost(service, broker.Address, await session.Ended.WaitAsync(closing.Token));
            }
            catch (Exception error) when (!closing.IsCancellationRequested)
            {
                var why = broker.Explain(error);
                if (why != away) LogAway(service, why);
                away = why;
            }
            catch (Exception error) when (closing.IsCancellationRequested)
            {
                LogClosed(service, error.Message);
            }
            current = null;
            failures = time.GetElapsedTime(since) > Settled ? 1 : failures + 1;
            await Task.Delay(Backoff.Pause(failures), time, closing.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(1121, LogLevel.Information, "The inbox of {Service} is open at RabbitMQ at {Address}")]
    partial void LogConnected(string service, string address);

    [LoggerMessage(1122, LogLevel.Warning, "The inbox of {Service} lost RabbitMQ at {Address}: {Why}")]
    partial void LogLost(string service, string address, string why);

    [LoggerMessage(1123, LogLevel.Warning, "The inbox of {Service} waits: {Why}")]
    partial void LogAway(string service, string why);

    [LoggerMessage(1124, LogLevel.Debug, "The inbox of {Service} closed: {Why}")]
    partial void LogClosed(string service, string why);
}

/// <summary>A delivery's number, and the session that alone may acknowledge it.</summary>
sealed record DeliveryTag(ConsumeSession Session, ulong Number);
