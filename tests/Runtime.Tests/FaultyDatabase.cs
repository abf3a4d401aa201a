using Orderwright.Runtime.Database;

namespace Orderwright.Runtime.Tests;

/// <summary>Failure of a transaction.</summary>
public enum Fault
{
    None,

    /// <summary>No connection.</summary>
    Away,

    /// <summary>Everything is written, then the commit fails and rolls back.</summary>
    AtCommit,

    /// <summary>The commit succeeds, but the reply is lost.</summary>
    AnswerLost,
}

/// <summary>Database with failures of the next transactions, as specified by a test.</summary>
public sealed class FaultyDatabase(IDatabase inner, Journal journal) : IDatabase
{
    readonly Queue<Fault> faults = new();
    int durableReads;

    public string Engine => inner.Engine;

    /// <summary>Full disk: writes fail, reads succeed.</summary>
    public bool IsFull { get; set; }

    /// <summary>Number of transactions that made their reads durable.</summary>
    public int DurableReads => Volatile.Read(ref durableReads);

    /// <summary>Commits wait for the task, as for a stalled standby.</summary>
    public Task? Stalled { get; set; }

    /// <summary>Results of the next transactions, in order.</summary>
    public void FailNext(params Fault[] next)
    {
        lock (faults)
            foreach (var fault in next) faults.Enqueue(fault);
    }

    /// <summary>Ends all failures.</summary>
    public void Recover()
    {
        lock (faults) faults.Clear();
    }

    public Task MigrateAsync(IReadOnlyList<Migration> migrations, CancellationToken cancel) =>
        inner.MigrateAsync(migrations, cancel);

    public Task<DatabaseState> StateAsync(CancellationToken cancel) => inner.StateAsync(cancel);

    public async Task<T> WriteAsync<T>(Func<ITransaction, Task<T>> work, CancellationToken cancel)
    {
        Fault fault;
        lock (faults) faults.TryDequeue(out fault);
        if (fault == Fault.Away) throw new DatabaseUnavailableException("Connection refused.");
        var result = await inner.WriteAsync(
            async transaction =>
            {
                var result = await work(IsFull ? new Full(transaction) : new Watched(this, transaction));
                return fault == Fault.AtCommit
                    ? throw new DatabaseUnavailableException("The commit failed.")
                    : result;
            },
            cancel);
        if (Stalled is { } stalled) await stalled;
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

    sealed class Watched(FaultyDatabase owner, ITransaction inner) : ITransaction
    {
        public void MakeReadsDurable() => Interlocked.Increment(ref owner.durableReads);

        public Task<int> ExecuteAsync(SqlQuery query, SqlArgs args, CancellationToken cancel = default) =>
            inner.ExecuteAsync(query, args, cancel);

        public Task<HashSet<Guid>> WriteRowsAsync(
            SqlQuery query, SqlArgs args, string key, CancellationToken cancel = default) =>
            inner.WriteRowsAsync(query, args, key, cancel);

        public void Defer(SqlQuery query, SqlArgs args, int? rows = null) => inner.Defer(query, args, rows);

        public Task<List<T>> QueryAsync<T>(
            SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default) =>
            inner.QueryAsync(query, args, map, cancel);

        public IAsyncEnumerable<T> StreamAsync<T>(
            SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default) =>
            inner.StreamAsync(query, args, map, cancel);
    }

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
