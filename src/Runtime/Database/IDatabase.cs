namespace Orderwright.Runtime.Database;

/// <summary>
/// A service's own database. Two engines implement it, PostgreSQL and SQLite; no service asks which. Nothing here
/// joins two services.
/// </summary>
public interface IDatabase : IAsyncDisposable
{
    /// <summary><c>postgres</c> or <c>sqlite</c>: which sibling of each file in <c>Sql/</c> is read.</summary>
    string Engine { get; }

    /// <summary>
    /// Brings the schema up to date: each migration once, in order, under a lock that other instances respect.
    /// Throws when a migration that was applied has changed since, or when the server would lose commits.
    /// </summary>
    Task MigrateAsync(IReadOnlyList<Migration> migrations, CancellationToken cancel);

    /// <summary>
    /// Runs <paramref name="work"/> in one transaction and commits durably before it returns; rolls back when it
    /// throws. Throws <see cref="DatabaseUnavailableException"/> when the answer to the commit is not known, which
    /// says nothing about whether it happened.
    /// </summary>
    Task<T> WriteAsync<T>(Func<ITransaction, Task<T>> work, CancellationToken cancel);

    /// <summary>Runs <paramref name="read"/> against one consistent snapshot, beside any writer.</summary>
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
}

/// <summary>One row of a result; columns by position, in the order in which the query lists them.</summary>
public interface IRow
{
    Guid Uuid(int column);
    string Text(int column);
    string? TextOrNull(int column);
    long BigInt(int column);
    int Int(int column);
    long? BigIntOrNull(int column);
    bool Bool(int column);
    DateTimeOffset Time(int column);
    DateTimeOffset? TimeOrNull(int column);
    byte[] Bytes(int column);
    byte[]? BytesOrNull(int column);
    Guid? UuidOrNull(int column);
}

/// <summary>One step of a schema's history: <c>001_what.postgres.sql</c>. Forward only.</summary>
/// <param name="Number">1 and up, without gaps within a <paramref name="Module"/>.</param>
/// <param name="Module">Whose history: <c>runtime</c>, or the service's own.</param>
/// <param name="Name">The file's name without number, engine and ending.</param>
/// <param name="Sql">The statements.</param>
public sealed record Migration(string Module, int Number, string Name, string Sql);

/// <summary>The database could not be reached, or did not answer in time. Worth another try; nobody is to blame.</summary>
public sealed class DatabaseUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A constraint of the schema refused a write: a broken rule above it, or a race lost to another instance.</summary>
public sealed class ConstraintViolatedException(string constraint, string message, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>The constraint's name where the engine tells, else the engine's own text.</summary>
    public string Constraint { get; } = constraint;
}
