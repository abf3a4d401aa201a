using System.Runtime.CompilerServices;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.Storage.Sqlite;

/// <summary>
/// SQLite file of a service: one connection writes, on a thread of its own; a few others read concurrently, each from a
/// snapshot of the write-ahead log. Another process may use the file as well; writers then wait for each other.
/// <c>:memory:</c> is a single connection for everything, on the caller's thread: without threads the order is deterministic,
/// so that a simulation can repeat a run. The data is lost when disposed.
/// </summary>
public sealed class SqliteDatabase : IDatabase
{
    const string InMemory = ":memory:";
    static readonly SqlQuery Ping = new("ping", "SELECT 1 AS reply");

    readonly string file;
    readonly RuntimeOptions options;
    readonly SemaphoreSlim writing = new(1, 1);
    readonly WriterThread? thread;
    readonly SqliteReaders? readers;
    SqliteSession? writer;
    bool wasOpen;
    bool disposed;

    /// <param name="file">The directory is created if necessary. <c>:memory:</c> for no file.</param>
    /// <param name="options">Limits: reading connections, and duration of a transaction.</param>
    public SqliteDatabase(string file, RuntimeOptions options)
    {
        this.options = options;
        this.file = file == InMemory ? file : Path.GetFullPath(file);
        if (file == InMemory) return;
        thread = new WriterThread(Path.GetFileName(file));
        readers = new SqliteReaders(this.file, options);
    }

    public string Engine => "sqlite";

    public Task MigrateAsync(IReadOnlyList<Migration> migrations, CancellationToken cancel) =>
        WithWriterAsync(
            (session, limit) => session.TransactAsync(
                SqliteSession.BeginExclusive,
                () => Task.FromResult(SqliteMigrations.Apply(session, migrations, options.Migrate)), limit),
            Timeout.InfiniteTimeSpan, cancel);

    /// <summary>Proves that the file can be read. SQLite's clock is the process's, and no setting can change meanwhile.</summary>
    public async Task<DatabaseState> StateAsync(CancellationToken cancel)
    {
        await QueryAsync(Ping, SqlArgs.None, row => row.Int("reply"), cancel);
        return new();
    }

    public Task<T> WriteAsync<T>(Func<ITransaction, Task<T>> work, CancellationToken cancel) =>
        WithWriterAsync(
            (session, limit) => session.TransactAsync(SqliteSession.BeginImmediate, () => work(session), limit),
            options.TransactionTimeout, cancel);

    public async Task<T> ReadAsync<T>(Func<IQueries, Task<T>> read, CancellationToken cancel)
    {
        if (readers is null)
            return await WithWriterAsync(
                (session, _) => session.ReadOnlyAsync(() => read(session)), Timeout.InfiniteTimeSpan, cancel);
        using var lease = await readers.LeaseAsync(cancel);
        return await lease.Session.TransactAsync(SqliteSession.Begin, () => read(lease.Session), cancel);
    }

    public async Task<List<T>> QueryAsync<T>(
        SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default)
    {
        if (readers is null) return await ReadAsync(queries => queries.QueryAsync(query, args, map, cancel), cancel);
        using var lease = await readers.LeaseAsync(cancel);
        using var interrupt = lease.Session.InterruptOn(cancel);
        return await lease.Session.QueryAsync(query, args, map, cancel);
    }

    public async IAsyncEnumerable<T> StreamAsync<T>(
        SqlQuery query, SqlArgs args, Func<IRow, T> map, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        if (readers is null)
        {
            foreach (var item in await QueryAsync(query, args, map, cancel)) yield return item;
            yield break;
        }
        using var lease = await readers.LeaseAsync(cancel);
        using var interrupt = lease.Session.InterruptOn(cancel);
        foreach (var item in lease.Session.Stream(query, args, map, cancel)) yield return item;
    }

    public async ValueTask DisposeAsync()
    {
        await writing.WaitAsync();
        disposed = true;
        // The last connection to close copies the log into the file, so the writing connection closes last.
        readers?.Dispose();
        writer?.Dispose();
        writer = null;
        thread?.Dispose();
        writing.Release();
    }

    SqliteSession Open()
    {
        try
        {
            var session = SqliteSession.OpenWriter(file, options);
            wasOpen = true;
            return session;
        }
        catch (DatabaseUnfitException error) when (wasOpen)
        {
            // The file was valid before: a lost disk is not the fault of the batch.
            throw new DatabaseUnavailableException(error.Message, error);
        }
    }

    async Task<T> WithWriterAsync<T>(
        Func<SqliteSession, CancellationToken, Task<T>> use, TimeSpan timeLimit, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(timeLimit);
        try
        {
            await writing.WaitAsync(limit.Token);
            try
            {
                ObjectDisposedException.ThrowIf(disposed, this);
                return await (thread is null ? UseAsync() : thread.RunAsync(UseAsync));
            }
            finally
            {
                writing.Release();
            }
        }
        catch (OperationCanceledException error) when (limit.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            throw new DatabaseUnavailableException($"A transaction did not end within {timeLimit}.", error);
        }

        async Task<T> UseAsync()
        {
            var session = writer ??= Open();
            try
            {
                return await use(session, limit.Token);
            }
            finally
            {
                if (session.IsBroken && thread is not null)
                {
                    writer = null;
                    session.Dispose();
                }
            }
        }
    }
}
