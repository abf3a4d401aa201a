using System.Diagnostics;
using Orderwright.Contracts;
using Orderwright.Runtime.Database;

namespace Orderwright.Runtime;

/// <summary>
/// Unit of work of a batch: transaction, time, and the messages to send after the commit. A handler loads with
/// <c>Work</c>, decides by pure rules, and saves with <c>Work</c>.
/// </summary>
public sealed class Work(string service, ITransaction transaction, DateTimeOffset now, IIdSource ids)
{
    readonly List<Message> outgoing = [];
    readonly List<Action> afterCommit = [];

    /// <summary>Time of the whole batch: UTC, whole milliseconds.</summary>
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

    /// <summary>
    /// Sends after the commit, in an AMQP message shared with all others to the same service and instance.
    /// </summary>
    public void Send(
        Guid orderId, IMessageBody body, string? step = null, int attempt = 1, DateTimeOffset? deadline = null,
        string? traceParent = null, string? to = null, string? traceState = null)
    {
        var message = new Message
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
            TraceState = traceParent is null ? Activity.Current?.TraceStateString : traceState,
            To = to,
        };
        outgoing.Add(message);
        OrderTraces.Note(message);
    }

    /// <summary>Sends an earlier message again, under a new id.</summary>
    public void Forward(Message message) => outgoing.Add(message with { Id = NewId(), Time = now, ReplyTo = null, To = null });

    /// <summary>Replies to a command: same order, same step, to the instance that sent the command.</summary>
    public void Answer(Message command, IMessageBody answer) =>
        Send(
            command.OrderId, answer, command.Step, command.Attempt, traceParent: command.TraceParent, to: command.ReplyTo,
            traceState: command.TraceState);

    /// <summary>
    /// Runs an action once the commit is durable, before anything is acknowledged. The action must be quick and must not throw.
    /// </summary>
    public void AfterCommit(Action action) => afterCommit.Add(action);
}
