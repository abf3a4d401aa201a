using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using Orderwright.Contracts.Json;

namespace Orderwright.Contracts;

// Bodies of the operations by which `heal` repairs a service whose database was restored to an earlier moment (docs/adr/0033).
// Each repair names the version or the state that was read: a row that has changed since is left alone, and judged again in the
// next pass. Every operation can be repeated.

/// <summary>Targets of the repair of a saga.</summary>
public static class SagaTargets
{
    /// <summary>The order is undecided: the saga starts, or asks everything outstanding again.</summary>
    public const string Running = "running";

    /// <summary>The order is confirmed: every step up to the pivot has happened.</summary>
    public const string Confirmed = "confirmed";

    /// <summary>The order has ended without goods or money: every step is undone once more.</summary>
    public const string Undone = "undone";

    /// <summary>The saga is right; order-service hears its outcome again.</summary>
    public const string Announced = "announced";
}

/// <summary>Repair of an order's saga.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="To">One of <see cref="SagaTargets"/>.</param>
/// <param name="Version">Version of the saga as read; null for a missing saga.</param>
/// <param name="Order">The order; null if only announced.</param>
/// <param name="Payment">Totals of the payment; null for none.</param>
/// <param name="IsPaid">True when no capture by the process is outstanding.</param>
/// <param name="Ending">End of an undone order.</param>
public sealed record SagaRepair(
    Guid OrderId, [OneOf(typeof(SagaTargets))] string To, long? Version = null, OrderPlaced? Order = null,
    PaymentTotals? Payment = null, bool IsPaid = false,
    SagaEnding? Ending = null);

/// <summary>End of an order without goods or money.</summary>
/// <param name="Status">Rejected, cancelled or expired, one of <see cref="OrderStatuses"/>.</param>
/// <param name="Code">Stable code of the reason.</param>
/// <param name="Message">One sentence.</param>
/// <param name="CancelReason">Reason of a cancellation; null for none.</param>
public sealed record SagaEnding(
    [OneOf(OrderStatuses.Rejected, OrderStatuses.Cancelled, OrderStatuses.Expired)] string Status, string Code, string Message,
    string? CancelReason = null);

/// <summary>Repairs of sagas, at most <see cref="HealRequests.MaxRepairs"/>.</summary>
public sealed record HealSagasRequest([Length(1, HealRequests.MaxRepairs)] IReadOnlyList<SagaRepair> Orders);

/// <summary>Repair of an order's reservation.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="To">Held, committed or released, one of <see cref="ReservationStates"/>.</param>
/// <param name="Currency">Currency of the order.</param>
/// <param name="Lines">Lines with their prices; empty for a release.</param>
/// <param name="From">State of the reservation as read; null for a missing one.</param>
public sealed record ReservationRepair(
    Guid OrderId, string To, string Currency, IReadOnlyList<OrderLine> Lines, string? From = null);

/// <summary>Product that orders name and stock-service has lost.</summary>
/// <param name="Sku">SKU; also serves as the lost name.</param>
/// <param name="UnitPrice">Price of the newest order, minor units.</param>
/// <param name="Currency">Currency of the newest order.</param>
/// <param name="OnHand">Units promised to orders that stand, shipped ones included; the true number is unknown.</param>
public sealed record ProductRepair(string Sku, long UnitPrice, string Currency, long OnHand);

/// <summary>Repairs of stock-service: products first, then reservations.</summary>
public sealed record HealReservationsRequest(
    IReadOnlyList<ReservationRepair> Orders, IReadOnlyList<ProductRepair>? Products = null);

/// <summary>Targets of the repair of a payment.</summary>
public static class PaymentTargets
{
    /// <summary>The order stands: its money is secured.</summary>
    public const string Secured = "secured";

    /// <summary>The order came to nothing: its money is returned.</summary>
    public const string Returned = "returned";

    /// <summary>The order is undecided: a charge that exists is taken over.</summary>
    public const string Known = "known";

    /// <summary>The payment is right; order-service hears its totals again.</summary>
    public const string Told = "told";
}

/// <summary>Repair of an order's payment.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="To">One of <see cref="PaymentTargets"/>.</param>
/// <param name="Terms">Terms of the payment.</param>
/// <param name="Version">Version of the payment as read; null for a missing one.</param>
/// <param name="KnownVersion">Highest version that another service has seen; 0 for none.</param>
/// <param name="SecuredMinor">Money still there according to order-service; null for the whole amount.</param>
/// <param name="MayBeReleased">True for an order completed before anything was captured.</param>
public sealed record PaymentRepair(
    Guid OrderId, [OneOf(typeof(PaymentTargets))] string To, PaymentTerms Terms, long? Version = null, long KnownVersion = 0,
    long? SecuredMinor = null,
    bool MayBeReleased = false);

