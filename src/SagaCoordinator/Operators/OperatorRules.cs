using Orderwright.SagaCoordinator.Process;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator.Operators;

/// <summary>Kind of an operator's action on a saga.</summary>
public enum OperatorVerb
{
    /// <summary>Resend everything outstanding now; stuck steps get their full time again.</summary>
    Retry,

    /// <summary>Undo everything, without waiting for stuck steps.</summary>
    Compensate,

    /// <summary>Undo everything, once all outstanding replies are in.</summary>
    Cancel,

    /// <summary>Record the outcome of a step on behalf of the participant.</summary>
    Resolve,
}

/// <summary>Action of an operator on a saga.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="Verb">Kind of the action.</param>
/// <param name="Reason">The operator's own words.</param>
/// <param name="Step">The step, for <see cref="OperatorVerb.Resolve"/>.</param>
/// <param name="Completed">Done or refused, for <see cref="OperatorVerb.Resolve"/>.</param>
/// <param name="Run">The bulk action that the action belongs to; null for a single action.</param>
/// <param name="Reference">The gateway's id of the payment, for <see cref="OperatorVerb.Resolve"/>.</param>
/// <param name="ApprovedBy">Second person who approved the action; null for none.</param>
/// <param name="Undo">Refuse to resolve the step where its undo is outstanding, or the reverse; null for either.</param>
public sealed record OperatorAction(
    Guid OrderId, OperatorVerb Verb, string Reason, string? Step = null, bool Completed = false, Guid? Run = null,
    string? Reference = null, string? ApprovedBy = null, bool? Undo = null)
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

/// <summary>Refusal of an action: a stable code and a sentence.</summary>
public sealed record OperatorRefusal(string Code, string Message);

/// <summary>Pure rules of the actions that operators may take on a saga, and their mapping to events of the core.</summary>
public static class OperatorRules
{
    /// <summary>Refuses an action; null if the action is allowed.</summary>
    public static OperatorRefusal? Refuse(SagaState state, OperatorAction action) => action.Verb switch
    {
        OperatorVerb.Retry => state.Outstanding.Any()
            ? null
            : new("nothing_outstanding", "The process has ended: nothing is outstanding that could be retried."),
        OperatorVerb.Resolve => RefuseResolve(state, action),
        _ => RefuseUndo(state, action),
    };

    /// <summary>Event of the core for an allowed action.</summary>
    /// <param name="state">Current state.</param>
    /// <param name="action">The action, which must not be refused.</param>
    /// <param name="actor">Name of the operator.</param>
    /// <param name="id">Id of the audit entry; time-ordered.</param>
    public static SagaEvent EventOf(SagaState state, OperatorAction action, string actor, Guid id) => action.Verb switch
    {
        OperatorVerb.Retry => new SagaEvent.RetryRequested(),
        OperatorVerb.Compensate => new SagaEvent.CompensateRequested(action.Reason),
        OperatorVerb.Cancel => new SagaEvent.CancelRequested(action.Reason),
        _ => new SagaEvent.Resolved(
            action.Step!, LegOf(state, action.Step!)!.Value.Undo, action.Completed, action.Reason,
            new SagaResolution(id, action.Completed, actor, action.Reason, action.Reference)),
    };

    /// <summary>Name of the step of a resolution: <c>the undo of authorize-payment</c>.</summary>
    public static string NameOf(SagaState state, OperatorAction action) =>
        LegOf(state, action.Step!) is { Undo: true } ? $"the undo of {action.Step}" : action.Step!;

    /// <summary>True when a resolution is about the undo of its step.</summary>
    public static bool IsUndo(SagaState state, OperatorAction action) =>
        action.Step is { } step && LegOf(state, step) is { Undo: true };

    /// <summary>Fact to check first; null for none.</summary>
    public static string? WarningOf(SagaState state, OperatorAction action)
    {
        if (action.Verb != OperatorVerb.Resolve || LegOf(state, action.Step!) is not var (name, undo, leg)) return null;
        var step = state.Definition.Find(name)!;
        var participant = step.Participant;
        if (step.KeepsLedger)
            return $"{participant} is notified that {(undo ? "the undo of " : "")}{name} "
                + (action.Completed ? "happened" : "did not happen")
                + ", and replies according to its ledger: make sure that this is true. "
                + (action.Completed && undo ? "No money is returned by the process any more."
                    : action.Completed ? "Without the gateway's id, the process can neither capture nor refund the payment."
                    : undo || step.ForwardOnly ? "The gateway then receives the request again, under a new key."
                    : "A payment that turns out to have happened is returned.");
        return action.Completed
            ? $"{participant} will not be asked again whether {(undo ? "the undo of " : "")}{name} is done: make sure that it is."
            : leg.InDoubtSince is not null || leg.Phase == LegPhase.Stuck
                ? $"{participant} will not be asked to undo {name}: make sure that it did not happen."
                : null;
    }

    // Once an order is confirmed, only order-service knows whether goods were shipped.
    static OperatorRefusal? RefuseUndo(SagaState state, OperatorAction action) =>
        state.Status == SagaStatus.Compensated
            ? new("already_undone", "Everything was undone already.")
        : state is { Pivoted: true, Reason: null }
            ? new(
                "order_confirmed",
                "The order is confirmed: cancel it (POST /api/v1/orders/{id}/cancel), which is refused once goods were shipped.")
        : state.CancelReason is not null && action.Verb == OperatorVerb.Cancel
            ? new("already_cancelled", "The order was cancelled before, and is being undone.")
        : null;

    // For a step in doubt, "did not happen" is no refusal: the step is retried.
    static OperatorRefusal? RefuseResolve(SagaState state, OperatorAction action)
    {
        if (LegOf(state, action.Step!) is not var (name, undo, leg))
            return new("not_outstanding", $"No reply to {action.Step} is outstanding.");
        if (action.Undo is { } expected && expected != undo)
            return new(
                "not_outstanding",
                expected ? $"{name} itself is outstanding, not its undo."
                    : $"The undo of {name} is outstanding, not {name} itself.");
        var step = state.Definition.Find(name)!;
        return !action.Completed && (undo || step.ForwardOnly) && !(step.KeepsLedger && leg.InDoubtSince is not null)
            ? new("must_be_done", $"{(undo ? "The undo of " : "")}{name} cannot be refused: it must be done in the end.")
            : null;
    }

    // At most one direction of a step is outstanding: an undo starts after the step has ended.
    static (string Step, bool Undo, Leg Leg)? LegOf(SagaState state, string step)
    {
        foreach (var (current, undo, leg) in state.Outstanding)
            if (current.Step == step)
                return (step, undo, leg);
        return null;
    }
}
