using Orderwright.Runtime.Database;

namespace Orderwright.Runtime.Tests;

/// <summary>How a transaction goes wrong.</summary>
public enum Fault
{
    None,

    /// <summary>There is no connection.</summary>
    Away,

    /// <summary>Everything is written, the commit fails, nothing stays.</summary>
    AtCommit,

    /// <summary>It is committed, and the answer is lost.</summary>
    AnswerLost,
}

/// <summary>A database whose next transactions fail as a test says; then it works.</summary>
public sealed class FaultyDatabase(IDatabase inner, Journal journal) : IDatabase
{
    readonly Queue<Fault> faults = new();

    public string Engine => inner.Engine;

    /// <summary>The disk is full: what writes fails, what only looks does not.</summary>
    public bool IsFull { get; set; }

    /// <summary>How the next transactions go, one after the other.</summary>
    public void FailNext(params Fault[] next)
    {
        lock (faults)
            foreach (var fault in next) faults.Enqueue(fault);
    }

    /// <summary>From now on it works.</summary>
    public void Recover()
    {
        lock (faults) faults.Clear();
    }

    public Task MigrateAsync(IReadOnlyList<Migration> migrations, CancellationToken cancel) =>
        inner.MigrateAsync(migrations, cancel);

    public async Task<T> WriteAsync<T>(Func<ITransaction, Task<T>> work, CancellationToken cancel)
    {
        Fault fault;
        lock (faults) faults.TryDequeue(out fault);
        if (fault == Fault.Away) throw new DatabaseUnavailableException("It is away.");
        var result = await inner.WriteAsync(
            async transaction =>
            {
                var result = await work(IsFull ? new Full(transaction) : transaction);
                return fault == Fault.AtCommit
                    ? throw new DatabaseUnavailableException("The commit failed.")
                    : result;
            },
            cancel);
        journal.Note("commit");
        return fault == Fault.AnswerLost ? throw new DatabaseUnavailableException("The answer was lost.") : result;
    }

    public Task<T> ReadAsync<T>(Func<IQueries, Task<T>> read, CancellationToken cancel) => inner.ReadAsync(read, cancel);

    public Task<List<T>> QueryAsync<T>(
        SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default) =>
        inner.QueryAsync(query, args, map, cancel);

    public IAsyncEnumerable<T> StreamAsync<T>(
        SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default) =>
        inner.StreamAsync(query, args, map, cancel);

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    sealed class Full(ITransaction inner) : ITransaction
    {
        public Task<int> ExecuteAsync(SqlQuery query, SqlArgs args, CancellationToken cancel = default) =>
            throw new DatabaseUnavailableException("The disk is full.");

        public Task<HashSet<Guid>> WriteRowsAsync(
            SqlQuery query, SqlArgs args, string key, CancellationToken cancel = default) =>
            throw new DatabaseUnavailableException("The disk is full.");

        public void Defer(SqlQuery query, SqlArgs args, int? rows = null) =>
            throw new DatabaseUnavailableException("The disk is full.");

        public Task<List<T>> QueryAsync<T>(
            SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default) =>
            inner.QueryAsync(query, args, map, cancel);

        public IAsyncEnumerable<T> StreamAsync<T>(
            SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default) =>
            inner.StreamAsync(query, args, map, cancel);
    }
}
