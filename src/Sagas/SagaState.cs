using System.Collections.Immutable;

namespace Orderwright.Sagas;

/// <summary>Status of a saga, for people and for lists.</summary>
public enum SagaStatus
{
    NotStarted,
    Running,

    /// <summary>An outside party has to act: the customer, a reviewer, an operator.</summary>
    Waiting,

    /// <summary>Steps are being undone, or a reply is outstanding that decides which steps to undo.</summary>
    Compensating,
    Completed,
    Compensated,

    /// <summary>Open incident: progress needs an operator, or a late reply.</summary>
    Failed,
}

/// <summary>Phase of a direction of a step.</summary>
public enum LegPhase
{
    Asked,
    Waiting,

    /// <summary>The command may have taken effect; the participant is looking it up.</summary>
    InDoubt,

    /// <summary>Incident: no longer retried automatically, but a reply still counts.</summary>
    Stuck,
    Completed,
    Rejected,
    Skipped,

    /// <summary>No longer awaited. The command may have taken effect, so the step is undone like a completed one.</summary>
    GivenUp,
}

/// <summary>Complete state of a saga. Immutable; only <see cref="Saga.Decide"/> makes the next state.</summary>
public sealed record SagaState
{
    /// <summary>Definition from start to end.</summary>
    public required SagaDefinition Definition { get; init; }

    /// <summary>Seed of the jitter; any number that differs between sagas.</summary>
    public required long Seed { get; init; }

    /// <summary>0 before the start; incremented by each decision that changes the state.</summary>
    public long Version { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>The pivot is done, and the saga was announced as certain to be carried out.</summary>
    public bool Pivoted { get; init; }

    /// <summary>
    /// The database was restored to an earlier moment, and the saga was repaired: steps may have happened that the saga does not
    /// know. A compensation undoes every step, begun or not.
    /// </summary>
    public bool IsBehind { get; init; }

    /// <summary>First cause of the compensation; null while the saga runs forward.</summary>
    public SagaReason? Reason { get; init; }

    /// <summary>
    /// Reason of a cancellation request. A saga with a cancellation request ends as cancelled, whatever started the
    /// compensation.
    /// </summary>
    public string? CancelReason { get; init; }

    /// <summary>All steps of the definition, in order.</summary>
    public required ImmutableArray<StepState> Steps { get; init; }

    /// <summary>Stack of steps to undo, in the order of completion.</summary>
    public ImmutableArray<string> ToUndo { get; init; } = [];

    public static SagaState New(SagaDefinition definition, long seed) => new()
    {
        Definition = definition,
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

    /// <summary>Outcome of an ended saga; null until the end.</summary>
    public Announcement? Ending =>
        EndedAt is null ? null
        : Reason is null ? Announcement.Completed
        : CancelReason is not null ? Announcement.Cancelled
        : Reason.Kind;

    /// <summary>Legs that await a final reply.</summary>
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

    /// <summary>Legs begun or skipped, in the order of their starts.</summary>
    public IEnumerable<(string Step, bool Undo, Leg Leg)> History()
    {
        var forward = Steps.Where(step => step.Do is not null).Select(step => (step.Step, false, step.Do!));
        var back = Steps.Where(step => step.Undo is not null).Select(step => (step.Step, true, step.Undo!));
        // Within one moment: the steps in their order, then the undos in theirs.
        return forward.Concat(back.Reverse()).OrderBy(entry => entry.Item3.FirstSentAt ?? entry.Item3.AnsweredAt);
    }

    /// <summary>
    /// Time at which <see cref="SagaEvent.TimerDue"/> has something to decide; null if only a message or an operator can
    /// advance the saga.
    /// </summary>
    public DateTimeOffset? NextActionAt
    {
        get
        {
            DateTimeOffset? next = null;
            foreach (var step in Steps)
            {
                next = Earlier(next, step.Do?.NextActionAt);
                next = Earlier(next, step.Undo?.NextActionAt);
            }
            return next;
        }
    }

    public StepState this[string step] => Steps[IndexOf(step)];

    /// <summary>True if any leg is in <paramref name="phase"/>.</summary>
    public bool Has(LegPhase phase)
    {
        foreach (var step in Steps)
            if (step.Do?.Phase == phase || step.Undo?.Phase == phase)
                return true;
        return false;
    }

    internal SagaState With(StepState changed) =>
        this with { Steps = Steps.SetItem(IndexOf(changed.Step), changed) };

    /// <summary>Position of the step in the definition, from 0.</summary>
    public int IndexOf(string step)
    {
        for (var i = 0; i < Steps.Length; i++)
            if (Steps[i].Step == step)
                return i;
        throw new ArgumentException($"The saga has no step '{step}'.", nameof(step));
    }

    internal static DateTimeOffset? Earlier(DateTimeOffset? left, DateTimeOffset? right) =>
        left is null || right < left ? right ?? left : left;
}

/// <summary>Progress of a step, forward and back.</summary>
public sealed record StepState
{
    public required string Step { get; init; }

    /// <summary>The forward direction; null before the first attempt.</summary>
    public Leg? Do { get; init; }

    /// <summary>The undo; null before the first attempt.</summary>
    public Leg? Undo { get; init; }
}

/// <summary>Direction of a step, do or undo: the command sent, the replies received, and the next attempt.</summary>
public sealed record Leg
{
    public required LegPhase Phase { get; init; }

    /// <summary>Number of attempts in all.</summary>
    public int Attempts { get; init; }

    /// <summary>Number of attempts in this phase; the pauses grow by this number.</summary>
    public int Tries { get; init; }

    public DateTimeOffset? FirstSentAt { get; init; }

    /// <summary>Time of the last valid reply.</summary>
    public DateTimeOffset? AnsweredAt { get; init; }

    /// <summary>Time of the next attempt; null for none.</summary>
    public DateTimeOffset? NextAskAt { get; init; }

    /// <summary>End of this phase without a reply.</summary>
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>Start of the first wait. The time limit counts from here, however often the leg waits.</summary>
    public DateTimeOffset? WaitingSince { get; init; }

    /// <summary>Start of the first doubt. The time limit counts from here.</summary>
    public DateTimeOffset? InDoubtSince { get; init; }

    /// <summary>Code of the last reply: of the refusal, the doubt or the incident.</summary>
    public string? Code { get; init; }

    public string? Message { get; init; }

    /// <summary>Details of the completion as reported by the participant; evaluated by conditions.</summary>
    public string? Detail { get; init; }

    /// <summary>Action required of an outside party, while the leg waits.</summary>
    public string? Action { get; init; }

    /// <summary>Outcome recorded by an operator; sent with each attempt until the participant replies.</summary>
    public SagaResolution? Resolution { get; init; }

    /// <summary>True if a reply counts.</summary>
    public bool IsOutstanding =>
        Phase is LegPhase.Asked or LegPhase.Waiting or LegPhase.InDoubt or LegPhase.Stuck;

    internal DateTimeOffset? NextActionAt => SagaState.Earlier(NextAskAt, Deadline);
}

/// <summary>Cause of a compensation.</summary>
/// <param name="Kind">Rejected, Expired or Cancelled: the outcome, unless the saga is cancelled meanwhile.</param>
/// <param name="Code">Stable.</param>
/// <param name="Message">One sentence.</param>
/// <param name="Step">The step that caused the compensation; null if the cause came from outside.</param>
public sealed record SagaReason(Announcement Kind, string Code, string Message, string? Step);
