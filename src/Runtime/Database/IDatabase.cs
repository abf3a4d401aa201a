namespace Orderwright.Runtime.Database;

/// <summary>
/// A service's own database. Two engines implement it, PostgreSQL and SQLite; no service asks which. Nothing here
/// joins two services. Asked directly, each query sees its own snapshot: the cheapest way to read once.
/// </summary>
public interface IDatabase : IQueries, IAsyncDisposable
{
    /// <summary><c>postgres</c> or <c>sqlite</c>: which sibling of each file in <c>Sql/</c> is read.</summary>
    string Engine { get; }

    /// <summary>
    /// Brings the schema up to date: each migration once, in order, under a lock that other instances respect.
    /// Throws <see cref="DatabaseUnfitException"/> when a migration that was applied has changed or is not known here,
    /// or when the database would lose commits.
    /// </summary>
    Task MigrateAsync(IReadOnlyList<Migration> migrations, CancellationToken cancel);

    /// <summary>
    /// Runs <paramref name="work"/> in one transaction and commits durably before it returns; rolls back when it
    /// throws. Throws <see cref="DatabaseUnavailableException"/> when the answer to the commit is not known, which
    /// says nothing about whether it happened, and when it takes longer than
    /// <see cref="RuntimeOptions.TransactionTimeout"/>. A cancellation that comes during the commit comes too late.
    /// Work that asks the database nothing need not reach it.
    /// </summary>
    Task<T> WriteAsync<T>(Func<ITransaction, Task<T>> work, CancellationToken cancel);

    /// <summary>
    /// Runs <paramref name="read"/>, which asks more than once, against one consistent snapshot, beside any writer.
    /// </summary>
    Task<T> ReadAsync<T>(Func<IQueries, Task<T>> read, CancellationToken cancel);
}

/// <summary>Reads, by named query.</summary>
public interface IQueries
{
    Task<List<T>> QueryAsync<T>(SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default);

    /// <summary>The same without holding the result in memory; no other query may run while it is being read.</summary>
    IAsyncEnumerable<T> StreamAsync<T>(SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default);
}

/// <summary>Reads and writes that become durable together.</summary>
public interface ITransaction : IQueries
{
    /// <summary>Runs a statement; returns how many rows it touched.</summary>
    Task<int> ExecuteAsync(SqlQuery query, SqlArgs args, CancellationToken cancel = default);

    /// <summary>
    /// Writes each row of a set where the statement's conditions allow it; returns the keys of those that it wrote.
    /// </summary>
    /// <param name="query">
    /// On PostgreSQL it returns the keys. On SQLite it names columns of the set and returns nothing: it is seen whether it
    /// changed anything, as each <c>RETURNING</c> there fills a table of its own (docs/adr/0025).
    /// </param>
    /// <param name="args">With the set.</param>
    /// <param name="key">The set's column of keys, uuids.</param>
    /// <param name="cancel">Ends it.</param>
    Task<HashSet<Guid>> WriteRowsAsync(SqlQuery query, SqlArgs args, string key, CancellationToken cancel = default);

    /// <summary>
    /// Runs a statement that returns no rows, at the latest before the next one or the commit: on PostgreSQL it goes along
    /// with that, and costs no round trip of its own. What it throws comes from there, too.
    /// </summary>
    /// <param name="query">The statement.</param>
    /// <param name="args">Its arguments; not to be changed afterwards.</param>
    /// <param name="mustTouch">Throws <see cref="InvalidOperationException"/> when it touches another number of rows.</param>
    void Defer(SqlQuery query, SqlArgs args, int? mustTouch = null);
}

/// <summary>
/// One row of a result. Columns are read by the name that the query gives them; a name that the result lacks throws.
/// </summary>
public interface IRow
{
    /// <summary>Position of a column, 0 and up.</summary>
    int Ordinal(string column);

    Guid Uuid(int column);
    Guid? UuidOrNull(int column);
    string Text(int column);
    string? TextOrNull(int column);
    long BigInt(int column);
    long? BigIntOrNull(int column);
    int Int(int column);
    bool Bool(int column);
    DateTimeOffset Time(int column);
    DateTimeOffset? TimeOrNull(int column);
    byte[] Bytes(int column);
    byte[]? BytesOrNull(int column);

    Guid Uuid(string column) => Uuid(Ordinal(column));
    Guid? UuidOrNull(string column) => UuidOrNull(Ordinal(column));
    string Text(string column) => Text(Ordinal(column));
    string? TextOrNull(string column) => TextOrNull(Ordinal(column));
    long BigInt(string column) => BigInt(Ordinal(column));
    long? BigIntOrNull(string column) => BigIntOrNull(Ordinal(column));
    int Int(string column) => Int(Ordinal(column));
    bool Bool(string column) => Bool(Ordinal(column));
    DateTimeOffset Time(string column) => Time(Ordinal(column));
    DateTimeOffset? TimeOrNull(string column) => TimeOrNull(Ordinal(column));
    byte[] Bytes(string column) => Bytes(Ordinal(column));
    byte[]? BytesOrNull(string column) => BytesOrNull(Ordinal(column));
}

/// <summary>One step of a schema's history: <c>001_what.postgres.sql</c>. Forward only.</summary>
/// <param name="Number">1 and up, without gaps within a <paramref name="Module"/>.</param>
/// <param name="Module">Whose history: <c>runtime</c>, or the service's own.</param>
/// <param name="Name">The file's name without number, engine and ending.</param>
/// <param name="Sql">The statements.</param>
public sealed record Migration(string Module, int Number, string Name, string Sql);

/// <summary>
/// The database answers, and must not be used as it is. The message is a whole sentence for whoever runs the service:
/// what was found, and what to change. Trying again does not help.
/// </summary>
public sealed class DatabaseUnfitException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The database could not be reached, or did not answer in time. Worth another try; nobody is to blame.</summary>
public sealed class DatabaseUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A constraint of the schema refused a write: a broken rule above it, or a race lost to another instance.</summary>
public sealed class ConstraintViolatedException(string constraint, string message, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>
    /// The constraint's name where the engine tells it; SQLite names the columns of a key instead
    /// (<c>orders.merchant, orders.reference</c>). Both say <c>table.column</c> for a null that is not allowed.
    /// </summary>
    public string Constraint { get; } = constraint;
}
