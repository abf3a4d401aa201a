using System.ComponentModel.DataAnnotations;
using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.OrderService;

/// <summary>Stored order: the changing state, and the terms fixed at placing.</summary>
/// <param name="State">Everything that may change.</param>
/// <param name="Channel">Channel of the order: a shop front; callers limited to other channels do not see the order.</param>
/// <param name="Reference">The shop's own number, unique among the channel's orders that stand.</param>
/// <param name="CustomerId">Customer, shared by all channels.</param>
/// <param name="Currency">ISO 4217.</param>
/// <param name="Lines">Lines numbered from 1; missing prices are filled in on confirmation.</param>
/// <param name="Adjustments">Shipping, discounts, taxes, fees.</param>
/// <param name="Metadata">The shop's own notes, in the order given; never interpreted.</param>
/// <param name="Payment">Payment provider and token.</param>
/// <param name="MaySetPrice">True when the caller's prices override the catalogue.</param>
/// <param name="DiscountLimit">
/// Highest discount that the caller could give, in percent of the total without discounts; null for orders of release 0.1.0.
/// </param>
/// <param name="CreatedAt">Time of placing, the same as in the id.</param>
public sealed record Order(
    OrderState State,
    string Channel,
    string? Reference,
    string CustomerId,
    string Currency,
    IReadOnlyList<OrderLine> Lines,
    IReadOnlyList<Adjustment> Adjustments,
    IReadOnlyDictionary<string, string> Metadata,
    PaymentMethod Payment,
    bool MaySetPrice,
    int? DiscountLimit,
    DateTimeOffset CreatedAt)
{
    public Guid Id => State.Id;

    public long AdjustmentsMinor => Adjustments.Sum(adjustment => adjustment.Amount);

    /// <summary>
    /// Makes an order from a validated request: pending, version 1, with a total if every price is known.
    /// </summary>
    public static Order Place(
        OrderRequest request, Guid id, string channel, bool maySetPrice, DateTimeOffset now,
        bool isTakenOnFulfilment = false, int discountLimit = 100)
    {
        var lines = request.Lines
            .Select((line, index) => new OrderLine(index + 1, line.Sku, line.Quantity, line.UnitPrice)).ToList();
        var order = new Order(
            new OrderState(
                id, 1, OrderStatuses.Pending, PaymentStatuses.Pending, FulfilmentStatuses.Unfulfilled, Total: null,
                Reason: null, CancelReason: null, now, IsTakenOnFulfilment: isTakenOnFulfilment),
            channel, request.Reference, request.CustomerId, request.Currency, lines, request.Adjustments ?? [],
            request.Metadata ?? new Dictionary<string, string>(),
            request.Payment is { } payment ? new(payment.Provider, payment.Token) : new(PaymentProviders.Balance, null),
            maySetPrice, discountLimit, now);
        return lines.TrueForAll(line => line.UnitPrice is not null)
            ? order with { State = order.State with { Total = Money.Total(lines, order.AdjustmentsMinor) } }
            : order;
    }

    /// <summary>Applies a change.</summary>
    public Order With(OrderChange change) => this with { State = change.State, Lines = change.Priced ?? Lines };

    /// <summary>
    /// Builds the command to cancel the order. Only a confirmation brings the payment out of pending.
    /// </summary>
    public CancelRequested AsCancelled(string reason) =>
        new(reason, AsPlaced(), WasConfirmed: State.PaymentStatus != PaymentStatuses.Pending);

    /// <summary>Builds the command to start the order's process.</summary>
    public OrderPlaced AsPlaced() => new(
        CustomerId, Currency, Lines, AdjustmentsMinor, Payment, MaySetPrice,
        State.IsTakenOnFulfilment ? CapturePolicies.Fulfilment : null, Channel == ChannelSet.Main ? null : Channel, Reference);
}

/// <summary>Changing part of an order, one version per change.</summary>
/// <param name="Id">UUIDv7.</param>
/// <param name="Version">1 when placed; raised by 1 with each event.</param>
/// <param name="Status">One of <see cref="OrderStatuses"/>.</param>
/// <param name="PaymentStatus">One of <see cref="PaymentStatuses"/>.</param>
/// <param name="FulfilmentStatus">One of <see cref="FulfilmentStatuses"/>.</param>
/// <param name="Total">Minor units; null until every line has a price.</param>
/// <param name="Reason">Reason of a rejection, an expiry or a cancellation.</param>
/// <param name="CancelReason">One of <see cref="CancelReasons.All"/>; null unless a cancellation was requested.</param>
/// <param name="UpdatedAt">Time of this version.</param>
/// <param name="NextAction">Action required from the customer before the process continues.</param>
/// <param name="IsTakenOnFulfilment">True when payment is captured with each fulfilment, not on confirmation.</param>
/// <param name="PaymentVersion">Version of the payment behind <paramref name="PaymentStatus"/>; 0 when none is known.</param>
/// <param name="SecuredMinor">Money still there: held, or captured and not refunded; null when unknown.</param>
/// <param name="Goods">One of <see cref="GoodsEnds"/> once a completed order's unshipped goods have ended.</param>
public sealed record OrderState(
    Guid Id,
    long Version,
    string Status,
    string PaymentStatus,
    string FulfilmentStatus,
    long? Total,
    OrderReason? Reason,
    string? CancelReason,
    DateTimeOffset UpdatedAt,
    NextAction? NextAction = null,
    bool IsTakenOnFulfilment = false,
    long PaymentVersion = 0,
    long? SecuredMinor = null,
    string? Goods = null);

/// <summary>Customer's next step, such as 3-D Secure.</summary>
/// <param name="Type"><c>redirect</c> to the address; <c>wait</c> when there is no address.</param>
/// <param name="Url">Address to send the customer to.</param>
/// <param name="ExpiresAt">Deadline; past this time the order is compensated.</param>
public sealed record NextAction([OneOf("redirect", "wait")] string Type, string? Url, DateTimeOffset ExpiresAt)
{
    public static NextAction Of(string? url, DateTimeOffset until) => new(url is null ? "wait" : "redirect", url, until);
}

/// <param name="Code">One of <see cref="ReasonCodes"/>.</param>
/// <param name="Message">One sentence for people.</param>
public sealed record OrderReason(string Code, string Message);

/// <summary>Change of the total other than by a line.</summary>
/// <param name="Type"><c>shipping</c>, <c>discount</c>, <c>tax</c> or <c>fee</c>.</param>
/// <param name="Label">Description for people.</param>
/// <param name="Amount">Signed amount in minor units, added to the total. Only discounts are negative.</param>
public sealed record Adjustment(
    [OneOf("shipping", "discount", "tax", "fee")] string Type, [Length(1, OrderChecks.MaxLabel)] string Label,
    [Range(-Check.Most, Check.Most)] long Amount);
