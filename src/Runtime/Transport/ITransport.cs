using Orderwright.Contracts;

namespace Orderwright.Runtime.Transport;

/// <summary>
/// Carries messages between services. Two implementations: in-process, and RabbitMQ. It may lose, double and
/// reorder anything at any time: it is a transport, not a store. Whoever asks, asks again (DESIGN.md, section
/// 2).
/// </summary>
public interface ITransport : IAsyncDisposable
{
    /// <summary>Opens a service's inbox; competes with every other open inbox of the same service.</summary>
    Task<IInbox> OpenInboxAsync(string service, CancellationToken cancel);

    /// <summary>
    /// Sends messages to one service and returns when the transport has them. Throws
    /// <see cref="PublishFailedException"/> within its time limit when it does not: nothing may then be assumed.
    /// </summary>
    Task PublishAsync(string service, IReadOnlyList<Message> messages, CancellationToken cancel);

    /// <summary>Null while it works; else one sentence that says what does not.</summary>
    string? Trouble { get; }

    /// <summary>How a service's inbox stands, of all its instances; null where the transport cannot say, or not now.</summary>
    Task<QueueState?> LookAsync(string service, CancellationToken cancel) => Task.FromResult<QueueState?>(null);
}

/// <summary>An inbox from outside.</summary>
/// <param name="Waiting">
/// Deliveries that wait, each a batch of one or more messages. On RabbitMQ without those that a listener has been given already.
/// </param>
/// <param name="Listeners">Instances that take from it.</param>
public sealed record QueueState(long Waiting, long Listeners);

/// <summary>Where a service's messages wait.</summary>
public interface IInbox : IAsyncDisposable
{
    /// <summary>
    /// Waits until there is something, then returns at once with all that waits, up to about
    /// <paramref name="maxMessages"/> (a delivery is not split). Survives a lost connection by itself.
    /// </summary>
    ValueTask<IReadOnlyList<Delivery>> ReceiveAsync(int maxMessages, CancellationToken cancel);

    /// <summary>Says that these are done. An acknowledgement that gets lost brings them again.</summary>
    ValueTask AcknowledgeAsync(IReadOnlyList<Delivery> deliveries, CancellationToken cancel);

    /// <summary>How many messages wait here, about; what this process can know without asking.</summary>
    int Backlog { get; }
}

/// <summary>What travelled together: on RabbitMQ one AMQP message. Acknowledged as a whole.</summary>
/// <param name="Messages">What could be read.</param>
/// <param name="Unreadable">What could not; goes to the dead letters.</param>
/// <param name="Tag">The transport's own mark.</param>
public sealed record Delivery(
    IReadOnlyList<Message> Messages, IReadOnlyList<UnreadableMessage> Unreadable, object? Tag = null);

/// <summary>The transport did not take the messages, or did not say so in time.</summary>
public sealed class PublishFailedException(string message, Exception? inner = null) : Exception(message, inner);
