using System.Collections.Concurrent;
using Orderwright.Contracts;

namespace Orderwright.Runtime.Transport;

/// <summary>
/// Passes messages within a process as objects, without bytes. A mailbox per service is bounded by
/// <see cref="RuntimeOptions.InboxCapacity"/> messages. A full mailbox makes the sender wait; after
/// <see cref="RuntimeOptions.PublishTimeout"/> the publish fails, so that two services with full mailboxes cannot block each
/// other. The messages die with the process, as a transport's may.
/// </summary>
public sealed class InProcessTransport(RuntimeOptions options, TimeProvider time) : ITransport
{
    readonly ConcurrentDictionary<string, Mailbox> mailboxes = new();
    readonly ConcurrentDictionary<string, int> listeners = new();
    volatile bool closed;

    public string? Trouble =>
        mailboxes.Where(pair => pair.Value.IsFull)
            .Select(pair => $"The inbox of {pair.Key} is full: {options.InboxCapacity} messages are waiting.")
            .FirstOrDefault();

    public Task<IInbox> OpenInboxAsync(string service, CancellationToken cancel)
    {
        Count(1);
        return Task.FromResult<IInbox>(new Inbox(MailboxOf(service), () => Count(-1)));

        void Count(int more) => listeners.AddOrUpdate(service, more, (_, count) => count + more);
    }

    public Task<QueueState?> LookAsync(string service, CancellationToken cancel) =>
        Task.FromResult<QueueState?>(new(MailboxOf(service).Deliveries, listeners.GetValueOrDefault(service)));

    public async Task PublishAsync(string service, IReadOnlyList<Message> messages, CancellationToken cancel)
    {
        if (closed) throw new PublishFailedException("The transport is closed.");
        var mailbox = MailboxOf(service);
        var delivery = new Delivery(messages, []);
        var since = time.GetTimestamp();
        while (mailbox.TryPut(delivery) is { } room)
        {
            try
            {
                var left = options.PublishTimeout - time.GetElapsedTime(since);
                await room.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, time, cancel);
            }
            catch (TimeoutException)
            {
                throw new PublishFailedException(
                    $"The inbox of {service} stayed full ({options.InboxCapacity}) for {options.PublishTimeout}.");
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        closed = true;
        return ValueTask.CompletedTask;
    }

    Mailbox MailboxOf(string service) => mailboxes.GetOrAdd(service, _ => new Mailbox(options.InboxCapacity));

    sealed class Inbox(Mailbox mailbox, Action onClosed) : IInbox
    {
        readonly Lock gate = new();
        readonly CancellationTokenSource closing = new();
        List<Delivery> unacknowledged = [];

        public int Backlog => mailbox.Messages;

        public async ValueTask<IReadOnlyList<Delivery>> ReceiveAsync(int maxMessages, CancellationToken cancel)
        {
            ObjectDisposedException.ThrowIf(closing.IsCancellationRequested, this);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, closing.Token);
            var taken = new List<Delivery>();
            while (true)
            {
                either.Token.ThrowIfCancellationRequested();
                Task? arrival;
                lock (gate)
                {
                    arrival = closing.IsCancellationRequested
                        ? Task.FromCanceled(closing.Token)
                        : mailbox.TryTake(maxMessages, taken);
                    unacknowledged.AddRange(taken);
                }
                if (arrival is null) return taken;
                await arrival.WaitAsync(either.Token);
            }
        }

        public ValueTask AcknowledgeAsync(IReadOnlyList<Delivery> deliveries, CancellationToken cancel)
        {
            var done = deliveries.ToHashSet<Delivery>(ReferenceEqualityComparer.Instance);
            lock (gate) unacknowledged.RemoveAll(done.Contains);
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync()
        {
            lock (gate)
            {
                if (closing.IsCancellationRequested) return ValueTask.CompletedTask;
                closing.Cancel();
                onClosed();
                mailbox.PutBack(unacknowledged);
                unacknowledged = [];
            }
            return ValueTask.CompletedTask;
        }
    }
}
