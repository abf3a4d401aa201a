using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Transport;

namespace Orderwright.Transport.RabbitMq;

/// <summary>
/// Publishes for the whole process: senders stand in one bounded line, one loop sends on one channel, and
/// each sender waits for the broker's confirm within its time limit. A limit that passes drops the
/// connection. Connects again for ever. While the broker is known to be away or to block publishers, a
/// publish fails at once.
/// </summary>
sealed partial class Publisher : IAsyncDisposable
{
    const int MaxInLine = 256;

    // A connection that lived this long was a good one: the next attempts start over with short pauses.
    static readonly TimeSpan Settled = TimeSpan.FromSeconds(10);

    readonly Broker broker;
    readonly Topology topology;
    readonly RabbitMqOptions options;
    readonly RuntimeOptions limits;
    readonly TimeProvider time;
    readonly ILogger log;
    readonly CancellationTokenSource closing = new();
    readonly Channel<Publication> line = Channel.CreateBounded<Publication>(MaxInLine);
    readonly Task running;
    volatile string? away;
    volatile PublishSession? session;

    public Publisher(
        Broker broker, Topology topology, RabbitMqOptions options, RuntimeOptions limits, TimeProvider time, ILogger log)
    {
        this.broker = broker;
        this.topology = topology;
        this.options = options;
        this.limits = limits;
        this.time = time;
        this.log = log;
        running = Task.Run(RunAsync);
    }

    public string? Trouble => Refusal ?? (session is null ? $"RabbitMQ at {broker.Address} is not connected." : null);

    // Between two connections, until the next attempt has failed, a publish may wait.
    string? Refusal => away ?? session?.Blocked;

    public async Task PublishAsync(string service, IReadOnlyList<Message> messages, CancellationToken cancel)
    {
        if (closing.IsCancellationRequested) throw new PublishFailedException("The transport is closed.");
        if (Refusal is { } refusal) throw new PublishFailedException(refusal);
        var publication = new Publication(service, messages);
        using var limit = new CancellationTokenSource(limits.PublishTimeout, time);
        await using var registration = cancel.UnsafeRegister(_ => limit.Cancel(), null);
        try
        {
            await line.Writer.WriteAsync(publication, limit.Token);
            await publication.Confirmed.WaitAsync(limit.Token);
        }
        catch (Exception error) when (error is OperationCanceledException or ChannelClosedException)
        {
            cancel.ThrowIfCancellationRequested();
            var late = session?.Blocked ?? $"RabbitMQ did not confirm within {limits.PublishTimeout}.";
            // Behind a memory alarm the next connection would fare no better.
            if (session is { Blocked: null } current) current.End(late);
            throw new PublishFailedException(late);
        }
        finally
        {
            publication.GiveUp();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await running;
    }

    async Task RunAsync()
    {
        for (var failures = 0; !closing.IsCancellationRequested;)
        {
            var since = time.GetTimestamp();
            try
            {
                await using var current = await PublishSession.OpenAsync(broker, topology, options.MaxBodyBytes, closing.Token);
                LogConnected(broker.Address);
                session = current;
                away = null;
                var why = await current.PumpAsync(line.Reader, closing.Token);
                if (!closing.IsCancellationRequested) LogLost(broker.Address, why);
            }
            catch (Exception error) when (!closing.IsCancellationRequested)
            {
                var why = broker.Explain(error);
                if (why != away) LogAway(why);
                away = why;
                FailLine(why);
            }
            catch (Exception error) when (closing.IsCancellationRequested)
            {
                LogClosed(error.Message);
            }
            session = null;
            failures = time.GetElapsedTime(since) > Settled ? 1 : failures + 1;
            await Task.Delay(Backoff.Pause(failures), time, closing.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        line.Writer.TryComplete();
        FailLine("The transport is closed.");
    }

    void FailLine(string why)
    {
        while (line.Reader.TryRead(out var publication))
        {
            publication.Fail(why);
            publication.GiveUp();
        }
    }

    [LoggerMessage(1111, LogLevel.Information, "Publishing through RabbitMQ at {Address}")]
    partial void LogConnected(string address);

    [LoggerMessage(1112, LogLevel.Warning, "The publishing connection to RabbitMQ at {Address} ended: {Why}")]
    partial void LogLost(string address, string why);

    [LoggerMessage(1113, LogLevel.Warning, "Nothing can be published: {Why}")]
    partial void LogAway(string why);

    [LoggerMessage(1114, LogLevel.Debug, "The publisher closed: {Why}")]
    partial void LogClosed(string why);
}
