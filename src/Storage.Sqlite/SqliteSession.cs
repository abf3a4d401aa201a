using Microsoft.Data.Sqlite;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using SQLitePCL;

namespace Orderwright.Storage.Sqlite;

/// <summary>Open connection with its prepared statements. Blocking; used by a single caller at a time.</summary>
sealed class SqliteSession : ITransaction, IDisposable
{
    public static readonly SqlQuery Begin = new("begin", "BEGIN");

    /// <summary>Takes the write lock at once: a transaction that reads first could only upgrade later with a retry.</summary>
    public static readonly SqlQuery BeginImmediate = new("begin_immediate", "BEGIN IMMEDIATE");
    public static readonly SqlQuery BeginExclusive = new("begin_exclusive", "BEGIN EXCLUSIVE");

    static readonly SqlQuery Commit = new("commit", "COMMIT");

    // Far more than any service has; the limit keeps queries made on the fly from accumulating.
    const int MostStatements = 500;

    readonly SqliteConnection connection;
    readonly Dictionary<SqlQuery, SqliteStatement> statements = new(ReferenceEqualityComparer.Instance);
    bool onlyReads;
    CancellationToken limit;

    SqliteSession(SqliteConnection connection) => this.connection = connection;

    /// <summary>True after an error that makes the connection unusable.</summary>
    public bool IsBroken { get; private set; }

    public static SqliteSession OpenWriter(string file, RuntimeOptions options) =>
        new(SqliteConnections.OpenWriter(file, options.TransactionTimeout));

    public static SqliteSession OpenReader(string file, RuntimeOptions options) =>
        new(SqliteConnections.OpenReader(file, options.TransactionTimeout)) { onlyReads = true };

    /// <summary>Runs <paramref name="work"/> in a transaction; a statement running past the limit is interrupted.</summary>
    public async Task<T> TransactAsync<T>(SqlQuery begin, Func<Task<T>> work, CancellationToken limit)
    {
        this.limit = limit;
        try
        {
            T result;
            using (InterruptOn(limit))
            {
                Execute(begin, SqlArgs.None);
                result = await work();
            }
            limit.ThrowIfCancellationRequested();
            Execute(Commit, SqlArgs.None);
            return result;
        }
        catch
        {
            RollBack();
            throw;
        }
        finally
        {
            this.limit = default;
        }
    }

    /// <summary>Runs reads on the writing connection; writes are refused meanwhile.</summary>
    public async Task<T> ReadOnlyAsync<T>(Func<Task<T>> read)
    {
        onlyReads = true;
        try
        {
            return await read();
        }
        finally
        {
            onlyReads = false;
        }
    }

    public Task<List<T>> QueryAsync<T>(
        SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default) =>
        Task.FromResult(new List<T>(Stream(query, args, map, cancel)));

    public IAsyncEnumerable<T> StreamAsync<T>(
        SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default) =>
        Stream(query, args, map, cancel).ToAsyncEnumerable();

    public Task<int> ExecuteAsync(SqlQuery query, SqlArgs args, CancellationToken cancel = default)
    {
        cancel.ThrowIfCancellationRequested();
        limit.ThrowIfCancellationRequested();
        return Task.FromResult(Execute(query, args));
    }

    public Task<HashSet<Guid>> WriteRowsAsync(
        SqlQuery query, SqlArgs args, string key, CancellationToken cancel = default)
    {
        cancel.ThrowIfCancellationRequested();
        limit.ThrowIfCancellationRequested();
        return Task.FromResult(Guard(query.Name, () => Prepared(query).Write(args, key, limit)));
    }

    /// <summary>Runs at once, because round trips cost nothing here.</summary>
    public void Defer(SqlQuery query, SqlArgs args, int? mustTouch = null)
    {
        limit.ThrowIfCancellationRequested();
        var touched = Execute(query, args);
        if (mustTouch is { } rows && touched != rows) throw UnexpectedRows.Of(query, rows, touched);
    }

    public IEnumerable<T> Stream<T>(SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        limit.ThrowIfCancellationRequested();
        var statement = Guard(query.Name, () => Prepared(query));
        Guard(query.Name, () => statement.Open(args));
        try
        {
            while (Guard(query.Name, statement.Step))
            {
                yield return map(statement.Row);
                cancel.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            statement.Close();
        }
    }

    /// <summary>Runs statements that are not worth preparing, such as a migration's.</summary>
    public void RunScript(string sql) =>
        Guard(
            "script",
            () =>
            {
                using var command = new SqliteCommand(sql, connection);
                return command.ExecuteNonQuery();
            });

    /// <summary>Interrupts a running statement, with an error, on <paramref name="cancel"/>.</summary>
    public CancellationTokenRegistration InterruptOn(CancellationToken cancel) =>
        cancel.UnsafeRegister(_ => raw.sqlite3_interrupt(connection.Handle), null);

    public void Dispose()
    {
        foreach (var statement in statements.Values) statement.Dispose();
        connection.Dispose();
    }

    public int Execute(SqlQuery query, SqlArgs args) => Guard(query.Name, () => Prepared(query).Execute(args, limit));

    SqliteStatement Prepared(SqlQuery query)
    {
        if (!statements.TryGetValue(query, out var statement))
        {
            if (statements.Count >= MostStatements) Forget();
            statements[query] = statement = new SqliteStatement(query, connection);
        }
        return onlyReads && statement.Writes
            ? throw new SqliteException($"{query.Name} writes, and only reads are allowed.", raw.SQLITE_READONLY)
            : statement;
    }

    void Forget()
    {
        foreach (var (query, statement) in statements.Where(pair => !pair.Value.IsOpen).ToList())
        {
            statement.Dispose();
            statements.Remove(query);
        }
    }

    // Some errors have rolled back already.
    void RollBack()
    {
        if (raw.sqlite3_get_autocommit(connection.Handle) != 0) return;
        try
        {
            RunScript("ROLLBACK");
        }
        catch (Exception error) when (error is DatabaseUnavailableException or SqliteException)
        {
            IsBroken = true;
        }
    }

    T Guard<T>(string what, Func<T> run)
    {
        try
        {
            return run();
        }
        catch (SqliteException error)
        {
            if (error.SqliteErrorCode == raw.SQLITE_INTERRUPT) throw new OperationCanceledException(error.Message, error, limit);
            // A write among reads is a bug of the statement.
            if (onlyReads && error.SqliteErrorCode == raw.SQLITE_READONLY) throw;
            IsBroken |= SqliteErrors.BreaksConnection(error);
            if (SqliteErrors.Translate(error, what) is { } ours) throw ours;
            throw;
        }
    }
}
