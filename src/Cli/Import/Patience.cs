namespace Orderwright.Cli.Import;

/// <summary>
/// Sends a request until it is answered: a server that is away, too busy or in trouble is waited for, as long as
/// anything at all has moved within the limit.
/// </summary>
sealed class Patience(Api api, TimeSpan limit)
{
    static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    long movedAt = TimeProvider.System.GetTimestamp();

    /// <summary>Something has come to its end: the clock starts again for all.</summary>
    public void Moved() => Interlocked.Exchange(ref movedAt, TimeProvider.System.GetTimestamp());

    /// <summary>The server's answer, be it yes or no. The same key makes sure that it is done once.</summary>
    public async Task<ApiAnswer> AskAsync(
        HttpMethod method, string service, string path, byte[]? body, string? key, int waitSeconds, CancellationToken cancel)
    {
        for (var attempt = 0; ; attempt++)
        {
            string trouble;
            TimeSpan? pause = null;
            try
            {
                var answer = await api.SendAsync(method, service, path, body, cancel, key, waitSeconds);
                if (answer.Status is 401 or 403) answer.OrThrow();
                if (answer.Status < 500 && answer.Status != 429 && answer.Code != "idempotency_key_in_flight") return answer;
                (trouble, pause) = (answer.Detail, answer.RetryAfter);
            }
            catch (ToolException error) when (error.Exit is Exit.Unreachable or Exit.TimedOut)
            {
                trouble = error.Message;
            }
            await PauseAsync(attempt, pause, trouble, cancel);
        }
    }

    /// <summary>Waits a little, longer each time; throws once nothing has moved for too long.</summary>
    public async Task PauseAsync(int attempt, TimeSpan? least, string trouble, CancellationToken cancel)
    {
        if (TimeProvider.System.GetElapsedTime(Interlocked.Read(ref movedAt)) > limit)
            throw new ToolException(
                Exit.TimedOut,
                $"Nothing has moved for {limit.TotalMinutes:0.#} minutes: {trouble} The same command goes on from here.");
        var pause = TimeSpan.FromMilliseconds(Math.Min(50 * Math.Pow(2, Math.Min(attempt, 10)), Longest.TotalMilliseconds));
        pause *= 0.5 + Random.Shared.NextDouble() / 2;
        await Task.Delay(least is { } asked && asked > pause ? asked : pause, cancel);
    }
}
