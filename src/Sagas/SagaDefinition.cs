using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Orderwright.Sagas;

/// <summary>
/// A process as data: stages in sequence, each a step or a group of steps that run in parallel. Checked when
/// it is made; immutable. A saga finishes on the version on which it started, so a version that has run is
/// never edited.
/// </summary>
public sealed class SagaDefinition
{
    readonly FrozenDictionary<string, SagaStep> byName;

    /// <exception cref="ArgumentException">
    /// The steps do not make a process; the message says which and why.
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
    }

    public string Name { get; }

    /// <summary>1 and up.</summary>
    public int Version { get; }

    public ImmutableArray<SagaStage> Stages { get; }

    /// <summary>All steps in the order of their stages.</summary>
    public ImmutableArray<SagaStep> Steps { get; }

    /// <summary>
    /// Whether a cancel still undoes everything once the pivot (or, without one, the end) is passed. Default:
    /// no, and the cancel is answered with how the saga stands.
    /// </summary>
    public bool CancellableAfterPivot { get; init; }

    /// <summary>
    /// Null for a name that is not a step here: a message may come from another version, or from nowhere.
    /// </summary>
    public SagaStep? Find(string step) => byName.GetValueOrDefault(step);

    internal SagaStep this[string step] => byName[step];

    static string? FaultOf(SagaDefinition made)
    {
        if (made.Version < 1) return "its version is under 1.";
        if (made.Steps.IsEmpty || made.Stages.Any(stage => stage.Steps.IsEmpty))
            return "a stage has no step.";
        if (made.Steps.GroupBy(step => step.Name).FirstOrDefault(group => group.Count() > 1) is { } twice)
            return $"the step '{twice.Key}' is there twice.";
        if (made.Steps.Count(step => step.Pivot) > 1) return "it has more than one pivot.";
        var passed = new HashSet<string>();
        var pivoted = false;
        foreach (var stage in made.Stages)
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
        step.Pivot && stage.Steps.Length > 1 ? "is the pivot and must stand alone in its stage"
        : step.Pivot && step.Optional ? "is the pivot and cannot be optional"
        : pivoted && !step.ForwardOnly ? "comes after the pivot and must be forward only"
        : !pivoted && step.ForwardOnly ? "is forward only and must come after a pivot"
        : step.Human && step.Undo is not null ? "is decided by a person and cannot have an undo"
        : step.SkipWhen is { } skip && !passed.Contains(skip.Step)
            ? $"depends on '{skip.Step}', which is not before it"
        : step.RenewEvery is { } every && (every <= TimeSpan.Zero || every > RetryPolicy.LongestPause)
            ? "is to be renewed without a pause, or after more than 10 min"
        : step.Policies.Select(policy => policy.Fault).FirstOrDefault(fault => fault is not null) is { } fault
            ? $"has a retry policy of which {fault}"
        : null;
}

/// <summary>Steps that are asked together; the next stage begins when all of them are done.</summary>
public sealed record SagaStage(ImmutableArray<SagaStep> Steps)
{
    public static SagaStage Parallel(params ImmutableArray<SagaStep> steps) => new(steps);

    public static implicit operator SagaStage(SagaStep step) => new([step]);
}

/// <summary>One thing that one party is asked to do, and how.</summary>
/// <param name="Name">Stable: it is part of the participant's natural key.</param>
/// <param name="Participant">The party that answers.</param>
public sealed record SagaStep(string Name, string Participant)
{
    static readonly RetryPolicy Patiently = new(
        TimeSpan.FromSeconds(2), 2, TimeSpan.FromSeconds(15), 10_000, TimeSpan.FromMinutes(10));

    /// <summary>What the undo is called; null when there is nothing to undo.</summary>
    public string? Undo { get; init; }

    /// <summary>
    /// How it is asked. Its time is the deadline: past it, a step before the pivot may or may not have
    /// happened, and all is undone, this step too. A forward-only one becomes an incident. Default: 2 s to 15
    /// s, 10 min in all.
    /// </summary>
    public RetryPolicy Ask { get; init; } = Patiently;

    /// <summary>
    /// How its undo is asked; past its time it is an incident. Default: 2 s to 15 s, 30 min in all.
    /// </summary>
    public RetryPolicy AskUndo { get; init; } = Patiently with { Within = TimeSpan.FromMinutes(30) };

    /// <summary>
    /// How it is looked after while it waits for somebody outside. Default: 5 s to 30 s, 1 h in all.
    /// </summary>
    public RetryPolicy WhileWaiting { get; init; } =
        new(TimeSpan.FromSeconds(5), 2, TimeSpan.FromSeconds(30), 10_000, TimeSpan.FromHours(1));

    /// <summary>
    /// How it is asked while it is in doubt; past its time it is an incident. Default: 2 s to 15 s, 2 h.
    /// </summary>
    public RetryPolicy WhileInDoubt { get; init; } = Patiently with { Within = TimeSpan.FromHours(2) };

    /// <summary>
    /// Once it is done the process only goes forward (Garcia-Molina and Salem's sagas; FTGO's term).
    /// </summary>
    public bool Pivot { get; init; }

    /// <summary>
    /// After the pivot: asked until it is done; a refusal or an exhausted policy is an incident.
    /// </summary>
    public bool ForwardOnly { get; init; }

    /// <summary>A refusal skips it; the process goes on.</summary>
    public bool Optional { get; init; }

    /// <summary>
    /// Nobody is asked: only an operator's <see cref="SagaEvent.Resolved"/> answers, within <see
    /// cref="WhileWaiting"/>.
    /// </summary>
    public bool Human { get; init; }

    /// <summary>
    /// Its participant keeps books on what happened: an operator's word about the step is told to it, again and again as
    /// everything is, and the step ends by its answer. Else saga and books would part.
    /// </summary>
    public bool KeepsBooks { get; init; }

    /// <summary>Skipped when an earlier step was completed in a certain way.</summary>
    public SkipWhen? SkipWhen { get; init; }

    /// <summary>
    /// It holds something that expires: while a later step waits or is in doubt, it is renewed this often.
    /// </summary>
    public TimeSpan? RenewEvery { get; init; }

    /// <summary>Who has to act while it waits; null: the participant itself.</summary>
    public string? ActionBy { get; init; }

    internal IEnumerable<RetryPolicy> Policies => [Ask, AskUndo, WhileWaiting, WhileInDoubt];

    internal RetryPolicy PolicyFor(LegPhase phase, bool undo) => phase switch
    {
        LegPhase.Waiting => WhileWaiting,
        LegPhase.InDoubt => WhileInDoubt,
        _ => undo ? AskUndo : Ask,
    };
}

/// <summary>
/// A condition as data: <paramref name="Step"/> was completed with the detail <paramref name="Detail"/>.
/// </summary>
public sealed record SkipWhen(string Step, string Detail);
