using System.Threading.Channels;

namespace Orderwright.Runtime;

/// <summary>
/// Lets concurrent requests share a transaction: each waits in a bounded line, the loop takes all that wait,
/// and each is answered after the commit. A request that makes its batch throw fails alone.
/// </summary>
/// <param name="name">For logs: <c>place-orders</c>.</param>
/// <param name="handle">Returns one result per request, in the same order.</param>
/// <param name="runner">Runs the transaction.</param>
/// <param name="options">Limits: line, batch, wait.</param>
/// <param name="time">Measures the wait.</param>
public sealed class GroupCommit<TRequest, TResult>(
    string name,
    Func<IReadOnlyList<TRequest>, Work, Task<IReadOnlyList<TResult>>> handle,
    BatchRunner runner,
    RuntimeOptions options,
    TimeProvider time)
{
    sealed class Waiting(TRequest request)
    {
        int claimed;

        public TRequest Request => request;

        /// <summary>
        /// True for the first who asks: the loop, to carry it out, or its sender, to give it up.
        /// </summary>
        public bool Claim() => Interlocked.Exchange(ref claimed, 1) == 0;

        public TaskCompletionSource<TResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    readonly Channel<Waiting> line = Channel.CreateBounded<Waiting>(
        new BoundedChannelOptions(options.MaxWaitingRequests) { SingleReader = false });

    public BackgroundLoop Loop => new(name, RunAsync);

    /// <summary>
    /// Throws <see cref="OverloadedException"/> when the line is full, or when there is no answer within
    /// <see cref="RuntimeOptions.RequestTimeout"/>: a request that still stood in line is then given up, one whose
    /// transaction had begun may still be carried out.
    /// </summary>
    public async Task<TResult> SubmitAsync(TRequest request)
    {
        var waiting = new Waiting(request);
        if (!line.Writer.TryWrite(waiting))
            throw new OverloadedException(line.Reader.Completion.IsCompleted
                ? $"{name} is stopping."
                : $"{options.MaxWaitingRequests} requests already wait for {name}.");
        // The limit ends the very task that is awaited: no other one stands between, which would hop on the thread pool.
        using var limit = time.CreateTimer(_ => GiveUp(waiting), null, options.RequestTimeout, Timeout.InfiniteTimeSpan);
        return await waiting.Done.Task;
    }

    void GiveUp(Waiting waiting) =>
        waiting.Done.TrySetException(new OverloadedException(waiting.Claim()
            ? $"{name} had no turn within {options.RequestTimeout}; nothing was done."
            : $"{name} did not answer within {options.RequestTimeout}; it may still be carried out."));

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
                var newly = await runner.RunAsync(batch, HandleAsync, FailAsync, cancel);
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
        var results = await handle([.. batch.Select(waiting => waiting.Request)], work);
        if (results.Count != batch.Count)
            throw new InvalidOperationException($"{name} gave {results.Count} results for {batch.Count} requests.");
        // Not kept waiting for what is to be published: that is sent again until it arrives.
        work.AfterCommit(() =>
        {
            for (var i = 0; i < batch.Count; i++) batch[i].Done.TrySetResult(results[i]);
        });
    }

    static Task FailAsync(Waiting waiting, Exception error)
    {
        waiting.Done.TrySetException(error);
        return Task.CompletedTask;
    }
}

/// <summary>
/// A limit was reached; the caller should come back later. Over HTTP: 503 with <c>Retry-After</c>.
/// </summary>
public sealed class OverloadedException(string message) : Exception(message);
