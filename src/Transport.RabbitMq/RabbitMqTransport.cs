using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Transport;

namespace Orderwright.Transport.RabbitMq;

/// <summary>
/// Transport over RabbitMQ: many logical messages to a service travel as a single AMQP message, confirmed but not persisted
/// (docs/concepts/batching.md). Exchange <c>orderwright</c>, routing key <c>{service}.{type of the first message}</c>, a
/// queue per service with a single active consumer, and a queue per instance for replies (docs/operations/scaling.md).
/// Starting never waits for the broker; <see cref="Trouble"/> reports problems.
/// </summary>
public sealed class RabbitMqTransport : ITransport
{
    readonly Broker broker;
    readonly Topology topology;
    readonly RuntimeOptions limits;
    readonly TimeProvider time;
    readonly ILogger log;
    readonly Publisher publisher;
    readonly EventExchange events;
    readonly ConcurrentDictionary<RabbitMqInbox, bool> inboxes = new();

    /// <summary>Throws <see cref="System.ComponentModel.DataAnnotations.ValidationException"/> for invalid options.</summary>
    public RabbitMqTransport(RabbitMqOptions options, RuntimeOptions limits, TimeProvider time, ILoggerFactory logs)
    {
        this.limits = limits;
        this.time = time;
        log = logs.CreateLogger<RabbitMqTransport>();
        broker = new Broker(options);
        topology = new Topology(options, log);
        publisher = new Publisher(broker, topology, options, limits, time, log);
        events = new EventExchange(broker, topology, limits, time);
    }

    public IEventExchange Events => events;

    public string? Trouble =>
        publisher.Trouble ?? inboxes.Keys.Select(inbox => inbox.Trouble).FirstOrDefault(trouble => trouble is not null);

    public Task<IInbox> OpenInboxAsync(string service, CancellationToken cancel)
    {
        var inbox = new RabbitMqInbox(
            service, broker, topology, publisher, limits, time, log, closed => inboxes.TryRemove(closed, out _));
        inboxes.TryAdd(inbox, true);
        return Task.FromResult<IInbox>(inbox);
    }

    public async Task PublishAsync(string service, IReadOnlyList<Message> messages, CancellationToken cancel)
    {
        var replyTo = inboxes.Keys.FirstOrDefault(inbox => inbox.Service == messages[0].Source)?.ReplyTo;
        if (messages[0].To is { } instance)
        {
            try
            {
                await publisher.PublishAsync(new Publication(service, instance, replyTo, messages), cancel);
                return;
            }
            catch (InstanceGoneException)
            {
                // The instance has ended or lost its connection; the active instance does the same work from the rows.
            }
        }
        await publisher.PublishAsync(new Publication(service, instance: null, replyTo, messages), cancel);
    }

    // Uses a receiving connection, because the broker may block a publishing one.
    public async Task<QueueState?> LookAsync(string service, CancellationToken cancel)
    {
        foreach (var inbox in inboxes.Keys)
            if (await inbox.LookAsync(service, cancel) is { } state) return state;
        return null;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var inbox in inboxes.Keys) await inbox.DisposeAsync();
        await publisher.DisposeAsync();
        await events.DisposeAsync();
    }
}
