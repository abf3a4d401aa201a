using Microsoft.Extensions.Logging;
using Orderwright.Runtime.Database;

namespace Orderwright.Runtime;

/// <summary>
/// Runs each timed job in a loop and transactions of its own: at startup, then at every interval. After a full load a job runs
/// again at once; a failing job backs off with growing pauses and never stops. A job without an interval of its own looks more
/// rarely while nothing is due, because looking is most of the cost of an idle service.
/// </summary>
sealed partial class TimedJobs(
    string service, BatchRunner runner, RuntimeOptions options, TimeProvider time, ILogger<TimedJobs> log)
{
    // Full loads in a row before a job pauses for the interval, because the inbox needs the database too.
    const int MostRounds = 16;

    // Added to the lateness of a timer that becomes due in idle time. The shortest timers take seconds.
    static readonly TimeSpan LongestIdlePause = TimeSpan.FromSeconds(1);

    public BackgroundLoop LoopOf(TimedJob job) => new(job.Name, cancel => RunAsync(job, cancel));

    async Task RunAsync(TimedJob job, CancellationToken cancel)
    {
        var shortest = job.Interval ?? options.TimerInterval;
        var longest = job.Interval is null && shortest < LongestIdlePause ? LongestIdlePause : shortest;
        var interval = shortest;
        var isPaused = false;
        for (var failures = 0; ; )
        {
            try
            {
                if (runner.Fence is { HoldsWork: true })
                {
                    // Repairs first: the rows that are due belong to an earlier moment.
                }
                else if (job.NeedsCertainTime && runner.Clock.Doubt is { } doubt)
                {
                    if (!isPaused) LogPaused(service, job.Name, doubt);
                    isPaused = true;
                }
                else
                {
                    isPaused = false;
                    var taken = options.MaxMessages;
                    for (var round = 0; round < MostRounds && taken >= options.MaxMessages; round++)
                        taken = await runner.RunOnceAsync(work => job.RunAsync(work, options.MaxMessages), cancel);
                    interval = taken > 0 ? shortest : interval * 2 < longest ? interval * 2 : longest;
                    failures = 0;
                }
            }
            catch (Exception) when (cancel.IsCancellationRequested)
            {
                throw new OperationCanceledException(cancel);
            }
            catch (DatabaseUnavailableException error)
            {
                failures++;
                LogDatabaseUnavailable(service, job.Name, error.Message);
            }
            catch (Exception error)
            {
                failures++;
                LogFailed(service, job.Name, failures, error);
            }
            var pause = failures == 0 ? TimeSpan.Zero : Backoff.Pause(failures);
            await Task.Delay(pause > interval ? pause : interval, time, cancel);
        }
    }

    [LoggerMessage(1031, LogLevel.Warning, "{Service}: the database is unavailable for the job {Job}: {Why}")]
    partial void LogDatabaseUnavailable(string service, string job, string why);

    [LoggerMessage(1032, LogLevel.Error, "{Service}: the job {Job} failed, {Failures} times in a row")]
    partial void LogFailed(string service, string job, int failures, Exception error);

    [LoggerMessage(1033, LogLevel.Warning, "{Service}: the job {Job} pauses, because the time is uncertain: {Why}")]
    partial void LogPaused(string service, string job, string why);
}
