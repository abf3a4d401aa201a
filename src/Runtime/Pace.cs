namespace Orderwright.Runtime;

/// <summary>
/// Keeps batches large under load. A loop that takes at once whatever is there makes its batches smaller and smaller, until
/// their fixed cost has the CPU full at a tenth of what it could do. So a batch is followed by the next no sooner than its
/// size says: at once where little comes, after <see cref="RuntimeOptions.BatchInterval"/> where much does.
/// </summary>
/// <remarks>Not for two threads.</remarks>
sealed class Pace(RuntimeOptions options, TimeProvider time)
{
    // So that below 500 messages a second a loop never waits, however long the interval.
    static readonly TimeSpan PerMessage = TimeSpan.FromMilliseconds(2);

    long started;
    int last;

    public async ValueTask WaitAsync(Func<int> backlog, CancellationToken cancel)
    {
        if (last == 0) return;
        var interval = last * PerMessage;
        if (interval > options.BatchInterval) interval = options.BatchInterval;
        var left = interval - time.GetElapsedTime(started);
        if (left > TimeSpan.Zero && backlog() < options.MaxMessages) await Task.Delay(left, time, cancel);
    }

    public void Took(int messages)
    {
        started = time.GetTimestamp();
        last = messages;
    }
}
