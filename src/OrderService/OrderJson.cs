using System.Text.Json;
using System.Text.Json.Serialization;
using Orderwright.Contracts;
using Orderwright.OrderService.Fulfilments;
using Orderwright.Http;

namespace Orderwright.OrderService;

// ---- what callers send ----

/// <param name="CustomerId">1 to 64 of <c>A-Z a-z 0-9 . _ -</c>.</param>
/// <param name="Currency">ISO 4217, in capitals.</param>
/// <param name="Lines">1 to 2,000.</param>
/// <param name="Reference">The merchant's own number, 1 to 64 visible characters, unique for the
/// merchant.</param>
/// <param name="Adjustments">At most 50.</param>
/// <param name="Payment">Store credit (<c>balance</c>) where it is left out.</param>
/// <param name="Metadata">At most 50 notes; keys to 40, values to 500 characters.</param>
public sealed record OrderRequest(
    string CustomerId,
    string Currency,
    IReadOnlyList<LineRequest> Lines,
    string? Reference = null,
    IReadOnlyList<Adjustment>? Adjustments = null,
    PaymentRequest? Payment = null,
    IReadOnlyDictionary<string, string>? Metadata = null);

/// <param name="Sku">1 to 64 of <c>A-Z a-z 0-9 . _ -</c>.</param>
/// <param name="Quantity">1 to 1,000,000.</param>
/// <param name="UnitPrice">Minor units, 0 to 10^12. Checked against the catalogue; the catalogue's where it
/// is left out.</param>
public sealed record LineRequest(string Sku, int Quantity, long? UnitPrice = null);

/// <param name="Provider"><c>balance</c>, <c>sandbox</c>, <c>stripe</c>.</param>
/// <param name="Token">The provider's token; needed for all but <c>balance</c>. Never a card number.</param>
public sealed record PaymentRequest(string Provider, string? Token = null);

/// <param name="Reason">One of <see cref="CancelReasons.All"/>.</param>
public sealed record CancelRequest(string Reason);

/// <param name="Status">Where the order is to go.</param>
public sealed record StatusRequest(string Status);

// ---- what they get ----

public sealed record OrderBody(
    Guid Id, string? Reference, string CustomerId, string Status, string PaymentStatus, string FulfilmentStatus,
    string Currency, IReadOnlyList<LineBody> Lines, IReadOnlyList<Adjustment> Adjustments, long? Total,
    Reason? Reason, NextAction? NextAction, IReadOnlyDictionary<string, string> Metadata, long Version,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    public static OrderBody Of(Order order) => new(
        order.Id, order.Reference, order.CustomerId, order.State.Status, order.State.PaymentStatus,
        order.State.FulfilmentStatus, order.Currency, [.. order.Lines.Select(LineBody.Of)], order.Adjustments,
        order.State.Total, order.State.Reason, order.State.NextAction, order.Metadata, order.State.Version, order.CreatedAt,
        order.State.UpdatedAt);

    /// <summary>The order as an answer: the same bytes whenever the order is the same.</summary>
    public static Answer Answer(int status, Order order, string? location = null) =>
        Orderwright.Http.Answer.Json(status, Of(order), OrderJson.Default.OrderBody, location, order.State.Version);
}

/// <summary>An order in a few words.</summary>
/// <param name="State">Its status.</param>
public sealed record OrderGist(string State, string PaymentStatus, string FulfilmentStatus, long Version)
{
    public static OrderGist Of(OrderState state) =>
        new(state.Status, state.PaymentStatus, state.FulfilmentStatus, state.Version);
}

/// <param name="Type">Its wire name.</param>
/// <param name="Destination">The service it goes to.</param>
public sealed record PlannedMessage(string Type, string Destination)
{
    public static PlannedMessage Of(IMessageBody body) =>
        new(MessageCatalog.TypeOf(body), MessageCatalog.DestinationOf(body));
}

/// <summary>What a cancellation would do.</summary>
/// <param name="OrderId">Which order.</param>
/// <param name="Action"><c>cancel</c>.</param>
/// <param name="Preview">Nothing was done.</param>
/// <param name="Before">How it stands.</param>
/// <param name="After">How it would stand at once; the process then brings it to its end.</param>
/// <param name="Messages">What would be sent at once; none where it was asked for before.</param>
public sealed record CancelPreview(
    Guid OrderId, string Action, bool Preview, OrderGist Before, OrderGist After, IReadOnlyList<PlannedMessage> Messages);

public sealed record LineBody(int Line, string Sku, int Quantity, long? UnitPrice, long? Total)
{
    public static LineBody Of(OrderLine line) =>
        new(line.Line, line.Sku, line.Quantity, line.UnitPrice, line.UnitPrice * line.Quantity);
}

/// <param name="Seq">Grows from event to event, with gaps; where to go on reading the feed.</param>
/// <param name="OrderId">The order.</param>
/// <param name="Version">The version of the order that this made.</param>
/// <param name="Type">One of <see cref="OrderEventTypes"/>.</param>
/// <param name="Status">The order's status from then on.</param>
/// <param name="At">When.</param>
/// <param name="Actor">Who: a caller's name or a service.</param>
/// <param name="TraceId">Finds the logs and traces of it.</param>
/// <param name="Data">An <see cref="EventData"/>.</param>
public sealed record EventBody(
    long Seq, Guid OrderId, long Version, string Type, string Status, DateTimeOffset At, string Actor,
    string? TraceId, [property: JsonConverter(typeof(RawJsonConverter))] string Data);

/// <summary>JSON that was written by us and is handed on as it is.</summary>
public sealed class RawJsonConverter : JsonConverter<string>
{
    public override string Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        return document.RootElement.GetRawText();
    }

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
        writer.WriteRawValue(value, skipInputValidation: true);
}

/// <summary>What goes over HTTP: strict when read, and every property there when written.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    PropertyNameCaseInsensitive = false,
    NumberHandling = JsonNumberHandling.Strict,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    Converters = [typeof(UtcMillisecondsConverter)])]
[JsonSerializable(typeof(OrderRequest))]
[JsonSerializable(typeof(CancelRequest))]
[JsonSerializable(typeof(StatusRequest))]
[JsonSerializable(typeof(FulfilmentRequest))]
[JsonSerializable(typeof(OrderBody))]
[JsonSerializable(typeof(FulfilmentBody))]
[JsonSerializable(typeof(Page<FulfilmentBody>))]
[JsonSerializable(typeof(OrderGist))]
[JsonSerializable(typeof(CancelPreview))]
[JsonSerializable(typeof(EventBody))]
[JsonSerializable(typeof(Page<OrderBody>))]
[JsonSerializable(typeof(Page<EventBody>))]
public sealed partial class OrderJson : JsonSerializerContext;

/// <summary>What stands in the JSON columns: nothing that is null.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(IReadOnlyList<Adjustment>))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, string>))]
public sealed partial class StoredJson : JsonSerializerContext;
