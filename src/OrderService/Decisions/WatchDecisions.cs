using Microsoft.Extensions.Logging;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.OrderService.Decisions;

/// <summary>
/// Polls for decisions written by other instances: one statement for all waiting requests, none while no request waits.
/// </summary>
public sealed partial class WatchDecisions(
    OrderStore store, DecisionWaiters waiters, IDatabase database, TimeProvider time, ILogger<WatchDecisions> log)
{
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    public BackgroundLoop Loop => new("watch-decisions", RunAsync);

    async Task RunAsync(CancellationToken cancel)
    {
        while (true)
        {
            await Task.Delay(Interval, time, cancel);
            if (waiters.All is not { Count: > 0 } awaited) continue;
            try
            {
                waiters.Notify(await store.LoadDecidedAsync(database, awaited, cancel));
            }
            catch (DatabaseUnavailableException error)
            {
                LogUnavailable(error.Message);
            }
        }
    }

    [LoggerMessage(4021, LogLevel.Warning, "Database unavailable; requests that wait for a decision keep waiting: {Why}")]
    partial void LogUnavailable(string why);
}
