using System.ComponentModel.DataAnnotations;
using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.OrderService.Fulfilments;

/// <summary>Shipment of an order's goods, in part or in full; immutable.</summary>
/// <param name="OrderId">Id of the order.</param>
/// <param name="Number">1 and up within the order; order and number are the natural key for participants.</param>
/// <param name="Id">UUIDv7, the public id.</param>
/// <param name="Lines">Shipped lines and quantities, without prices.</param>
/// <param name="ValueMinor">Share of the order's total, minor units (<see cref="FulfilmentValue"/>).</param>
/// <param name="Tracking">Tracking details of the parcel.</param>
/// <param name="Actor">Caller that reported the shipment.</param>
/// <param name="CreatedAt">Time of the report.</param>
public sealed record Fulfilment(
    Guid OrderId, int Number, Guid Id, IReadOnlyList<OrderLine> Lines, long ValueMinor, Tracking? Tracking, string Actor,
    DateTimeOffset CreatedAt);

/// <param name="Carrier">1 to 100 characters.</param>
/// <param name="Number">1 to 100 characters; refused when 13 to 19 digits pass for a card number, like any text.</param>
public sealed record Tracking(
    [Length(1, FulfilmentApi.MaxTracking)] string Carrier, [Length(1, FulfilmentApi.MaxTracking)] string Number);

/// <summary>Body of <c>POST /orders/{id}/fulfilments</c>.</summary>
/// <param name="Lines">1 to 2,000 lines; a line listed twice counts twice. Ships all remaining goods when omitted.</param>
/// <param name="Tracking">Tracking details of the parcel.</param>
/// <param name="Force">Ships although the order's money was returned; requires the scope <c>operator</c>.</param>
public sealed record FulfilmentRequest(
    [Length(1, OrderChecks.MaxLines)] IReadOnlyList<ShippedLine>? Lines = null, Tracking? Tracking = null, bool Force = false);

/// <param name="Line">Number of the order's line, 1 and up.</param>
/// <param name="Quantity">1 to 1,000,000.</param>
public sealed record ShippedLine(
    [Range(1, OrderChecks.MaxLines)] int Line, [Range(1, OrderChecks.MaxQuantity)] int Quantity);

/// <summary>
/// Fulfilment in a response. <c>value</c> is the share of the order's total, minor units. <c>attention</c> says why a service
/// cannot book or capture the shipment; null for none.
/// </summary>
public sealed record FulfilmentResponse(
    Guid Id, Guid OrderId, int Number, IReadOnlyList<FulfilledLineResponse> Lines, Tracking? Tracking, long Value,
    DateTimeOffset CreatedAt, string? Attention)
{
    public static FulfilmentResponse Of(Fulfilment fulfilment, string? attention = null) => new(
        fulfilment.Id, fulfilment.OrderId, fulfilment.Number,
        [.. fulfilment.Lines.Select(line => new FulfilledLineResponse(line.Line, line.Sku, line.Quantity))],
        fulfilment.Tracking, fulfilment.ValueMinor, fulfilment.CreatedAt, attention);

    public static Answer Answer(int status, Fulfilment fulfilment, string? location = null, string? attention = null) =>
        Orderwright.Http.Answer.Json(status, Of(fulfilment, attention), OrderJson.Default.FulfilmentResponse, location);

    public static string PathOf(Fulfilment fulfilment) =>
        $"/api/v1/orders/{fulfilment.OrderId:D}/fulfilments/{fulfilment.Id:D}";
}

public sealed record FulfilledLineResponse(int Line, string Sku, int Quantity);
