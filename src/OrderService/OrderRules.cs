using System.Collections.Frozen;
using Orderwright.Contracts;
using Orderwright.OrderService.Fulfilments;

namespace Orderwright.OrderService;

/// <summary>When, by whom and in which trace something is decided.</summary>
public sealed record Moment(DateTimeOffset Now, string Actor, string? TraceId);

/// <summary>
/// What a decision makes of an order: its new state and one event per version, or nothing at all.
/// </summary>
/// <param name="State">The state from now on.</param>
/// <param name="Events">One per version gained, in order; empty when nothing changed.</param>
/// <param name="Priced">The lines with their prices, where these were not known before.</param>
public sealed record OrderChange(
    OrderState State, IReadOnlyList<OrderEvent> Events, IReadOnlyList<OrderLine>? Priced = null)
{
    public static OrderChange Nothing(OrderState state) => new(state, []);

    /// <summary>This, and then another change of the state that this leaves.</summary>
    public OrderChange Then(Func<OrderState, OrderChange> next)
    {
        var after = next(State);
        return new(after.State, [.. Events, .. after.Events], after.Priced ?? Priced);
    }
}

/// <summary>
/// How an order moves. Pure: each rule takes a state and what happened, and returns the state after it.
/// Whatever is late, doubled or out of order changes nothing; a terminal status is never left.
/// </summary>
public static class OrderRules
{
    /// <summary>The published graph: from each status, where it may go.</summary>
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

    /// <summary>The process has said yes or no, and no cancellation is on its way.</summary>
    public static bool IsDecided(string status) =>
        status is not (OrderStatuses.Pending or OrderStatuses.CancelPending);

    /// <summary>
    /// False while the coordinator still owes an answer: the outcome, or the capture of a payment that is
    /// only authorized, unless that comes with what is shipped. An order that is not settled is asked about again and again.
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
    /// Several outcomes of one order in one batch, without what says the same twice: of the confirmations
    /// only the one that knows most about the payment, before anything that ends the order.
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

    /// <summary>What the coordinator's answer makes of an order.</summary>
    /// <param name="state">As it stands.</param>
    /// <param name="outcome">Confirmed, rejected, cancelled or expired; anything else throws.</param>
    /// <param name="moment">When and by whom it is told.</param>
    public static OrderChange Settle(OrderState state, IMessageBody outcome, Moment moment) => (state.Status, outcome) switch
    {
        (OrderStatuses.Pending, OrderConfirmed told) => Confirm(state, told, moment),
        (OrderStatuses.Confirmed or OrderStatuses.Completed or OrderStatuses.CancelPending, OrderConfirmed told) =>
            NotePayment(state, told, moment),
        (OrderStatuses.Pending, OrderRejected told) => Refuse(
            state, OrderStatuses.Rejected, OrderEventTypes.Rejected, told.Code, told.Message, told.Step, told.Payment,
            told.Steps, moment),
        (OrderStatuses.Pending, OrderExpired told) => Refuse(
            state, OrderStatuses.Expired, OrderEventTypes.Expired, told.Code, told.Message, told.Step, told.Payment,
            told.Steps, moment),
        // However the process ended, everything is undone, and that is what the cancellation asked for.
        (OrderStatuses.CancelPending, OrderRejected told) => FinishCancel(state, told.Payment, told.Steps, moment),
        (OrderStatuses.CancelPending, OrderExpired told) => FinishCancel(state, told.Payment, told.Steps, moment),
        (OrderStatuses.CancelPending, OrderCancelled told) => FinishCancel(state, told.Payment, told.Steps, moment),
        // Cancelled by an operator of the coordinator, without us: it goes along the published graph all the
        // same.
        (OrderStatuses.Pending or OrderStatuses.Confirmed, OrderCancelled told) =>
            RequestCancel(state, "staff", moment).Then(asked => FinishCancel(asked, told.Payment, told.Steps, moment)),
        (_, OrderConfirmed or OrderRejected or OrderCancelled or OrderExpired) => OrderChange.Nothing(state),
        _ => throw new ArgumentException(
            $"{outcome.GetType().Name} is not an outcome of order {state.Id}.", nameof(outcome)),
    };

    /// <summary>
    /// What an operator did to the payment, outside the process; it only ever goes forward. Null while the process itself
    /// is still deciding on the order.
    /// </summary>
    public static OrderChange? NotePayment(OrderState state, string paymentStatus, Moment moment) =>
        state.Status is OrderStatuses.Pending or OrderStatuses.CancelPending ? null
        : ProgressOf(paymentStatus) <= ProgressOf(state.PaymentStatus) ? OrderChange.Nothing(state)
        : Move(
            state, state with { PaymentStatus = paymentStatus }, OrderEventTypes.PaymentUpdated,
            new EventData(paymentStatus), moment);

