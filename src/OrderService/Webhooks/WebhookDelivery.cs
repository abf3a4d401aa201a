using Orderwright.Contracts;
using Orderwright.Http.Outgoing;

namespace Orderwright.OrderService.Webhooks;

/// <summary>Delivery of an event to an endpoint.</summary>
/// <param name="Id">Id of the delivery, in order of time.</param>
/// <param name="EndpointId">Endpoint.</param>
/// <param name="Seq">Event.</param>
/// <param name="OrderId">Order of the event.</param>
/// <param name="Type">Type of the event.</param>
/// <param name="State">One of <see cref="DeliveryStates"/>.</param>
/// <param name="Attempts">Attempts so far; 0 for an event held back by an earlier event of the order.</param>
/// <param name="NextAttemptAt">Earliest time of the next attempt; null once the delivery has ended.</param>
/// <param name="Last">Last attempt; null before the first.</param>
public sealed record WebhookDelivery(
    Guid Id, Guid EndpointId, long Seq, Guid OrderId, string Type, string State, int Attempts,
    DateTimeOffset? NextAttemptAt, CallAttempt? Last);