/// <summary>Repairs of customer-service, at most <see cref="HealRequests.MaxRepairs"/> each.</summary>
/// <param name="Orders">Repairs of payments.</param>
/// <param name="Erasures">Repairs of erasures; null for none.</param>
public sealed record HealPaymentsRequest(IReadOnlyList<PaymentRepair> Orders, IReadOnlyList<ErasureRepair>? Erasures = null);

/// <summary>Repair of an erasure about which order-service differs.</summary>
/// <param name="CustomerId">The customer.</param>
/// <param name="Withdraws">
/// True if the erasure was refused, and order-service has to accept orders again; false to ask order-service again, or to request
/// a lost erasure again.
/// </param>
public sealed record ErasureRepair(string CustomerId, bool Withdraws);

/// <summary>Shipped goods as booked by stock-service.</summary>
public sealed record BookedShipment(int Number, IReadOnlyList<OrderLine> Lines);

/// <summary>Repair of an order.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="Version">Version of the order as read; null for a missing one.</param>
/// <param name="Placed">Order to create again; null for an existing one.</param>
/// <param name="Shipped">Shipments without a fulfilment.</param>
/// <param name="Goods">End of the unshipped goods of an order to complete, one of <see cref="GoodsEnds"/>; null for none.</param>
/// <param name="AskAgain">Participants whose part of the fulfilments is asked for again; null for none.</param>
/// <param name="CancelReason">Reason of a lost cancellation that the coordinator carries out; null for none.</param>
public sealed record OrderRepair(
    Guid OrderId, long? Version = null, OrderPlaced? Placed = null, IReadOnlyList<BookedShipment>? Shipped = null,
    [OneOf(typeof(GoodsEnds))] string? Goods = null,
    [OneOf(ServiceNames.Stock, ServiceNames.Customer)] IReadOnlyList<string>? AskAgain = null, string? CancelReason = null);

/// <summary>Repairs of orders, at most <see cref="HealRequests.MaxRepairs"/>.</summary>
public sealed record HealOrdersRequest([Length(1, HealRequests.MaxRepairs)] IReadOnlyList<OrderRepair> Orders);

/// <summary>Result of repairs.</summary>
/// <param name="Changed">Number of orders with a changed row or a message sent.</param>
/// <param name="Unchanged">Number of orders that had changed since they were read, or were right already.</param>
/// <param name="Conflicts">Repairs that cannot be made.</param>
public sealed record HealResponse(int Changed, int Unchanged, IReadOnlyList<HealConflict> Conflicts);

/// <summary>Repair that cannot be made by a service.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="Code">One of <see cref="HealConflicts"/>.</param>
/// <param name="Message">One sentence with the values.</param>
public sealed record HealConflict(Guid OrderId, [OneOf(typeof(HealConflicts))] string Code, string Message);

/// <summary>Codes of conflicts that only a person can resolve.</summary>
public static class HealConflicts
{
    /// <summary>More goods are sold than are on hand: stock received or found since the backup was lost.</summary>
    public const string Oversold = "oversold";

    /// <summary>The order stands, and no gateway has its charge.</summary>
    public const string NoCharge = "no_charge";

    /// <summary>The gateways hold money for the order in several charges.</summary>
    public const string SeveralCharges = "several_charges";

    /// <summary>The journal, or the payment, has more than the gateway's charge.</summary>
    public const string ChargeDiffers = "charge_differs";

    /// <summary>The payment's gateway offers no list of charges.</summary>
    public const string NoChargeList = "no_charge_list";

    /// <summary>More was captured than the value of the goods noted as shipped: a fulfilment was lost.</summary>
    public const string CapturedUnshipped = "captured_unshipped";

    /// <summary>The order's reference belongs to another order now.</summary>
    public const string ReferenceTaken = "reference_taken";

    /// <summary>Services contradict each other in a way that no restore explains.</summary>
    public const string Contradiction = "contradiction";

    /// <summary>A repair was sent several times without the expected result.</summary>
    public const string NotRepaired = "not_repaired";
}

/// <summary>Limits of repairs.</summary>
public static class HealRequests
{
    /// <summary>Repairs per request.</summary>
    public const int MaxRepairs = 200;

    /// <summary>Name of the actor in events, movements and attempts.</summary>
    public const string Actor = "heal";
}

/// <summary>JSON of repairs, strict on reading.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Strict,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(Rfc3339Converter)])]
[JsonSerializable(typeof(HealSagasRequest))]
[JsonSerializable(typeof(HealReservationsRequest))]
[JsonSerializable(typeof(HealPaymentsRequest))]
[JsonSerializable(typeof(HealOrdersRequest))]
[JsonSerializable(typeof(HealResponse))]
public sealed partial class HealJson : JsonSerializerContext;
