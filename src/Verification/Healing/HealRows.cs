using Orderwright.Contracts;
using Orderwright.Runtime.Database;

namespace Orderwright.Verification.Healing;

/// <summary>An order, as order-service knows it.</summary>
/// <param name="Id">Order id.</param>
/// <param name="Version">Version of the row.</param>
/// <param name="Placed">The order as sent to the coordinator, with the prices that apply.</param>
/// <param name="Status">One of <see cref="OrderStatuses"/>.</param>
/// <param name="Total">Minor units; null until priced.</param>
/// <param name="UpdatedAt">Time of the last change.</param>
public sealed record HealOrder(
    Guid Id, long Version, OrderPlaced Placed, string Status, long? Total, DateTimeOffset UpdatedAt)
{
    public required string PaymentStatus { get; init; }

    /// <summary>Version of the payment behind <see cref="PaymentStatus"/>; 0 for none.</summary>
    public long PaymentVersion { get; init; }

    /// <summary>Money still there; null when unknown.</summary>
    public long? Secured { get; init; }

    /// <summary>End of the unshipped goods, one of <see cref="GoodsEnds"/>; null for none.</summary>
    public string? Goods { get; init; }

    public string? CancelReason { get; init; }

    public string? ReasonCode { get; init; }

    public string? ReasonMessage { get; init; }

    /// <summary>True while stock-service has a fulfilment to book, and has not refused to.</summary>
    public bool StockIsAsked { get; init; }

    /// <summary>True while customer-service has a fulfilment to capture, and has not refused to.</summary>
    public bool CustomerIsAsked { get; init; }

    public IReadOnlyList<ShippedRow> Fulfilments { get; init; } = [];

    public bool IsTakenOnFulfilment => Placed.Capture == CapturePolicies.Fulfilment;
}

/// <summary>A saga, as the coordinator knows it.</summary>
/// <param name="OrderId">Order id.</param>
/// <param name="Version">Version of the row.</param>
/// <param name="State">One of <see cref="SagaStates"/>.</param>
/// <param name="Steps">Progress.</param>
/// <param name="Order">The order.</param>
/// <param name="UpdatedAt">Time of the last change.</param>
public sealed record HealSaga(
    Guid OrderId, long Version, string State, SagaProgressRow Steps, OrderPlaced Order, DateTimeOffset UpdatedAt);

/// <summary>A payment, as customer-service knows it.</summary>
/// <param name="OrderId">Order id.</param>
/// <param name="Provider">Provider; null for a tombstone.</param>
/// <param name="State">One of <see cref="PaymentStates"/>.</param>
/// <param name="Totals">Amounts and version.</param>
/// <param name="IsOpen">True while an attempt at a gateway is unfinished.</param>
/// <param name="UpdatedAt">Time of the last change.</param>
/// <param name="IsClosed">True once the money of goods that will not ship was released: the order was completed.</param>
public sealed record HealPayment(
    Guid OrderId, string? Provider, string State, PaymentTotals Totals, bool IsOpen, DateTimeOffset UpdatedAt,
    bool IsClosed = false);

/// <summary>A reservation, as stock-service knows it.</summary>
/// <param name="OrderId">Order id.</param>
/// <param name="State">One of <see cref="ReservationStates"/>.</param>
/// <param name="Shipments">Booked shipments; number 0 is the end of the unshipped goods.</param>
/// <param name="UpdatedAt">Time of the last change.</param>
public sealed record HealReservation(
    Guid OrderId, string State, IReadOnlyList<ShippedRow> Shipments, DateTimeOffset UpdatedAt);

/// <summary>Everything that the four services know of an order.</summary>
public sealed record HealCase(
    Guid OrderId, HealOrder? Order, HealSaga? Saga, HealPayment? Payment, HealReservation? Reservation, bool IsConsumed)
{
    /// <summary>
    /// True while the coordinator still works on the order, or waits for a person, and no shipment waits for its fulfilment.
    /// </summary>
    public bool IsUndecided =>
        Saga is { State: not (SagaStates.Completed or SagaStates.Compensated) } && Reservation?.Shipments.Any(IsLost) != true;

    bool IsLost(ShippedRow shipment) => shipment.Number == GoodsShipped.Rest
        ? Order?.Status != OrderStatuses.Completed
        : Order?.Fulfilments.Any(fulfilment => fulfilment.Number == shipment.Number) != true;

    /// <summary>Changes with every change of a row.</summary>
    public (long? Order, long? Saga, long? Payment, string? Reservation) Versions =>
        (Order?.Version, Saga?.Version, Payment?.Totals.Version, Reservation?.State);

    /// <summary>Time of the latest change in any service, by the clocks of the services.</summary>
    public DateTimeOffset TouchedAt
    {
        get
        {
            var latest = DateTimeOffset.MinValue;
            foreach (var at in (ReadOnlySpan<DateTimeOffset?>)
                [Order?.UpdatedAt, Saga?.UpdatedAt, Payment?.UpdatedAt, Reservation?.UpdatedAt])
                if (at > latest) latest = at.Value;
            return latest;
        }
    }
}

/// <summary>Maps the columns of <c>heal.*.sql</c> to rows.</summary>
static class HealRows
{
    public static HealOrder Order(IRow row) => new(
        row.Uuid("id"), row.BigInt("version"),
        new OrderPlaced(
            row.Text("customer_id"), row.Text("currency"), OrderLinesJson.Read(row.Text("lines")),
            row.BigInt("adjustments_minor"), new PaymentMethod(row.Text("payment_provider"), row.TextOrNull("payment_token")),
            row.Bool("may_set_price"), row.TextOrNull("capture_policy"),
            row.Text("channel") is var channel && channel == "main" ? null : channel, row.TextOrNull("reference")),
        row.Text("status"), row.BigIntOrNull("total_minor"), row.Time("updated_at"))
    {
        PaymentStatus = row.Text("payment_status"), PaymentVersion = row.BigInt("payment_version"),
        Secured = row.BigIntOrNull("secured_minor"), Goods = row.TextOrNull("goods"),
        CancelReason = row.TextOrNull("cancel_reason"), ReasonCode = row.TextOrNull("reason_code"),
        ReasonMessage = row.TextOrNull("reason_message"), StockIsAsked = row.BigInt("stock_work") > 0,
        CustomerIsAsked = row.BigInt("customer_work") > 0, Fulfilments = StoredLines.Shipped(row.TextOrNull("fulfilments")),
    };

    public static HealSaga Saga(IRow row) => new(
        row.Uuid("order_id"), row.BigInt("version"), row.Text("state"), SagaProgressRow.Read(row.Text("steps")),
        SagaProgressRow.ReadOrder(row.Text("facts")), row.Time("updated_at"));

    public static HealPayment Payment(IRow row) => new(
        row.Uuid("order_id"), row.TextOrNull("provider"), row.Text("state"),
        new PaymentTotals(
            row.BigInt("authorized"), row.BigInt("captured"), row.BigInt("refunded"), row.Bool("voided"),
            row.BigInt("version")),
        row.Bool("is_open"), row.Time("updated_at"), row.Bool("is_closed"));

    public static HealReservation Reservation(IRow row) => new(
        row.Uuid("order_id"), row.Text("state"), StoredLines.Shipped(row.TextOrNull("shipments")), row.Time("updated_at"));
}
