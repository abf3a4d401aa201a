namespace Orderwright.Testing;

/// <summary>
/// Waits for conditions. Tests never measure speed: the limit is far beyond any expected duration, even on a busy machine,
/// and only ends a hanging test.
/// </summary>
static class Waiting
{
    public static readonly TimeSpan HangLimit = TimeSpan.FromMinutes(5);

    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Cancelled after <see cref="HangLimit"/>.</summary>
    public static CancellationToken NewLimit() => new CancellationTokenSource(HangLimit).Token;

    /// <summary>Polls until <paramref name="holds"/>.</summary>
    public static async Task UntilAsync(Func<Task<bool>> holds, TimeSpan? pause = null)
    {
        for (var limit = NewLimit(); !await holds();) await Task.Delay(pause ?? Pause, limit);
    }

    /// <summary>Repeats <paramref name="attempt"/> while a busy machine exceeds the time limit under test.</summary>
    public static async Task<T> RetryAsync<T, TTimedOut>(Func<Task<T>> attempt) where TTimedOut : Exception
    {
        for (var limit = NewLimit(); ;)
        {
            try
            {
                return await attempt();
            }
            catch (TTimedOut) when (!limit.IsCancellationRequested)
            {
                await Task.Delay(Pause, limit);
            }
        }
    }

    /// <inheritdoc cref="UntilAsync(Func{Task{bool}}, TimeSpan?)"/>
    public static Task UntilAsync(Func<bool> holds, TimeSpan? pause = null) => UntilAsync(() => Task.FromResult(holds()), pause);
}
