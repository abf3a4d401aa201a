using Orderwright.Contracts;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator.Process;

/// <summary>Pure mapping between the steps of the saga core and the messages of the services.</summary>
public static class OrderMessages
{
    /// <summary>Command for a step or its undo; null if the order's total rules the command out.</summary>
    public static IMessageBody? CommandOf(
        SagaEffect.Ask ask, OrderFacts facts, SagaState state, DateTimeOffset now)
    {
        var order = facts.Order;
        var resolution = ask.Resolution is { } recorded
            ? new Resolution(recorded.Id, recorded.Completed, recorded.By, recorded.Reason, recorded.Reference)
            : null;
        return (ask.Step, ask.Undo) switch
        {
            (StepNames.ReserveStock, false) => new ReserveStock(
                order.Currency, order.Lines, order.MaySetPrice, now + OrderSaga.HoldFor),
            (StepNames.AuthorizePayment, false) => facts.TotalMinor is { } total
                ? new AuthorizePayment(order.CustomerId, total, order.Currency, order.Payment, resolution)
                : null,
            (StepNames.CommitStock, false) => new CommitStock(),
            (StepNames.CapturePayment, false) => new CapturePayment(resolution),
            (StepNames.ReserveStock or StepNames.CommitStock, true) => new ReleaseStock(),
            (StepNames.AuthorizePayment, true) => new UndoPayment(
                state.Reason!.Code, resolution,
                new PaymentTerms(order.CustomerId, order.Currency, order.Payment, facts.TotalMinor)),
            _ => throw new InvalidOperationException($"{ask} is no step of the order process."),
        };
    }

    /// <summary>Renewal of the hold of a step.</summary>
    public static IMessageBody RenewalOf(SagaEffect.Renew renew, DateTimeOffset now) => renew.Step switch
    {
        StepNames.ReserveStock => new RenewHold(now + OrderSaga.HoldFor),
        _ => throw new InvalidOperationException($"{renew} holds nothing that expires."),
    };

    public static StepReply ReplyOf(string step, StepAnswered answer, OrderFacts facts) => answer.Outcome switch
    {
        StepOutcome.Completed => new StepReply.Completed(DetailOf(step, answer, facts)),
        StepOutcome.Rejected =>
            new StepReply.Rejected(answer.Code ?? "rejected", answer.Message ?? "No reason was given."),
        StepOutcome.Retry =>
            new StepReply.Retry(answer.RetryAfter ?? TimeSpan.Zero, answer.Code, answer.Message),
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
                && OrderSaga.Version(state.DefinitionVersion).Find(step.Step)!.ActionBy is not null)
                return new OrderWaiting(until, leg.Action);
        return null;
    }

    /// <summary>Progress of the steps so far, in the order of their first attempts.</summary>
    public static IReadOnlyList<StepStamp> StampsOf(SagaState state) =>
    [
        .. state.History().Where(entry => entry.Leg.FirstSentAt is not null).Select(entry => new StepStamp(
            entry.Step, entry.Undo, OutcomeNameOf(entry.Leg), entry.Leg.FirstSentAt!.Value, entry.Leg.Attempts,
            entry.Leg.Code, entry.Leg.AnsweredAt)),
    ];

    // The code of an abandoned step is the cause: timed_out or action_expired. Without a code the saga was cancelled.
    static string OutcomeNameOf(Leg leg) => leg.Phase switch
    {
        LegPhase.GivenUp => leg.Code ?? SagaCodes.Cancelled,
        var phase => SagaNames.Of(phase),
    };

    static string? DetailOf(string step, StepAnswered answer, OrderFacts facts) =>
        step == StepNames.AuthorizePayment && answer.Payment is { } payment
            && (payment.CapturedMinor >= payment.AuthorizedMinor || facts.Order.Capture == CapturePolicies.Fulfilment)
            ? OrderSaga.Captured
            : null;
}
