using System.Collections.Concurrent;
using System.Data;
using Npgsql;

namespace Orderwright.Storage.Postgres;

/// <summary>
/// Pool of open connections; the last one returned is taken first. A server process that has just replied has our statements,
/// the catalogue and its memory warm. Npgsql's own pool takes the connection idle longest, so that all grow cold in turn.
/// </summary>
/// <param name="source">Opens connections; allows at least <paramref name="most"/>.</param>
/// <param name="most">Maximum number of connections in use; further callers wait.</param>
/// <param name="patience">Longest wait for a connection.</param>
sealed class WarmConnections(NpgsqlDataSource source, int most, TimeSpan patience) : IAsyncDisposable
{
    readonly ConcurrentStack<NpgsqlConnection> idle = new();
    readonly SemaphoreSlim room = new(most, most);

    /// <summary>Takes an open connection; throws a transient error if none is available.</summary>
    public async ValueTask<Lease> TakeAsync(CancellationToken cancel)
    {
        if (!await room.WaitAsync(patience, cancel))
            throw PostgresErrors.Unavailable("Connecting", new TimeoutException($"{most} connections are all in use."));
        if (idle.TryPop(out var connection)) return new(this, connection);
        try
        {
            return new(this, await source.OpenConnectionAsync(cancel));
        }
        catch (Exception error)
        {
            room.Release();
            // A connection that cannot be opened, even for a wrong password, is not the fault of the batch.
            if (error is NpgsqlException or TimeoutException) throw PostgresErrors.Unavailable("Connecting", error);
            throw;
        }
    }

    async ValueTask ReturnAsync(NpgsqlConnection connection)
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

    /// <summary>Connection in use, returned to the pool when disposed.</summary>
    public readonly struct Lease(WarmConnections pool, NpgsqlConnection connection) : IAsyncDisposable
    {
        public NpgsqlConnection Connection => connection;

        public ValueTask DisposeAsync() => pool.ReturnAsync(connection);
    }

    public async ValueTask DisposeAsync()
    {
        await DropAsync();
        await source.DisposeAsync();
    }

    // A failure of one connection has probably broken the others: a restarted server should cost one failure in total.
    async ValueTask DropAsync(NpgsqlConnection? broken = null)
    {
        source.Clear();
        if (broken is not null) await broken.DisposeAsync();
        while (idle.TryPop(out var other)) await other.DisposeAsync();
    }
}
