namespace Orderwright.Runtime.Database;

/// <summary>
/// Database of one service. Two engines implement it, PostgreSQL and SQLite; services depend on neither. No statement
/// spans two services. A query outside a transaction sees its own snapshot: the cheapest way of a single read.
/// </summary>
public interface IDatabase : IQueries, IAsyncDisposable
{
    /// <summary><c>postgres</c> or <c>sqlite</c>: selects the sibling of each file in <c>Sql/</c>.</summary>
    string Engine { get; }

    /// <summary>
    /// Migrates the schema: each migration once, in order, under a lock shared by all instances. Throws
    /// <see cref="DatabaseUnfitException"/> when an applied migration has changed or is unknown here, or when the database could
    /// lose commits.
    /// </summary>
    Task MigrateAsync(IReadOnlyList<Migration> migrations, CancellationToken cancel);

    /// <summary>
    /// Reports the database's clock, and whether its commits are durable. Throws <see cref="DatabaseUnavailableException"/>
    /// without a reply.
    /// </summary>
    Task<DatabaseState> StateAsync(CancellationToken cancel);

    /// <summary>
    /// Runs <paramref name="work"/> in a transaction and commits durably before returning; rolls back on an exception.
    /// Throws <see cref="DatabaseUnavailableException"/> when the outcome of the commit is unknown (the commit may
    /// or may not have happened), and after <see cref="RuntimeOptions.TransactionTimeout"/>. Nothing cancels a commit: a
    /// cancelled wait for a standby would look like success. A transaction without statements opens no connection.
    /// </summary>
    Task<T> WriteAsync<T>(Func<ITransaction, Task<T>> work, CancellationToken cancel);

    /// <summary>
    /// Runs <paramref name="read"/>, for several queries on a consistent snapshot, concurrently with any writer.
    /// </summary>
    Task<T> ReadAsync<T>(Func<IQueries, Task<T>> read, CancellationToken cancel);
}

/// <summary>Reads by named query.</summary>
public interface IQueries
{
    Task<List<T>> QueryAsync<T>(SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default);

    /// <summary>Streams the rows without holding the result in memory; no other query may run meanwhile.</summary>
    IAsyncEnumerable<T> StreamAsync<T>(SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default);
}

/// <summary>Reads and writes of a single transaction.</summary>
public interface ITransaction : IQueries
{
    /// <summary>Runs a statement; returns the number of rows affected.</summary>
    Task<int> ExecuteAsync(SqlQuery query, SqlArgs args, CancellationToken cancel = default);

    /// <summary>
    /// Writes each row of a set if the statement's conditions allow it; returns the keys of the rows written.
    /// </summary>
    /// <param name="query">
    /// Returns the keys on PostgreSQL. On SQLite the statement names columns of the set and returns nothing; the number of
    /// changes is checked per row: <c>RETURNING</c> would fill a temporary table each time (docs/adr/0025).
    /// </param>
    /// <param name="args">Arguments with the set.</param>
    /// <param name="key">Column of the set with the keys, uuids.</param>
    /// <param name="cancel">Cancels the statement.</param>
    Task<HashSet<Guid>> WriteRowsAsync(SqlQuery query, SqlArgs args, string key, CancellationToken cancel = default);

    /// <summary>
    /// Runs a statement without result rows, at the latest before the next statement or the commit. On PostgreSQL a
    /// deferred statement is pipelined with the next and costs no round trip. Exceptions surface there as well.
    /// </summary>
    /// <param name="query">Statement.</param>
    /// <param name="args">Arguments; must not change afterwards.</param>
    /// <param name="mustTouch">
    /// Throws <see cref="InvalidOperationException"/> if the number of affected rows differs.
    /// </param>
    void Defer(SqlQuery query, SqlArgs args, int? mustTouch = null);

    /// <summary>
    /// Makes the commit wait until everything the transaction has read is as durable as its own writes. Needed before rows
    /// are repeated to a caller: after a restart of a primary, rows are visible that no standby has received. Only a database
    /// with synchronous standbys has something to wait for.
    /// </summary>
    void MakeReadsDurable()
    {
    }
}

/// <summary>State of a database, as reported by the database.</summary>
/// <param name="Now">Database's clock; null for a database without a clock of its own.</param>
/// <param name="Unfit">Sentence about settings under which commits could be lost; null if none.</param>
public sealed record DatabaseState(DateTimeOffset? Now = null, string? Unfit = null);

/// <summary>Row of a result. Columns are read by name; an unknown name throws.</summary>
public interface IRow
{
    Guid Uuid(string column);
    Guid? UuidOrNull(string column);
    string Text(string column);
    string? TextOrNull(string column);
    long BigInt(string column);
    long? BigIntOrNull(string column);
    int Int(string column);
    bool Bool(string column);
    DateTimeOffset Time(string column);
    DateTimeOffset? TimeOrNull(string column);
    byte[] Bytes(string column);
    byte[]? BytesOrNull(string column);
}

/// <summary>Step of a schema's history: <c>001_what.postgres.sql</c>. Forward only.</summary>
/// <param name="Number">From 1, without gaps within a <paramref name="Module"/>.</param>
/// <param name="Module">Owner of the history: <c>runtime</c>, or the service's own.</param>
/// <param name="Name">File name without number, engine and extension.</param>
/// <param name="Sql">Statements.</param>
public sealed record Migration(string Module, int Number, string Name, string Sql);

/// <summary>
/// Thrown when the database replies but must not be used in the present state. The message is a whole sentence for the person
/// running the service: the finding, and the remedy. Retrying does not help.
/// </summary>
public sealed class DatabaseUnfitException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Thrown when the database cannot be reached or does not reply in time: transient, retryable.</summary>
public class DatabaseUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Thrown while the database is behind the other services, see <see cref="Fence"/>.</summary>
public sealed class DatabaseBehindException(string message) : DatabaseUnavailableException(message);

/// <summary>
/// Thrown when a constraint of the schema refuses a write: a broken rule above the database, or a race lost to another
/// instance.
/// </summary>
public sealed class ConstraintViolatedException(string constraint, string message, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>
    /// Constraint's name if reported; SQLite names the columns of a key instead (<c>orders.channel,
    /// orders.reference</c>). Both report <c>table.column</c> for a forbidden null.
    /// </summary>
    public string Constraint { get; } = constraint;
}
