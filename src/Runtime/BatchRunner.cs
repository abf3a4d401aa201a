using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.Runtime.Database;
using Orderwright.Runtime.Transport;

namespace Orderwright.Runtime;

/// <summary>
/// Runs a batch in one transaction, then publishes what it sends. A batch that throws is tried again, then halved
/// until the poison item stands alone; a database that is away is waited for, as nobody's fault.
/// </summary>
public sealed partial class BatchRunner(
    string service,
    IDatabase database,
    ITransport transport,
    RuntimeOptions options,
    TimeProvider time,
    IIdSource ids,
    ILogger<BatchRunner> log)
{
    static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Handles <paramref name="items"/>; returns when each is committed or was given to <paramref name="onPoison"/>.
    /// </summary>
    /// <param name="items">1 or more.</param>
    /// <param name="handle">Called again from scratch on every attempt, with all items or a part of them.</param>
    /// <param name="onPoison">The one item that cannot be handled, and why.</param>
    /// <param name="cancel">Ends waiting for a database that is away; what is committed stays.</param>
    public async Task RunAsync<T>(
        IReadOnlyList<T> items, Func<IReadOnlyList<T>, Work, Task> handle, Func<T, Exception, Task> onPoison,
        CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await RunOnceAsync(work => handle(items, work), cancel);
                return;
            }
            catch (DatabaseUnavailableException error)
            {
                LogDatabaseAway(service, error.Message);
                await PauseAsync(attempt, cancel);
            }
            catch (Exception error) when (error is not OperationCanceledException && attempt < options.BatchAttempts)
            {
                LogAgain(service, items.Count, error);
            }
            catch (Exception error) when (error is not OperationCanceledException && items.Count > 1)
            {
                LogHalved(service, items.Count, error);
                var half = items.Count / 2;
                await RunAsync([.. items.Take(half)], handle, onPoison, cancel);
                await RunAsync([.. items.Skip(half)], handle, onPoison, cancel);
                return;
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                await onPoison(items[0], error);
                return;
            }
        }
    }

    /// <summary>One transaction, no second try: for a caller that answers for its failure itself.</summary>
    public async Task<TResult> RunOnceAsync<TResult>(Func<Work, Task<TResult>> handle, CancellationToken cancel)
    {
        var (work, result) = await database.WriteAsync(
            async transaction =>
            {
                var work = new Work(service, transaction, time.Now(), ids);
                return (work, await handle(work));
            },
            cancel);
        foreach (var follow in work.Followers) follow();
        await PublishAsync(work.Outgoing);
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

    // What is committed is sent whatever happens to the caller, hence no cancellation; the transport has its own
    // time limit. A publish that fails is not an error: the asker's timer sends it again.
    async Task PublishAsync(IReadOnlyList<Message> messages)
    {
        if (messages.Count == 0) return;
        foreach (var group in messages.GroupBy(message => message.Destination))
        {
            try
            {
                foreach (var part in group.Chunk(options.MaxMessages))
                    await transport.PublishAsync(group.Key, part, CancellationToken.None);
            }
            catch (PublishFailedException error)
            {
                LogNotPublished(service, group.Count(), group.Key, error.Message);
            }
        }
    }

    Task PauseAsync(int attempt, CancellationToken cancel) =>
        Task.Delay(
            TimeSpan.FromMilliseconds(Math.Min(100 * Math.Pow(2, attempt - 1), LongestPause.TotalMilliseconds)),
            time, cancel);

    [LoggerMessage(1001, LogLevel.Warning, "{Service}: the database is away: {Why}")]
    partial void LogDatabaseAway(string service, string why);

    [LoggerMessage(1002, LogLevel.Warning, "{Service}: a batch of {Count} failed and is tried again")]
    partial void LogAgain(string service, int count, Exception error);

    [LoggerMessage(1003, LogLevel.Warning, "{Service}: a batch of {Count} failed again and is halved")]
    partial void LogHalved(string service, int count, Exception error);

    [LoggerMessage(1004, LogLevel.Warning, "{Service}: {Count} messages to {Destination} were not sent; their asker will ask again: {Why}")]
    partial void LogNotPublished(string service, int count, string destination, string why);
}
