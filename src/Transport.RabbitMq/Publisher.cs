using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Transport;

namespace Orderwright.Transport.RabbitMq;

/// <summary>
/// Publishes for the whole process: senders wait in a bounded queue, a loop sends on a single channel, and each sender waits
/// for the broker's confirm within a time limit. Exceeding the limit drops the connection. Reconnects until disposed. While
/// the broker is known to be unreachable or to block publishers, a publish fails at once.
/// </summary>
sealed class Publisher : IAsyncDisposable
{
    const int MaxInLine = 256;

    readonly Broker broker;
    readonly Topology topology;
    readonly RabbitMqOptions options;
    readonly RuntimeOptions limits;
    readonly TimeProvider time;
    readonly CancellationTokenSource closing = new();
    readonly Channel<Publication> line = Channel.CreateBounded<Publication>(MaxInLine);
    readonly Task running;
    readonly Reconnecting<PublishSession> connection;

    public Publisher(
        Broker broker, Topology topology, RabbitMqOptions options, RuntimeOptions limits, TimeProvider time, ILogger log)
    {
        this.broker = broker;
        this.topology = topology;
        this.options = options;
        this.limits = limits;
        this.time = time;
        connection = new("the publisher", broker, time, log);
        running = Task.Run(RunAsync);
    }

    public string? Trouble => Refusal ?? (connection.Session is null ? $"RabbitMQ at {broker.Address} is not connected." : null);

    // Between a loss and the next failed attempt, a publish may wait.
    string? Refusal => connection.Unreachable ?? connection.Session?.Blocked;

    /// <summary>Throws <see cref="InstanceGoneException"/> if the receiving instance has no queue.</summary>
    public async Task PublishAsync(Publication publication, CancellationToken cancel)
    {
        if (closing.IsCancellationRequested) throw new PublishFailedException("The transport is closed.");
        if (Refusal is { } refusal) throw new PublishFailedException(refusal);
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
            var late = connection.Session?.Blocked ?? $"RabbitMQ did not confirm within {limits.PublishTimeout}.";
            // During a memory alarm another connection would not help.
            if (connection.Session is { Blocked: null } current) current.End(late);
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
        await connection.RunAsync(
            () => PublishSession.OpenAsync(broker, topology, options.MaxBodyBytes, time, closing.Token),
            session => session.PumpAsync(line.Reader, closing.Token),
            FailLine,
            closing.Token);
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
}
