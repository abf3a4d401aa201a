namespace Orderwright.Runtime.Transport;

/// <summary>
/// Deliveries that wait, oldest first. Those who wait for one, or for room, are woken all at once. Both
/// transports keep one per inbox.
/// </summary>
/// <param name="capacity">Messages that may wait; one more has to wait for room.</param>
public sealed class Mailbox(int capacity)
{
    readonly Lock gate = new();
    readonly LinkedList<Delivery> waiting = [];
    int messages;
    TaskCompletionSource? arrival;
    TaskCompletionSource? room;

    /// <summary>Messages, not deliveries.</summary>
    public int Messages => Volatile.Read(ref messages);

    /// <summary>Deliveries, each of one or more messages.</summary>
    public int Deliveries
    {
        get
        {
            lock (gate) return waiting.Count;
        }
    }

    /// <summary>One more would have to wait.</summary>
    public bool IsFull => Messages >= capacity;

    /// <summary>
    /// Null when it was taken, else what to wait for. An empty mailbox takes a delivery of any size.
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
    /// Moves what fits to <paramref name="taken"/>, at least one delivery; else tells what to wait for.
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

    /// <summary>Forgets what waits: it will come again from where it came.</summary>
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
