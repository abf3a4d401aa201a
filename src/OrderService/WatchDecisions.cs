using Microsoft.Extensions.Logging;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.OrderService;

/// <summary>
/// Looks for decisions that another instance has written, on behalf of all requests that wait here, in one
/// statement. Costs nothing while nobody waits.
/// </summary>
public sealed partial class WatchDecisions(
    OrderStore store, DecisionWaiters waiters, IDatabase database, TimeProvider time, ILogger<WatchDecisions> log)
{
    static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);

    public BackgroundLoop Loop => new("watch-decisions", RunAsync);

    async Task RunAsync(CancellationToken cancel)
    {
        while (true)
        {
            await Task.Delay(LookEvery, time, cancel);
            if (waiters.All is not { Count: > 0 } awaited) continue;
            try
            {
                waiters.Tell(await store.LoadDecidedAsync(awaited, database, cancel));
            }
            catch (DatabaseUnavailableException error)
            {
                LogDatabaseAway(error.Message);
            }
        }
    }

    [LoggerMessage(4021, LogLevel.Warning, "The database is away for requests that wait for a decision: {Why}")]
    partial void LogDatabaseAway(string why);
}
