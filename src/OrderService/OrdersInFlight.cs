using Orderwright.Runtime;

namespace Orderwright.OrderService;

/// <summary>
/// How many orders may be on their way at once. Past the limit throughput no longer grows and every order
/// only waits longer, so a new one waits for a place, for a short time, and is then refused with a 503.
/// </summary>
/// <remarks>
/// The count is this instance's guess: orders it admitted, less those it saw settled. Several instances
/// settle each other's orders, so the sweep sets it right from the table every second; the limit then holds
/// for all together.
/// </remarks>
/// <param name="limit">Orders on their way, at most.</param>
/// <param name="maxWaiting">Requests that wait for a place; one more is refused at once.</param>
/// <param name="patience">How long a request waits for a place.</param>
/// <param name="time">Measures the wait.</param>
public sealed class OrdersInFlight(int limit, int maxWaiting, TimeSpan patience, TimeProvider time)
{
    readonly Lock gate = new();
    readonly LinkedList<TaskCompletionSource> waiting = [];
    int admitted;
    int entering;

    /// <summary>A place, held until it is either kept for an order that came in or given back.</summary>
    public sealed class Place(OrdersInFlight inFlight) : IDisposable
    {
        bool kept;

        /// <summary>The order is in; its place is free again when it is settled.</summary>
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

    /// <summary>Throws <see cref="OverloadedException"/> when there is no place in time.</summary>
    public async Task<Place> EnterAsync()
    {
        LinkedListNode<TaskCompletionSource> turn;
        lock (gate)
        {
            if (waiting.Count == 0 && admitted + entering < limit)
            {
                entering++;
                return new Place(this);
            }
            if (waiting.Count >= maxWaiting)
                throw new OverloadedException($"{limit} orders are on their way, and {maxWaiting} requests wait.");
            turn = waiting.AddLast(new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        // The limit ends the very task that is awaited, as in GroupCommit.
        using var giveUp = time.CreateTimer(_ => GiveUp(turn), null, patience, Timeout.InfiniteTimeSpan);
        await turn.Value.Task;
        return new Place(this);
    }

    /// <summary>Orders got their answer, or were given up.</summary>
    public void Settled(int orders)
    {
        if (orders <= 0) return;
        lock (gate)
        {
            admitted = Math.Max(0, admitted - orders);
            LetIn();
        }
    }

    /// <summary>The table says how many there are.</summary>
    public void SetTo(int orders)
    {
        lock (gate)
        {
            admitted = orders;
            LetIn();
        }
    }

    void GiveUp(LinkedListNode<TaskCompletionSource> turn)
    {
        lock (gate)
        {
            // Its turn may have come at this very moment; then it is no longer in the line.
            if (turn.List is null) return;
            waiting.Remove(turn);
        }
        turn.Value.SetException(new OverloadedException($"{limit} orders are on their way."));
    }

    void Leave(bool kept)
    {
        lock (gate)
        {
            entering--;
            if (kept) admitted++;
            LetIn();
        }
    }

    void LetIn()
    {
        while (waiting.First is { } next && admitted + entering < limit)
        {
            waiting.RemoveFirst();
            entering++;
            next.Value.SetResult();
        }
    }
}
