using Orderwright.Runtime;
using Orderwright.Runtime.Transport;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Orderwright.Transport.RabbitMq;

/// <summary>
/// The topic exchange <c>orderwright.events</c>. The connection opens with the first event, and any doubt about a confirm
/// drops it: the caller publishes the events again.
/// </summary>
sealed class EventExchange(Broker broker, Topology topology, RuntimeOptions limits, TimeProvider time)
    : IEventExchange, IAsyncDisposable
{
    const string ContentType = "application/cloudevents+json; charset=utf-8";

    readonly SemaphoreSlim turn = new(1, 1);
    IConnection? connection;
    IChannel? channel;

    public async Task<int> PublishAsync(IReadOnlyList<AnnouncedEvent> events, CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(limits.PublishTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        await turn.WaitAsync(cancel);
        try
        {
            var open = channel ??= await OpenAsync(either.Token);
            var confirmed = new bool[events.Count];
            foreach (var wave in Waves(events))
            {
                var results = await Task.WhenAll(wave.Select(at => PublishAsync(open, events[at]))).WaitAsync(either.Token);
                foreach (var (at, isConfirmed) in wave.Zip(results)) confirmed[at] = isConfirmed;
                if (results.Contains(false)) break;
            }
            var first = Array.IndexOf(confirmed, false);
            if (first == 0) throw new PublishFailedException("RabbitMQ refused an event: a queue bound to the exchange is full.");
            return first < 0 ? events.Count : first;
        }
        catch (PublishFailedException)
        {
            throw;
        }
        catch (Exception error)
        {
            Drop();
            cancel.ThrowIfCancellationRequested();
            throw new PublishFailedException(
                limit.IsCancellationRequested
                    ? $"RabbitMQ did not confirm events within {limits.PublishTimeout}."
                    : $"RabbitMQ did not accept events: {broker.Explain(error)}",
                error);
        }
        finally
        {
            turn.Release();
        }
    }

    public ValueTask DisposeAsync()
    {
        Drop();
        turn.Dispose();
        return ValueTask.CompletedTask;
    }

    async Task<IChannel> OpenAsync(CancellationToken cancel)
    {
        connection = await broker.ConnectAsync("announces events", cancel);
        await topology.DeclareEventsAsync(connection, cancel);
        return await connection.CreateChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), cancel);
    }

    // Never cancelled: an abandoned publish would leave the channel in an unknown state, and the channel is dropped anyway.
    static async Task<bool> PublishAsync(IChannel channel, AnnouncedEvent e)
    {
        try
        {
            await channel.BasicPublishAsync(
                Topology.Events, e.Type, mandatory: false,
                new BasicProperties { ContentType = ContentType, MessageId = e.Id, Persistent = true }, e.Body,
                CancellationToken.None);
            return true;
        }
        catch (PublishException)
        {
            return false;
        }
    }

    // Indexes of the first event of each subject, then of the second of each, and so on.
    static IEnumerable<IReadOnlyList<int>> Waves(IReadOnlyList<AnnouncedEvent> events)
    {
        var places = new Dictionary<Guid, int>();
        return Enumerable.Range(0, events.Count)
            .GroupBy(at => places[events[at].Subject] = places.GetValueOrDefault(events[at].Subject) + 1)
            .OrderBy(wave => wave.Key)
            .Select(wave => wave.ToList());
    }

    void Drop()
    {
        channel = null;
        if (connection is { } open) _ = Broker.CloseAsync(open);
        connection = null;
    }
}
