using Microsoft.Extensions.Logging;
using Orderwright.Runtime;

namespace Orderwright.Transport.RabbitMq;

/// <summary>
/// Keeps a session with the broker open: after a loss a new one is opened, with growing pauses, until closed.
/// </summary>
/// <param name="owner">Owner in logs: <c>the publisher</c>.</param>
/// <param name="broker">Explains failures.</param>
/// <param name="time">Measures pauses.</param>
/// <param name="log">Receives every change of the connection.</param>
sealed partial class Reconnecting<TSession>(string owner, Broker broker, TimeProvider time, ILogger log)
    where TSession : class, IAsyncDisposable
{
    // After a session of this length the pauses start over.
    static readonly TimeSpan Stable = TimeSpan.FromSeconds(10);

    volatile string? unreachable;
    volatile TSession? session;

    /// <summary>Open session; null while there is none.</summary>
    public TSession? Session => session;

    /// <summary>Reason why the last attempt failed; null while connected, and between a loss and the next attempt.</summary>
    public string? Unreachable => unreachable;

    /// <param name="open">Opens a session.</param>
    /// <param name="use">Uses the session until its end; returns the reason of the end.</param>
    /// <param name="failed">Called with the reason after each failure.</param>
    /// <param name="closing">Ends the loop.</param>
    public async Task RunAsync(
        Func<Task<TSession>> open, Func<TSession, Task<string>> use, Action<string>? failed, CancellationToken closing)
    {
        for (var failures = 0; !closing.IsCancellationRequested;)
        {
            var since = time.GetTimestamp();
            try
            {
                await using var current = await open();
                LogConnected(owner, broker.Address);
                session = current;
                unreachable = null;
                var why = await use(current);
                if (!closing.IsCancellationRequested) LogLost(owner, broker.Address, why);
            }
            catch (Exception error) when (!closing.IsCancellationRequested)
            {
                var why = broker.Explain(error);
                if (why != unreachable) LogUnreachable(owner, why);
                unreachable = why;
                failed?.Invoke(why);
            }
            catch (Exception error) when (closing.IsCancellationRequested)
            {
                LogClosed(owner, error.Message);
            }
            session = null;
            failures = time.GetElapsedTime(since) > Stable ? 1 : failures + 1;
            await Task.Delay(Backoff.Pause(failures), time, closing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(1111, LogLevel.Information, "RabbitMQ at {Address}: {Owner} is connected")]
    partial void LogConnected(string owner, string address);

    [LoggerMessage(1112, LogLevel.Warning, "RabbitMQ at {Address}: {Owner} lost its connection: {Why}")]
    partial void LogLost(string owner, string address, string why);

    [LoggerMessage(1113, LogLevel.Warning, "RabbitMQ: {Owner} is waiting: {Why}")]
    partial void LogUnreachable(string owner, string why);

    [LoggerMessage(1114, LogLevel.Debug, "RabbitMQ: {Owner} closed: {Why}")]
    partial void LogClosed(string owner, string why);
}
