using System.Xml;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator.Overview;

/// <summary>Process as data, for tools that draw or check processes.</summary>
/// <param name="Name">Stable.</param>
/// <param name="Version">Running sagas finish on the version of their start.</param>
/// <param name="CancellableAfterPivot">Whether a cancellation still undoes everything after the pivot.</param>
/// <param name="Stages">Stages in sequence; the steps of a stage run in parallel.</param>
public sealed record DefinitionResponse(
    string Name, int Version, bool CancellableAfterPivot, IReadOnlyList<IReadOnlyList<StepResponse>> Stages)
{
    public static DefinitionResponse Of(SagaDefinition definition) => new(
        definition.Name, definition.Version, definition.CancellableAfterPivot,
        [.. definition.Stages.Select(stage => (IReadOnlyList<StepResponse>)[.. stage.Steps.Select(StepResponse.Of)])]);
}

/// <summary>Step of a process.</summary>
/// <param name="Name">Stable.</param>
/// <param name="Participant">Service in charge of the step.</param>
/// <param name="Undo">Name of the undo; null without one.</param>
/// <param name="Pivot">The order is confirmed once this step is done.</param>
/// <param name="ForwardOnly">Retried until done; a refusal undoes nothing.</param>
/// <param name="Optional">A refusal skips the step.</param>
/// <param name="Human">Only an operator decides the step.</param>
/// <param name="ActionBy">The party that has to act while the step waits; null for the participant.</param>
/// <param name="SkippedWhen">Condition under which the step is skipped; null for never.</param>
/// <param name="Asked">Retry policy of the command.</param>
/// <param name="UndoAsked">Retry policy of the undo.</param>
/// <param name="WhileWaiting">Retry policy while an outside party has to act.</param>
/// <param name="WhileInDoubt">Retry policy while the step is in doubt.</param>
public sealed record StepResponse(
    string Name, string Participant, string? Undo, bool Pivot, bool ForwardOnly, bool Optional, bool Human,
    string? ActionBy, SkipWhen? SkippedWhen, RetryPolicyResponse Asked, RetryPolicyResponse? UndoAsked,
    RetryPolicyResponse WhileWaiting, RetryPolicyResponse WhileInDoubt)
{
    public static StepResponse Of(SagaStep step) => new(
        step.Name, step.Participant, step.Undo, step.Pivot, step.ForwardOnly, step.Optional, step.Human,
        step.ActionBy, step.SkipWhen, RetryPolicyResponse.Of(step.Ask),
        step.Undo is null ? null : RetryPolicyResponse.Of(step.AskUndo),
        RetryPolicyResponse.Of(step.WhileWaiting), RetryPolicyResponse.Of(step.WhileInDoubt));
}

/// <summary>Retry policy; durations in ISO 8601.</summary>
/// <param name="FirstPause">The shortest pause between two attempts.</param>
/// <param name="Factor">Growth factor of the pauses.</param>
/// <param name="LongestPause">The longest pause.</param>
/// <param name="Attempts">Maximum number of attempts.</param>
/// <param name="Within">Time until the deadline.</param>
public sealed record RetryPolicyResponse(
    string FirstPause, double Factor, string LongestPause, int Attempts, string Within)
{
    public static RetryPolicyResponse Of(RetryPolicy policy) => new(
        XmlConvert.ToString(policy.First), policy.Factor, XmlConvert.ToString(policy.Longest), policy.Attempts,
        XmlConvert.ToString(policy.Within));
}
