using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Orderwright.Sagas;

/// <summary>
/// Process as data: stages in sequence, each a step or a group of parallel steps. Validated on construction and immutable.
/// A saga ends on the version of its start, so a version in use is never edited.
/// </summary>
public sealed class SagaDefinition
{
    readonly FrozenDictionary<string, SagaStep> byName;

    /// <exception cref="ArgumentException">
    /// The steps do not form a valid process. The message names the step and the fault.
    /// </exception>
    public SagaDefinition(string name, int version, params IReadOnlyList<SagaStage> stages)
    {
        Name = name;
        Version = version;
        Stages = [.. stages];
        Steps = [.. stages.SelectMany(stage => stage.Steps)];
        if (FaultOf(this) is { } fault)
            throw new ArgumentException($"{name} version {version}: {fault}", nameof(stages));
        byName = Steps.ToFrozenDictionary(step => step.Name);
        Pivot = Steps.FirstOrDefault(step => step.Pivot);
    }

    public string Name { get; }

    /// <summary>1 and up.</summary>
    public int Version { get; }

    public ImmutableArray<SagaStage> Stages { get; }

    /// <summary>All steps in the order of their stages.</summary>
    public ImmutableArray<SagaStep> Steps { get; }

    /// <summary>
    /// Allows cancellations after the pivot (or, without a pivot, after the end), which undo everything. Default: no, and the
    /// reply to a cancellation is the saga's outcome.
    /// </summary>
    public bool CancellableAfterPivot { get; init; }

    /// <summary>Finds a step by name; null for an unknown name, as in a message from another version.</summary>
    public SagaStep? Find(string step) => byName.GetValueOrDefault(step);

    internal SagaStep? Pivot { get; }

    internal SagaStep this[string step] => byName[step];

    static string? FaultOf(SagaDefinition definition)
    {
        if (definition.Version < 1) return "the version is under 1.";
        if (definition.Steps.IsEmpty || definition.Stages.Any(stage => stage.Steps.IsEmpty))
            return "a stage has no step.";
        if (definition.Steps.GroupBy(step => step.Name).FirstOrDefault(group => group.Count() > 1) is { } repeated)
            return $"the step '{repeated.Key}' occurs twice.";
        if (definition.Steps.Count(step => step.Pivot) > 1) return "there is more than one pivot.";
        var passed = new HashSet<string>();
        var pivoted = false;
        foreach (var stage in definition.Stages)
        {
            foreach (var step in stage.Steps)
                if (FaultOf(step, stage, passed, pivoted) is { } fault)
                    return $"the step '{step.Name}' {fault}.";
            passed.UnionWith(stage.Steps.Select(step => step.Name));
            pivoted |= stage.Steps.Any(step => step.Pivot);
        }
        return null;
    }

    static string? FaultOf(SagaStep step, SagaStage stage, HashSet<string> passed, bool pivoted) =>
        step.Pivot && stage.Steps.Length > 1 ? "is the pivot and must be the only step of its stage"
        : step.Pivot && step.Optional ? "is the pivot and cannot be optional"
        : pivoted && !step.ForwardOnly ? "comes after the pivot and must be forward only"
        : !pivoted && step.ForwardOnly ? "is forward only and must come after a pivot"
        : step.Human && step.Undo is not null ? "is decided by a person and cannot have an undo"
        : step.SkipWhen is { } skip && !passed.Contains(skip.Step)
            ? $"depends on '{skip.Step}', which is not before it"
        : step.Policies.Select(policy => policy.Fault).FirstOrDefault(fault => fault is not null) is { } fault
            ? $"has an invalid retry policy: {fault}"
        : null;
}

/// <summary>Group of steps that start together. The next stage begins when all of them are done.</summary>
public sealed record SagaStage(ImmutableArray<SagaStep> Steps)
{
    public static SagaStage Parallel(params ImmutableArray<SagaStep> steps) => new(steps);

    public static implicit operator SagaStage(SagaStep step) => new([step]);
}

