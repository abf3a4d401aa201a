using System.Diagnostics;

namespace Orderwright.Load;

/// <summary>
/// Places orders and waits until each is at its end. Closed: a connection places its next order when its last was
/// answered. Open: orders are due at fixed moments, and one that has to wait for a connection is late from its own moment
/// on, so that a stall of the server is not left out of the figures (Tene, "coordinated omission").
/// </summary>
sealed class PlaceRun : IDisposable
{
    static readonly TimeSpan RestAfterRefusal = TimeSpan.FromMilliseconds(20);
    static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(2);
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    readonly PlaceCommand command;
    readonly OrderMix mix;
    readonly Latencies latencies;
    readonly Epoll epoll = new();
    readonly Connection[] connections;
    readonly Stack<Connection> free = new();
    readonly Queue<(Connection Connection, long Until)> resting = new();
    int placed;
    int answered;
    int confirmed;
    int rejected;
    int undecided;
    int refused;

    public PlaceRun(PlaceCommand command)
    {
        this.command = command;
        mix = new OrderMix(command.Orders, command.Seed, command.WaitEvery, command.OneSku, command.Keyed);
        latencies = new Latencies(command.Orders);
        connections = [.. Enumerable.Range(0, command.Connections).Select(
            number => new Connection(new Uri(command.Urls[number % command.Urls.Length]), epoll, number))];
        foreach (var connection in connections.Reverse()) free.Push(connection);
    }

    public PlaceResult Run()
    {
        var began = Stopwatch.GetTimestamp();
        while (answered < command.Orders)
        {
            SendDue(began);
            var ready = epoll.Wait(UntilNext(began));
            for (var i = 0; i < ready; i++) Take(connections[epoll[i]]);
        }
        WaitUntilNoneIsPending();
        return new PlaceResult(
            answered, confirmed, rejected, undecided, refused, Stopwatch.GetElapsedTime(began).TotalSeconds,
            latencies.Milliseconds());
    }

    public void Dispose()
    {
        foreach (var connection in connections) connection.Dispose();
        epoll.Dispose();
    }

    void SendDue(long began)
    {
        while (resting.TryPeek(out var rested) && rested.Until <= Stopwatch.GetTimestamp())
        {
            resting.Dequeue();
            rested.Connection.Send(mix[rested.Connection.Order]);
        }
        while (placed < command.Orders && free.Count > 0)
        {
            var due = command.Rate == 0 ? Stopwatch.GetTimestamp() : DueAt(began, placed);
            if (due > Stopwatch.GetTimestamp()) return;
            var connection = free.Pop();
            (connection.Order, connection.Since) = (placed, due);
            connection.Send(mix[placed++]);
        }
    }

    long DueAt(long began, int order) => began + (long)(order / command.Rate * Stopwatch.Frequency);

    // Null: nothing to do until an answer comes.
    TimeSpan? UntilNext(long began)
    {
        var next = long.MaxValue;
        if (command.Rate > 0 && placed < command.Orders && free.Count > 0) next = DueAt(began, placed);
        if (resting.TryPeek(out var rested)) next = Math.Min(next, rested.Until);
        if (next == long.MaxValue) return null;
        var now = Stopwatch.GetTimestamp();
        return next > now ? Stopwatch.GetElapsedTime(now, next) : TimeSpan.Zero;
    }

    void Take(Connection connection)
    {
        if (!connection.TryReceive(out var response)) return;
        if (response.Status == 503)
        {
            refused++;
            resting.Enqueue((connection, Stopwatch.GetTimestamp() + (long)(RestAfterRefusal.TotalSeconds * Stopwatch.Frequency)));
            return;
        }
        if (response.Status is not (201 or 202))
            throw new IOException($"An order was answered {response.Status}: {System.Text.Encoding.UTF8.GetString(response.Body)}");
        if (mix.Waits(connection.Order)) CountEnd(connection, response.Body);
        answered++;
        free.Push(connection);
    }

    void CountEnd(Connection connection, ReadOnlySpan<byte> order)
    {
        var status = order[(order.IndexOf("\"status\":\""u8) + 10)..];
        if (status.StartsWith("confirmed"u8)) confirmed++;
        else if (status.StartsWith("rejected"u8)) rejected++;
        else undecided++;
        latencies.Add(connection.Since, Stopwatch.GetTimestamp());
    }

    // An order that was answered 202 is not at its end. Asking for one that is pending costs the server next to nothing:
    // they stand in a small table of their own.
    void WaitUntilNoneIsPending()
    {
        var since = Stopwatch.GetTimestamp();
        while (command.WaitEvery != 1 && IsAnyPending())
        {
            if (Stopwatch.GetElapsedTime(since) > Patience)
                throw new TimeoutException("Some orders are still pending after two minutes.");
            Thread.Sleep(LookEvery);
        }
    }

    bool IsAnyPending()
    {
        connections[0].Send("GET /api/v1/orders?status=pending&limit=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"u8);
        while (true)
        {
            epoll.Wait(null);
            if (!connections[0].TryReceive(out var page)) continue;
            if (page.Status != 200) throw new IOException($"The list of orders was answered {page.Status}.");
            return !page.Body.StartsWith("{\"items\":[],\"nextCursor\":null"u8);
        }
    }
}
