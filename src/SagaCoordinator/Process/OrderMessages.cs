using Orderwright.Contracts;
using Orderwright.Sagas;
using Orderwright.StepService;

namespace Orderwright.SagaCoordinator.Process;

/// <summary>Pure mapping between the steps of the saga core and the messages of the services.</summary>
public static class OrderMessages
{
    /// <summary>Command for a step or its undo; null if the order's total rules the command out.</summary>
    public static IMessageBody? CommandOf(
        SagaEffect.Ask ask, OrderFacts facts, SagaState state)
    {
        var order = facts.Order;
        var resolution = ask.Resolution is { } recorded
            ? new Resolution(recorded.Id, recorded.Completed, recorded.By, recorded.Reason, recorded.Reference)
            : null;
        return (ask.Step, ask.Undo) switch
        {
            (StepNames.ReserveStock, false) => new ReserveStock(order.Currency, order.Lines, order.MaySetPrice),
            (StepNames.AuthorizePayment, false) => facts.TotalMinor is { } total
                ? new AuthorizePayment(order.CustomerId, total, order.Currency, order.Payment, resolution, facts.Channel)
                : null,
            (StepNames.CommitStock, false) => state[ask.Step].Do?.Code == ReasonCodes.NotReserved
                ? new CommitStock(order.Currency, order.Lines)
                : new CommitStock(),
            (StepNames.CapturePayment, false) => new CapturePayment(resolution),
            (StepNames.ReserveStock or StepNames.CommitStock, true) => new ReleaseStock(),
            (StepNames.AuthorizePayment, true) => new UndoPayment(
                state.Reason!.Code, resolution,
                new PaymentTerms(order.CustomerId, order.Currency, order.Payment, facts.TotalMinor, facts.Channel)),
            _ when state.Definition.Find(ask.Step) is { Endpoint: { } endpoint } => new StepCall(
                ask.Step, ask.Undo, ask.Attempt, ask.Deadline, endpoint, order, facts.TotalMinor, PreviousOf(ask.Step, state),
                facts.TraceParent),
            _ => throw new InvalidOperationException($"{ask} is no step of the order process."),
        };
    }

    /// <summary>
    /// Repeats the command that ends a hold, where the saga is past the hold: stock-service has forgotten the command with its
    /// database. Null while the saga needs the hold. The reply changes nothing.
    /// </summary>
    public static OutgoingMessage? EndOfHold(SagaState state) => state switch
    {
        { Reason: not null, EndedAt: not null } => new(new ReleaseStock(), StepNames.ReserveStock),
        { Reason: null } when state.Steps.Any(step =>
            step is { Step: StepNames.CommitStock, Do.Phase: LegPhase.Completed }) =>
            new(new CommitStock(), StepNames.CommitStock),
        _ => null,
    };

    public static StepReply ReplyOf(string step, StepAnswered answer, OrderFacts facts) => answer.Outcome switch
    {
        StepOutcome.Completed => new StepReply.Completed(DetailOf(step, answer, facts)),
        StepOutcome.Rejected =>
            new StepReply.Rejected(answer.Code ?? "rejected", answer.Message ?? "No reason was given."),
        StepOutcome.Retry =>
            new StepReply.Retry(answer.RetryAfter, answer.Code, answer.Message),
        StepOutcome.Waiting => new StepReply.Waiting(answer.Action),
        StepOutcome.InDoubt when answer.Code == ReasonCodes.CannotTell =>
            new StepReply.InDoubt(ReasonCodes.InDoubt, answer.Message) { IsFinal = true },
        StepOutcome.InDoubt => new StepReply.InDoubt(answer.Code, answer.Message),
        var other => throw new InvalidOperationException($"{other} is no outcome of a step."),
    };

    /// <summary>Substitute for the reply to a command that cannot be made.</summary>
    public static readonly StepReply TotalOutOfRange = new StepReply.Rejected(
        ReasonCodes.TotalOutOfRange, "The order's total is negative, or too large to represent.");

    /// <summary>Notification of order-service.</summary>
    public static IMessageBody OutcomeOf(Announcement outcome, SagaRecord saga)
    {
        var (_, state, payment, facts, _) = saga;
        var steps = StampsOf(state);
        return outcome switch
        {
            Announcement.Pivoted or Announcement.Completed => new OrderConfirmed(
                facts.Order.Lines, facts.TotalMinor!.Value, payment, steps),
            Announcement.Rejected => new OrderRejected(
                state.Reason!.Code, state.Reason.Message, state.Reason.Step ?? "", payment, steps),
            Announcement.Expired => new OrderExpired(
                state.Reason!.Code, state.Reason.Message, state.Reason.Step ?? "", payment, steps),
            Announcement.Cancelled => new OrderCancelled(payment, steps),
            var other => throw new InvalidOperationException($"{other} is no outcome of an order."),
        };
    }

    /// <summary>Action that the customer has to take first, for order-service; null for none.</summary>
    public static OrderWaiting? WaitingOf(SagaState state)
    {
        foreach (var (step, undo, leg) in state.Outstanding)
            if (!undo && leg is { Phase: LegPhase.Waiting, Deadline: { } until }
                && state.Definition.Find(step.Step)!.ActionBy is not null)
                return new OrderWaiting(until, leg.Action);
        return null;
    }

    /// <summary>Progress of the steps so far, in the order of their first attempts.</summary>
    public static IReadOnlyList<StepStamp> StampsOf(SagaState state) =>
    [
        .. state.History().Where(entry => entry.Leg.FirstSentAt is not null).Select(entry => new StepStamp(
            entry.Step, entry.Undo, OutcomeNameOf(entry.Leg), entry.Leg.FirstSentAt!.Value, entry.Leg.Attempts,
            entry.Leg.Code, entry.Leg.AnsweredAt, ReportedBy(entry.Leg))),
    ];

    // The code of an abandoned step is the cause: timed_out or action_expired. Without a code the saga was cancelled.
    static string OutcomeNameOf(Leg leg) => leg.Phase switch
    {
        LegPhase.GivenUp => leg.Code ?? SagaCodes.Cancelled,
        var phase => SagaNames.Of(phase),
    };

    // What the participants before have reported. A step of ours reports nothing to others.
    static IReadOnlyList<KeyValuePair<string, string>> PreviousOf(string step, SagaState state) =>
    [
        .. from earlier in state.Definition.Steps
        where earlier.Endpoint is not null && earlier.Name != step
        let done = state[earlier.Name].Do
        where done?.Phase == LegPhase.Completed && ReportedBy(done) is not null
        select KeyValuePair.Create(earlier.Name, done.Detail),
    ];

    /// <summary>JSON object that an outside participant has reported; null for a word of our own, or nothing.</summary>
    public static string? ReportedBy(Leg leg) => leg.Detail is ['{', ..] ? leg.Detail : null;

    static string? DetailOf(string step, StepAnswered answer, OrderFacts facts) =>
        answer.Detail is not null ? answer.Detail
        : step == StepNames.AuthorizePayment && answer.Payment is { } payment
            && (payment.CapturedMinor >= payment.AuthorizedMinor || facts.Order.Capture == CapturePolicies.Fulfilment)
            ? OrderSaga.Captured
            : null;
}
