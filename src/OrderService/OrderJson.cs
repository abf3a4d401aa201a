using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using Orderwright.Contracts;
using Orderwright.OrderService.Events;
using Orderwright.OrderService.Fulfilments;
using Orderwright.OrderService.Webhooks;
using Orderwright.Http;

namespace Orderwright.OrderService;

// ---- requests ----

/// <param name="CustomerId">1 to 64 of <c>A-Z a-z 0-9 . _ -</c>.</param>
/// <param name="Currency">ISO 4217, in capitals.</param>
/// <param name="Lines">1 to 2,000.</param>
/// <param name="Reference">
/// The shop's own number, 1 to 64 visible characters, unique among the channel's orders that stand.
/// </param>
/// <param name="Adjustments">At most 50.</param>
/// <param name="Payment">Store credit (<c>balance</c>) when omitted.</param>
/// <param name="Metadata">At most 50 notes; keys up to 40, values up to 500 characters.</param>
/// <param name="Channel">Channel of the order; the first channel of the key when omitted.</param>
public sealed record OrderRequest(
    string CustomerId,
    string Currency,
    [Length(1, OrderChecks.MaxLines)] IReadOnlyList<LineRequest> Lines,
    [Length(1, OrderChecks.MaxReference)] string? Reference = null,
    [MaxLength(OrderChecks.MaxAdjustments)] IReadOnlyList<Adjustment>? Adjustments = null,
    PaymentRequest? Payment = null,
    [MaxLength(OrderChecks.MaxMetadata)] IReadOnlyDictionary<string, string>? Metadata = null,
    [Length(1, Check.MaxIdLength)] string? Channel = null);

/// <param name="Sku">1 to 64 of <c>A-Z a-z 0-9 . _ -</c>.</param>
/// <param name="Quantity">1 to 1,000,000.</param>
/// <param name="UnitPrice">Minor units, 0 to 10^12, checked against the catalogue; the catalogue's price when
/// omitted.</param>
public sealed record LineRequest(
    string Sku, [Range(1, OrderChecks.MaxQuantity)] int Quantity, [Range(0, Check.Most)] long? UnitPrice = null);

/// <param name="Provider"><c>balance</c>, <c>sandbox</c>, <c>stripe</c>.</param>
/// <param name="Token">Token issued by the provider; required except for <c>balance</c>. Never a card number.</param>
public sealed record PaymentRequest(
    [RegularExpression("^[A-Za-z0-9._-]{1,32}$")] string Provider,
    [RegularExpression("^[!-~]{1,255}$")] string? Token = null);

/// <param name="Reason">One of <see cref="CancelReasons.All"/>.</param>
public sealed record CancelRequest([OneOf(typeof(CancelReasons))] string Reason);

/// <param name="Status">Target status.</param>
/// <param name="Goods"><c>consume</c> or <c>release</c>: what happens to goods without a fulfilment.</param>
/// <param name="Force">Consumes the goods although the order's money was returned.</param>
public sealed record StatusRequest(
    [OneOf(typeof(OrderStatuses))] string Status, [OneOf(StatusRequest.Consume, StatusRequest.Release)] string? Goods = null,
    bool Force = false)
{
    public const string Consume = "consume";
    public const string Release = "release";
}

// ---- responses ----

public sealed record OrderResponse(
    Guid Id, string Channel, string? Reference, string CustomerId, [OneOf(typeof(OrderStatuses))] string Status,
    [OneOf(typeof(PaymentStatuses))] string PaymentStatus, [OneOf(typeof(FulfilmentStatuses))] string FulfilmentStatus,
    string Currency, IReadOnlyList<LineResponse> Lines, IReadOnlyList<Adjustment> Adjustments, long? Total,
    OrderReason? Reason, NextAction? NextAction, IReadOnlyDictionary<string, string> Metadata, long Version,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    public static OrderResponse Of(Order order) => new(
        order.Id, order.Channel, order.Reference, order.CustomerId, order.State.Status, order.State.PaymentStatus,
        order.State.FulfilmentStatus, order.Currency, [.. order.Lines.Select(LineResponse.Of)], order.Adjustments,
        order.State.Total, order.State.Reason, order.State.NextAction, order.Metadata, order.State.Version, order.CreatedAt,
        order.State.UpdatedAt);

    /// <summary>Builds the response; equal orders give equal bytes.</summary>
    public static Answer Answer(int status, Order order, string? location = null) =>
        Orderwright.Http.Answer.Json(status, Of(order), OrderJson.Default.OrderResponse, location, order.State.Version);
}

