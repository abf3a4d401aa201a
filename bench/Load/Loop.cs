using System.Diagnostics;
using System.Text;

namespace Orderwright.Load;

/// <summary>
/// Requests over many connections from one thread. In a closed loop a connection sends its next request after its last
/// response. In an open loop requests are due at fixed moments, and a request that waits for a connection counts from its
/// due time, so that a stall of the server stays in the figures (Gil Tene's "coordinated omission").
/// </summary>
abstract class Loop : IDisposable
{
    static readonly TimeSpan RestAfterRefusal = TimeSpan.FromMilliseconds(20);

    /// <summary>Longest time until a loop notices that it should end.</summary>
    static readonly TimeSpan LookAtLeast = TimeSpan.FromMilliseconds(50);

    readonly double rate;
    readonly Epoll epoll = new();
    readonly Connection[] connections;
    readonly Stack<Connection> free = new();
    readonly Queue<(Connection Connection, long Until)> resting = new();
    long began;
    int sent;

    protected Loop(LoadCommand command)
    {
        rate = command.Rate;
        connections = [.. Enumerable.Range(0, command.Connections).Select(
            number => new Connection(command.Urls[number % command.Urls.Count], epoll, number))];
        foreach (var connection in connections.Reverse()) free.Push(connection);
    }

    /// <summary>Responses other than refusals.</summary>
    protected int Answered { get; private set; }

    protected int Refused { get; private set; }

    protected TimeSpan Elapsed => Stopwatch.GetElapsedTime(began);

    public abstract LoadResult Run();

    public void Dispose()
    {
        foreach (var connection in connections) connection.Dispose();
        epoll.Dispose();
    }

    protected abstract ReadOnlySpan<byte> RequestOf(int number);

    protected abstract void Take(int number, long since, Response response);

    /// <param name="most">Number of requests to send.</param>
    /// <param name="isOver">Ends the loop early.</param>
    protected void Run(int most, Func<bool> isOver)
    {
        began = Stopwatch.GetTimestamp();
        while (Answered < most && !isOver())
        {
            SendDue(most);
            var ready = epoll.Wait(UntilNext(most));
            for (var i = 0; i < ready; i++) Receive(connections[epoll[i]]);
        }
    }

    /// <summary>Sends a request while no other is in flight; the body is valid until the next exchange.</summary>
    protected ReadOnlySpan<byte> Send(ReadOnlySpan<byte> request)
    {
        connections[0].Send(request);
        while (true)
        {
            epoll.Wait(LookAtLeast);
            if (!connections[0].TryReceive(out var response)) continue;
            return response.Status == 200 ? response.Body : throw Unexpected(response);
        }
    }

    void SendDue(int most)
    {
        while (resting.TryPeek(out var rested) && rested.Until <= Stopwatch.GetTimestamp())
        {
            resting.Dequeue();
            rested.Connection.Send(RequestOf(rested.Connection.Number));
        }
        while (sent < most && free.Count > 0)
        {
            var now = Stopwatch.GetTimestamp();
            var due = rate == 0 ? now : DueAt(sent);
            if (due > now) return;
            var connection = free.Pop();
            (connection.Number, connection.Since) = (sent, due);
            connection.Send(RequestOf(sent++));
        }
    }

    long DueAt(int number) => began + (long)(number / rate * Stopwatch.Frequency);

    TimeSpan UntilNext(int most)
    {
        var now = Stopwatch.GetTimestamp();
        var next = now + Ticks(LookAtLeast);
        if (rate > 0 && sent < most && free.Count > 0) next = Math.Min(next, DueAt(sent));
        if (resting.TryPeek(out var rested)) next = Math.Min(next, rested.Until);
        return next > now ? Stopwatch.GetElapsedTime(now, next) : TimeSpan.Zero;
    }

    void Receive(Connection connection)
    {
        if (!connection.TryReceive(out var response)) return;
        if (response.Status == 503)
        {
            Refused++;
            resting.Enqueue((connection, Stopwatch.GetTimestamp() + Ticks(RestAfterRefusal)));
            return;
        }
        if (response.Status is not (200 or 201 or 202)) throw Unexpected(response);
        Answered++;
        Take(connection.Number, connection.Since, response);
        free.Push(connection);
    }

    static long Ticks(TimeSpan time) => (long)(time.TotalSeconds * Stopwatch.Frequency);

    static IOException Unexpected(Response response) =>
        new($"A request was answered {response.Status}: {Encoding.UTF8.GetString(response.Body)}");
}
