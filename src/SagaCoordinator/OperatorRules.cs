using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator;

/// <summary>What an operator wants of a saga.</summary>
public enum OperatorVerb
{
    /// <summary>Ask everything outstanding again now; what is stuck gets all its time anew.</summary>
    Retry,

    /// <summary>Undo everything; what is stuck is not awaited.</summary>
    Compensate,

    /// <summary>Undo everything, once what is outstanding has been answered.</summary>
    Cancel,

    /// <summary>Answer a step in its participant's place.</summary>
    Resolve,
}

/// <summary>One operator's action on one saga.</summary>
/// <param name="OrderId">Which.</param>
/// <param name="Verb">What is wanted.</param>
/// <param name="Reason">The operator's own words.</param>
/// <param name="Step">With <see cref="OperatorVerb.Resolve"/>: which step.</param>
/// <param name="Completed">With <see cref="OperatorVerb.Resolve"/>: done, or refused.</param>
/// <param name="Run">The bulk action that it is part of; null for one by itself.</param>
/// <param name="Reference">With <see cref="OperatorVerb.Resolve"/>: the gateway's id of what was done.</param>
public sealed record OperatorRequest(
    Guid OrderId, OperatorVerb Verb, string Reason, string? Step = null, bool Completed = false, Guid? Run = null,
    string? Reference = null)
{
    public string Name => Verb switch
    {
        OperatorVerb.Retry => "retry",
        OperatorVerb.Compensate => "compensate",
        OperatorVerb.Cancel => "cancel",
        OperatorVerb.Resolve => "resolve",
        var other => throw new InvalidOperationException($"{other} is no verb of an operator."),
    };
}

/// <summary>Why an action is refused: a stable code and a sentence.</summary>
public sealed record OperatorRefusal(string Code, string Message);

/// <summary>What operators may do to a saga as it stands, and what the core is told. Pure.</summary>
public static class OperatorRules
{
    /// <summary>Null when it may be done.</summary>
    public static OperatorRefusal? Refuse(SagaState state, OperatorRequest wish) => wish.Verb switch
    {
        OperatorVerb.Retry => state.Outstanding.Any()
            ? null
            : new("nothing_outstanding", "The process has ended: nothing is outstanding that could be asked again."),
        OperatorVerb.Resolve => RefuseResolve(state, wish),
        _ => RefuseUndo(state, wish),
    };

    /// <summary>What the core decides on. Not for a wish that is refused.</summary>
    /// <param name="state">As it stands.</param>
    /// <param name="wish">What is wanted.</param>
    /// <param name="actor">By whom.</param>
    /// <param name="id">Under which it stands in the audit; time-ordered.</param>
    public static SagaEvent EventOf(SagaState state, OperatorRequest wish, string actor, Guid id) => wish.Verb switch
    {
        OperatorVerb.Retry => new SagaEvent.RetryRequested(),
        OperatorVerb.Compensate => new SagaEvent.CompensateRequested(wish.Reason),
        OperatorVerb.Cancel => new SagaEvent.CancelRequested(wish.Reason),
        _ => new SagaEvent.Resolved(
            wish.Step!, LegOf(state, wish.Step!)!.Value.Undo, wish.Completed, wish.Reason,
            new Verdict(id, wish.Completed, actor, wish.Reason, wish.Reference)),
    };

    /// <summary>What an operator has to make sure of first; null when there is nothing.</summary>
    public static string? WarningOf(SagaState state, OperatorRequest wish)
    {
        if (wish.Verb != OperatorVerb.Resolve || LegOf(state, wish.Step!) is not var (step, undo, leg)) return null;
        var its = OrderSaga.Version(state.DefinitionVersion).Find(step)!;
        var participant = its.Participant;
        if (its.KeepsBooks)
            return $"{participant} is told that {(undo ? "the undo of " : "")}{step} "
                + (wish.Completed ? "happened" : "did not happen")
                + ", and answers by what it knows: make sure that it is so. "
                + (wish.Completed ? "Without the gateway's id of it nothing can be captured or refunded by the process."
                    : undo || its.ForwardOnly ? "It is then asked of the gateway again, under a new key."
                    : "If it turns out to have happened, it is given back.");
        return wish.Completed
            ? $"{participant} will not be asked any more whether {(undo ? "the undo of " : "")}{step} is done: "
                + "make sure that it is."
            : leg.InDoubtSince is not null || leg.Phase == LegPhase.Stuck
                ? $"{participant} will not be asked to undo {step}: make sure that it did not happen."
                : null;
    }

    // Once an order is confirmed, only order-service knows whether its goods have left.
    static OperatorRefusal? RefuseUndo(SagaState state, OperatorRequest wish) =>
        state.Status == SagaStatus.Compensated
            ? new("already_undone", "Everything was undone already.")
        : state is { Pivoted: true, Reason: null }
            ? new(
                "order_confirmed",
                "The order is confirmed: cancel it (POST /api/v1/orders/{id}/cancel), which is refused once it was fulfilled.")
        : state.CancelReason is not null && wish.Verb == OperatorVerb.Cancel
            ? new("already_cancelled", "It was cancelled before, and is being undone.")
        : null;

    // That it did not happen, where that was in doubt, is no refusal: it is asked again.
    static OperatorRefusal? RefuseResolve(SagaState state, OperatorRequest wish)
    {
        if (LegOf(state, wish.Step!) is not var (step, undo, leg))
            return new("not_outstanding", $"Nobody waits for an answer to {wish.Step}.");
        var its = OrderSaga.Version(state.DefinitionVersion).Find(step)!;
        return !wish.Completed && (undo || its.ForwardOnly) && !(its.KeepsBooks && leg.InDoubtSince is not null)
            ? new("must_be_done", $"{(undo ? "The undo of " : "")}{step} cannot be refused: it has to be done in the end.")
            : null;
    }

    // No undo is asked while its step is, so one of the two at most.
    static (string Step, bool Undo, Leg Leg)? LegOf(SagaState state, string step)
    {
        foreach (var (its, undo, leg) in state.Outstanding)
            if (its.Step == step)
                return (step, undo, leg);
        return null;
    }
}
