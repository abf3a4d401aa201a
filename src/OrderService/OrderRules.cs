using System.Collections.Frozen;
using Orderwright.Contracts;
using Orderwright.OrderService.Events;
using Orderwright.OrderService.Fulfilments;

namespace Orderwright.OrderService;

/// <summary>Time, actor and trace of a decision.</summary>
public sealed record Moment(DateTimeOffset Now, string Actor, string? TraceId);

/// <summary>Outcome of a decision: the order's new state and one event per version, or no change.</summary>
/// <param name="State">State after the decision.</param>
/// <param name="Events">One per version gained, in order; empty when nothing changed.</param>
/// <param name="Priced">Lines with prices, when the decision filled in missing ones.</param>
/// <param name="IsSilent">True for a change that nobody sees: saved without a new version.</param>
public sealed record OrderChange(
    OrderState State, IReadOnlyList<OrderEvent> Events, IReadOnlyList<OrderLine>? Priced = null, bool IsSilent = false)
{
    public static OrderChange Nothing(OrderState state) => new(state, []);

    /// <summary>True when the row has to be saved.</summary>
    public bool IsToSave => Events.Count > 0 || IsSilent;

    /// <summary>Appends a decision on the state that this change leaves.</summary>
    public OrderChange Then(Func<OrderState, OrderChange> next)
    {
        var after = next(State);
        return new(after.State, [.. Events, .. after.Events], after.Priced ?? Priced, IsSilent || after.IsSilent);
    }
}

/// <summary>
/// Transitions of an order. Pure: each rule maps a state and an input to the next state. Late, duplicate and out-of-order
/// inputs change nothing; a terminal status is never left.
/// </summary>
public static class OrderRules
{
    /// <summary>Published graph: the statuses reachable from each status.</summary>
    public static readonly FrozenDictionary<string, IReadOnlyList<string>> Transitions =
        new Dictionary<string, IReadOnlyList<string>>
        {
            [OrderStatuses.Pending] =
                [OrderStatuses.Confirmed, OrderStatuses.Rejected, OrderStatuses.CancelPending, OrderStatuses.Expired],
            [OrderStatuses.Confirmed] = [OrderStatuses.Completed, OrderStatuses.CancelPending],
            [OrderStatuses.CancelPending] = [OrderStatuses.Cancelled],
            [OrderStatuses.Completed] = [],
            [OrderStatuses.Rejected] = [],
            [OrderStatuses.Cancelled] = [],
            [OrderStatuses.Expired] = [],
        }.ToFrozenDictionary();

    public static bool IsTerminal(string status) => Transitions[status].Count == 0;

    /// <summary>True once the process has accepted or refused the order and no cancellation is pending.</summary>
    public static bool IsDecided(string status) =>
        status is not (OrderStatuses.Pending or OrderStatuses.CancelPending);

    /// <summary>
    /// False while a reply from the coordinator is outstanding: the outcome, or the capture of an authorized payment that is
    /// not captured on fulfilment. Messages about unsettled orders are resent.
    /// </summary>
    public static bool IsSettled(OrderState state) => state.Status switch
    {
        OrderStatuses.Pending or OrderStatuses.CancelPending => false,
        OrderStatuses.Confirmed or OrderStatuses.Completed =>
            state.IsTakenOnFulfilment || IsTaken(state.PaymentStatus),
        _ => true,
    };

    public static OrderEvent Placed(Order order, Moment moment) => new(
        order.Id, order.State.Version, OrderEventTypes.Placed, order.State.Status, moment.Now, moment.Actor,
        moment.TraceId, new EventData(Total: order.State.Total));

    /// <summary>
    /// Merges the outcomes of one order in one batch: the confirmation with the latest payment, then the first outcome that
    /// ends the order.
    /// </summary>
    public static IReadOnlyList<IMessageBody> Merge(IEnumerable<IMessageBody> outcomes)
    {
        OrderConfirmed? confirmed = null;
        IMessageBody? end = null;
        foreach (var outcome in outcomes)
            if (outcome is not OrderConfirmed confirmation)
                end ??= outcome;
            else if (confirmed is null || confirmation.Payment.Version >= confirmed.Payment.Version)
                confirmed = confirmation;
        return [.. new IMessageBody?[] { confirmed, end }.OfType<IMessageBody>()];
    }

