using Orderwright.Contracts;

namespace Orderwright.Verification;

/// <summary>
/// One row of <c>orders</c>. <paramref name="Lines"/> is the stored JSON; <paramref name="Total"/> is null until priced.
/// </summary>
public sealed record OrderRow(
    Guid Id, string CustomerId, string Currency, string Status, string PaymentStatus, string Lines,
    long AdjustmentsMinor, long? Total, int Version, DateTimeOffset UpdatedAt)
{
    public string FulfilmentStatus { get; init; } = FulfilmentStatuses.Unfulfilled;

    /// <summary>What order-service says has left the house.</summary>
    public IReadOnlyList<ShippedRow> Fulfilments { get; init; } = [];

    /// <summary>Its money is taken with what is shipped.</summary>
    public bool IsTakenOnFulfilment { get; init; }

    /// <summary>Somebody who takes part in a fulfilment, or in closing the order, has not answered yet.</summary>
    public bool HasOpenWork { get; init; }

    /// <summary>What has left the house is worth so much.</summary>
    public long ShippedValue => Fulfilments.Sum(one => one.Value);
}

/// <summary>
/// Goods that left the house, as order-service (<c>fulfilments</c>, with their share of the total) and as stock-service
/// (<c>shipments</c>) have it.
/// </summary>
public sealed record ShippedRow(int Number, string Lines, long Value = 0);

/// <summary>One row of <c>order_events</c>.</summary>
public sealed record EventRow(Guid OrderId, int Version, string Type, string Status);

/// <summary>One row of <c>sagas</c>, as far as an invariant asks for it.</summary>
public sealed record SagaRow(
    Guid OrderId, string State, string? Step, string? WaitingFor, DateTimeOffset UpdatedAt, DateTimeOffset? EndedAt);

/// <summary>
/// One row of <c>payments</c>; money in minor units. A tombstone, left by an undo that came first, has no customer,
/// provider or currency.
/// </summary>
public sealed record PaymentRow(
    Guid OrderId, string? CustomerId, string? Provider, string? Currency, long Amount, string State, long Authorized,
    long Captured, long Refunded, bool Voided, DateTimeOffset UpdatedAt)
{
    /// <summary>What an operator said they gave back, or let go: the gateway's own record may not know of it.</summary>
    public long GivenBackByHand { get; init; }

    /// <summary>Secured and neither taken nor given back.</summary>
    public long Held => Voided ? 0 : Math.Max(0, Authorized - Captured);
}

/// <summary>One row of <c>journal</c>: money that a payment took or gave back, from one account to another.</summary>
public sealed record MovementRow(Guid OrderId, string Kind, string Debit, string Credit, string Currency, long Amount);

/// <summary>What the gateway itself says it holds for an order.</summary>
public sealed record ChargeRow(
    Guid OrderId, string Reference, string Currency, long Authorized, long Captured, long Refunded, bool Voided);

/// <summary>One row of <c>reservations</c>, with the row of <c>holds</c> if there is one.</summary>
public sealed record ReservationRow(
    Guid OrderId, string State, string Lines, DateTimeOffset ExpiresAt, DateTimeOffset UpdatedAt, bool HasHold)
{
    /// <summary>What stock-service says has left the house.</summary>
    public IReadOnlyList<ShippedRow> Shipments { get; init; } = [];
}

/// <summary>Everything that the four databases say about one order; whatever is missing is null or empty.</summary>
public sealed record OrderFile(Guid OrderId)
{
    public OrderRow? Order { get; init; }

    public IReadOnlyList<EventRow> Events { get; init; } = [];

    public SagaRow? Saga { get; init; }

    public PaymentRow? Payment { get; init; }

    public IReadOnlyList<MovementRow> Movements { get; init; } = [];

    public IReadOnlyList<ChargeRow> Charges { get; init; } = [];

    /// <summary>The providers whose own lists these charges come from.</summary>
    public IReadOnlyList<string> ListedProviders { get; init; } = ["sandbox"];

    public ReservationRow? Reservation { get; init; }

    /// <summary>Somebody holds a 2xx answer, stored under an Idempotency-Key, that names this order.</summary>
    public bool Acknowledged { get; init; }

    /// <summary>When any service last wrote about it.</summary>
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

/// <summary>A customer's store credit in one currency: what the row says, and what its history adds up to.</summary>
public sealed record BalanceSums(string CustomerId, string Currency, long Balance, long Credited, long Spent);

/// <summary>An account of the journal in one currency: what its rows add up to, and what all other tables do.</summary>
public sealed record AccountSums(string Account, string Currency, long Journal, long Books);

/// <summary>A SKU: what the level says, what the ledger adds up to, and what the reservations' lines add up to.</summary>
public sealed record StockSums(
    string Sku, long OnHand, long Allocated, long Reserved, long MovedOnHand, long MovedAllocated)
{
    public long HeldByReservations { get; set; }

    public long CommittedByReservations { get; set; }
}
