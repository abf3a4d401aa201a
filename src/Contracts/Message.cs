using System.Diagnostics;

namespace Orderwright.Contracts;

/// <summary>
/// Logical message: a CloudEvents 1.0 event in memory. All messages of a batch to one destination travel as one AMQP
/// message (<see cref="CloudEventsBatch"/>). Delivery is at least once, in no particular order; receivers are idempotent by
/// (<see cref="OrderId"/>, <see cref="Step"/>).
/// </summary>
public sealed record Message
{
    /// <summary>UUIDv7; new for each attempt.</summary>
    public required Guid Id { get; init; }

    /// <summary>Sending service, one of <see cref="ServiceNames"/>. On the wire <c>/orderwright/{service}</c>.</summary>
    public required string Source { get; init; }

    /// <summary>Order the message is about: CloudEvents <c>subject</c>, and the routing key of future shards.</summary>
    public required Guid OrderId { get; init; }

    public required DateTimeOffset Time { get; init; }

    public required IMessageBody Body { get; init; }

    /// <summary>Saga step of a command or of its reply; null for messages outside a step.</summary>
    public string? Step { get; init; }

    /// <summary>Number of the attempt, from 1.</summary>
    public int Attempt { get; init; } = 1;

    /// <summary>Time at which the sender stops waiting. A hint; the sender decides.</summary>
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>W3C trace context of the sending work.</summary>
    public string? TraceParent { get; init; }

    /// <summary>State of the trace context for tracing systems, passed on as received; null for none.</summary>
    public string? TraceState { get; init; }

    /// <summary>
    /// Instance of the sender that waits for the reply; null if any instance may take the reply. Not part of the event: the
    /// transport states the instance for all messages sent together.
    /// </summary>
    public string? ReplyTo { get; init; }

    /// <summary>
    /// Instance of the receiver, out of a <see cref="ReplyTo"/>; null for any. A hint: without this instance, any other
    /// receives the message.
    /// </summary>
    public string? To { get; init; }

    /// <summary>Trace id of <see cref="TraceParent"/>, 32 hex digits; null if absent or unparsable.</summary>
    public string? TraceId => ActivityContext.TryParse(TraceParent, null, out var context) ? context.TraceId.ToHexString() : null;

    /// <summary>Wire name, such as <c>orderwright.stock.reserve.v1</c>.</summary>
    public string Type => MessageCatalog.TypeOf(Body);

    /// <summary>Receiving service.</summary>
    public string Destination => MessageCatalog.DestinationOf(Body);
}
