using Microsoft.Extensions.Logging;
using Orderwright.Runtime.Transport;

namespace Orderwright.Runtime;

/// <summary>
/// Passes the inbox to another instance when the database refuses this instance's writes: the network may separate only this
/// instance from the database. Once per outage, because the others may have the same trouble.
/// </summary>
sealed partial class StepAside(
    string service, IInbox inbox, DatabaseWatch watch, RuntimeOptions options, TimeProvider time, ILogger<StepAside> log)
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public BackgroundLoop Loop => new("step-aside", RunAsync);

    async Task RunAsync(CancellationToken cancel)
    {
        long? since = null;
        for (var isDone = false; ; await Task.Delay(options.WatchInterval, time, cancel))
        {
            if (watch.Refusal is not { } refusal)
            {
                (since, isDone) = (null, false);
                continue;
            }
            since ??= time.GetTimestamp();
            if (isDone || !inbox.IsActive || time.GetElapsedTime(since.Value) < Patience) continue;
            isDone = true;
            LogSteppedAside(service, refusal);
            inbox.StepAside();
        }
    }

    [LoggerMessage(1045, LogLevel.Warning, "{Service} lets another instance receive its messages: {Why}")]
    partial void LogSteppedAside(string service, string why);
}
