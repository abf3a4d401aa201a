using Orderwright.Contracts;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator;

/// <summary>Between the saga core, which knows steps, and the services, which know orders. Pure.</summary>
public static class OrderMessages
{
    /// <summary>
    /// The command that asks for a step or its undo; null when the order's total makes it impossible.
    /// </summary>
    public static IMessageBody? CommandOf(
        SagaEffect.Ask ask, OrderFacts facts, SagaState state, DateTimeOffset now)
    {
        var order = facts.Order;
        var resolution = ask.Verdict is { } said
            ? new Resolution(said.Id, said.Completed, said.By, said.Reason, said.Reference)
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
            (StepNames.AuthorizePayment, true) => new UndoPayment(state.Reason!.Code, resolution),
            _ => throw new InvalidOperationException($"{ask} is no step of the order process."),
        };
    }

    /// <summary>Prolongs what a step holds.</summary>
    public static IMessageBody RenewalOf(SagaEffect.Renew renew, DateTimeOffset now) => renew.Step switch
    {
        StepNames.ReserveStock => new RenewHold(now + OrderSaga.HoldFor),
        _ => throw new InvalidOperationException($"{renew} holds nothing that expires."),
    };

    public static Reply ReplyOf(string step, StepAnswered answer, OrderFacts facts) => answer.Outcome switch
    {
        StepOutcome.Completed => new Reply.Completed(DetailOf(step, answer, facts)),
        StepOutcome.Rejected =>
            new Reply.Rejected(answer.Code ?? "rejected", answer.Message ?? "No reason was given."),
        StepOutcome.Retry =>
            new Reply.Retry(answer.RetryAfter ?? TimeSpan.Zero, answer.Code, answer.Message),
        StepOutcome.Waiting => new Reply.Waiting(answer.Action),
        StepOutcome.InDoubt when answer.Code == ReasonCodes.CannotTell =>
            new Reply.InDoubt(ReasonCodes.InDoubt, answer.Message) { ForGood = true },
        StepOutcome.InDoubt => new Reply.InDoubt(answer.Code, answer.Message),
        var other => throw new InvalidOperationException($"{other} is no outcome of a step."),
    };

    /// <summary>What stands in for the answer to a command that cannot be made.</summary>
    public static readonly Reply TotalOutOfRange = new Reply.Rejected(
        ReasonCodes.TotalOutOfRange, "The order's total is below zero, or too much to count.");

    /// <summary>What order-service is told.</summary>
    public static IMessageBody OutcomeOf(
        Announcement told, SagaState state, OrderFacts facts, PaymentTotals payment)
    {
        var steps = StampsOf(state);
        return told switch
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

    /// <summary>What the customer has to do first, for order-service; null while nothing.</summary>
    public static OrderWaiting? WaitingOf(SagaState state)
    {
        foreach (var (step, undo, leg) in state.Outstanding)
            if (!undo && leg is { Phase: LegPhase.Waiting, Deadline: { } until }
                && OrderSaga.Version(state.DefinitionVersion).Find(step.Step)!.ActionBy is not null)
                return new OrderWaiting(until, leg.Action);
        return null;
    }

    /// <summary>What the steps went through so far, in the order in which they were first asked.</summary>
    public static IReadOnlyList<StepStamp> StampsOf(SagaState state) =>
    [
        .. state.Story().Where(one => one.Leg.FirstSentAt is not null).Select(one => new StepStamp(
            one.Step, one.Undo, OutcomeNameOf(one.Leg), one.Leg.FirstSentAt!.Value, one.Leg.Attempts, one.Leg.Code,
            one.Leg.AnsweredAt)),
    ];

    // A step that was given up says by its code why: timed_out, action_expired; without one it was cancelled.
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
