using System.Text.Json.Serialization;
using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.SagaCoordinator.Process;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator.Operators;

/// <summary>Action of an operator on many sagas.</summary>
/// <param name="Verb">Retry, compensate or resolve.</param>
/// <param name="Where">Filter of the sagas.</param>
/// <param name="Reason">The operator's own words, recorded in the audit of each saga.</param>
/// <param name="Canary">
/// Number of sagas that are acted on first and must succeed before the others follow; 0 for none, null for
/// <see cref="CanaryOf"/>.
/// </param>
/// <param name="Caller">The operator.</param>
/// <param name="Completed">Outcome to record, for <see cref="OperatorVerb.Resolve"/>.</param>
/// <param name="Undo">The undo of the filter's step is resolved, not the step; for <see cref="OperatorVerb.Resolve"/>.</param>
public sealed record BulkAction(
    OperatorVerb Verb, SagaFilter Where, string Reason, int? Canary, Caller Caller, bool Completed = false, bool Undo = false)
{
    const int MostCanary = 10;
    const int CanaryShare = 10;

    public string Name => ActionOn(Guid.Empty, Guid.Empty).Name;

    /// <summary>Size of a canary batch by default: a tenth of the sagas, at most 10 and at least 1.</summary>
    public static int CanaryOf(int sagas) => Math.Clamp((sagas + CanaryShare - 1) / CanaryShare, 1, MostCanary);

    /// <summary>Size of this action's canary batch for a number of sagas.</summary>
    public int CanaryFor(int sagas) => Math.Min(Canary ?? CanaryOf(sagas), sagas);

    /// <summary>The action on one saga of a run.</summary>
    public OperatorAction ActionOn(Guid orderId, Guid run) => Verb == OperatorVerb.Resolve
        ? new(orderId, Verb, Reason, Where.Step, Completed, run, Undo: Undo)
        : new(orderId, Verb, Reason, Run: run);

    /// <summary>
    /// Whether the action applies to a saga that the filter found. A step and its undo are resolved separately: the same outcome
    /// means that money was taken, or that it was returned.
    /// </summary>
    public bool AppliesTo(SagaState state) => Verb != OperatorVerb.Resolve
        || (SagaHeadline.MostUrgent(state) is var (step, undo, _) && step == Where.Step && undo == Undo);
}

/// <summary>Progress of a bulk action.</summary>
/// <param name="Id">Derived from the Idempotency-Key, if any.</param>
/// <param name="Action"><c>retry</c>, <c>compensate</c> or <c>resolve</c>.</param>
/// <param name="Where">Filter of the sagas.</param>
/// <param name="Reason">The operator's own words.</param>
/// <param name="Actor">Name of the operator.</param>
/// <param name="State"><c>waiting, canary, rest, stopping, done, stopped</c>.</param>
/// <param name="StoppedBecause">A sentence, if the action was stopped or stopped by itself.</param>
/// <param name="Total">Number of sagas found at the start.</param>
/// <param name="Acted">Number of sagas acted on so far.</param>
/// <param name="Refused">Number of sagas advanced meanwhile.</param>
/// <param name="WentOn">Number of sagas advanced by the action.</param>
/// <param name="StuckAgain">Number of sagas with a new incident.</param>
/// <param name="Undecided">Number of sagas without progress.</param>
/// <param name="StartedAt">Time of the request.</param>
/// <remarks>
/// The audit lists each single action under this id. <see cref="BulkActions.OrdersOf"/> lists the outcome of each saga.
/// </remarks>
public sealed record BulkRun(
    Guid Id, [OneOf("retry", "compensate", "resolve")] string Action, SagaFilter Where, string Reason, string Actor,
    [OneOf(typeof(BulkStates))] string State, string? StoppedBecause, int Total,
    int Acted, int Refused, int WentOn, int StuckAgain, int Undecided, DateTimeOffset StartedAt)
{
    /// <summary>Channels of the operator, and so of the sagas.</summary>
    [JsonIgnore]
    public ChannelSet Channels { get; init; } = ChannelSet.All;

    public bool IsOver => State is "done" or "stopped";
}