/// <summary>Statuses and version of an order.</summary>
/// <param name="State">Status of the order.</param>
public sealed record OrderSummary(
    [OneOf(typeof(OrderStatuses))] string State, [OneOf(typeof(PaymentStatuses))] string PaymentStatus,
    [OneOf(typeof(FulfilmentStatuses))] string FulfilmentStatus, long Version)
{
    public static OrderSummary Of(OrderState state) =>
        new(state.Status, state.PaymentStatus, state.FulfilmentStatus, state.Version);
}

/// <param name="Type">Message type, as on the wire.</param>
/// <param name="Destination">Service that receives the message.</param>
public sealed record PreviewMessage(string Type, [OneOf(typeof(ServiceNames))] string Destination)
{
    public static PreviewMessage Of(IMessageBody body) =>
        new(MessageCatalog.TypeOf(body), MessageCatalog.DestinationOf(body));
}

/// <summary>Preview of a cancellation.</summary>
/// <param name="OrderId">Id of the order.</param>
/// <param name="Action"><c>cancel</c>.</param>
/// <param name="Preview">Always true: nothing was changed.</param>
/// <param name="Before">Order before the cancellation.</param>
/// <param name="After">Order right after the cancellation; the process then compensates the order.</param>
/// <param name="Messages">Messages that would be sent; none when a cancellation was requested before.</param>
public sealed record CancelPreview(
    Guid OrderId, [OneOf("cancel")] string Action, bool Preview, OrderSummary Before, OrderSummary After,
    IReadOnlyList<PreviewMessage> Messages);

public sealed record LineResponse(int Line, string Sku, int Quantity, long? UnitPrice, long? Total)
{
    public static LineResponse Of(OrderLine line) =>
        new(line.Line, line.Sku, line.Quantity, line.UnitPrice, line.UnitPrice * line.Quantity);
}

/// <summary>JSON of the API: strict on reading; every property is written.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Strict,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    Converters = [typeof(UtcMillisecondsConverter)])]
[JsonSerializable(typeof(OrderRequest))]
[JsonSerializable(typeof(CancelRequest))]
[JsonSerializable(typeof(StatusRequest))]
[JsonSerializable(typeof(FulfilmentRequest))]
[JsonSerializable(typeof(OrderResponse))]
[JsonSerializable(typeof(FulfilmentResponse))]
[JsonSerializable(typeof(Page<FulfilmentResponse>))]
[JsonSerializable(typeof(OrderSummary))]
[JsonSerializable(typeof(CancelPreview))]
[JsonSerializable(typeof(EventResponse))]
[JsonSerializable(typeof(Page<OrderResponse>))]
[JsonSerializable(typeof(Page<EventResponse>))]
[JsonSerializable(typeof(EndpointRequest))]
[JsonSerializable(typeof(EndpointPatch))]
[JsonSerializable(typeof(RotationRequest))]
[JsonSerializable(typeof(RedeliveryRequest))]
[JsonSerializable(typeof(EndpointResponse))]
[JsonSerializable(typeof(Page<EndpointResponse>))]
[JsonSerializable(typeof(Page<DeliveryResponse>))]
[JsonSerializable(typeof(DeliveryDetailResponse))]
[JsonSerializable(typeof(RedeliveryResponse))]
[JsonSerializable(typeof(TestResponse))]
[JsonSerializable(typeof(WebhookPayload))]
[JsonSerializable(typeof(WebhookTest))]
[JsonSerializable(typeof(OrderCloudEvent))]
public sealed partial class OrderJson : JsonSerializerContext;

/// <summary>JSON of columns; nulls are omitted.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(IReadOnlyList<Adjustment>))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, string>))]
public sealed partial class StoredJson : JsonSerializerContext;
