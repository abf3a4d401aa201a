using System.Collections.Concurrent;
using Orderwright.Runtime;

namespace Orderwright.Storage.Sqlite;

/// <summary>Read-only connections to a file, opened on demand, up to <see cref="RuntimeOptions.MaxReaders"/>.</summary>
sealed class SqliteReaders(string file, RuntimeOptions options) : IDisposable
{
    readonly ConcurrentStack<SqliteSession> idle = [];
    readonly SemaphoreSlim free = new(options.MaxReaders, options.MaxReaders);
    volatile bool disposed;

    public async Task<Lease> LeaseAsync(CancellationToken cancel)
    {
        await free.WaitAsync(cancel);
        try
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            return new Lease(this, idle.TryPop(out var session) ? session : SqliteSession.OpenReader(file, options));
        }
        catch
        {
            free.Release();
            throw;
        }
    }

    public void Dispose()
    {
        disposed = true;
        while (idle.TryPop(out var session)) session.Dispose();
    }

    void Return(SqliteSession session)
    {
        if (session.IsBroken || disposed) session.Dispose();
        else idle.Push(session);
        free.Release();
    }

    /// <summary>Exclusive use of a connection until disposed.</summary>
    public readonly struct Lease(SqliteReaders readers, SqliteSession session) : IDisposable
    {
        public SqliteSession Session => session;

        public void Dispose() => readers.Return(session);
    }
}
