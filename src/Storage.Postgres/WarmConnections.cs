using System.Collections.Concurrent;
using System.Data;
using Npgsql;

namespace Orderwright.Storage.Postgres;

/// <summary>
/// Open connections, the last one returned first. A server process that has just answered has our statements, its catalogue
/// and its memory at hand; Npgsql's own pool hands out the one that has rested longest, so that all of them grow cold in turn.
/// </summary>
/// <param name="source">Opens them; gives out at least <paramref name="most"/>.</param>
/// <param name="most">At a time; one more waits.</param>
/// <param name="patience">How long it waits.</param>
sealed class WarmConnections(NpgsqlDataSource source, int most, TimeSpan patience) : IAsyncDisposable
{
    readonly ConcurrentStack<NpgsqlConnection> idle = new();
    readonly SemaphoreSlim room = new(most, most);

    /// <summary>An open connection, which its user gives back; none to be had is nobody's fault.</summary>
    public async ValueTask<NpgsqlConnection> TakeAsync(CancellationToken cancel)
    {
        if (!await room.WaitAsync(patience, cancel))
            throw PostgresErrors.Unavailable("Connecting", new TimeoutException($"{most} connections are all in use."));
        if (idle.TryPop(out var connection)) return connection;
        try
        {
            return await source.OpenConnectionAsync(cancel);
        }
        catch (Exception error)
        {
            room.Release();
            // Whatever keeps a connection from opening, a wrong password included, is no fault of the work that wanted it.
            if (error is NpgsqlException or TimeoutException) throw PostgresErrors.Unavailable("Connecting", error);
            throw;
        }
    }

    public async ValueTask ReturnAsync(NpgsqlConnection connection)
    {
        try
        {
            if (connection.State == ConnectionState.Open) idle.Push(connection);
            else await DropAsync(connection);
        }
        finally
        {
            room.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await DropAsync();
        await source.DisposeAsync();
    }

    // What broke one has probably broken the others: a server that was restarted is to cost one failure, not one for each.
    async ValueTask DropAsync(NpgsqlConnection? broken = null)
    {
        source.Clear();
        if (broken is not null) await broken.DisposeAsync();
        while (idle.TryPop(out var other)) await other.DisposeAsync();
    }
}
