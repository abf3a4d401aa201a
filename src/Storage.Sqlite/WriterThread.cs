namespace Orderwright.Storage.Sqlite;

/// <summary>
/// Thread for a file's transactions. SQLite blocks its thread while the disk syncs. On the thread pool, four services in a
/// process would delay every request meanwhile, because the pool starts with a thread per core and adds more slowly.
/// </summary>
/// <remarks>
/// The thread waits on a monitor, which sleeps at once. The semaphore of a blocking collection spins first: with four such
/// threads on two cores, a twentieth of the CPU at light load was spent yielding.
/// </remarks>
sealed class WriterThread : IDisposable
{
    readonly Queue<Action> jobs = new();
    readonly Thread thread;
    bool ended;

    public WriterThread(string name)
    {
        thread = new Thread(Run) { Name = $"sqlite {name}", IsBackground = true };
        thread.Start();
    }

    /// <summary>Runs <paramref name="job"/> on this thread until its first wait; the caller continues elsewhere.</summary>
    public Task<T> RunAsync<T>(Func<Task<T>> job)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (jobs)
        {
            ObjectDisposedException.ThrowIf(ended, this);
            jobs.Enqueue(() => _ = CompleteAsync(job, done));
            Monitor.Pulse(jobs);
        }
        return done.Task;
    }

    /// <summary>Returns after all earlier jobs have run.</summary>
    public void Dispose()
    {
        lock (jobs)
        {
            ended = true;
            Monitor.Pulse(jobs);
        }
        thread.Join();
    }

    void Run()
    {
        while (Next() is { } job) job();
    }

    // Null: no more jobs.
    Action? Next()
    {
        lock (jobs)
        {
            while (jobs.Count == 0)
            {
                if (ended) return null;
                Monitor.Wait(jobs);
            }
            return jobs.Dequeue();
        }
    }

    static async Task CompleteAsync<T>(Func<Task<T>> job, TaskCompletionSource<T> done)
    {
        try
        {
            done.SetResult(await job());
        }
        catch (Exception error)
        {
            done.SetException(error);
        }
    }
}
