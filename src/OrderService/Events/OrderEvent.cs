using Orderwright.Contracts;

namespace Orderwright.OrderService.Events;

/// <summary>Change of an order: the only source of its timeline, the public feed and webhooks.</summary>
/// <param name="OrderId">Id of the order.</param>
/// <param name="Version">Order's version after the change.</param>
/// <param name="Type">One of <see cref="OrderEventTypes"/>.</param>
/// <param name="Status">Order's status after the change.</param>
/// <param name="At">Time of the change.</param>
/// <param name="Actor">Name of the caller or of the service that caused the change.</param>
/// <param name="TraceId">W3C trace id of the change.</param>
/// <param name="Data">Details beyond the status.</param>
public sealed record OrderEvent(
    Guid OrderId, long Version, string Type, string Status, DateTimeOffset At, string Actor, string? TraceId,
    EventData Data);

/// <summary>Details of an event; values that do not apply are omitted.</summary>
/// <param name="PaymentStatus">Payment status after the event.</param>
/// <param name="Total">Total, once known.</param>
/// <param name="Code">Reason code of a refusal.</param>
/// <param name="Message">Refusal in a sentence for people.</param>
/// <param name="Step">Step that refused.</param>
/// <param name="CancelReason">Reason of a cancellation.</param>
/// <param name="Steps">History of each step across the services.</param>
/// <param name="FulfilmentStatus">Fulfilment status after the event.</param>
/// <param name="FulfilmentId">Fulfilment that was shipped.</param>
/// <param name="NextAction">Action required from the customer.</param>
/// <param name="Goods">One of <see cref="GoodsEnds"/>: end of the unshipped goods of a completed order.</param>
/// <param name="ApprovedBy">Second person who approved the change.</param>
public sealed record EventData(
    string? PaymentStatus = null,
    long? Total = null,
    string? Code = null,
    string? Message = null,
    string? Step = null,
    string? CancelReason = null,
    IReadOnlyList<StepStamp>? Steps = null,
    string? FulfilmentStatus = null,
    Guid? FulfilmentId = null,
    NextAction? NextAction = null,
    string? Goods = null,
    string? ApprovedBy = null);

