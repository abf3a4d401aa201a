using System.Collections.Frozen;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.Runtime.Transport;

namespace Orderwright.Runtime;

/// <summary>
/// Main loop of a service: takes the waiting messages, handles all in a transaction, publishes the outgoing
/// messages, and only then acknowledges. A crash before the end causes redelivery.
/// </summary>
sealed partial class InboxLoop(
    string service,
    IReadOnlyList<IBatchHandler> handlers,
    BatchRunner runner,
    DeadLetters deadLetters,
    RuntimeOptions options,
    Metrics metrics,
    ILogger<InboxLoop> log)
{
    readonly FrozenSet<Type> taken = handlers.SelectMany(handler => handler.Takes).ToFrozenSet();
    readonly (IBatchHandler Handler, FrozenSet<Type> Takes)[] handlers =
        [.. handlers.Select(handler => (handler, handler.Takes.ToFrozenSet()))];

    public async Task RunAsync(IInbox inbox, CancellationToken cancel)
    {
        var ending = Task.CompletedTask;
        try
        {
            while (true)
            {
                if (runner.Fence is { HoldsWork: true } fence) await fence.PassAsync(cancel);
                var deliveries = await inbox.ReceiveAsync(options.MaxMessages, cancel);
                var sending = await HandleAsync(deliveries, cancel);
                // While a batch is published and acknowledged, the next is handled.
                await ending;
                ending = EndAsync(inbox, deliveries, sending, cancel);
            }
        }
        finally
        {
            await ending;
        }
    }

    async Task<Task> HandleAsync(IReadOnlyList<Delivery> deliveries, CancellationToken cancel)
    {
        var (messages, dead) = Sort(deliveries);
        using var span = StartSpan(messages);
        List<Task> sending = [];
        foreach (var batch in Batches(messages))
            sending.Add(
                await runner.RunAsync(batch, HandleAsync, (message, error) => Bury(message, error, dead), cancel));
        await deadLetters.StoreAsync(dead, cancel);
        return Task.WhenAll(sending);
    }

    async Task EndAsync(IInbox inbox, IReadOnlyList<Delivery> deliveries, Task sending, CancellationToken cancel)
    {
        await sending;
        await inbox.AcknowledgeAsync(deliveries, cancel);
        metrics.Received(deliveries.Sum(delivery => delivery.Messages.Count + delivery.Unreadable.Count));
    }

    (List<Message> Messages, List<DeadLetter> Dead) Sort(IReadOnlyList<Delivery> deliveries)
    {
        var messages = new List<Message>(deliveries.Sum(delivery => delivery.Messages.Count));
        var dead = new List<DeadLetter>();
        foreach (var delivery in deliveries)
        {
            foreach (var message in delivery.Messages)
                if (delivery.Sender?.Refuses(message) is { } refusal)
                    dead.Add(Refuse(message, delivery.Sender, refusal));
                else if (taken.Contains(message.Body.GetType()))
                    messages.Add(message);
                else
                    dead.Add(DeadLetter.Of(message, $"{service} takes no {message.Type}."));
            foreach (var unreadable in delivery.Unreadable)
                dead.Add(DeadLetter.Of(unreadable));
        }
        return (messages, dead);
    }

    // The recorded source is the validated one, so that a replay of the dead letter is refused as well.
    DeadLetter Refuse(Message message, Sender sender, string refusal)
    {
        metrics.Refused();
        return DeadLetter.Of(message, refusal) with { Source = sender.Service };
    }

    IEnumerable<IReadOnlyList<Message>> Batches(List<Message> messages) =>
        messages.Count == 0 ? []
        : messages.Count <= options.MaxMessages ? [messages]
        : messages.Chunk(options.MaxMessages);

    async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
    {
        metrics.Lag(work.Now - batch.Min(message => message.Time));
        foreach (var (handler, takes) in handlers)
        {
            var its = new List<Message>(batch.Count);
            foreach (var message in batch)
                if (takes.Contains(message.Body.GetType()))
                    its.Add(message);
            if (its.Count > 0) await handler.HandleAsync(its, work);
        }
    }

    Task Bury(Message message, Exception error, List<DeadLetter> dead)
    {
        LogPoison(service, message.Type, message.OrderId, message.Id, error);
        dead.Add(DeadLetter.Of(message, $"{error.GetType().Name}: {error.Message}"));
        return Task.CompletedTask;
    }

    Activity? StartSpan(List<Message> messages)
    {
        if (!Metrics.Tracing.HasListeners()) return null;
        foreach (var message in messages) OrderTraces.Note(message);
        var links = messages.Select(message => message.TraceParent).Distinct()
            .Select(parent => ActivityContext.TryParse(parent, null, out var context) ? context : default)
            .Where(context => context != default)
            .Select(context => new ActivityLink(context));
        var span = Metrics.Tracing.StartActivity(
            $"process {service}", ActivityKind.Consumer, parentContext: default, links: links);
        span?.SetTag("messaging.destination.name", service);
        span?.SetTag("messaging.batch.message_count", messages.Count);
        return span;
    }

    [LoggerMessage(1011, LogLevel.Error,
        "{Service}: {Type} of order {OrderId} cannot be handled; message {MessageId} becomes a dead letter")]
    partial void LogPoison(string service, string type, Guid orderId, Guid messageId, Exception error);
}
