using System.Buffers;
using System.Globalization;
using System.Threading.Channels;
using Orderwright.Contracts;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Orderwright.Transport.RabbitMq;

/// <summary>
/// Publisher for the lifetime of a connection. Confirms are counted here and not by the client, whose own tracking hangs with
/// a publish that never returns (rabbitmq-dotnet-client #1900, #1930). Hence a single sender that never cancels a publish,
/// and a session in an unknown state is dropped as a whole.
/// </summary>
sealed class PublishSession : IAsyncDisposable
{
    // RabbitMQ 3.10 refuses every message to a quorum queue on a channel that first published there while the queue's leader
    // was dead. Such a channel looks like a full queue; another channel ends the doubt.
    static readonly TimeSpan RefusalLimit = TimeSpan.FromSeconds(10);

    readonly IConnection connection;
    readonly Topology topology;
    readonly string user;
    readonly int maxBodyBytes;
    readonly TimeProvider time;
    // The client copies a body before sending, so a single buffer serves all.
    readonly ArrayBufferWriter<byte> body = new(16 * 1024);
    readonly Lock gate = new();
    readonly Dictionary<ulong, Publication> unconfirmed = [];
    readonly HashSet<string> declared = [];
    // By service, since the first refusal after its last confirmed message.
    readonly Dictionary<string, long> refusing = [];
    readonly CancellationTokenSource over = new();
    IChannel channel = null!;
    ulong lastSent;
    ulong confirmedUpTo;
    string? ended;
    volatile bool closing;
    volatile string? blocked;

    PublishSession(IConnection connection, Topology topology, string user, int maxBodyBytes, TimeProvider time)
    {
        this.connection = connection;
        this.topology = topology;
        this.user = user;
        this.maxBodyBytes = maxBodyBytes;
        this.time = time;
        // Registered before the handlers of any channel, which may wait for a hanging publish.
        connection.ConnectionShutdownAsync += (_, reason) => EndAsync(reason);
        connection.ConnectionBlockedAsync += (_, alarm) =>
        {
            blocked = $"RabbitMQ blocks publishers: {alarm.Reason}.";
            return Task.CompletedTask;
        };
        connection.ConnectionUnblockedAsync += (_, _) =>
        {
            blocked = null;
            return Task.CompletedTask;
        };
    }

    /// <summary>Reason why the broker currently blocks publishers, such as a memory alarm; null otherwise.</summary>
    public string? Blocked => blocked;

    public static async Task<PublishSession> OpenAsync(
        Broker broker, Topology topology, int maxBodyBytes, TimeProvider time, CancellationToken cancel)
    {
        var session = new PublishSession(
            await broker.ConnectAsync("publishes", cancel), topology, broker.User, maxBodyBytes, time);
        try
        {
            await topology.DeclareExchangeAsync(session.connection, cancel);
            await session.OpenChannelAsync(cancel);
            return session;
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    /// <summary>Sends queued publications; returns the reason for ending.</summary>
    public async Task<string> PumpAsync(ChannelReader<Publication> line, CancellationToken cancel)
    {
        await using var registration = cancel.UnsafeRegister(
            _ =>
            {
                closing = true;
                End("We are closing.");
            },
            null);
        try
        {
            while (await line.WaitToReadAsync(over.Token))
                while (!over.IsCancellationRequested && line.TryRead(out var publication))
                    if (publication.TryClaim())
                        await SendAsync(publication);
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
        }
        return ended ?? "The queue of publications was closed.";
    }

    /// <summary>Fails all unconfirmed publications at once; the connection is closed in the background.</summary>
    public void End(string why)
    {
        Publication[] lost;
        lock (gate)
        {
            if (ended is not null) return;
            ended = why;
            lost = [.. unconfirmed.Values];
            unconfirmed.Clear();
        }
        over.Cancel();
        foreach (var publication in lost) publication.Fail(why);
    }

    public async ValueTask DisposeAsync()
    {
        var broken = ended is not null && !closing;
        End("We are closing.");
        var closed = Broker.CloseAsync(connection);
        // If the broker is gone, closing takes seconds, and the next connection need not wait.
        if (!broken) await closed;
    }

    async Task OpenChannelAsync(CancellationToken cancel)
    {
        channel = await connection.CreateChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: false),
            cancel);
        channel.ChannelShutdownAsync += (_, reason) => EndAsync(reason);
        channel.BasicAcksAsync += (_, ack) => Settle(ack.DeliveryTag, ack.Multiple, refused: false);
        channel.BasicNacksAsync += (_, nack) => Settle(nack.DeliveryTag, nack.Multiple, refused: true);
        channel.BasicReturnAsync += (_, returned) => MarkReturned(returned);
    }

