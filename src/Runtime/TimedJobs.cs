using Microsoft.Extensions.Logging;
using Orderwright.Runtime.Database;

namespace Orderwright.Runtime;

/// <summary>
/// Runs each timed job in a loop and transactions of its own: at startup, then at every interval. After a full load a job runs
/// again at once; a failing job backs off with growing pauses and never stops.
/// </summary>
sealed partial class TimedJobs(
    string service, BatchRunner runner, RuntimeOptions options, TimeProvider time, ILogger<TimedJobs> log)
{
    // Full loads in a row before a job pauses for the interval, because the inbox needs the database too.
    const int MostRounds = 16;

    public static readonly TimeSpan Retention = TimeSpan.FromHours(48);

    /// <summary>Purges idempotency records older than 48 h; part of every service.</summary>
    public static TimedJob PurgeIdempotency(SqlCatalog runtimeSql) =>
        new("purge-answers", TimeSpan.FromHours(1), (work, most) => work.ExecuteAsync(
            runtimeSql["purge_answers"], SqlArgs.With("before", work.Now - Retention).And("most", most)));

    public BackgroundLoop LoopOf(TimedJob job) => new(job.Name, cancel => RunAsync(job, cancel));

    async Task RunAsync(TimedJob job, CancellationToken cancel)
    {
        var interval = job.Interval ?? options.TimerInterval;
        for (var failures = 0; ; )
        {
            try
            {
                for (var round = 0; round < MostRounds; round++)
                    if (await runner.RunOnceAsync(work => job.RunAsync(work, options.MaxMessages), cancel)
                        < options.MaxMessages)
                        break;
                failures = 0;
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
}
