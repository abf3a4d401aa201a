using Orderwright.Contracts;
using Orderwright.Runtime.Transport;

namespace Orderwright.Runtime.Tests;

/// <summary>
/// In-process transport with a journal of its actions, with switches to refuse, fail or change messages.
/// </summary>
public sealed class RecordingTransport(ITransport inner, Journal journal) : ITransport
{
    readonly TaskCompletionSource broken = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Exception of a publish per destination, or null.</summary>
    public Func<string, Exception?> Refusal { get; set; } = _ => null;

    /// <summary>Task to await before the end of every publish.</summary>
    public Task Stuck { get; set; } = Task.CompletedTask;

    /// <summary>Change of a delivery in transit.</summary>
    public Func<Delivery, Delivery> Mangle { get; set; } = delivery => delivery;

    public string? Trouble => inner.Trouble;

    /// <summary>Makes every receive throw.</summary>
    public void BreakReceiving() => broken.TrySetException(new InvalidOperationException("The receiver is broken."));

    public async Task<IInbox> OpenInboxAsync(string service, CancellationToken cancel) =>
        new Inbox(await inner.OpenInboxAsync(service, cancel), this, journal);

    public async Task PublishAsync(string service, IReadOnlyList<Message> messages, CancellationToken cancel)
    {
        if (Refusal(service) is { } refusal) throw refusal;
        await Stuck;
        await inner.PublishAsync(service, messages, cancel);
        journal.Note($"publish {messages.Count} to {service}");
    }

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    sealed class Inbox(IInbox inner, RecordingTransport transport, Journal journal) : IInbox
    {
        public int Backlog => inner.Backlog;

        public async ValueTask<IReadOnlyList<Delivery>> ReceiveAsync(int maxMessages, CancellationToken cancel)
        {
            var receiving = inner.ReceiveAsync(maxMessages, cancel).AsTask();
            if (await Task.WhenAny(receiving, transport.broken.Task) != receiving) await transport.broken.Task;
            return [.. (await receiving).Select(transport.Mangle)];
        }

        public async ValueTask AcknowledgeAsync(IReadOnlyList<Delivery> deliveries, CancellationToken cancel)
        {
            await inner.AcknowledgeAsync(deliveries, cancel);
            journal.Note($"acknowledge {deliveries.Sum(delivery => delivery.Messages.Count + delivery.Unreadable.Count)}");
        }

        public Task HandOverAsync()
        {
            journal.Note("hand over");
            return inner.HandOverAsync();
        }

        public void StepAside() => journal.Note("step aside");

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
