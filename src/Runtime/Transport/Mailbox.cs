namespace Orderwright.Runtime.Transport;

/// <summary>
/// Waiting deliveries, oldest first. All waiters, for a delivery or for space, are woken together. Both transports keep a
/// mailbox per inbox.
/// </summary>
/// <param name="capacity">Limit of waiting messages; further deliveries wait for space.</param>
public sealed class Mailbox(int capacity)
{
    readonly Lock gate = new();
    readonly LinkedList<Delivery> waiting = [];
    int messages;
    TaskCompletionSource? arrival;
    TaskCompletionSource? room;

    /// <summary>Number of messages, not of deliveries.</summary>
    public int Messages => Volatile.Read(ref messages);

    /// <summary>Number of deliveries; a delivery has at least a message.</summary>
    public int Deliveries
    {
        get
        {
            lock (gate) return waiting.Count;
        }
    }

    /// <summary>True if a further delivery would have to wait.</summary>
    public bool IsFull => Messages >= capacity;

    /// <summary>
    /// Returns null when the delivery was added, otherwise a task to wait for. An empty mailbox accepts a delivery of any
    /// size.
    /// </summary>
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

    /// <summary>
    /// Moves deliveries to <paramref name="taken"/>, at least a single delivery; otherwise returns a task to wait for.
    /// </summary>
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

    /// <summary>Returns deliveries to the front, even of a full mailbox.</summary>
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

    /// <summary>Drops all waiting deliveries; the broker redelivers.</summary>
    public void Clear()
    {
        lock (gate)
        {
            waiting.Clear();
            messages = 0;
            Release(ref room);
        }
    }

    static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    static void Release(ref TaskCompletionSource? signal)
    {
        signal?.SetResult();
        signal = null;
    }
}
