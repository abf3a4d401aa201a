using System.Diagnostics;
using Orderwright.Contracts;
using Orderwright.Runtime.Database;

namespace Orderwright.Runtime;

/// <summary>
/// One batch's unit of work: its transaction, its one moment in time, and what is to be sent once it is
/// committed. A handler loads with it, decides by pure rules, and saves with it.
/// </summary>
public sealed class Work(string service, ITransaction transaction, DateTimeOffset now, IIdSource ids)
{
    readonly List<Message> outgoing = [];
    readonly List<Action> afterCommit = [];

    /// <summary>The same for the whole batch: UTC, whole milliseconds.</summary>
    public DateTimeOffset Now => now;

    public IReadOnlyList<Message> Outgoing => outgoing;

    public IReadOnlyList<Action> Followers => afterCommit;

    public Guid NewId() => ids.Next(now);

    public Task<List<T>> QueryAsync<T>(SqlQuery query, SqlArgs args, Func<IRow, T> map) =>
        transaction.QueryAsync(query, args, map);

    public Task<int> ExecuteAsync(SqlQuery query, SqlArgs args) => transaction.ExecuteAsync(query, args);

    /// <inheritdoc cref="ITransaction.WriteRowsAsync"/>
    public Task<HashSet<Guid>> WriteRowsAsync(SqlQuery query, SqlArgs args, string key) =>
        transaction.WriteRowsAsync(query, args, key);

    /// <inheritdoc cref="ITransaction.Defer"/>
    public void Defer(SqlQuery query, SqlArgs args, int? mustTouch = null) => transaction.Defer(query, args, mustTouch);

    /// <summary>Sends after the commit, in one AMQP message with all that goes to the same service.</summary>
    public void Send(
        Guid orderId, IMessageBody body, string? step = null, int attempt = 1, DateTimeOffset? deadline = null,
        string? traceParent = null) =>
        outgoing.Add(new Message
        {
            Id = NewId(),
            Source = service,
            OrderId = orderId,
            Time = now,
            Body = body,
            Step = step,
            Attempt = attempt,
            Deadline = deadline,
            TraceParent = traceParent ?? Activity.Current?.Id,
        });

    /// <summary>Sends once more what was sent before: a new message that says the same.</summary>
    public void Forward(Message message) => outgoing.Add(message with { Id = NewId(), Time = now });

    /// <summary>Answers a command: same order, same step.</summary>
    public void Answer(Message command, IMessageBody answer) =>
        Send(command.OrderId, answer, command.Step, command.Attempt, traceParent: command.TraceParent);

    /// <summary>
    /// Runs once the commit is durable, before anything is acknowledged. It must be quick and not throw.
    /// </summary>
    public void AfterCommit(Action action) => afterCommit.Add(action);
}
