using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Http.Outgoing;
using Orderwright.OrderService.Events;

namespace Orderwright.OrderService.Webhooks;

// ---- requests ----

/// <param name="Url">Absolute address, at most 2,000 characters; https, or http into an allowed network.</param>
/// <param name="Types">Event types of docs/reference/events.md, or <c>*</c> alone; all types when omitted.</param>
/// <param name="Description">At most 200 characters.</param>
/// <param name="Secret"><c>whsec_</c> and the base64 of 24 to 64 bytes; generated when omitted.</param>
/// <param name="Channel">
/// Channel of the caller whose orders are sent, or <c>*</c> for all, which needs a caller of all channels. The caller's first
/// channel when omitted.
/// </param>
public sealed record EndpointRequest(
    [MaxLength(WebhookApi.MaxUrl)] string Url, [Length(1, WebhookApi.MaxTypes)] IReadOnlyList<string>? Types = null,
    [Length(1, WebhookApi.MaxDescription)] string? Description = null, string? Secret = null,
    [Length(1, Check.MaxIdLength)] string? Channel = null);

/// <summary>Changes of an endpoint; omitted values remain.</summary>
/// <param name="Url">As when adding.</param>
/// <param name="Types">As when adding.</param>
/// <param name="Description">As when adding.</param>
/// <param name="State"><c>active</c> or <c>disabled</c>.</param>
public sealed record EndpointPatch(
    [MaxLength(WebhookApi.MaxUrl)] string? Url = null, [Length(1, WebhookApi.MaxTypes)] IReadOnlyList<string>? Types = null,
    [Length(1, WebhookApi.MaxDescription)] string? Description = null, [OneOf(typeof(EndpointStates))] string? State = null);

/// <param name="Secret">New secret; generated when omitted.</param>
/// <param name="OverlapHours">Time for which the old secret signs too, 0 to 168 hours.</param>
public sealed record RotationRequest(string? Secret = null, [Range(0, WebhookApi.MaxOverlapHours)] int OverlapHours = 24);

/// <param name="After">Deliveries of events with a higher <c>seq</c>.</param>
/// <param name="Until">Last <c>seq</c>; the end of the feed when omitted.</param>
/// <param name="State">Deliveries of one state; all when omitted.</param>
public sealed record RedeliveryRequest(
    [Range(0, long.MaxValue)] long After, long? Until = null, [OneOf(typeof(DeliveryStates))] string? State = null);

// ---- responses ----

/// <param name="Id">Id of the endpoint.</param>
/// <param name="Channel">Channel whose orders are sent; <c>*</c> for all.</param>
/// <param name="Url">Address.</param>
/// <param name="Types">Event types, or <c>*</c>.</param>
/// <param name="Description">Words for people.</param>
/// <param name="State">One of <see cref="EndpointStates"/>.</param>
/// <param name="Reason">One of <see cref="DisabledReasons"/>; null while active.</param>
/// <param name="Secret">Only in the response that creates the secret; null otherwise.</param>
/// <param name="Position">Last <c>seq</c> that was sent or recorded for a retry.</param>
/// <param name="Waiting">Events that wait for a retry; null in lists.</param>
/// <param name="PendingSince">Time of the oldest event not delivered yet; null when there is none, and in lists.</param>
/// <param name="FailingSince">Start of the present outage of the receiver; null while events are accepted.</param>
/// <param name="Version">Version for <c>If-Match</c>.</param>
/// <param name="CreatedAt">Time of creation.</param>
/// <param name="UpdatedAt">Time of the last change.</param>
public sealed record EndpointResponse(
    Guid Id, string Channel, string Url, IReadOnlyList<string> Types, string? Description,
    [OneOf(typeof(EndpointStates))] string State, [OneOf(typeof(DisabledReasons))] string? Reason, string? Secret,
    long Position, long? Waiting, DateTimeOffset? PendingSince, DateTimeOffset? FailingSince, long Version,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    public static EndpointResponse Of(WebhookEndpoint endpoint) => new(
        endpoint.Id, endpoint.Channel ?? ChannelSet.Any, endpoint.Url, endpoint.Types, endpoint.Description, endpoint.State,
        endpoint.Reason, null, endpoint.Progress.Position, null, null, endpoint.Progress.FailingSince, endpoint.Version,
        endpoint.CreatedAt, endpoint.UpdatedAt);

    public static Answer Answer(int status, WebhookEndpoint endpoint, bool withSecret = false, string? location = null) =>
        Http.Answer.Json(
            status, Of(endpoint) with { Secret = withSecret ? endpoint.Secrets.Current : null },
            OrderJson.Default.EndpointResponse, location, endpoint.Version);
}

/// <param name="Id">Id of the delivery.</param>
/// <param name="Seq">Position of the event in the feed.</param>
/// <param name="OrderId">Order of the event.</param>
/// <param name="Type">Type of the event.</param>
/// <param name="State">One of <see cref="DeliveryStates"/>.</param>
/// <param name="Attempts">Attempts so far.</param>
/// <param name="NextAttemptAt">Earliest time of the next attempt; null once the delivery has ended.</param>
/// <param name="LastAttempt">Last attempt; null before the first.</param>
public sealed record DeliveryResponse(
    Guid Id, long Seq, Guid OrderId, string Type, [OneOf(typeof(DeliveryStates))] string State, int Attempts,
    DateTimeOffset? NextAttemptAt, AttemptResponse? LastAttempt)
{
    public static DeliveryResponse Of(WebhookDelivery delivery) => new(
        delivery.Id, delivery.Seq, delivery.OrderId, delivery.Type, delivery.State, delivery.Attempts,
        delivery.NextAttemptAt, delivery.Last is { } last ? AttemptResponse.Of(last) : null);
}

/// <param name="At">Time of the attempt.</param>
/// <param name="Status">HTTP status; null without a response.</param>
/// <param name="TookMs">Milliseconds.</param>
/// <param name="Response">Beginning of the response, or why there was none.</param>
public sealed record AttemptResponse(DateTimeOffset At, int? Status, long TookMs, string? Response)
{
    public static AttemptResponse Of(CallAttempt attempt) =>
        new(attempt.At, attempt.Status, (long)attempt.Took.TotalMilliseconds, attempt.Response);
}

/// <param name="Delivery">The delivery.</param>
/// <param name="WebhookId">Value of the header <c>webhook-id</c>.</param>
/// <param name="Body">Body that is sent.</param>
public sealed record DeliveryDetailResponse(
    DeliveryResponse Delivery, string WebhookId, [property: JsonConverter(typeof(RawJsonConverter))] string Body);

/// <param name="Delivered">True for a response with 2xx.</param>
/// <param name="WebhookId">Value of the header <c>webhook-id</c>.</param>
/// <param name="Attempt">The attempt.</param>
public sealed record TestResponse(bool Delivered, string WebhookId, AttemptResponse Attempt);

/// <param name="Deliveries">Number of deliveries that wait again, at most <see cref="WebhookApi.MostRedeliveries"/>.</param>
public sealed record RedeliveryResponse(int Deliveries);
