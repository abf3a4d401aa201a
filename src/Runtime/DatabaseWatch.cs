using Orderwright.Runtime.Database;

namespace Orderwright.Runtime;

/// <summary>Pings the database every two seconds, to know whether and since when there are replies.</summary>
sealed class DatabaseWatch(IDatabase database, SqlCatalog runtimeSql, TimeProvider time)
{
    static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    static readonly TimeSpan Silence = TimeSpan.FromSeconds(10);

    long answered = time.GetTimestamp();
    volatile string? trouble;

    public BackgroundLoop Loop => new("watch-database", RunAsync);

    /// <summary>Null while the database replies; a hanging database is reported after ten seconds.</summary>
    public string? Trouble =>
        trouble
        ?? (time.GetElapsedTime(Volatile.Read(ref answered)) is var silence && silence > Silence
            ? $"The database has not replied for {silence.TotalSeconds:F0} s."
            : null);

    async Task RunAsync(CancellationToken cancel)
    {
        var ping = runtimeSql["ping"];
        Volatile.Write(ref answered, time.GetTimestamp());
        while (true)
        {
            try
            {
                await database.QueryAsync(ping, SqlArgs.None, row => row.Int("reply"), cancel);
                Volatile.Write(ref answered, time.GetTimestamp());
                trouble = null;
            }
            catch (Exception error) when (!cancel.IsCancellationRequested)
            {
                trouble = $"The database is unavailable: {error.Message}";
            }
            await Task.Delay(Interval, time, cancel);
        }
    }
}
