using System.Xml;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator;

/// <summary>A process as data, for those who draw or check it.</summary>
/// <param name="Name">Stable.</param>
/// <param name="Version">Orders under way finish on the version on which they started.</param>
/// <param name="CancellableAfterPivot">
/// Whether a cancel still undoes everything once the pivot is passed.
/// </param>
/// <param name="Stages">In sequence; the steps of one stage run in parallel.</param>
public sealed record DefinitionBody(
    string Name, int Version, bool CancellableAfterPivot, IReadOnlyList<IReadOnlyList<StepBody>> Stages)
{
    public static DefinitionBody Of(SagaDefinition definition) => new(
        definition.Name, definition.Version, definition.CancellableAfterPivot,
        [.. definition.Stages.Select(stage => (IReadOnlyList<StepBody>)[.. stage.Steps.Select(StepBody.Of)])]);
}

/// <param name="Name">Stable.</param>
/// <param name="Participant">The service that is asked.</param>
/// <param name="Undo">What its undo is called; null when it has none of its own.</param>
/// <param name="Pivot">Once it is done, the order is confirmed.</param>
/// <param name="ForwardOnly">Asked until it is done; never undone for a refusal.</param>
/// <param name="Optional">A refusal skips it.</param>
/// <param name="Human">Only an operator answers it.</param>
/// <param name="ActionBy">Who has to act while it waits; null: the participant.</param>
/// <param name="SkippedWhen">Null: never.</param>
/// <param name="RenewEvery">ISO 8601; how often its hold is renewed while a later step waits.</param>
/// <param name="Asked">How it is asked.</param>
/// <param name="UndoAsked">How its undo is asked.</param>
/// <param name="WhileWaiting">How it is asked while somebody outside has to act.</param>
/// <param name="WhileInDoubt">How it is asked while it is in doubt.</param>
public sealed record StepBody(
    string Name, string Participant, string? Undo, bool Pivot, bool ForwardOnly, bool Optional, bool Human,
    string? ActionBy, SkipWhen? SkippedWhen, string? RenewEvery, PolicyBody Asked, PolicyBody? UndoAsked,
    PolicyBody WhileWaiting, PolicyBody WhileInDoubt)
{
    public static StepBody Of(SagaStep step) => new(
        step.Name, step.Participant, step.Undo, step.Pivot, step.ForwardOnly, step.Optional, step.Human,
        step.ActionBy, step.SkipWhen, step.RenewEvery is { } every ? XmlConvert.ToString(every) : null,
        PolicyBody.Of(step.Ask), step.Undo is null ? null : PolicyBody.Of(step.AskUndo),
        PolicyBody.Of(step.WhileWaiting), PolicyBody.Of(step.WhileInDoubt));
}

/// <summary>Durations in ISO 8601.</summary>
/// <param name="FirstPause">The shortest pause between two asks.</param>
/// <param name="Factor">By which the pauses grow.</param>
/// <param name="LongestPause">The longest one.</param>
/// <param name="Attempts">How often it is asked at most.</param>
/// <param name="Within">How long in all.</param>
public sealed record PolicyBody(
    string FirstPause, double Factor, string LongestPause, int Attempts, string Within)
{
    public static PolicyBody Of(RetryPolicy policy) => new(
        XmlConvert.ToString(policy.First), policy.Factor, XmlConvert.ToString(policy.Longest), policy.Attempts,
        XmlConvert.ToString(policy.Within));
}
