using System.Collections.Concurrent;
using Orderwright.Contracts;

namespace Orderwright.SagaCoordinator;

/// <summary>
/// When this instance last heard each participant. It knows nothing from before it started, and with several
/// instances each hears its share; both are good enough for what it is for: is anybody there?
/// </summary>
public sealed class SignsOfLife
{
    readonly ConcurrentDictionary<string, DateTimeOffset> heard = new();

    /// <summary>A batch mostly comes from one or two services.</summary>
    public void Hear(IReadOnlyList<Message> batch, DateTimeOffset now)
    {
        string? last = null;
        foreach (var message in batch)
        {
            if (message.Source == last) continue;
            last = message.Source;
            // What a message calls its sender comes from outside: only those that there are take room.
            if (ServiceNames.All.Contains(last)) heard[last] = now;
        }
    }

    /// <summary>Null when it was never heard since this instance started.</summary>
    public DateTimeOffset? LastHeard(string service) => heard.TryGetValue(service, out var at) ? at : null;
}
