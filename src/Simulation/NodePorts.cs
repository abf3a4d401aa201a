using Orderwright.Contracts;
using Orderwright.Runtime.Database;
using Orderwright.Runtime.Transport;

namespace Orderwright.Simulation;

/// <summary>What a process meets when it has died in the middle of something: nothing it does has an effect any more.</summary>
public sealed class CrashedException(string process) : Exception($"{process} is dead.");

/// <summary>
/// A process's way to its database. The data outlives the process. Others get their turn before a transaction and after
/// its commit; within, SQLite lets nobody else write.
/// </summary>
sealed class NodeDatabase(Node node, IDatabase data) : IDatabase
{
    public string Engine => data.Engine;

    // The schema stands: the databases are used again from run to run.
    public Task MigrateAsync(IReadOnlyList<Migration> migrations, CancellationToken cancel) => Task.CompletedTask;

    public async Task<T> WriteAsync<T>(Func<ITransaction, Task<T>> work, CancellationToken cancel)
    {
        await Task.Yield();
        node.EnsureAlive();
        var fault = node.World.Weather.OfCommit(node.Service);
        if (fault == CommitFault.Away) throw new DatabaseUnavailableException("It is away.");
        var result = await data.WriteAsync(
            async transaction =>
            {
                var result = await work(node.World.Plant.Wrap(node, transaction));
                node.Pass(FaultPoint.BeforeCommit);
                return fault == CommitFault.Fails ? throw new DatabaseUnavailableException("The commit failed.") : result;
            },
            CancellationToken.None);
        node.World.Trace.Mix(node.Number);
        node.Pass(FaultPoint.AfterCommit);
        if (fault == CommitFault.AnswerLost) throw new DatabaseUnavailableException("The commit's answer was lost.");
        await Task.Yield();
        node.EnsureAlive();
        return result;
    }

    // As a transaction that writes nothing, see Arena.ReadAsync.
    public Task<T> ReadAsync<T>(Func<IQueries, Task<T>> read, CancellationToken cancel)
    {
        node.EnsureAlive();
        return data.WriteAsync(read, cancel);
    }

    public Task<List<T>> QueryAsync<T>(SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default)
    {
        node.EnsureAlive();
        // Whoever only asks whether the database is there would ask every two seconds of every simulated hour.
        return query.Name == "ping" ? NeverAsync<T>(cancel) : ReadAsync(read => read.QueryAsync(query, args, map), cancel);
    }

    public IAsyncEnumerable<T> StreamAsync<T>(
        SqlQuery query, SqlArgs args, Func<IRow, T> map, CancellationToken cancel = default) =>
        throw new NotSupportedException("No service streams out of a transaction.");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    static Task<List<T>> NeverAsync<T>(CancellationToken cancel)
    {
        var never = new TaskCompletionSource<List<T>>(TaskCreationOptions.RunContinuationsAsynchronously);
        cancel.Register(() => never.TrySetCanceled(cancel));
        return never.Task;
    }
}

/// <summary>A process's way to the broker.</summary>
sealed class NodeTransport(Node node, Network network) : ITransport
{
    public string? Trouble => null;

    public Task<IInbox> OpenInboxAsync(string service, CancellationToken cancel) =>
        Task.FromResult(node.World.Plant.Wrap(node, network.Open(node)));

    public async Task PublishAsync(string service, IReadOnlyList<Message> messages, CancellationToken cancel)
    {
        node.Pass(FaultPoint.BeforePublish);
        var fails = node.World.Weather.PublishFails(node.Service, out var went);
        if (!fails || went)
        {
            foreach (var message in messages)
                node.World.Trace.Tell(message.OrderId, $"{node} → {service}: {Network.Name(message)}");
            network.Send(node.Service, service, messages);
        }
        else
            foreach (var message in messages)
                node.World.Trace.Tell(message.OrderId, $"{node} ⇢ {service}: {Network.Name(message)} is not taken");
        await Task.Yield();
        node.EnsureAlive();
        if (fails) throw new PublishFailedException("The broker did not confirm it.");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>A process's source of ids.</summary>
sealed class NodeIds(Chance chance) : Runtime.IIdSource
{
    public Guid Next(DateTimeOffset now) => chance.Uuid(now);
}
