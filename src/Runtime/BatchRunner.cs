using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.Runtime.Database;
using Orderwright.Runtime.Transport;

namespace Orderwright.Runtime;

/// <summary>
/// Runs a batch in a transaction, then publishes the outgoing messages. A failing batch is retried, then halved until
/// the poison item is alone. An unavailable database is waited for, unless other writes succeed: then the batch is
/// the cause.
/// </summary>
/// <remarks>
/// If the reply to a commit is lost, the batch runs again although perhaps committed. Messages tolerate repetition, because every
/// participant is idempotent by (order id, step). An HTTP request does only with an Idempotency-Key, because the response
/// is committed along; without a key the request may be carried out twice.
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
    DatabaseWatch? watch = null,
    Fence? fence = null)
{
    long commits;

    // A large batch may keep the database from replying in time; a smaller batch gets through.
    const int OutagesBeforeHalving = 3;

    // Failures in a row, while other writes succeed, after which an item is poison.
    const int RefusalsBeforePoison = 5;

    readonly PatientMessages patient = new(time);

    /// <summary>Clock of all transactions run here.</summary>
    public WallClock Clock { get; } = watch?.Clock ?? new(time);

    /// <summary>Fence of the service's database; null in tests of the runner alone.</summary>
    public Fence? Fence => fence;

    /// <summary>Transactions with effects outside the database so far, by which a change of the database is noticed.</summary>
    public long Commits => Interlocked.Read(ref commits);

    /// <summary>Reason why the database refuses writes at present; null while writes succeed.</summary>
    public string? Refusal => watch?.Refusal;

    /// <summary>
    /// Handles <paramref name="items"/>; returns when each is committed or was passed to <paramref name="onPoison"/>. The
    /// returned task is the publishing of the outgoing messages. Publishing never throws, and the next batch need not wait.
    /// </summary>
    /// <param name="items">1 or more.</param>
    /// <param name="handle">Called again from scratch on every attempt, with all or some of the items.</param>
    /// <param name="onPoison">Receives a poison item, and the reason.</param>
    /// <param name="cancel">
    /// Stops waiting for an unavailable database, and further attempts. A running transaction is completed within the
    /// time limit: cancelling a commit would only hide the outcome.
    /// </param>
    /// <param name="onOutage">Called with the items and the reason when the database turns out to refuse all writes.</param>
    public async Task<Task> RunAsync<T>(
        IReadOnlyList<T> items, Func<IReadOnlyList<T>, Work, Task> handle, Func<T, Exception, Task> onPoison,
        CancellationToken cancel, Action<IReadOnlyList<T>, DatabaseUnavailableException>? onOutage = null)
    {
        var (outages, refusals) = (0, 0);
        for (var failures = 0; ; )
        {
            if (watch?.Refusal is not null) await watch.OpenAsync(cancel);
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
                LogDatabaseUnavailable(service, error.Message);
                await Task.Delay(Backoff.Pause(++outages), time, cancel);
                refusals = watch is not null && await watch.AcceptsWritesAsync() ? refusals + 1 : 0;
                if (refusals == 0 && watch is not null) onOutage?.Invoke(items, error);
                if (items.Count > 1 && (outages >= OutagesBeforeHalving || refusals > 0))
                    return await RunInHalvesAsync(items, handle, onPoison, onOutage, cancel);
                if (refusals < RefusalsBeforePoison) continue;
                await onPoison(items[0], error);
                return Task.CompletedTask;
            }
            catch (Exception error)
            {
                failures++;
                if (failures < options.BatchAttempts)
                {
                    LogRetry(service, items.Count, error);
                }
                else if (items.Count > 1)
                {
                    LogHalved(service, items.Count, error.Message);
                    return await RunInHalvesAsync(items, handle, onPoison, onOutage, cancel);
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
    /// Runs a single transaction without retry; the caller handles failures. Nothing throws after the commit.
    /// </summary>
    public async Task<TResult> RunOnceAsync<TResult>(Func<Work, Task<TResult>> handle, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        TResult result = default!;
        IReadOnlyList<Message> outgoing;
        try
        {
            outgoing = await CommitAsync(async work => result = await handle(work));
        }
        catch (DatabaseUnavailableException)
        {
            watch?.Suspect();
            throw;
        }
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

    /// <summary>Sends the messages that may wait at once, before the process ends.</summary>
    public Task FlushAsync() => patient.FlushAsync(PublishAsync);

    async Task<Task> RunInHalvesAsync<T>(
        IReadOnlyList<T> items, Func<IReadOnlyList<T>, Work, Task> handle, Func<T, Exception, Task> onPoison,
        Action<IReadOnlyList<T>, DatabaseUnavailableException>? onOutage, CancellationToken cancel)
    {
        var half = items.Count / 2;
        var first = await RunAsync([.. items.Take(half)], handle, onPoison, cancel, onOutage);
        return Task.WhenAll(first, await RunAsync([.. items.Skip(half)], handle, onPoison, cancel, onOutage));
    }

    async Task<IReadOnlyList<Message>> CommitAsync(Func<Work, Task> handle)
    {
        async Task<Work> HandleAsync(ITransaction transaction)
        {
            var work = new Work(service, transaction, Clock.Now(), ids);
            await handle(work);
            if (!HasEffects(work)) return work;
            // A reply may repeat rows of an earlier transaction with unknown outcome.
            transaction.MakeReadsDurable();
            faults?.Reach(FaultPoint.BeforeCommit);
            return work;
        }

        var work = await (watch?.WriteAsync(HandleAsync) ?? database.WriteAsync(HandleAsync, CancellationToken.None));
        if (HasEffects(work)) Interlocked.Increment(ref commits);
        if (faults is not null && HasEffects(work)) faults.Reach(FaultPoint.AfterCommit);
        foreach (var follow in work.Followers)
        {
            // After the commit nothing may look like a failed batch, or the batch would be carried out twice.
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
        await PublishAsync(patient.Keep(outgoing, PublishAsync));
        if (outgoing.Count > 0) faults?.Reach(FaultPoint.AfterPublish);
    }

    static bool HasEffects(Work work) => work.Outgoing.Count > 0 || work.Followers.Count > 0;

    Task PublishAsync(IReadOnlyList<Message> messages)
    {
        if (messages.Count == 0) return Task.CompletedTask;
        var first = messages[0];
        var sole = true;
        for (var i = 1; sole && i < messages.Count; i++)
            sole = messages[i].Destination == first.Destination && messages[i].To == first.To;
        return sole
            ? PublishAsync(first.Destination, messages)
            : Task.WhenAll(messages.GroupBy(message => (message.Destination, message.To))
                .Select(group => PublishAsync(group.Key.Destination, [.. group])));
    }

    // Committed messages are sent whatever happens to the caller, hence no cancellation; the transport has a time
    // limit. A failed publish is not an error: the sender's timer retries.
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

    [LoggerMessage(1001, LogLevel.Warning, "{Service}: the database is unavailable: {Why}")]
    partial void LogDatabaseUnavailable(string service, string why);

    [LoggerMessage(1002, LogLevel.Warning, "{Service}: a batch of {Count} failed and is retried")]
    partial void LogRetry(string service, int count, Exception error);

    [LoggerMessage(1003, LogLevel.Warning, "{Service}: a batch of {Count} failed again and is halved: {Why}")]
    partial void LogHalved(string service, int count, string why);

    [LoggerMessage(1004, LogLevel.Warning,
        "{Service}: {Count} messages to {Destination} were not sent and will be retried by their sender: {Why}")]
    partial void LogNotPublished(string service, int count, string destination, string why);

    [LoggerMessage(1005, LogLevel.Error, "{Service}: the transport failed on {Count} messages to {Destination}")]
    partial void LogPublishBroke(string service, int count, string destination, Exception error);

    [LoggerMessage(1006, LogLevel.Error, "{Service}: an after-commit action failed")]
    partial void LogFollowerFailed(string service, Exception error);
}
