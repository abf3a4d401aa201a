using Orderwright.Contracts;

namespace Orderwright.OrderService;

/// <summary>
/// An order as it is stored: what may change about it, and what was said when it was placed.
/// </summary>
/// <param name="State">What changes.</param>
/// <param name="Merchant">Whose order it is; nobody else sees it.</param>
/// <param name="Reference">The merchant's own number, unique for the merchant.</param>
/// <param name="CustomerId">The merchant's customer.</param>
/// <param name="Currency">ISO 4217.</param>
/// <param name="Lines">Numbered from 1; prices are filled in when the order is confirmed.</param>
/// <param name="Adjustments">Shipping, discounts, taxes, fees.</param>
/// <param name="Metadata">The merchant's own notes, kept in their order and never read by us.</param>
/// <param name="Payment">How it is to be paid.</param>
/// <param name="MaySetPrice">Whoever placed it may set prices which the catalogue does not know.</param>
/// <param name="CreatedAt">When it came in; the time within its id.</param>
public sealed record Order(
    OrderState State,
    string Merchant,
    string? Reference,
    string CustomerId,
    string Currency,
    IReadOnlyList<OrderLine> Lines,
    IReadOnlyList<Adjustment> Adjustments,
    IReadOnlyDictionary<string, string> Metadata,
    PaymentMethod Payment,
    bool MaySetPrice,
    DateTimeOffset CreatedAt)
{
    public Guid Id => State.Id;

    public long AdjustmentsMinor => Adjustments.Sum(adjustment => adjustment.Amount);

    /// <summary>
    /// A checked request as a new order: pending, version 1, with a total if every price is known.
    /// </summary>
    public static Order Place(
        OrderRequest request, Guid id, string merchant, bool maySetPrice, DateTimeOffset now,
        bool isTakenOnFulfilment = false)
    {
        var lines = request.Lines
            .Select((line, index) => new OrderLine(index + 1, line.Sku, line.Quantity, line.UnitPrice)).ToList();
        var order = new Order(
            new OrderState(
                id, 1, OrderStatuses.Pending, PaymentStatuses.Pending, FulfilmentStatuses.Unfulfilled, Total: null,
                Reason: null, CancelReason: null, now, IsTakenOnFulfilment: isTakenOnFulfilment),
            merchant, request.Reference, request.CustomerId, request.Currency, lines, request.Adjustments ?? [],
            request.Metadata ?? new Dictionary<string, string>(),
            request.Payment is { } payment ? new(payment.Provider, payment.Token) : new(PaymentProviders.Balance, null),
            maySetPrice, now);
        return lines.TrueForAll(line => line.UnitPrice is not null)
            ? order with { State = order.State with { Total = Money.Total(lines, order.AdjustmentsMinor) } }
            : order;
    }

    /// <summary>This order after a change.</summary>
    public Order With(OrderChange change) => this with { State = change.State, Lines = change.Priced ?? Lines };

    /// <summary>What the coordinator is asked to carry out.</summary>
    public OrderPlaced AsPlaced() => new(
        CustomerId, Currency, Lines, AdjustmentsMinor, Payment, MaySetPrice,
        State.IsTakenOnFulfilment ? CapturePolicies.Fulfilment : null);
}

/// <summary>What the process and its people change about an order, one version at a time.</summary>
/// <param name="Id">UUIDv7.</param>
/// <param name="Version">1 when placed; one more for each event.</param>
/// <param name="Status">One of <see cref="OrderStatuses"/>.</param>
/// <param name="PaymentStatus">One of <see cref="PaymentStatuses"/>.</param>
/// <param name="FulfilmentStatus">One of <see cref="FulfilmentStatuses"/>.</param>
/// <param name="Total">Minor units; null until every line has its price.</param>
/// <param name="Reason">Why it did not go through, if it did not.</param>
/// <param name="CancelReason">One of <see cref="CancelReasons.All"/>, once a cancellation was asked
/// for.</param>
/// <param name="UpdatedAt">When this version came to be.</param>
/// <param name="NextAction">What the customer has to do before the process goes on.</param>
/// <param name="IsTakenOnFulfilment">Its money is taken with what is shipped, not when it is confirmed.</param>
public sealed record OrderState(
    Guid Id,
    long Version,
    string Status,
    string PaymentStatus,
    string FulfilmentStatus,
    long? Total,
    Reason? Reason,
    string? CancelReason,
    DateTimeOffset UpdatedAt,
    NextAction? NextAction = null,
    bool IsTakenOnFulfilment = false);

/// <summary>The customer's next step, such as 3-D Secure.</summary>
/// <param name="Type"><c>redirect</c>: to the address; <c>wait</c> where there is none to go to.</param>
/// <param name="Url">Where the customer goes.</param>
/// <param name="ExpiresAt">Then the order is given up, and everything undone.</param>
public sealed record NextAction(string Type, string? Url, DateTimeOffset ExpiresAt)
{
    public static NextAction Of(string? url, DateTimeOffset until) => new(url is null ? "wait" : "redirect", url, until);
}

/// <param name="Code">One of <see cref="ReasonCodes"/>.</param>
/// <param name="Message">One sentence for people.</param>
public sealed record Reason(string Code, string Message);

/// <summary>Something beside the lines that changes the total.</summary>
/// <param name="Type"><c>shipping</c>, <c>discount</c>, <c>tax</c> or <c>fee</c>.</param>
/// <param name="Label">For people.</param>
/// <param name="Amount">Minor units, added to the total as it stands: a discount is negative, the others are
/// not.</param>
public sealed record Adjustment(string Type, string Label, long Amount);

/// <summary>
/// What happened to an order: the only source of its timeline, the public feed and webhooks.
/// </summary>
/// <param name="OrderId">The order.</param>
/// <param name="Version">The version it made.</param>
/// <param name="Type">One of <see cref="OrderEventTypes"/>.</param>
/// <param name="Status">The order's status from then on.</param>
/// <param name="At">When.</param>
/// <param name="Actor">A caller's name, or the service that told us.</param>
/// <param name="TraceId">The W3C trace in which it happened.</param>
/// <param name="Data">What there is to say beyond.</param>
public sealed record OrderEvent(
    Guid OrderId, long Version, string Type, string Status, DateTimeOffset At, string Actor, string? TraceId,
    EventData Data);

/// <summary>What an event says beyond the status; what does not apply is left out.</summary>
/// <param name="PaymentStatus">Where the payment stands from then on.</param>
/// <param name="Total">The total, once it is known.</param>
/// <param name="Code">Why the process said no.</param>
/// <param name="Message">The same for people.</param>
/// <param name="Step">The step which said no.</param>
/// <param name="CancelReason">Why somebody cancelled.</param>
/// <param name="Steps">What each step across the services went through.</param>
/// <param name="FulfilmentStatus">How much has left the house from then on.</param>
/// <param name="FulfilmentId">The fulfilment that left it.</param>
/// <param name="NextAction">What the customer has to do.</param>
public sealed record EventData(
    string? PaymentStatus = null,
    long? Total = null,
    string? Code = null,
    string? Message = null,
    string? Step = null,
    string? CancelReason = null,
    IReadOnlyList<StepStamp>? Steps = null,
    string? FulfilmentStatus = null,
    Guid? FulfilmentId = null,
    NextAction? NextAction = null);
