using System.Collections.Concurrent;
using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.SagaCoordinator.Overview;

/// <summary>
/// Time of the last message from each participant to this instance, since the start. With several instances, each receives
/// a share of the messages: enough to tell whether a participant is alive.
/// </summary>
public sealed class Heartbeats
{
    readonly ConcurrentDictionary<string, DateTimeOffset> last = new();

    /// <summary>Time of the last message; null without a message since the start.</summary>
    public DateTimeOffset? LastOf(string service) => last.TryGetValue(service, out var at) ? at : null;

    /// <summary>Records the senders of all messages that a handler takes.</summary>
    public IBatchHandler Observe(IBatchHandler handler) => new Observer(handler, this);

    // Most batches come from one or two services.
    void Record(IReadOnlyList<Message> batch, DateTimeOffset now)
    {
        string? previous = null;
        foreach (var message in batch)
        {
            if (message.Source == previous) continue;
            previous = message.Source;
            // The source comes from outside: unknown names must not fill the memory.
            if (ServiceNames.All.Contains(previous)) last[previous] = now;
        }
    }

    sealed class Observer(IBatchHandler inner, Heartbeats heartbeats) : IBatchHandler
    {
        public IReadOnlyList<Type> Takes => inner.Takes;

        public async Task HandleAsync(IReadOnlyList<Message> batch, Work work)
        {
            await inner.HandleAsync(batch, work);
            heartbeats.Record(batch, work.Now);
        }
    }
}
