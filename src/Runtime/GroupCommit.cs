using System.Threading.Channels;
using Orderwright.Runtime.Database;

namespace Orderwright.Runtime;

/// <summary>
/// Lets concurrent requests share a transaction. Requests wait in a bounded queue, the loop takes all waiting requests, and each
/// gets a result after the commit. A request causing an exception fails alone.
/// </summary>
/// <param name="name">Name in logs, such as <c>place-orders</c>.</param>
/// <param name="handle">Returns a result per request, in the same order.</param>
/// <param name="runner">Runs the transaction.</param>
/// <param name="options">Limits: queue length, batch size, waiting time.</param>
/// <param name="time">Measures the waiting time.</param>
/// <param name="passage">Kind of the requests, for a database that is behind (<see cref="Fence"/>).</param>
public sealed class GroupCommit<TRequest, TResult>(
    string name,
    Func<IReadOnlyList<TRequest>, Work, Task<IReadOnlyList<TResult>>> handle,
    BatchRunner runner,
    RuntimeOptions options,
    TimeProvider time,
    Passage passage = Passage.Requests)
{
    sealed class Waiting(TRequest request)
    {
        int claimed;

        public TRequest Request => request;

        /// <summary>
        /// True for the first claim only: by the loop, to handle the request, or by the sender, to give up.
        /// </summary>
        public bool Claim() => Interlocked.Exchange(ref claimed, 1) == 0;

        public TaskCompletionSource<TResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    readonly Channel<Waiting> line = Channel.CreateBounded<Waiting>(
        new BoundedChannelOptions(options.MaxWaitingRequests) { SingleReader = false });

    public BackgroundLoop Loop => new(name, RunAsync);

    /// <summary>
    /// Throws <see cref="OverloadedException"/> when the queue is full, or without a result within
    /// <see cref="RuntimeOptions.RequestTimeout"/>. A request still in the queue is then dropped; a request whose transaction has
    /// begun may still be carried out. Throws <see cref="DatabaseUnavailableException"/> at once while the database refuses
    /// writes, and <see cref="DatabaseBehindException"/> while the database is behind.
    /// </summary>
    public async Task<TResult> SubmitAsync(TRequest request)
    {
        if (runner.Refusal is { } refusal) throw new DatabaseUnavailableException(refusal);
        runner.Fence?.Ensure(passage);
        var waiting = new Waiting(request);
        if (!line.Writer.TryWrite(waiting))
            throw new OverloadedException(line.Reader.Completion.IsCompleted
                ? $"{name} is stopping."
                : $"{options.MaxWaitingRequests} requests are already waiting for {name}.");
        // The timer completes the awaited task directly: another task in between would cost a hop on the thread pool.
        using var limit = time.CreateTimer(_ => GiveUp(waiting), null, options.RequestTimeout, Timeout.InfiniteTimeSpan);
        return await waiting.Done.Task;
    }

    void GiveUp(Waiting waiting)
    {
        var why = waiting.Claim()
            ? $"{name} did not start within {options.RequestTimeout}; nothing was done."
            : $"{name} did not finish within {options.RequestTimeout}; the request may still be carried out.";
        waiting.Done.TrySetException(runner.Refusal is { } refusal
            ? new DatabaseUnavailableException($"{why} {refusal}")
            : new OverloadedException(why));
    }

    async Task RunAsync(CancellationToken cancel)
    {
        var batch = new List<Waiting>();
        var sending = Task.CompletedTask;
        try
        {
            while (await line.Reader.WaitToReadAsync(cancel))
            {
                batch.Clear();
                while (batch.Count < options.MaxMessages && line.Reader.TryRead(out var next))
                    if (next.Claim())
                        batch.Add(next);
                if (batch.Count == 0) continue;
                var newly = await runner.RunAsync(batch, HandleAsync, FailAsync, cancel, FailAll);
                await sending;
                sending = newly;
            }
        }
        finally
        {
            line.Writer.TryComplete();
            while (line.Reader.TryRead(out var left)) batch.Add(left);
            foreach (var waiting in batch)
                waiting.Done.TrySetException(new OverloadedException($"{name} is stopping."));
            await sending;
        }
    }

    async Task HandleAsync(IReadOnlyList<Waiting> batch, Work work)
    {
        // A request that was refused during an outage is not carried out afterwards.
        if (batch.Any(waiting => waiting.Done.Task.IsCompleted))
            batch = [.. batch.Where(waiting => !waiting.Done.Task.IsCompleted)];
        if (batch.Count == 0) return;
        var results = await handle([.. batch.Select(waiting => waiting.Request)], work);
        if (results.Count != batch.Count)
            throw new InvalidOperationException($"{name} returned {results.Count} results for {batch.Count} requests.");
        // Requests do not wait for publishing, because publishing is retried until successful.
        work.AfterCommit(() =>
        {
            for (var i = 0; i < batch.Count; i++) batch[i].Done.TrySetResult(results[i]);
        });
    }

    static void FailAll(IReadOnlyList<Waiting> batch, DatabaseUnavailableException error)
    {
        foreach (var waiting in batch) waiting.Done.TrySetException(error);
    }

    static Task FailAsync(Waiting waiting, Exception error)
    {
        waiting.Done.TrySetException(error);
        return Task.CompletedTask;
    }
}

/// <summary>Thrown when a limit is reached; the caller should retry later. Over HTTP: 503 with <c>Retry-After</c>.</summary>
public sealed class OverloadedException(string message) : Exception(message);
