using System.Text.Json;
using System.Text.Json.Nodes;
using Orderwright.Client;

namespace Orderwright.Cli.Import;

/// <summary>
/// Retries a request until the server replies. Unavailable, overloaded and failing servers are retried for as long as any
/// operation completes within the limit.
/// </summary>
sealed class Patience(ApiClient client, TimeSpan limit)
{
    static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    long completedAt = TimeProvider.System.GetTimestamp();

    /// <summary>Records that an operation completed, which restarts the limit for all.</summary>
    public void Completed() => Interlocked.Exchange(ref completedAt, TimeProvider.System.GetTimestamp());

    /// <summary>Sends a request until the server accepts or refuses. The key prevents a second execution.</summary>
    public async Task<ApiReply> SendAsync(
        HttpMethod method, string service, string path, CancellationToken cancel, JsonObject? body = null, string? key = null,
        int waitSeconds = 0)
    {
        for (var attempt = 0; ; attempt++)
        {
            var reply = await client.SendAsync(method, service, path, cancel, body, key, waitSeconds);
            // A discount that the key may not give concerns one order; any other denial concerns all requests.
            if (reply.Failure == ApiFailure.Unreadable || reply.Status == 401
                || reply is { Status: 403, Code: not "discount_not_allowed" })
                reply.OrThrow();
            if (reply.Status is > 0 and < 500 and not 429 && reply.Code != "idempotency_key_in_flight") return reply;
            await PauseAsync(attempt, reply.RetryAfter, reply.Error!, cancel);
        }
    }

    public Task<ApiReply> GetAsync(string service, string path, CancellationToken cancel) =>
        SendAsync(HttpMethod.Get, service, path, cancel);

    /// <summary>Items of a list, page after page.</summary>
    public IAsyncEnumerable<JsonElement> ListAsync(string service, string path, CancellationToken cancel) =>
        ApiClient.ListAsync(path, page => GetAsync(service, page, cancel), cancel);

    /// <summary>Waits, longer with each attempt.</summary>
    /// <exception cref="ToolException">No operation has completed within the limit.</exception>
    public async Task PauseAsync(int attempt, TimeSpan? least, string cause, CancellationToken cancel)
    {
        if (TimeProvider.System.GetElapsedTime(Interlocked.Read(ref completedAt)) > limit)
            throw new ToolException(
                Exit.TimedOut,
                $"No progress for {limit.TotalMinutes:0.#} minutes: {cause} To resume the import, run the same command again.");
        var pause = TimeSpan.FromMilliseconds(Math.Min(50 * Math.Pow(2, Math.Min(attempt, 10)), Longest.TotalMilliseconds));
        pause *= 0.5 + Random.Shared.NextDouble() / 2;
        await Task.Delay(least > pause ? least.Value : pause, cancel);
    }
}