/// <summary>Unit of work of a participant, with retry policies.</summary>
/// <param name="Name">Stable: part of the participant's natural key.</param>
/// <param name="Participant">The service in charge of the step.</param>
public sealed record SagaStep(string Name, string Participant)
{
    static readonly RetryPolicy Default = new(
        TimeSpan.FromSeconds(2), 2, TimeSpan.FromSeconds(15), 10_000, TimeSpan.FromMinutes(10));

    /// <summary>Name of the undo; null for a step with nothing to undo.</summary>
    public string? Undo { get; init; }

    /// <summary>
    /// Policy of the command. After the deadline, a step before the pivot may or may not have happened, so everything is
    /// undone, this step included. A forward-only step becomes an incident. Default: 2 s to 15 s, 10 min in all.
    /// </summary>
    public RetryPolicy Ask { get; init; } = Default;

    /// <summary>Policy of the undo. After the deadline the undo is an incident. Default: 2 s to 15 s, 30 min in all.</summary>
    public RetryPolicy AskUndo { get; init; } = Default with { Within = TimeSpan.FromMinutes(30) };

    /// <summary>Policy while an outside party has to act. Default: 5 s to 30 s, 1 h in all.</summary>
    public RetryPolicy WhileWaiting { get; init; } =
        new(TimeSpan.FromSeconds(5), 2, TimeSpan.FromSeconds(30), 10_000, TimeSpan.FromHours(1));

    /// <summary>Policy while the step is in doubt. After the deadline: an incident. Default: 2 s to 15 s, 2 h.</summary>
    public RetryPolicy WhileInDoubt { get; init; } = Default with { Within = TimeSpan.FromHours(2) };

    /// <summary>Point of no return: afterwards the process only goes forward (Garcia-Molina and Salem, 1987).</summary>
    public bool Pivot { get; init; }

    /// <summary>
    /// Step after the pivot: retried until done. An exhausted policy is an incident, and so is a refusal, unless the saga is
    /// being undone.
    /// </summary>
    public bool ForwardOnly { get; init; }

    /// <summary>Step that a refusal skips; the process continues.</summary>
    public bool Optional { get; init; }

    /// <summary>
    /// Step without a command: only an operator's <see cref="SagaEvent.Resolved"/> counts, within <see cref="WhileWaiting"/>.
    /// </summary>
    public bool Human { get; init; }

    /// <summary>
    /// Marks the participant as the system of record: an operator's resolution is sent to the participant, with retries, and
    /// the step ends with the participant's reply. Otherwise saga and ledger could diverge.
    /// </summary>
    public bool KeepsLedger { get; init; }

    /// <summary>
    /// Consequence of a participant without a reply until the deadline of <see cref="Ask"/>. Null: see there.
    /// </summary>
    public WhenSilent? WhenSilent { get; init; }

    /// <summary>Address of the participant, for a step that is called; null for a step with a command.</summary>
    public string? Endpoint { get; init; }

    /// <summary>Condition on an earlier step under which this step is skipped.</summary>
    public SkipWhen? SkipWhen { get; init; }

    /// <summary>The party that has to act while the step waits; null for the participant.</summary>
    public string? ActionBy { get; init; }

    /// <summary>True if the silence of the participant makes an incident.</summary>
    public bool IsStuckBySilence(bool undo) => undo || WhenSilent switch
    {
        Sagas.WhenSilent.Incident => true,
        Sagas.WhenSilent.Reject => !Optional && ForwardOnly,
        _ => ForwardOnly,
    };

    internal IEnumerable<RetryPolicy> Policies => [Ask, AskUndo, WhileWaiting, WhileInDoubt];

    internal RetryPolicy PolicyFor(LegPhase phase, bool undo) => phase switch
    {
        LegPhase.Waiting => WhileWaiting,
        LegPhase.InDoubt => WhileInDoubt,
        _ => undo ? AskUndo : Ask,
    };
}

/// <summary>
/// Condition as data: <paramref name="Step"/> was completed with the detail <paramref name="Detail"/>.
/// </summary>
public sealed record SkipWhen(string Step, string Detail);

/// <summary>Consequence of a participant that never replied.</summary>
public enum WhenSilent
{
    /// <summary>An operator finds out.</summary>
    Incident,

    /// <summary>The step counts as refused. As the step may have happened, its undo is asked for.</summary>
    Reject,
}
