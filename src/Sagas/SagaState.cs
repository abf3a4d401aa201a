using System.Collections.Immutable;

namespace Orderwright.Sagas;

/// <summary>How a saga stands, for people and for lists.</summary>
public enum SagaStatus
{
    NotStarted,
    Running,

    /// <summary>Somebody outside has to act: the customer, a reviewer, an operator.</summary>
    Waiting,

    /// <summary>
    /// Turned back: what was done is being undone, or an answer is awaited that decides what to undo.
    /// </summary>
    Compensating,
    Completed,
    Compensated,

    /// <summary>
    /// An open incident: nothing goes on until a person acts, or an answer comes after all.
    /// </summary>
    Failed,
}

/// <summary>How one direction of a step stands.</summary>
public enum LegPhase
{
    Asked,
    Waiting,

    /// <summary>It may have happened; the participant is finding out.</summary>
    InDoubt,

    /// <summary>An incident: not asked any more by itself, but an answer still counts.</summary>
    Stuck,
    Completed,
    Rejected,
    Skipped,

    /// <summary>Not awaited any more. It may have happened, so it is undone like a completed one.</summary>
    GivenUp,
}

/// <summary>
/// Everything a saga knows about itself. Immutable; only <see cref="Saga.Decide"/> makes the next one.
/// </summary>
public sealed record SagaState
{
    /// <summary>The version of the definition on which it started and will end.</summary>
    public required int DefinitionVersion { get; init; }

    /// <summary>Where its jitter comes from; any number that differs between sagas.</summary>
    public required long Seed { get; init; }

    /// <summary>0 before it started; one more with each decision that changed something.</summary>
    public long Version { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>The pivot is done: it was announced that this will be carried out.</summary>
    public bool Pivoted { get; init; }

    /// <summary>Why it turned back; null while it goes forward. The first cause stays.</summary>
    public Reason? Reason { get; init; }

    /// <summary>
    /// Somebody asked for it to be undone. Whatever turned it back first, it then ends as cancelled.
    /// </summary>
    public string? CancelReason { get; init; }

    /// <summary>One per step of the definition, in its order.</summary>
    public required ImmutableArray<StepState> Steps { get; init; }

    /// <summary>What there is to undo, in the order in which it was done: a stack.</summary>
    public ImmutableArray<string> ToUndo { get; init; } = [];

    public static SagaState New(SagaDefinition definition, long seed) => new()
    {
        DefinitionVersion = definition.Version,
        Seed = seed,
        Steps = [.. definition.Steps.Select(step => new StepState { Step = step.Name })],
    };

    public SagaStatus Status =>
        StartedAt is null ? SagaStatus.NotStarted
        : EndedAt is not null ? Reason is null ? SagaStatus.Completed : SagaStatus.Compensated
        : Has(LegPhase.Stuck) ? SagaStatus.Failed
        : Reason is not null ? SagaStatus.Compensating
        : Has(LegPhase.Waiting) ? SagaStatus.Waiting
        : SagaStatus.Running;

    /// <summary>How it ended; null while it has not.</summary>
    public Announcement? Ending =>
        EndedAt is null ? null
        : Reason is null ? Announcement.Completed
        : CancelReason is not null ? Announcement.Cancelled
        : Reason.Kind;

    /// <summary>What was asked and not yet finally answered.</summary>
    public IEnumerable<(StepState Step, bool Undo, Leg Leg)> Outstanding
    {
        get
        {
            foreach (var step in Steps)
            {
                if (step.Do is { IsOutstanding: true } asked) yield return (step, false, asked);
                if (step.Undo is { IsOutstanding: true } undoing) yield return (step, true, undoing);
            }
        }
    }

    /// <summary>All that was asked or skipped, in the order in which it began.</summary>
    public IEnumerable<(string Step, bool Undo, Leg Leg)> Story()
    {
        var forward = Steps.Where(step => step.Do is not null).Select(step => (step.Step, false, step.Do!));
        var back = Steps.Where(step => step.Undo is not null).Select(step => (step.Step, true, step.Undo!));
        // Within one moment: the steps in their order, then the undos in theirs.
        return forward.Concat(back.Reverse()).OrderBy(one => one.Item3.FirstSentAt ?? one.Item3.AnsweredAt);
    }

    /// <summary>
    /// When <see cref="SagaEvent.TimerDue"/> has something to decide; null when only others can move it.
    /// </summary>
    public DateTimeOffset? NextActionAt
    {
        get
        {
            DateTimeOffset? next = null;
            foreach (var step in Steps)
            {
                next = Earlier(next, step.RenewAt);
                next = Earlier(next, step.Do?.NextActionAt);
                next = Earlier(next, step.Undo?.NextActionAt);
            }
            return next;
        }
    }

    public StepState this[string step] => Steps[IndexOf(step)];

    /// <summary>Whether any step or undo of one is in this phase.</summary>
    public bool Has(LegPhase phase)
    {
        foreach (var step in Steps)
            if (step.Do?.Phase == phase || step.Undo?.Phase == phase)
                return true;
        return false;
    }

    internal SagaState With(StepState changed) =>
        this with { Steps = Steps.SetItem(IndexOf(changed.Step), changed) };

    /// <summary>The step's place in the definition, from 0.</summary>
    public int IndexOf(string step)
    {
        for (var i = 0; i < Steps.Length; i++)
            if (Steps[i].Step == step)
                return i;
        throw new ArgumentException($"The saga has no step '{step}'.", nameof(step));
    }

    internal static DateTimeOffset? Earlier(DateTimeOffset? one, DateTimeOffset? other) =>
        one is null || other < one ? other ?? one : one;
}

/// <summary>What one step went through, forward and back.</summary>
public sealed record StepState
{
    public required string Step { get; init; }

