namespace Orderwright.Storage.Sqlite;

/// <summary>
/// Where a file's transactions run. SQLite blocks its thread while the disk syncs; on the thread pool, four services
/// of one process would hold up every request meanwhile, as the pool starts with a thread per core and adds them slowly.
/// </summary>
/// <remarks>
/// It waits on a monitor, which sleeps at once: the semaphore of a blocking collection spins first, and with four such threads
/// on two cores a twentieth of the CPU at light load went into yielding to each other.
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

    /// <summary>Runs <paramref name="job"/> here until it waits for something; the caller goes on elsewhere.</summary>
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

    /// <summary>Returns when what was given before has run.</summary>
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

    // Null: no more will come.
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
