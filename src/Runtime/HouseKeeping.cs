using Orderwright.Runtime.Database;

namespace Orderwright.Runtime;

/// <summary>
/// Deletes old idempotency records and dead letters, a bounded number per run, and notes the time. Part of every service.
/// </summary>
/// <remarks>
/// Age is counted in running time: a stored moment advances with the monotonic clock while a service runs, and never jumps.
/// A process started with a clock that is days ahead therefore deletes nothing early; the time in which no instance runs
/// lengthens the retention.
/// </remarks>
sealed class HouseKeeping(SqlCatalog runtimeSql, RuntimeOptions options, TimeProvider time)
{
    public static readonly TimeSpan AnswerRetention = TimeSpan.FromHours(48);

    (DateTimeOffset Moment, long Timestamp)? aged;

    public TimedJob Job => new("purge", TimeSpan.FromMinutes(1), RunAsync) { NeedsCertainTime = true };

    /// <summary>Last moment seen by any instance over the database; null for a new database.</summary>
    public static async Task<DateTimeOffset?> LastSeenAsync(IQueries database, SqlCatalog runtimeSql, CancellationToken cancel) =>
        (await database.QueryAsync(runtimeSql["load_clock"], SqlArgs.None, row => row.TimeOrNull("seen_at"), cancel))
        .SingleOrDefault();

    async Task<int> RunAsync(Work work, int most)
    {
        // Read at every run: another instance may have counted further.
        var stored = (await work.QueryAsync(runtimeSql["load_clock"], SqlArgs.None, row => row.TimeOrNull("aged_at")))
            .SingleOrDefault() ?? work.Now;
        var timestamp = time.GetTimestamp();
        var counted = aged is { } before ? before.Moment + time.GetElapsedTime(before.Timestamp, timestamp) : stored;
        var moment = Earlier(work.Now, Later(stored, counted));
        await work.ExecuteAsync(runtimeSql["mark_clock"], SqlArgs.With("now", work.Now).And("aged_at", moment));
        work.AfterCommit(() => aged = (moment, timestamp));
        var answers = await work.ExecuteAsync(
            runtimeSql["purge_answers"], SqlArgs.With("before", moment - AnswerRetention).And("most", most));
        var letters = await work.ExecuteAsync(
            runtimeSql["purge_dead_letters"], SqlArgs.With("before", moment - options.DeadLetterKeep).And("most", most));
        return Math.Max(answers, letters);
    }

    static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;

    static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;
}
