using Orderwright.Contracts;
using Orderwright.Runtime.Database;
using Orderwright.Runtime.Transport;

namespace Orderwright.Simulation;

/// <summary>Thrown by every port of a dead process: no action has an effect any more.</summary>
public sealed class CrashedException(string process) : Exception($"{process} is dead.");

/// <summary>
/// Connects a process to its database, which outlives the process. Other processes may run before a transaction and after
/// its commit; within a transaction SQLite excludes other writers.
/// </summary>
sealed class NodeDatabase(Node node, IDatabase data) : IDatabase
{
    public const string CommitCut = "The commit's wait for the standby was cut.";

    public string Engine => data.Engine;

    // Databases are reused from run to run, so the schema exists already.
    public Task MigrateAsync(IReadOnlyList<Migration> migrations, CancellationToken cancel) => Task.CompletedTask;

    public async Task<DatabaseState> StateAsync(CancellationToken cancel)
    {
        await Task.Yield();
        node.EnsureAlive();
        return new DatabaseState(node.World.Plan.DatabaseHasClock ? node.World.Pump.Now : null);
    }

    public async Task<T> WriteAsync<T>(Func<ITransaction, Task<T>> work, CancellationToken cancel)
    {
        await Task.Yield();
        node.EnsureAlive();
        var fault = node.World.Faults.NextCommit(node.Service);
        if (fault == CommitFault.Unavailable) throw new DatabaseUnavailableException("The database is unavailable.");
        var mustLast = false;
        var result = await data.WriteAsync(
            async transaction =>
            {
                var own = new NodeTransaction(node, transaction);
                var result = await work(node.World.Bug.Wrap(node, own));
                mustLast = own.MustLast;
                node.Reach(FaultPoint.BeforeCommit);
                return fault == CommitFault.Fails ? throw new DatabaseUnavailableException("The commit failed.") : result;
            },
            CancellationToken.None);
        node.World.Trace.Mix(node.Number);
        node.Reach(FaultPoint.AfterCommit);
        if (fault == CommitFault.ReplyLost) throw new DatabaseUnavailableException("The commit's reply was lost.");
        if (mustLast && node.World.Faults.CutCommit(node.Service) is { } wait)
        {
            await Task.Delay(wait, node.Time, CancellationToken.None);
            node.EnsureAlive();
            throw new DatabaseUnavailableException(CommitCut);
        }
        await Task.Yield();
        node.EnsureAlive();
        return result;
    }

    public Task<T> ReadAsync<T>(Func<IQueries, Task<T>> read, CancellationToken cancel)
    {
        node.EnsureAlive();
        return data.ReadAsync(read, CancellationToken.None);
    }

    public Task<List<T>> QueryAsync<T>(SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default)
    {
        node.EnsureAlive();
        return data.QueryAsync(query, args, map, CancellationToken.None);
    }

    public IAsyncEnumerable<T> StreamAsync<T>(
        SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default) =>
        throw new NotSupportedException("No service streams out of a transaction.");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>
/// A transaction that fails at its first write on a full disk, and knows whether its commit waits for a standby.
/// </summary>
sealed class NodeTransaction(Node node, ITransaction inner) : ITransaction
{
    /// <summary>True after a write, or when reads must be durable as well.</summary>
    public bool MustLast { get; private set; }

    public void MakeReadsDurable()
    {
        MustLast = true;
        inner.MakeReadsDurable();
    }

    public Task<int> ExecuteAsync(SqlQuery query, SqlArgs args, CancellationToken cancel = default)
    {
        Write();
        return inner.ExecuteAsync(query, args, cancel);
    }

    public Task<HashSet<Guid>> WriteRowsAsync(SqlQuery query, SqlArgs args, string key, CancellationToken cancel = default)
    {
        Write();
        return inner.WriteRowsAsync(query, args, key, cancel);
    }

    public void Defer(SqlQuery query, SqlArgs args, int? mustTouch = null)
    {
        Write();
        inner.Defer(query, args, mustTouch);
    }

    public Task<List<T>> QueryAsync<T>(
        SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default) =>
        inner.QueryAsync(query, args, map, cancel);

    public IAsyncEnumerable<T> StreamAsync<T>(
        SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default) =>
        inner.StreamAsync(query, args, map, cancel);

    void Write()
    {
        if (node.World.Faults.IsDiskFull(node.Service)) throw new DatabaseUnavailableException("The disk is full.");
        MustLast = true;
    }
}

/// <summary>Connects a process to the broker.</summary>
sealed class NodeTransport(Node node, Network network) : ITransport
{
    public string? Trouble => null;

    public Task<IInbox> OpenInboxAsync(string service, CancellationToken cancel) =>
        Task.FromResult(node.World.Bug.Wrap(node, network.Open(node)));

    public async Task PublishAsync(string service, IReadOnlyList<Message> messages, CancellationToken cancel)
    {
        node.Reach(FaultPoint.BeforePublish);
        var fails = node.World.Faults.PublishFails(node.Service, out var sent);
        if (!fails || sent)
        {
            foreach (var message in messages)
                node.World.Trace.Record(message.OrderId, $"{node} → {service}: {Network.Name(message)}");
            network.Send(node, service, messages);
        }
        else
            foreach (var message in messages)
                node.World.Trace.Record(message.OrderId, $"{node} ⇢ {service}: {Network.Name(message)} is not accepted");
        await Task.Yield();
        node.EnsureAlive();
        if (fails) throw new PublishFailedException("The broker did not confirm it.");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>The id source of a process.</summary>
sealed class NodeIds(Chance chance) : Runtime.IIdSource
{
    public Guid Next(DateTimeOffset now) => chance.Uuid(now);
}