    /// <summary>Null: not asked.</summary>
    public Leg? Do { get; init; }

    /// <summary>Null: not asked to be undone.</summary>
    public Leg? Undo { get; init; }

    /// <summary>When what it holds is renewed next, while the saga waits.</summary>
    public DateTimeOffset? RenewAt { get; init; }
}

/// <summary>
/// One direction of a step, its do or its undo: what was asked, what was answered, what comes next.
/// </summary>
public sealed record Leg
{
    public required LegPhase Phase { get; init; }

    /// <summary>How often it was asked in all.</summary>
    public int Attempts { get; init; }

    /// <summary>How often it was asked in this phase: what the pauses grow by.</summary>
    public int Tries { get; init; }

    public DateTimeOffset? FirstSentAt { get; init; }

    /// <summary>When the last answer came that counted.</summary>
    public DateTimeOffset? AnsweredAt { get; init; }

    /// <summary>When it is asked again; null: not any more.</summary>
    public DateTimeOffset? NextAskAt { get; init; }

    /// <summary>When this phase ends without an answer.</summary>
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>When it first waited; its limit counts from here, however often it waits.</summary>
    public DateTimeOffset? WaitingSince { get; init; }

    /// <summary>When it first was in doubt; its limit counts from here.</summary>
    public DateTimeOffset? InDoubtSince { get; init; }

    /// <summary>The last answer's code: of the refusal, the doubt, the incident.</summary>
    public string? Code { get; init; }

    public string? Message { get; init; }

    /// <summary>How it was completed, in the participant's word; conditions look at it.</summary>
    public string? Detail { get; init; }

    /// <summary>What is awaited, while it waits.</summary>
    public string? Action { get; init; }

    /// <summary>What an operator says became of it; told with each ask until it is answered.</summary>
    public Verdict? Verdict { get; init; }

    /// <summary>An answer to it counts.</summary>
    public bool IsOutstanding =>
        Phase is LegPhase.Asked or LegPhase.Waiting or LegPhase.InDoubt or LegPhase.Stuck;

    internal DateTimeOffset? NextActionAt => SagaState.Earlier(NextAskAt, Deadline);
}

/// <summary>Why a saga turned back.</summary>
/// <param name="Kind">
/// Rejected, Expired or Cancelled: as what it ends, unless somebody cancels it on the way.
/// </param>
/// <param name="Code">Stable.</param>
/// <param name="Message">One sentence.</param>
/// <param name="Step">Where it happened; null when it came from outside.</param>
public sealed record Reason(Announcement Kind, string Code, string Message, string? Step);
