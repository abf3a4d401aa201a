using Orderwright.Runtime;

namespace Orderwright.OrderService;

/// <summary>
/// Limits the orders in flight. Past the limit throughput stops growing and latency grows instead, so a new order waits
/// briefly for a slot and is then refused with a 503.
/// </summary>
/// <remarks>
/// Each instance estimates the count: orders admitted, minus orders settled here. Instances settle each other's orders, so
/// the resend sweep corrects the estimate from the table every second. The limit thus holds for all instances together.
/// </remarks>
/// <param name="limit">Maximum number of orders in flight.</param>
/// <param name="maxWaiting">Maximum number of requests waiting for a slot; further requests are refused at once.</param>
/// <param name="patience">Maximum wait for a slot.</param>
/// <param name="time">Clock for the wait.</param>
public sealed class OrdersInFlight(int limit, int maxWaiting, TimeSpan patience, TimeProvider time)
{
    readonly Lock gate = new();
    readonly LinkedList<TaskCompletionSource> waiting = [];
    int admitted;
    int entering;

    /// <summary>Slot of one request: kept by an order that was placed, else returned on disposal.</summary>
    public sealed class Slot(OrdersInFlight inFlight) : IDisposable
    {
        bool kept;

        /// <summary>Keeps the slot until the order is settled.</summary>
        public void Keep() => kept = true;

        public void Dispose() => inFlight.Leave(kept);
    }

    public int Count
    {
        get
        {
            lock (gate) return admitted + entering;
        }
    }

    /// <summary>Takes a slot. Throws <see cref="OverloadedException"/> when none is free in time.</summary>
    public async Task<Slot> EnterAsync()
    {
        LinkedListNode<TaskCompletionSource> turn;
        lock (gate)
        {
            if (waiting.Count == 0 && admitted + entering < limit)
            {
                entering++;
                return new Slot(this);
            }
            if (waiting.Count >= maxWaiting)
                throw new OverloadedException($"{limit} orders are in flight, and {maxWaiting} requests are waiting.");
            turn = waiting.AddLast(new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        // The timer completes the awaited task itself, as in GroupCommit.
        using var giveUp = time.CreateTimer(_ => GiveUp(turn), null, patience, Timeout.InfiniteTimeSpan);
        await turn.Value.Task;
        return new Slot(this);
    }

    /// <summary>Returns the slots of settled orders.</summary>
    public void Settled(int orders)
    {
        if (orders <= 0) return;
        lock (gate)
        {
            admitted = Math.Max(0, admitted - orders);
            Admit();
        }
    }

    /// <summary>Replaces the estimate by the count of the table.</summary>
    public void SetTo(int orders)
    {
        lock (gate)
        {
            admitted = orders;
            Admit();
        }
    }

    void GiveUp(LinkedListNode<TaskCompletionSource> turn)
    {
        lock (gate)
        {
            // A request admitted at this very moment has already left the list.
            if (turn.List is null) return;
            waiting.Remove(turn);
        }
        turn.Value.SetException(new OverloadedException($"{limit} orders are in flight."));
    }

    void Leave(bool kept)
    {
        lock (gate)
        {
            entering--;
            if (kept) admitted++;
            Admit();
        }
    }

    void Admit()
    {
        while (waiting.First is { } next && admitted + entering < limit)
        {
            waiting.RemoveFirst();
            entering++;
            next.Value.SetResult();
        }
    }
}
