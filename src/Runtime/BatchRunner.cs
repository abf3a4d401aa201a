using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.Runtime.Database;
using Orderwright.Runtime.Transport;

namespace Orderwright.Runtime;

/// <summary>
/// Runs a batch in one transaction, then publishes what it sends. A batch that throws is tried again, then
/// halved until the poison item stands alone; a database that is away is waited for, as nobody's fault. But
/// where it takes another write right after, it is this one that takes too long.
/// </summary>
/// <remarks>
/// When the answer to a commit is lost, the batch runs again although it may have been committed. Messages
/// bear that: every participant is idempotent by (order id, step). An HTTP request does so only under an
/// Idempotency-Key, whose answer is committed with it; without one, a lost answer may carry it out twice.
/// </remarks>
public sealed partial class BatchRunner(
    string service,
    IDatabase database,
    ITransport transport,
    RuntimeOptions options,
    TimeProvider time,
    IIdSource ids,
    Metrics metrics,
    ILogger<BatchRunner> log,
    FaultPoints? faults = null,
    SqlQuery? writeProbe = null)
{
    // A batch may be what keeps the database from answering in time, by its size: a smaller one gets through.
    const int AwayBeforeHalving = 3;

    // A database that takes other writes is not away. An item whose own it did not take so often in a row is poison.
    const int UnservedBeforePoison = 5;

    // One that takes only some writes is not well either: it has to take as many in a row before an item is to blame.
    const int WritesOfAWellDatabase = 10;

    /// <summary>By which everything is done that is done in transactions.</summary>
    public WallClock Clock { get; } = new(time);

    /// <summary>
    /// Handles <paramref name="items"/>; returns when each is committed or was given to
    /// <paramref name="onPoison"/>. What it returns is the sending of what follows, which never throws: the next batch
    /// need not wait for it.
    /// </summary>
    /// <param name="items">1 or more.</param>
    /// <param name="handle">
    /// Called again from scratch on every attempt, with all items or a part of them.
    /// </param>
    /// <param name="onPoison">The one item that cannot be handled, and why.</param>
    /// <param name="cancel">
    /// Ends waiting for a database that is away, and further attempts. A transaction under way is brought to
    /// its end, within its own time limit: to cut a commit off would only hide whether it happened.
    /// </param>
    public async Task<Task> RunAsync<T>(
        IReadOnlyList<T> items, Func<IReadOnlyList<T>, Work, Task> handle, Func<T, Exception, Task> onPoison,
        CancellationToken cancel)
    {
        var (away, unserved) = (0, 0);
        for (var failures = 0; ; )
        {
            cancel.ThrowIfCancellationRequested();
            var since = time.GetTimestamp();
            try
            {
                var outgoing = await CommitAsync(work => handle(items, work));
                metrics.BatchDone(items.Count, time.GetElapsedTime(since));
                return SendAsync(outgoing);
            }
            catch (DatabaseUnavailableException error)
            {
                LogDatabaseAway(service, error.Message);
                await Task.Delay(Backoff.Pause(++away), time, cancel);
                unserved = await TakesWritesAsync() ? unserved + 1 : 0;
                if (items.Count > 1 && (away >= AwayBeforeHalving || unserved > 0))
                    return await RunInHalvesAsync(items, handle, onPoison, cancel);
                if (unserved < UnservedBeforePoison) continue;
                await onPoison(items[0], error);
                return Task.CompletedTask;
            }
            catch (Exception error)
            {
                failures++;
                if (failures < options.BatchAttempts)
                {
                    LogAgain(service, items.Count, error);
                }
                else if (items.Count > 1)
                {
                    LogHalved(service, items.Count, error.Message);
                    return await RunInHalvesAsync(items, handle, onPoison, cancel);
                }
                else
                {
                    await onPoison(items[0], error);
                    return Task.CompletedTask;
                }
            }
        }
    }

    /// <summary>
    /// One transaction, no second try: for a caller that answers for its failure itself. Once it is committed
    /// nothing here throws any more.
    /// </summary>
    public async Task<TResult> RunOnceAsync<TResult>(Func<Work, Task<TResult>> handle, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        TResult result = default!;
        var outgoing = await CommitAsync(async work => result = await handle(work));
        await SendAsync(outgoing);
        return result;
    }

    /// <inheritdoc cref="RunOnceAsync{TResult}"/>
    public Task RunOnceAsync(Func<Work, Task> handle, CancellationToken cancel) =>
        RunOnceAsync(
            async work =>
            {
                await handle(work);
                return true;
            },
            cancel);

    async Task<Task> RunInHalvesAsync<T>(
        IReadOnlyList<T> items, Func<IReadOnlyList<T>, Work, Task> handle, Func<T, Exception, Task> onPoison,
        CancellationToken cancel)
    {
        var half = items.Count / 2;
        var first = await RunAsync([.. items.Take(half)], handle, onPoison, cancel);
        return Task.WhenAll(first, await RunAsync([.. items.Skip(half)], handle, onPoison, cancel));
    }

    // Asked by writes of its own: others may commit without writing anything, which a full disk allows.
    async Task<bool> TakesWritesAsync()
    {
        if (writeProbe is null) return false;
        try
        {
            for (var i = 0; i < WritesOfAWellDatabase; i++)
                await database.WriteAsync(
                    transaction => transaction.ExecuteAsync(writeProbe, SqlArgs.With("now", time.Now())), CancellationToken.None);
            return true;
        }
        catch (DatabaseUnavailableException)
        {
            return false;
        }
    }

    async Task<IReadOnlyList<Message>> CommitAsync(Func<Work, Task> handle)
    {
        var work = await database.WriteAsync(
            async transaction =>
            {
                var work = new Work(service, transaction, Clock.Now(), ids);
                await handle(work);
                if (faults is not null && Matters(work)) faults.Reach(FaultPoint.BeforeCommit);
                return work;
            },
            CancellationToken.None);
        if (faults is not null && Matters(work)) faults.Reach(FaultPoint.AfterCommit);
        foreach (var follow in work.Followers)
        {
            // Past the commit nothing may look like a failed batch: it would be carried out a second time.
            try
            {
                follow();
            }
            catch (Exception error)
            {
                LogFollowerFailed(service, error);
            }
        }
        return work.Outgoing;
    }

    async Task SendAsync(IReadOnlyList<Message> outgoing)
    {
        await PublishAsync(outgoing);
        if (outgoing.Count > 0) faults?.Reach(FaultPoint.AfterPublish);
    }

    static bool Matters(Work work) => work.Outgoing.Count > 0 || work.Followers.Count > 0;

    Task PublishAsync(IReadOnlyList<Message> messages)
    {
        if (messages.Count == 0) return Task.CompletedTask;
        var first = messages[0].Destination;
        var sole = true;
        for (var i = 1; sole && i < messages.Count; i++) sole = messages[i].Destination == first;
        return sole
            ? PublishAsync(first, messages)
            : Task.WhenAll(messages.GroupBy(message => message.Destination)
                .Select(group => PublishAsync(group.Key, [.. group])));
    }

    // What is committed is sent whatever happens to the caller, hence no cancellation; the transport has its
    // own time limit. A publish that fails is not an error: the asker's timer sends it again.
    async Task PublishAsync(string destination, IReadOnlyList<Message> messages)
    {
        using var span = Metrics.Tracing.HasListeners()
            ? Metrics.Tracing.StartActivity($"send {destination}", ActivityKind.Producer)
            : null;
        span?.SetTag("messaging.destination.name", destination);
        span?.SetTag("messaging.batch.message_count", messages.Count);
        var sent = 0;
        try
        {
            foreach (var part in Parts(messages))
            {
                await transport.PublishAsync(destination, part, CancellationToken.None);
                sent += part.Count;
            }
        }
        catch (PublishFailedException error)
        {
            span?.SetStatus(ActivityStatusCode.Error, error.Message);
            LogNotPublished(service, messages.Count - sent, destination, error.Message);
        }
        catch (Exception error)
        {
            span?.SetStatus(ActivityStatusCode.Error, error.Message);
            LogPublishBroke(service, messages.Count - sent, destination, error);
        }
        if (sent > 0) metrics.Sent(destination, sent);
        if (sent < messages.Count) metrics.NotSent(destination, messages.Count - sent);
    }

    IEnumerable<IReadOnlyList<Message>> Parts(IReadOnlyList<Message> messages) =>
        messages.Count <= options.MaxMessages ? [messages] : messages.Chunk(options.MaxMessages);

    [LoggerMessage(1001, LogLevel.Warning, "{Service}: the database is away: {Why}")]
    partial void LogDatabaseAway(string service, string why);

    [LoggerMessage(1002, LogLevel.Warning, "{Service}: a batch of {Count} failed and is tried again")]
    partial void LogAgain(string service, int count, Exception error);

    [LoggerMessage(1003, LogLevel.Warning, "{Service}: a batch of {Count} failed again and is halved: {Why}")]
    partial void LogHalved(string service, int count, string why);

    [LoggerMessage(1004, LogLevel.Warning,
        "{Service}: {Count} messages to {Destination} were not sent; their asker will ask again: {Why}")]
    partial void LogNotPublished(string service, int count, string destination, string why);

    [LoggerMessage(1005, LogLevel.Error, "{Service}: the transport broke over {Count} messages to {Destination}")]
    partial void LogPublishBroke(string service, int count, string destination, Exception error);

    [LoggerMessage(1006, LogLevel.Error, "{Service}: what was to follow a commit failed")]
    partial void LogFollowerFailed(string service, Exception error);
}
