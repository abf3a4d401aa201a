using Orderwright.Contracts;

namespace Orderwright.Verification;

/// <summary>
/// A row of <c>orders</c>. <paramref name="Lines"/> is the stored JSON; <paramref name="Total"/> is null until priced.
/// </summary>
public sealed record OrderRow(
    Guid Id, string CustomerId, string Currency, string Status, string PaymentStatus, string Lines,
    long AdjustmentsMinor, long? Total, int Version, DateTimeOffset UpdatedAt)
{
    public string FulfilmentStatus { get; init; } = FulfilmentStatuses.Unfulfilled;

    /// <summary>Shipments as recorded by order-service.</summary>
    public IReadOnlyList<ShippedRow> Fulfilments { get; init; } = [];

    /// <summary>True when payments are captured on fulfilment.</summary>
    public bool IsTakenOnFulfilment { get; init; }

    /// <summary>True while a participant of a fulfilment, or of closing the order, has yet to reply.</summary>
    public bool HasOpenWork { get; init; }

    /// <summary>Lines of the order in the file that an import read; null for other orders.</summary>
    public string? ImportLines { get; init; }

    /// <summary>Stored JSON of the adjustments: <c>[{"type","label","amount"}]</c>.</summary>
    public string Adjustments { get; init; } = "[]";

    /// <summary>
    /// Highest discount that the placing caller could give, in percent; null for orders of release 0.1.0, which did not record
    /// the right.
    /// </summary>
    public int? DiscountLimit { get; init; }

    /// <summary>Time of placing.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>True for metadata, or labels of adjustments, that are not erased.</summary>
    public bool HasTexts { get; init; }

    /// <summary>Value of the shipped goods.</summary>
    public long ShippedValue => Fulfilments.Sum(one => one.Value);
}

/// <summary>
/// Shipped goods, as recorded by order-service (<c>fulfilments</c>, with their share of the total) or by stock-service
/// (<c>shipments</c>).
/// </summary>
public sealed record ShippedRow(int Number, string Lines, long Value = 0);

/// <summary>A row of <c>order_events</c>.</summary>
public sealed record EventRow(Guid OrderId, int Version, string Type, string Status);

/// <summary>The columns of <c>sagas</c> needed by an invariant.</summary>
public sealed record SagaRow(
    Guid OrderId, string State, string? Step, string? WaitingFor, DateTimeOffset UpdatedAt, DateTimeOffset? EndedAt);

/// <summary>
/// A row of <c>payments</c>; money in minor units. A tombstone, left by an undo that came first, has no customer, provider
/// or currency.
/// </summary>
public sealed record PaymentRow(
    Guid OrderId, string? CustomerId, string? Provider, string? Currency, long Amount, string State, long Authorized,
    long Captured, long Refunded, bool Voided, DateTimeOffset UpdatedAt)
{
    /// <summary>Amount recorded by an operator as returned or released, possibly unknown to the gateway.</summary>
    public long ReturnedByOperator { get; init; }

    /// <summary>Amount authorized and neither captured nor released.</summary>
    public long Held => Voided ? 0 : Math.Max(0, Authorized - Captured);
}

/// <summary>A row of <c>journal</c>: money moved by a payment between two accounts.</summary>
public sealed record JournalRow(Guid OrderId, string Kind, string Debit, string Credit, string Currency, long Amount);

/// <summary>A charge in the gateway's own record of an order.</summary>
public sealed record ChargeRow(
    Guid OrderId, string Reference, string Currency, long Authorized, long Captured, long Refunded, bool Voided);

/// <summary>A row of <c>reservations</c>, with any row of <c>holds</c>.</summary>
public sealed record ReservationRow(
    Guid OrderId, string State, string Lines, DateTimeOffset UpdatedAt, bool HasHold)
{
    /// <summary>Shipments as recorded by stock-service.</summary>
    public IReadOnlyList<ShippedRow> Shipments { get; init; } = [];
}

/// <summary>The rows of all four databases about one order; missing rows are null or empty.</summary>
public sealed record OrderCase(Guid OrderId)
{
    public OrderRow? Order { get; init; }

    public IReadOnlyList<EventRow> Events { get; init; } = [];

    public SagaRow? Saga { get; init; }

    public PaymentRow? Payment { get; init; }

    public IReadOnlyList<JournalRow> JournalEntries { get; init; } = [];

    public IReadOnlyList<ChargeRow> Charges { get; init; } = [];

    /// <summary>Providers whose own lists the charges come from.</summary>
    public IReadOnlyList<string> ListedProviders { get; init; } = ["sandbox"];

    public ReservationRow? Reservation { get; init; }

    /// <summary>True when a 2xx response stored under an Idempotency-Key names the order.</summary>
    public bool Acknowledged { get; init; }

    /// <summary>Time at which the order's customer was erased; null for a living customer.</summary>
    public DateTimeOffset? CustomerErasedAt { get; init; }

    /// <summary>Time of the latest write by any service.</summary>
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

/// <summary>An erased customer, with the sum of the balances in all currencies.</summary>
public sealed record ErasedRow(string CustomerId, DateTimeOffset ErasedAt, long Balance);

/// <summary>Store credit of a customer in one currency: the balance row, and the sums of its history.</summary>
public sealed record BalanceSums(string CustomerId, string Currency, long Balance, long Credited, long Spent);

/// <summary>An account of the journal in one currency: the sum of its entries, and the sum of the other tables.</summary>
public sealed record AccountSums(string Account, string Currency, long Journal, long Books);

/// <summary>Stock of a SKU: the level, the sums of the ledger, and the sums of the reservations' lines.</summary>
public sealed record StockSums(
    string Sku, long OnHand, long Allocated, long Reserved, long MovedOnHand, long MovedAllocated)
{
    public long HeldByReservations { get; set; }

    public long CommittedByReservations { get; set; }
}
