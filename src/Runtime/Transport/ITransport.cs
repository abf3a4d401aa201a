using Orderwright.Contracts;

namespace Orderwright.Runtime.Transport;

/// <summary>
/// Carries messages between services. Implementations: in-process, and RabbitMQ. A transport may lose, duplicate and reorder
/// messages at any time. Senders retry until a reply arrives (docs/concepts/batching.md).
/// </summary>
public interface ITransport : IAsyncDisposable
{
    /// <summary>
    /// Opens a service's inbox. Of the open inboxes of a service, one is active and receives all messages; the others stand by.
    /// A transport may let them share the messages instead: correctness must not depend on a single receiver.
    /// </summary>
    Task<IInbox> OpenInboxAsync(string service, CancellationToken cancel);

    /// <summary>
    /// Sends messages to one service; returns when the transport has accepted them. Throws
    /// <see cref="PublishFailedException"/> within a time limit otherwise: the messages may or may not arrive. All messages have
    /// the same <see cref="Message.To"/>, which is a hint: without this instance, the active inbox receives them.
    /// </summary>
    Task PublishAsync(string service, IReadOnlyList<Message> messages, CancellationToken cancel);

    /// <summary>Exchange for consumers outside the installation; null if the transport has none.</summary>
    IEventExchange? Events => null;

    /// <summary>Null while the transport works; otherwise a sentence about the problem.</summary>
    string? Trouble { get; }

    /// <summary>
    /// State of a service's inbox over all instances; null if the transport cannot tell, or cannot tell now.
    /// </summary>
    Task<QueueState?> LookAsync(string service, CancellationToken cancel) => Task.FromResult<QueueState?>(null);
}

/// <summary>State of an inbox, seen from outside.</summary>
/// <param name="Waiting">
/// Waiting deliveries, each a batch of messages. On RabbitMQ without deliveries already sent to a listener.
/// </param>
/// <param name="Listeners">Consuming instances.</param>
public sealed record QueueState(long Waiting, long Listeners);

/// <summary>Queue of a service's incoming messages.</summary>
public interface IInbox : IAsyncDisposable
{
    /// <summary>
    /// Waits for a delivery, then returns all waiting deliveries at once, up to about <paramref name="maxMessages"/> messages (a
    /// delivery is not split). Reconnects by itself.
    /// </summary>
    ValueTask<IReadOnlyList<Delivery>> ReceiveAsync(int maxMessages, CancellationToken cancel);

    /// <summary>Acknowledges deliveries. A lost acknowledgement causes redelivery.</summary>
    ValueTask AcknowledgeAsync(IReadOnlyList<Delivery> deliveries, CancellationToken cancel);

    /// <summary>
    /// Approximate number of messages waiting here, as known without asking the broker.
    /// </summary>
    int Backlog { get; }

    /// <summary>This instance, as in <see cref="Message.ReplyTo"/>; null while not connected, or without a name.</summary>
    string? Instance => null;

    /// <summary>Instance that receives the service's messages; null if unknown.</summary>
    string? ActiveInstance => null;

    /// <summary>True if this inbox is known to be active; false on standby, or while unknown.</summary>
    bool IsActive => true;

    /// <summary>
    /// Makes way for another instance, at once: nothing more is received here, and deliveries not yet taken go to the other
    /// instance. Deliveries already taken can still be acknowledged. Never throws.
    /// </summary>
    Task HandOverAsync() => Task.CompletedTask;

    /// <summary>
    /// Lets another instance become active, if one stands by: this instance cannot work now. All deliveries here, even those
    /// taken, go to the other instance.
    /// </summary>
    void StepAside()
    {
    }
}

/// <summary>Messages delivered together: on RabbitMQ a single AMQP message. Acknowledged as a whole.</summary>
/// <param name="Messages">Readable messages.</param>
/// <param name="Unreadable">Unreadable parts; each becomes a dead letter.</param>
/// <param name="Tag">Transport's own handle.</param>
public sealed record Delivery(
    IReadOnlyList<Message> Messages, IReadOnlyList<UnreadableMessage> Unreadable, object? Tag = null)
{
    /// <summary>Validated sender; null for a transport within the process, whose senders are trusted.</summary>
    public Sender? Sender { get; init; }
}

/// <summary>Sender of a delivery, as validated by the broker. The envelope's source is only a claim.</summary>
/// <param name="User">User of the broker; null if the sender withheld its name.</param>
/// <param name="Service">Service with this user's name; null for any other user.</param>
/// <param name="IsReceiver">
/// True for the receiver's own user: an operator's replay, or an installation in which all services share a user.
/// </param>
public sealed record Sender(string? User, string? Service, bool IsReceiver)
{
    /// <summary>Returns the reason to refuse a message; null if this sender may send the message.</summary>
    public string? Refuses(Message message)
    {
        var senders = MessageCatalog.SendersOf(message.Body, message.Step);
        if (senders.Count == 0) return $"No service answers the step {message.Step ?? "(none)"}.";
        if (!senders.Contains(message.Source))
            return $"{message.Type} comes from {string.Join(" or ", senders)}, not from {message.Source}.";
        if (IsReceiver || Service == message.Source) return null;
        return User is null
            ? $"The sender withheld its name; {message.Type} comes from {message.Source}."
            : $"The sender is the user {User}; {message.Type} comes from {message.Source}.";
    }
}

/// <summary>Thrown when the transport did not accept the messages, or did not confirm in time.</summary>
public sealed class PublishFailedException(string message, Exception? inner = null) : Exception(message, inner);