    /// <summary>Applies an outcome reported by the coordinator.</summary>
    /// <param name="state">Current state.</param>
    /// <param name="outcome">Confirmed, rejected, cancelled or expired; any other message throws.</param>
    /// <param name="moment">Time and sender of the report.</param>
    public static OrderChange Settle(OrderState state, IMessageBody outcome, Moment moment) => (state.Status, outcome) switch
    {
        (OrderStatuses.Pending, OrderConfirmed confirmed) => Confirm(state, confirmed, moment),
        (OrderStatuses.Confirmed or OrderStatuses.Completed or OrderStatuses.CancelPending, OrderConfirmed confirmed) =>
            UpdatePayment(state, confirmed.Payment, moment, confirmed.Steps),
        (OrderStatuses.Pending, OrderRejected rejected) => Refuse(
            state, OrderStatuses.Rejected, OrderEventTypes.Rejected, rejected.Code, rejected.Message, rejected.Step,
            rejected.Payment, rejected.Steps, moment),
        (OrderStatuses.Pending, OrderExpired expired) => Refuse(
            state, OrderStatuses.Expired, OrderEventTypes.Expired, expired.Code, expired.Message, expired.Step,
            expired.Payment, expired.Steps, moment),
        // Rejected and expired processes are compensated too, exactly as the cancellation requested.
        (OrderStatuses.CancelPending, OrderRejected rejected) => FinishCancel(state, rejected.Payment, rejected.Steps, moment),
        (OrderStatuses.CancelPending, OrderExpired expired) => FinishCancel(state, expired.Payment, expired.Steps, moment),
        (OrderStatuses.CancelPending, OrderCancelled cancelled) =>
            FinishCancel(state, cancelled.Payment, cancelled.Steps, moment),
        // Cancelled by an operator at the coordinator: the order still follows the published graph.
        (OrderStatuses.Pending or OrderStatuses.Confirmed, OrderCancelled cancelled) =>
            RequestCancel(state, "staff", moment)
                .Then(requested => FinishCancel(requested, cancelled.Payment, cancelled.Steps, moment)),
        (_, OrderConfirmed or OrderRejected or OrderCancelled or OrderExpired) => OrderChange.Nothing(state),
        _ => throw new ArgumentException(
            $"{outcome.GetType().Name} is not an outcome of order {state.Id}.", nameof(outcome)),
    };

    /// <summary>
    /// Applies a payment update from outside the process, such as an operator's refund. Null while the process is still
    /// deciding on the order.
    /// </summary>
    public static OrderChange? UpdatePayment(
        OrderState state, PaymentTotals payment, Moment moment, string? approvedBy = null) =>
        state.Status is OrderStatuses.Pending or OrderStatuses.CancelPending
            ? null
            : UpdatePayment(state, payment, moment, steps: null, approvedBy);

    /// <summary>Records that the customer has to act. Late and duplicate notices change nothing.</summary>
    public static OrderChange RecordWaiting(OrderState state, OrderWaiting waiting, Moment moment)
    {
        var action = NextAction.Of(waiting.Action, waiting.Until);
        return state.Status != OrderStatuses.Pending || state.NextAction == action
            ? OrderChange.Nothing(state)
            : Move(
                state, state with { NextAction = action }, OrderEventTypes.ActionRequired,
                new EventData(NextAction: action), moment);
    }

    /// <summary>Requests a cancellation; a repeated request changes nothing. Null when too late to cancel.</summary>
    public static OrderChange? Cancel(OrderState state, string reason, Moment moment) => state switch
    {
        { Status: OrderStatuses.CancelPending or OrderStatuses.Cancelled } => OrderChange.Nothing(state),
        {
            Status: OrderStatuses.Pending or OrderStatuses.Confirmed,
            FulfilmentStatus: FulfilmentStatuses.Unfulfilled
        } => RequestCancel(state, reason, moment),
        _ => null,
    };

    /// <summary>Statuses an operator may set; every other transition belongs to the process.</summary>
    public static IReadOnlyList<string> OperatorTransitions(string status) =>
        status == OrderStatuses.Confirmed ? [OrderStatuses.Completed] : [];

    /// <summary>
    /// Applies an operator's status update. Null when <see cref="OperatorTransitions"/> does not contain the status. An order
    /// that release 0.1.0 completed kept its goods allocated: naming their end once more ends them.
    /// </summary>
    /// <param name="state">State of the locked order.</param>
    /// <param name="status">Requested status.</param>
    /// <param name="goods">Requested end of the unshipped goods, one of <see cref="GoodsEnds"/>; null for the default.</param>
    /// <param name="moment">Time and caller of the request.</param>
    public static OrderChange? UpdateByOperator(OrderState state, string status, string? goods, Moment moment)
    {
        var isShipped = state.FulfilmentStatus == FulfilmentStatuses.Fulfilled;
        if (state is { Status: OrderStatuses.Completed, Goods: null } && status == OrderStatuses.Completed
            && goods is not null && !isShipped)
            return new(state with { Goods = goods }, [], IsSilent: true);
        if (!OperatorTransitions(state.Status).Contains(status)) return null;
        var end = isShipped ? null : goods ?? (HasNoMoney(state) ? GoodsEnds.Released : GoodsEnds.Consumed);
        return Move(
            state, state with { Status = status, Goods = end }, OrderEventTypes.Completed, new EventData(Goods: end), moment);
    }

    /// <summary>
    /// True when goods that ship now would not be paid for: the money was returned, or is captured with fulfilments only.
    /// </summary>
    public static bool HasNoMoney(OrderState state) => state.IsTakenOnFulfilment || IsReturned(state);

