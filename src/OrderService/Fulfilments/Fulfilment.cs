using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.OrderService.Fulfilments;

/// <summary>A part of an order, or all of it, that left the house; never changed.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="Number">1 and up within the order; with it the natural key for whoever takes part.</param>
/// <param name="Id">UUIDv7, for those outside.</param>
/// <param name="Lines">Which lines, and how much of each; without prices.</param>
/// <param name="ValueMinor">Its share of the order's total, minor units (<see cref="FulfilmentValue"/>).</param>
/// <param name="Tracking">Where the parcel is.</param>
/// <param name="Actor">Who said so.</param>
/// <param name="CreatedAt">When.</param>
public sealed record Fulfilment(
    Guid OrderId, int Number, Guid Id, IReadOnlyList<OrderLine> Lines, long ValueMinor, Tracking? Tracking, string Actor,
    DateTimeOffset CreatedAt);

/// <param name="Carrier">1 to 100 characters.</param>
/// <param name="Number">1 to 100 characters. Like any text of 13 to 19 digits it must not look like a card's number.</param>
public sealed record Tracking(string Carrier, string Number);

/// <summary>Body of <c>POST /orders/{id}/fulfilments</c>.</summary>
/// <param name="Lines">1 to 2,000; all that is left of the order where it is left out. A line named twice counts
/// twice.</param>
/// <param name="Tracking">Of the parcel.</param>
public sealed record FulfilmentRequest(IReadOnlyList<ShippedLine>? Lines = null, Tracking? Tracking = null);

/// <param name="Line">The order's line, 1 and up.</param>
/// <param name="Quantity">1 to 1,000,000.</param>
public sealed record ShippedLine(int Line, int Quantity);

/// <summary>A fulfilment as the API tells it. <c>value</c> is its share of the order's total, minor units.</summary>
public sealed record FulfilmentBody(
    Guid Id, Guid OrderId, int Number, IReadOnlyList<FulfilledLineBody> Lines, Tracking? Tracking, long Value,
    DateTimeOffset CreatedAt)
{
    public static FulfilmentBody Of(Fulfilment fulfilment) => new(
        fulfilment.Id, fulfilment.OrderId, fulfilment.Number,
        [.. fulfilment.Lines.Select(line => new FulfilledLineBody(line.Line, line.Sku, line.Quantity))],
        fulfilment.Tracking, fulfilment.ValueMinor, fulfilment.CreatedAt);

    public static Answer Answer(int status, Fulfilment fulfilment, string? location = null) =>
        Orderwright.Http.Answer.Json(status, Of(fulfilment), OrderJson.Default.FulfilmentBody, location);

    public static string PathOf(Fulfilment fulfilment) =>
        $"/api/v1/orders/{fulfilment.OrderId:D}/fulfilments/{fulfilment.Id:D}";
}

public sealed record FulfilledLineBody(int Line, string Sku, int Quantity);
