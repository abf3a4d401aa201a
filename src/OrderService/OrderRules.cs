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
public sealed record OrderChange(
    OrderState State, IReadOnlyList<OrderEvent> Events, IReadOnlyList<OrderLine>? Priced = null)
{
    public static OrderChange Nothing(OrderState state) => new(state, []);

    /// <summary>Appends a decision on the state that this change leaves.</summary>
    public OrderChange Then(Func<OrderState, OrderChange> next)
    {
        var after = next(State);
        return new(after.State, [.. Events, .. after.Events], after.Priced ?? Priced);
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
            state.IsTakenOnFulfilment || ProgressOf(state.PaymentStatus) >= ProgressOf(PaymentStatuses.Paid),
        _ => true,
    };

    public static OrderEvent Placed(Order order, Moment moment) => new(
        order.Id, order.State.Version, OrderEventTypes.Placed, order.State.Status, moment.Now, moment.Actor,
        moment.TraceId, new EventData(Total: order.State.Total));

    /// <summary>
    /// Merges the outcomes of one order in one batch: the confirmation with the most advanced payment, then the first outcome
    /// that ends the order.
    /// </summary>
    public static IReadOnlyList<IMessageBody> Merge(IEnumerable<IMessageBody> outcomes)
    {
        OrderConfirmed? confirmed = null;
        IMessageBody? end = null;
        foreach (var outcome in outcomes)
            if (outcome is not OrderConfirmed confirmation)
                end ??= outcome;
            else if (confirmed is null
                || ProgressOf(confirmation.Payment.Status) > ProgressOf(confirmed.Payment.Status))
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
            AdvancePayment(state, confirmed, moment),
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
    /// Applies a payment update from outside the process, such as an operator's refund. Payments only advance. Null while the
    /// process is still deciding on the order.
    /// </summary>
    public static OrderChange? UpdatePayment(OrderState state, string paymentStatus, Moment moment) =>
        state.Status is OrderStatuses.Pending or OrderStatuses.CancelPending ? null
        : ProgressOf(paymentStatus) <= ProgressOf(state.PaymentStatus) ? OrderChange.Nothing(state)
        : Move(
            state, state with { PaymentStatus = paymentStatus }, OrderEventTypes.PaymentUpdated,
            new EventData(paymentStatus), moment);

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
    /// Applies an operator's status update. Null when <see cref="OperatorTransitions"/> does not contain the status.
    /// </summary>
    public static OrderChange? UpdateByOperator(OrderState state, string status, Moment moment) =>
        OperatorTransitions(state.Status).Contains(status)
            ? Move(state, state with { Status = status }, OrderEventTypes.Completed, new EventData(), moment)
            : null;

    /// <summary>Records shipped goods; <see cref="FulfilmentRules"/> decides beforehand whether they may ship.</summary>
    public static OrderChange Ship(OrderState state, string fulfilmentStatus, Fulfilment fulfilment, Moment moment) => Move(
        state, state with { FulfilmentStatus = fulfilmentStatus }, OrderEventTypes.Shipped,
        new EventData(FulfilmentStatus: fulfilmentStatus, FulfilmentId: fulfilment.Id), moment);

    static OrderChange Confirm(OrderState state, OrderConfirmed confirmed, Moment moment)
    {
        // An order that costs nothing needs no capture.
        var payment = confirmed.TotalMinor == 0 ? PaymentStatuses.Paid : confirmed.Payment.Status;
        var change = Move(
            state,
            state with { Status = OrderStatuses.Confirmed, Total = confirmed.TotalMinor, PaymentStatus = payment },
            OrderEventTypes.Confirmed, new EventData(payment, confirmed.TotalMinor, Steps: confirmed.Steps), moment);
        return state.Total is null ? change with { Priced = confirmed.Lines } : change;
    }

    // A late or duplicate confirmation may carry an older payment status; payments only advance.
    static OrderChange AdvancePayment(OrderState state, OrderConfirmed confirmed, Moment moment)
    {
        var payment = confirmed.Payment.Status;
        return ProgressOf(payment) <= ProgressOf(state.PaymentStatus)
            ? OrderChange.Nothing(state)
            : Move(
                state, state with { PaymentStatus = payment }, OrderEventTypes.PaymentUpdated,
                new EventData(payment, Steps: confirmed.Steps), moment);
    }

    static OrderChange Refuse(
        OrderState state, string status, string type, string code, string message, string step,
        PaymentTotals payment, IReadOnlyList<StepStamp> steps, Moment moment)
    {
        var paymentStatus = Further(state.PaymentStatus, payment.Status);
        return Move(
            state,
            state with { Status = status, PaymentStatus = paymentStatus, Reason = new OrderReason(code, message) }, type,
            new EventData(paymentStatus, Code: code, Message: message, Step: step, Steps: steps), moment);
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
        var paymentStatus = Further(state.PaymentStatus, payment.Status);
        return Move(
            state, state with { Status = OrderStatuses.Cancelled, PaymentStatus = paymentStatus },
            OrderEventTypes.Cancelled,
            new EventData(paymentStatus, CancelReason: state.CancelReason, Steps: steps), moment);
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

    static string Further(string known, string reported) => ProgressOf(reported) > ProgressOf(known) ? reported : known;

    static int ProgressOf(string paymentStatus) => paymentStatus switch
    {
        PaymentStatuses.Pending => 0,
        PaymentStatuses.Authorized => 1,
        PaymentStatuses.PartiallyPaid => 2,
        PaymentStatuses.Paid => 3,
        PaymentStatuses.PartiallyRefunded => 4,
        PaymentStatuses.Refunded or PaymentStatuses.Voided => 5,
        _ => throw new ArgumentException($"'{paymentStatus}' is not a payment status.", nameof(paymentStatus)),
    };
}