    /// <summary>True when all of the order's money was refunded or released.</summary>
    public static bool IsReturned(OrderState state) =>
        state.PaymentStatus is PaymentStatuses.Refunded or PaymentStatuses.Voided;

    /// <summary>Records shipped goods; <see cref="FulfilmentRules"/> decides beforehand whether they may ship.</summary>
    public static OrderChange Ship(OrderState state, string fulfilmentStatus, Fulfilment fulfilment, Moment moment) => Move(
        state, state with { FulfilmentStatus = fulfilmentStatus }, OrderEventTypes.Shipped,
        new EventData(FulfilmentStatus: fulfilmentStatus, FulfilmentId: fulfilment.Id), moment);

    static OrderChange Confirm(OrderState state, OrderConfirmed confirmed, Moment moment)
    {
        var paid = Paid(
            state with { Status = OrderStatuses.Confirmed, Total = confirmed.TotalMinor }, confirmed.Payment, isEnd: false);
        var change = Move(
            state, paid, OrderEventTypes.Confirmed,
            new EventData(paid.PaymentStatus, confirmed.TotalMinor, Steps: confirmed.Steps), moment);
        return state.Total is null ? change with { Priced = confirmed.Lines } : change;
    }

    static OrderChange UpdatePayment(
        OrderState state, PaymentTotals payment, Moment moment, IReadOnlyList<StepStamp>? steps, string? approvedBy = null)
    {
        var paid = Paid(state, payment, isEnd: false);
        return paid == state ? OrderChange.Nothing(state)
            : paid.PaymentStatus == state.PaymentStatus ? new(paid, [], IsSilent: true)
            : Move(
                state, paid, OrderEventTypes.PaymentUpdated,
                new EventData(paid.PaymentStatus, Steps: steps, ApprovedBy: approvedBy), moment);
    }

    // The payment's version decides which totals are later, never the status: 1 of 2 shipped and refunded, then the other
    // shipped, goes from partially refunded to partially refunded. Totals of release 0.1.0 have no version: they are taken
    // until the money is, and at the end of an order.
    static OrderState Paid(OrderState state, PaymentTotals payment, bool isEnd) =>
        payment.Version < state.PaymentVersion || (payment.Version == 0 && !isEnd && IsTaken(state.PaymentStatus))
            ? state
            : state with
            {
                PaymentStatus = StatusOf(state, payment), PaymentVersion = payment.Version,
                SecuredMinor = payment.SecuredMinor,
            };

    // An order that costs nothing needs no capture.
    static string StatusOf(OrderState state, PaymentTotals payment) =>
        state is { Status: OrderStatuses.Confirmed or OrderStatuses.Completed, Total: 0 } && payment is { Voided: false }
            ? PaymentStatuses.Paid
            : payment.Status;

    /// <summary>
    /// True when no capture is outstanding: whatever was captured was captured as a whole, or released or refunded since.
    /// </summary>
    public static bool IsTaken(string paymentStatus) =>
        paymentStatus is PaymentStatuses.Paid or PaymentStatuses.PartiallyRefunded or PaymentStatuses.Refunded
            or PaymentStatuses.Voided;

    static OrderChange Refuse(
        OrderState state, string status, string type, string code, string message, string step,
        PaymentTotals payment, IReadOnlyList<StepStamp> steps, Moment moment)
    {
        var paid = Paid(state with { Status = status, Reason = new OrderReason(code, message) }, payment, isEnd: true);
        return Move(
            state, paid, type, new EventData(paid.PaymentStatus, Code: code, Message: message, Step: step, Steps: steps), moment);
    }

    static OrderChange RequestCancel(OrderState state, string reason, Moment moment) => Move(
        state,
        state with
        {
            Status = OrderStatuses.CancelPending,
            CancelReason = reason,
            Reason = new OrderReason(ReasonCodes.Cancelled, $"Cancelled on request ({reason})."),
        },
        OrderEventTypes.CancelRequested, new EventData(CancelReason: reason), moment);

    static OrderChange FinishCancel(
        OrderState state, PaymentTotals payment, IReadOnlyList<StepStamp> steps, Moment moment)
    {
        var paid = Paid(state with { Status = OrderStatuses.Cancelled }, payment, isEnd: true);
        return Move(
            state, paid, OrderEventTypes.Cancelled,
            new EventData(paid.PaymentStatus, CancelReason: state.CancelReason, Steps: steps), moment);
    }

    static OrderChange Move(OrderState before, OrderState after, string type, EventData data, Moment moment)
    {
        if (after.Status != before.Status && !Transitions[before.Status].Contains(after.Status))
            throw new InvalidOperationException($"Order {before.Id} cannot go from {before.Status} to {after.Status}.");
        var state = after with
        {
            Version = before.Version + 1,
            UpdatedAt = moment.Now,
            // A new status ends any wait for the customer.
            NextAction = after.Status == before.Status ? after.NextAction : null,
        };
        return new(
            state,
            [new(state.Id, state.Version, type, state.Status, moment.Now, moment.Actor, moment.TraceId, data)]);
    }
}