    /// <summary>The customer has to act first. Told late or twice, it changes nothing.</summary>
    public static OrderChange NoteWaiting(OrderState state, OrderWaiting told, Moment moment)
    {
        var action = NextAction.Of(told.Action, told.Until);
        return state.Status != OrderStatuses.Pending || state.NextAction == action
            ? OrderChange.Nothing(state)
            : Move(
                state, state with { NextAction = action }, OrderEventTypes.ActionRequired,
                new EventData(NextAction: action), moment);
    }

    /// <summary>
    /// Asked again about a cancellation, nothing changes. Null when it is too late to cancel.
    /// </summary>
    public static OrderChange? Cancel(OrderState state, string reason, Moment moment) => state switch
    {
        { Status: OrderStatuses.CancelPending or OrderStatuses.Cancelled } => OrderChange.Nothing(state),
        {
            Status: OrderStatuses.Pending or OrderStatuses.Confirmed,
            FulfilmentStatus: FulfilmentStatuses.Unfulfilled
        } => RequestCancel(state, reason, moment),
        _ => null,
    };

    /// <summary>
    /// Where an operator may move an order by hand; everything else is for the process to do.
    /// </summary>
    public static IReadOnlyList<string> AllowedByHand(string status) =>
        status == OrderStatuses.Confirmed ? [OrderStatuses.Completed] : [];

    /// <summary>
    /// An operator moves an order by hand. Null where <see cref="AllowedByHand"/> does not name the status.
    /// </summary>
    public static OrderChange? MoveByHand(OrderState state, string status, Moment moment) =>
        AllowedByHand(state.Status).Contains(status)
            ? Move(state, state with { Status = status }, OrderEventTypes.Completed, new EventData(), moment)
            : null;

    /// <summary>Something left the house. What may, <see cref="FulfilmentRules"/> says.</summary>
    public static OrderChange Ship(OrderState state, string fulfilmentStatus, Fulfilment fulfilment, Moment moment) => Move(
        state, state with { FulfilmentStatus = fulfilmentStatus }, OrderEventTypes.Shipped,
        new EventData(FulfilmentStatus: fulfilmentStatus, FulfilmentId: fulfilment.Id), moment);

    static OrderChange Confirm(OrderState state, OrderConfirmed told, Moment moment)
    {
        // Nothing is owed for an order that costs nothing, so there is nothing left to take.
        var payment = told.TotalMinor == 0 ? PaymentStatuses.Paid : told.Payment.Status;
        var change = Move(
            state,
            state with { Status = OrderStatuses.Confirmed, Total = told.TotalMinor, PaymentStatus = payment },
            OrderEventTypes.Confirmed, new EventData(payment, told.TotalMinor, Steps: told.Steps), moment);
        return state.Total is null ? change with { Priced = told.Lines } : change;
    }

    // A confirmation that comes late or twice may know less than we do; a payment only ever goes forward.
    static OrderChange NotePayment(OrderState state, OrderConfirmed told, Moment moment)
    {
        var payment = told.Payment.Status;
        return ProgressOf(payment) <= ProgressOf(state.PaymentStatus)
            ? OrderChange.Nothing(state)
            : Move(
                state, state with { PaymentStatus = payment }, OrderEventTypes.PaymentUpdated,
                new EventData(payment, Steps: told.Steps), moment);
    }

    static OrderChange Refuse(
        OrderState state, string status, string type, string code, string message, string step,
        PaymentTotals payment, IReadOnlyList<StepStamp> steps, Moment moment)
    {
        var paymentStatus = Further(state.PaymentStatus, payment.Status);
        return Move(
            state,
            state with { Status = status, PaymentStatus = paymentStatus, Reason = new Reason(code, message) }, type,
            new EventData(paymentStatus, Code: code, Message: message, Step: step, Steps: steps), moment);
    }

    static OrderChange RequestCancel(OrderState state, string reason, Moment moment) => Move(
        state,
        state with
        {
            Status = OrderStatuses.CancelPending,
            CancelReason = reason,
            Reason = new Reason(ReasonCodes.Cancelled, $"Cancelled on request ({reason})."),
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
            // Wherever an order goes, nobody waits for its customer any more.
            NextAction = after.Status == before.Status ? after.NextAction : null,
        };
        return new(
            state,
            [new(state.Id, state.Version, type, state.Status, moment.Now, moment.Actor, moment.TraceId, data)]);
    }

    static string Further(string known, string told) => ProgressOf(told) > ProgressOf(known) ? told : known;

    static int ProgressOf(string paymentStatus) => paymentStatus switch
    {
        PaymentStatuses.Pending => 0,
        PaymentStatuses.Authorized => 1,
        PaymentStatuses.PartiallyPaid => 2,
        PaymentStatuses.Paid => 3,
        PaymentStatuses.PartiallyRefunded => 4,
        PaymentStatuses.Refunded or PaymentStatuses.Voided => 5,
        _ => throw new ArgumentException($"'{paymentStatus}' is no payment status.", nameof(paymentStatus)),
    };
}