    async Task SendAsync(Publication publication)
    {
        try
        {
            if (publication.Instance is null && !declared.Contains(publication.Service) && !await DeclareAsync(publication))
                return;
            var sent = 0;
            do sent = await SendAsync(publication, sent);
            while (sent < publication.Messages.Count);
            publication.Confirm();
        }
        catch (Exception error)
        {
            // After a publish with unknown outcome, our sequence numbers may differ from the broker's.
            End(ended ?? error.Message);
            publication.Fail(ended!);
        }
    }

    // A queue without a living node fails its own messages, and no others.
    async Task<bool> DeclareAsync(Publication publication)
    {
        try
        {
            await topology.DeclareDestinationAsync(connection, publication.Service, over.Token);
            lock (gate) declared.Add(publication.Service);
            return true;
        }
        catch (Exception error) when (error is OperationInterruptedException or TimeoutException && connection.IsOpen)
        {
            publication.Fail($"RabbitMQ cannot declare the queue of {publication.Service}: {error.Message}");
            return false;
        }
    }

    async ValueTask<int> SendAsync(Publication publication, int from)
    {
        body.ResetWrittenCount();
        var next = CloudEventsBatch.Write(body, publication.Messages, from, maxBodyBytes);
        var properties = new BasicProperties
        {
            ContentType = CloudEventsBatch.ContentType,
            // A broker restart may lose the message: the sender retries (docs/adr/0016). Quorum queues persist in any case.
            Persistent = false,
            // Validated by the broker: receivers learn the sender from the user, not from the envelope.
            UserId = user,
            ReplyTo = publication.ReplyTo,
            // Identifies a returned message, because the client does not provide the sequence number.
            MessageId = (lastSent + 1).ToString(CultureInfo.InvariantCulture),
        };
        lock (gate)
        {
            if (ended is not null) throw new OperationCanceledException(ended, over.Token);
            publication.Expect();
            unconfirmed.Add(++lastSent, publication);
        }
        await channel.BasicPublishAsync(
                Topology.Exchange, publication.KeyAt(from), mandatory: true, properties, body.WrittenMemory,
                CancellationToken.None)
            .AsTask().WaitAsync(over.Token);
        return next;
    }

    Task Settle(ulong number, bool multiple, bool refused)
    {
        string? deaf = null;
        lock (gate)
        {
            var first = multiple ? confirmedUpTo + 1 : number;
            for (var each = first; each <= number; each++)
                if (unconfirmed.Remove(each, out var publication))
                {
                    Settle(publication, refused);
                    if (!refused) refusing.Remove(publication.Service);
                    else if (RefusesTooLong(publication.Service)) deaf = publication.Service;
                }
            if (multiple) confirmedUpTo = Math.Max(confirmedUpTo, number);
        }
        if (deaf is not null) End($"Every message to {deaf} was refused for {RefusalLimit.TotalSeconds} s.");
        return Task.CompletedTask;
    }

    bool RefusesTooLong(string service)
    {
        if (refusing.TryAdd(service, time.GetTimestamp())) return false;
        return time.GetElapsedTime(refusing[service]) > RefusalLimit;
    }

    static void Settle(Publication publication, bool refused)
    {
        if (refused)
            publication.Fail($"RabbitMQ refused a message to {publication.Service}: its queue is full or has no leader.");
        else if (publication.Returned is { } why)
            publication.FailUnrouted(why);
        else
            publication.Confirm();
    }

    // The broker sends the return before the confirm of the same message. The queue was deleted meanwhile: declare it again.
    Task MarkReturned(BasicReturnEventArgs returned)
    {
        lock (gate)
        {
            if (ulong.TryParse(returned.BasicProperties.MessageId, CultureInfo.InvariantCulture, out var number)
                && unconfirmed.TryGetValue(number, out var publication))
            {
                publication.Returned = returned.ReplyText;
                if (publication.Instance is null) declared.Remove(publication.Service);
            }
        }
        return Task.CompletedTask;
    }

    Task EndAsync(ShutdownEventArgs reason)
    {
        End($"{reason.ReplyText} ({reason.ReplyCode})");
        return Task.CompletedTask;
    }
}
