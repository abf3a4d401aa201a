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
/// <param name="check">Refuses a new connection, by an exception.</param>
sealed class WarmConnections(
    NpgsqlDataSource source, int most, TimeSpan patience, Func<NpgsqlConnection, CancellationToken, Task>? check = null)
    : IAsyncDisposable
{
    readonly ConcurrentStack<Warm> idle = new();
    readonly SemaphoreSlim room = new(most, most);
    int abandoned;

    /// <summary>Open connection, and whether the server has warned since the flag was cleared.</summary>
    internal sealed class Warm
    {
        public Warm(NpgsqlConnection connection)
        {
            Connection = connection;
            connection.Notice += (_, notice) => HasWarned |= notice.Notice.SqlState == PostgresErrorCodes.Warning;
        }

        public NpgsqlConnection Connection { get; }

        public bool HasWarned { get; set; }
    }

    /// <summary>Takes an open connection; throws a transient error if none is available.</summary>
    public async ValueTask<Lease> TakeAsync(CancellationToken cancel)
    {
        if (!await room.WaitAsync(patience, cancel))
            throw PostgresErrors.Unavailable("Connecting", new TimeoutException($"{most} connections are all in use."));
        if (idle.TryPop(out var warm)) return new(this, warm);
        NpgsqlConnection? connection = null;
        try
        {
            connection = await source.OpenConnectionAsync(cancel);
            if (check is not null) await check(connection, cancel);
            return new(this, new Warm(connection));
        }
        catch (Exception error)
        {
            if (connection is not null) await DropAsync(connection);
            room.Release();
            // A connection that cannot be opened, even for a wrong password, is not the fault of the batch.
            if (error is NpgsqlException or TimeoutException) throw PostgresErrors.Unavailable("Connecting", error);
            throw;
        }
    }

    async ValueTask ReturnAsync(Warm warm)
    {
        try
        {
            if (warm.Connection.State == ConnectionState.Open) idle.Push(warm);
            else await DropAllAsync(warm.Connection);
        }
        finally
        {
            room.Release();
        }
    }

    // The place of an abandoned connection is given to another at once, up to a limit: each is a server process that still holds
    // the locks of its transaction.
    async Task AbandonAsync(Warm warm, Task committing)
    {
        var isWithinLimit = Interlocked.Increment(ref abandoned) <= most;
        if (isWithinLimit) room.Release();
        await committing.ContinueWith(_ => { }, TaskScheduler.Default);
        await DropAsync(warm.Connection);
        Interlocked.Decrement(ref abandoned);
        if (!isWithinLimit) room.Release();
    }

    /// <summary>Connection in use, returned to the pool when disposed.</summary>
    public readonly struct Lease : IAsyncDisposable
    {
        readonly WarmConnections pool;
        readonly Warm warm;

        internal Lease(WarmConnections pool, Warm warm) => (this.pool, this.warm) = (pool, warm);

        public NpgsqlConnection Connection => warm.Connection;

        /// <summary>True if the server has sent a warning (SQLSTATE 01000) since <see cref="ClearWarning"/>.</summary>
        public bool HasWarned => warm.HasWarned;

        public void ClearWarning() => warm.HasWarned = false;

        public ValueTask DisposeAsync() => pool.ReturnAsync(warm);

        /// <summary>Closes the connection instead of returning it.</summary>
        public async ValueTask DropAsync()
        {
            await pool.DropAsync(warm.Connection);
            pool.room.Release();
        }

        /// <summary>Leaves the connection alone until its commit ends, and closes it then.</summary>
        public void Abandon(Task committing) => _ = pool.AbandonAsync(warm, committing);
    }

    public async ValueTask DisposeAsync()
    {
        await DropAllAsync();
        await source.DisposeAsync();
    }

    // Without clearing, Npgsql's own pool would keep the connection.
    async ValueTask DropAsync(NpgsqlConnection connection)
    {
        source.Clear();
        await connection.DisposeAsync();
    }

    // A failure of one connection has probably broken the others: a restarted server should cost one failure in total.
    async ValueTask DropAllAsync(NpgsqlConnection? broken = null)
    {
        source.Clear();
        if (broken is not null) await broken.DisposeAsync();
        while (idle.TryPop(out var other)) await other.Connection.DisposeAsync();
    }
}
