using System.Collections.Concurrent;
using Orderwright.Contracts;

namespace Orderwright.Runtime.Transport;

/// <summary>
/// Hands messages over within one process: the very objects, no bytes. A mailbox per service, bounded by
/// <see cref="RuntimeOptions.InboxCapacity"/> messages. A full one makes the sender wait; after
/// <see cref="RuntimeOptions.PublishTimeout"/> the publish fails, so that two services which fill each other's
/// mailbox both go on. What is in a mailbox dies with the process, as it may.
/// </summary>
public sealed class InProcessTransport(RuntimeOptions options, TimeProvider time) : ITransport
{
    readonly ConcurrentDictionary<string, Mailbox> mailboxes = new();
    volatile bool closed;

    public string? Trouble =>
        mailboxes.Where(pair => pair.Value.IsFull)
            .Select(pair => $"The inbox of {pair.Key} is full: {options.InboxCapacity} messages wait in it.")
            .FirstOrDefault();

    public Task<IInbox> OpenInboxAsync(string service, CancellationToken cancel) =>
        Task.FromResult<IInbox>(new Inbox(MailboxOf(service)));

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

    /// <summary>One service's waiting deliveries, oldest first. Those who wait for it are woken all at once.</summary>
    sealed class Mailbox(int capacity)
    {
        readonly Lock gate = new();
        readonly LinkedList<Delivery> waiting = [];
        int messages;
        TaskCompletionSource? arrival;
        TaskCompletionSource? room;

        public int Messages => Volatile.Read(ref messages);

        public bool IsFull => Messages >= capacity;

        /// <summary>Null when it was taken, else what to wait for. An empty mailbox takes a delivery of any size.</summary>
        public Task? TryPut(Delivery delivery)
        {
            lock (gate)
            {
                if (messages > 0 && messages + delivery.Messages.Count > capacity)
                    return (room ??= NewSignal()).Task;
                waiting.AddLast(delivery);
                messages += delivery.Messages.Count;
                Release(ref arrival);
                return null;
            }
        }

        /// <summary>Moves what fits to <paramref name="taken"/>, at least one delivery; else tells what to wait for.</summary>
        public Task? TryTake(int maxMessages, List<Delivery> taken)
        {
            lock (gate)
            {
                if (waiting.Count == 0) return (arrival ??= NewSignal()).Task;
                var count = 0;
                while (waiting.First is { } next
                    && (taken.Count == 0 || count + next.Value.Messages.Count <= maxMessages))
                {
                    count += next.Value.Messages.Count;
                    taken.Add(next.Value);
                    waiting.RemoveFirst();
                }
                messages -= count;
                Release(ref room);
                return null;
            }
        }

        /// <summary>Back to where they came from, even into a full mailbox: they were in it before.</summary>
        public void PutBack(IEnumerable<Delivery> deliveries)
        {
            lock (gate)
            {
                foreach (var delivery in deliveries.Reverse())
                {
                    waiting.AddFirst(delivery);
                    messages += delivery.Messages.Count;
                }
                Release(ref arrival);
            }
        }

        static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

        static void Release(ref TaskCompletionSource? signal)
        {
            signal?.SetResult();
            signal = null;
        }
    }

    sealed class Inbox(Mailbox mailbox) : IInbox
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
                mailbox.PutBack(unacknowledged);
                unacknowledged = [];
            }
            return ValueTask.CompletedTask;
        }
    }
}
