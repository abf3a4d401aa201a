using System.Collections.Concurrent;

namespace Orderwright.Storage.Sqlite;

/// <summary>
/// Where a file's transactions run. SQLite blocks its thread while the disk syncs; on the thread pool, four services
/// of one process would hold up every request meanwhile, as the pool starts with a thread per core and adds them slowly.
/// </summary>
sealed class WriterThread : IDisposable
{
    readonly BlockingCollection<Action> jobs = [];
    readonly Thread thread;

    public WriterThread(string name)
    {
        thread = new Thread(Run) { Name = $"sqlite {name}", IsBackground = true };
        thread.Start();
    }

    /// <summary>Runs <paramref name="job"/> here until it waits for something; the caller goes on elsewhere.</summary>
    public Task<T> RunAsync<T>(Func<Task<T>> job)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        jobs.Add(() => _ = CompleteAsync(job, done));
        return done.Task;
    }

    public void Dispose()
    {
        jobs.CompleteAdding();
        thread.Join();
        jobs.Dispose();
    }

    void Run()
    {
        foreach (var job in jobs.GetConsumingEnumerable()) job();
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
