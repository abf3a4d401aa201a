using System.Diagnostics;

namespace Orderwright.Contracts;

/// <summary>
/// One logical message: a CloudEvents 1.0 event in memory. Many of them to one destination travel as one AMQP
/// message (<see cref="CloudEventsBatch"/>). Delivery is at least once, in no promised order; a receiver is
/// idempotent by (<see cref="OrderId"/>, <see cref="Step"/>).
/// </summary>
public sealed record Message
{
    /// <summary>UUIDv7; new for each attempt.</summary>
    public required Guid Id { get; init; }

    /// <summary>The sending service, one of <see cref="ServiceNames"/>. On the wire <c>/orderwright/{service}</c>.</summary>
    public required string Source { get; init; }

    /// <summary>The order this is about: CloudEvents <c>subject</c>, and the routing key of every shard to come.</summary>
    public required Guid OrderId { get; init; }

    public required DateTimeOffset Time { get; init; }

    public required IMessageBody Body { get; init; }

    /// <summary>The saga step a command belongs to or an answer answers; null for what is not of a step.</summary>
    public string? Step { get; init; }

    /// <summary>1 for the first time a command is asked.</summary>
    public int Attempt { get; init; } = 1;

    /// <summary>When the asker stops waiting. A hint; the asker decides.</summary>
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>W3C trace context of the work that sent this.</summary>
    public string? TraceParent { get; init; }

    /// <summary>Trace id of <see cref="TraceParent"/>, 32 hex digits; null when there is none or it cannot be parsed.</summary>
    public string? TraceId => ActivityContext.TryParse(TraceParent, null, out var context) ? context.TraceId.ToHexString() : null;

    /// <summary>The wire name, such as <c>orderwright.stock.reserve.v1</c>.</summary>
    public string Type => MessageCatalog.TypeOf(Body);

    /// <summary>The service this goes to.</summary>
    public string Destination => MessageCatalog.DestinationOf(Body);
}
