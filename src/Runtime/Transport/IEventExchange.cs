namespace Orderwright.Runtime.Transport;

/// <summary>Announces events to consumers outside the installation, who bind queues of their own.</summary>
public interface IEventExchange
{
    /// <summary>
    /// Publishes events, and returns how many of the first were confirmed: fewer than all while a bound queue refuses more.
    /// Events of one subject are published one after the other, each after the confirm of the one before. Throws
    /// <see cref="PublishFailedException"/> within a time limit if none was confirmed. Events beyond those confirmed may have
    /// been published, too.
    /// </summary>
    Task<int> PublishAsync(IReadOnlyList<AnnouncedEvent> events, CancellationToken cancel);
}

/// <summary>Event in the form of CloudEvents, structured mode.</summary>
/// <param name="Id">Id of the CloudEvent.</param>
/// <param name="Subject">The order; events of one subject stay in order.</param>
/// <param name="Type">Type of the CloudEvent, and routing key.</param>
/// <param name="Body">JSON of the CloudEvent.</param>
public sealed record AnnouncedEvent(string Id, Guid Subject, string Type, ReadOnlyMemory<byte> Body);
