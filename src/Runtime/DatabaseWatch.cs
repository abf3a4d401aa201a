using System.Collections.Concurrent;
using Orderwright.Runtime.Database;

namespace Orderwright.Runtime;

/// <summary>
/// Checks at every interval whether the database replies, keeps its commits and has the right time, and knows whether writes
/// succeed. After a failed or stalled write, writes are refused at once until writes of a probe succeed.
/// </summary>
public sealed class DatabaseWatch(
    IDatabase database, SqlCatalog runtimeSql, WallClock clock, RuntimeOptions options, TimeProvider time, Fence? fence = null)
{
    static readonly TimeSpan Silence = TimeSpan.FromSeconds(10);

    // Longer than any transaction of ours needs on a busy machine; a stalled standby or a blocked disk takes longer.
    static readonly TimeSpan Stall = TimeSpan.FromSeconds(5);

    // A database accepting only some writes is unhealthy.
    const int WritesOfHealthyDatabase = 10;

    readonly SqlQuery writeProbe = runtimeSql["write_probe"];
    readonly ConcurrentDictionary<long, long> running = new();
    readonly Lock gate = new();
    long answered = time.GetTimestamp();
    long started;
    long probingSince;
    Task<bool>? probing;
    volatile string? silent;
    volatile string? unfit;
    volatile string? refused;
    volatile bool isSuspect;

    public BackgroundLoop Loop => new("watch-database", RunAsync);

    /// <summary>Clock compared with the database's.</summary>
    public WallClock Clock => clock;

    /// <summary>Null while the database can be used; a hanging database is reported after ten seconds.</summary>
    public string? Trouble =>
        silent
        ?? Refusal
        ?? (time.GetElapsedTime(Volatile.Read(ref answered)) is var silence && silence > Silence
            ? $"The database has not replied for {silence.TotalSeconds:F0} s."
            : null)
        ?? clock.Deviation;

    /// <summary>Reason to refuse writes at once; null while writes succeed.</summary>
    public string? Refusal
    {
        get
        {
            if (unfit is { } why) return why;
            if (refused is { } failure) return $"The database does not accept writes: {failure}";
            return Volatile.Read(ref probing) is { IsCompleted: false }
                && time.GetElapsedTime(Volatile.Read(ref probingSince)) is var waited && waited > Stall
                    ? $"The database has not completed a write for {waited.TotalSeconds:F0} s."
                    : null;
        }
    }

    /// <summary>Notes a failed write; the next check tests whether other writes succeed.</summary>
    public void Suspect() => isSuspect = true;

    /// <summary>Waits until writes are accepted.</summary>
    public async Task OpenAsync(CancellationToken cancel)
    {
        while (Refusal is not null) await Task.Delay(Backoff.Pause(2), time, cancel);
    }

    /// <summary>Runs a transaction, timed; throws at once while writes are refused.</summary>
    public async Task<T> WriteAsync<T>(Func<ITransaction, Task<T>> work)
    {
        if (Refusal is { } why) throw new DatabaseUnavailableException(why);
        var number = Interlocked.Increment(ref started);
        running[number] = time.GetTimestamp();
        try
        {
            return await database.WriteAsync(work, CancellationToken.None);
        }
        finally
        {
            running.TryRemove(number, out _);
        }
    }

    /// <summary>
    /// Tests with real writes: a commit without writes succeeds even on a full disk. Concurrent callers share a test. Never
    /// throws.
    /// </summary>
    public Task<bool> AcceptsWritesAsync()
    {
        lock (gate)
        {
            if (probing is { IsCompleted: false }) return probing;
            Volatile.Write(ref probingSince, time.GetTimestamp());
            return probing = ProbeAsync();
        }
    }

    /// <summary>Reads the database's state and compares the clocks; throws if the database does not reply.</summary>
    public async Task CheckAsync(CancellationToken cancel)
    {
        var (before, since) = (time.GetUtcNow(), time.GetTimestamp());
        var state = await database.StateAsync(cancel);
        var now = time.GetTimestamp();
        if (state.Now is { } its) clock.Compare(its, before, time.GetElapsedTime(since, now));
        unfit = state.Unfit;
        if (fence is not null) await fence.ReadAsync(cancel);
        silent = null;
        Volatile.Write(ref answered, now);
    }

    async Task RunAsync(CancellationToken cancel)
    {
        Volatile.Write(ref answered, time.GetTimestamp());
        var checking = Task.CompletedTask;
        while (true)
        {
            // A check that hangs must not keep the probe from running.
            if (checking.IsCompleted) checking = TryCheckAsync(cancel);
            if (isSuspect || refused is not null || IsStalled()) _ = AcceptsWritesAsync();
            await Task.Delay(options.WatchInterval, time, cancel);
        }
    }

    async Task TryCheckAsync(CancellationToken cancel)
    {
        try
        {
            await CheckAsync(cancel);
        }
        catch (Exception error) when (!cancel.IsCancellationRequested)
        {
            silent = $"The database is unavailable: {error.Message}";
        }
        catch (OperationCanceledException)
        {
            // The service is stopping.
        }
    }

    bool IsStalled()
    {
        foreach (var (_, since) in running)
            if (time.GetElapsedTime(since) > Stall) return true;
        return false;
    }

    async Task<bool> ProbeAsync()
    {
        // Cleared first: a write that fails meanwhile makes the next test necessary.
        isSuspect = false;
        try
        {
            for (var i = 0; i < WritesOfHealthyDatabase; i++)
                await database.WriteAsync(
                    transaction => transaction.ExecuteAsync(writeProbe, SqlArgs.With("now", clock.Now())),
                    CancellationToken.None);
            refused = null;
            return true;
        }
        catch (Exception error)
        {
            refused = error.Message;
            return false;
        }
    }
}
