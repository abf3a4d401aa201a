namespace Orderwright.Sagas;

/// <summary>Input of a decision.</summary>
public abstract record SagaEvent
{
    SagaEvent() { }

    /// <summary>Starts the saga. For a saga that was started before, requests the latest announcement again.</summary>
    public sealed record Started : SagaEvent;

    /// <summary>Reply of a participant to a step or to the undo of a step.</summary>
    public sealed record Answered(string Step, bool Undo, StepReply Reply) : SagaEvent;

    /// <summary>
    /// Passage of time. Early, repeated and late timers are harmless. <paramref name="AskNow"/> resends every outstanding
    /// command at once: after a restart, any of them may have been lost. Without <paramref name="MayExpire"/> no deadline ends a
    /// step: the time is uncertain, or somebody else than the clock asks.
    /// </summary>
    public sealed record TimerDue(bool AskNow = false, bool MayExpire = true) : SagaEvent;

    /// <summary>
    /// Request to cancel the saga and undo its steps. <paramref name="WasPivoted"/>: the initiator has heard of the pivot, so a
    /// saga that has not is behind, and undoes also the steps that it does not know.
    /// </summary>
    public sealed record CancelRequested(string Reason, bool WasPivoted = false) : SagaEvent;

    /// <summary>Retry by an operator: resends now, and gives stuck steps their full time and attempts again.</summary>
    public sealed record RetryRequested : SagaEvent;

    /// <summary>Compensation by an operator: undoes everything. Stuck steps are undone whether they happened or not.</summary>
    public sealed record CompensateRequested(string Reason) : SagaEvent;

    /// <summary>
    /// Facts about a saga that was lost, or set back to an earlier moment, with its database. Later facts than the saga has are
    /// taken over; steps that may have happened meanwhile are asked or undone again.
    /// </summary>
    /// <param name="To">Known progress.</param>
    /// <param name="Reason">Cause of the compensation, for an undone saga.</param>
    /// <param name="CancelReason">Reason of a cancellation, for an undone saga.</param>
    /// <param name="Known">Completed step with the detail that conditions evaluate, for a pivoted saga.</param>
    public sealed record Recovered(
        Recovery To, SagaReason? Reason = null, string? CancelReason = null, SkipWhen? Known = null) : SagaEvent;

    /// <summary>
    /// Reply by an operator on behalf of a participant: done, or (<paramref name="Completed"/> false) refused. A participant
    /// with a ledger receives the <paramref name="Resolution"/>, and its own reply counts.
    /// </summary>
    public sealed record Resolved(string Step, bool Undo, bool Completed, string Reason, SagaResolution? Resolution = null)
        : SagaEvent;
}

/// <summary>Known progress of a lost saga.</summary>
public enum Recovery
{
    /// <summary>Undecided: begins, or asks everything outstanding again with full time.</summary>
    Running,

    /// <summary>The pivot and every step before it have happened.</summary>
    Pivoted,

    /// <summary>Compensated as far as the initiator knows. Every undo is asked once more, and the end announced again.</summary>
    Undone,
}

/// <summary>Outcome of a step as an operator recorded it.</summary>
/// <param name="Id">Time-ordered and unique. Repeats, and resolutions older than the latest, are ignored.</param>
/// <param name="Completed">Whether the step happened.</param>
/// <param name="By">Name of the operator.</param>
/// <param name="Reason">The operator's own words.</param>
/// <param name="Reference">Identifier of the effect at a third party.</param>
public sealed record SagaResolution(Guid Id, bool Completed, string By, string Reason, string? Reference = null);

/// <summary>Reply of a participant to a command.</summary>
public abstract record StepReply
{
    StepReply() { }

    public sealed record Completed(string? Detail = null) : StepReply;

    /// <summary>Business refusal: the step did not happen and will not.</summary>
    public sealed record Rejected(string Code, string Message) : StepReply;

    /// <summary>
    /// Temporary refusal with the pause before the next attempt; null for the pause of the policy. A step in doubt remains in
    /// doubt.
    /// </summary>
    public sealed record Retry(TimeSpan? After, string? Code = null, string? Message = null) : StepReply;

    /// <summary>The step continues when an outside party, such as the customer, has acted.</summary>
    public sealed record Waiting(string? Action = null) : StepReply;

    /// <summary>The step may have happened; the participant is looking it up.</summary>
    public sealed record InDoubt(string? Code = null, string? Message = null) : StepReply
    {
        /// <summary>The participant has exhausted its means; an operator has to find out.</summary>
        public bool IsFinal { get; init; }
    }
}

/// <summary>Effect of a decision. Effects are carried out in order, once the new state is stored.</summary>
public abstract record SagaEffect
{
    SagaEffect() { }

    /// <summary>Sends the command of a step, or of its undo, to the participant.</summary>
    public sealed record Ask(string Step, bool Undo, int Attempt, DateTimeOffset Deadline) : SagaEffect
    {
        /// <summary>Outcome recorded by an operator.</summary>
        public SagaResolution? Resolution { get; init; }
    }

    /// <summary>
    /// Notifies the initiator. Notifications may repeat. None is withdrawn, although a cancellation may follow.
    /// </summary>
    public sealed record Announce(Announcement Outcome) : SagaEffect;
}

/// <summary>Outcome of a saga as announced to its initiator.</summary>
public enum Announcement
{
    /// <summary>The saga will be carried out; some steps may still be in progress.</summary>
    Pivoted,

    /// <summary>All steps are done.</summary>
    Completed,

    /// <summary>A participant refused, and everything is undone.</summary>
    Rejected,

    /// <summary>Time ran out, and everything is undone.</summary>
    Expired,

    /// <summary>The saga was cancelled, and everything is undone.</summary>
    Cancelled,
}

/// <summary>Codes of the core itself. All other codes come from participants.</summary>
public static class SagaCodes
{
    public const string TimedOut = "timed_out";
    public const string ActionExpired = "action_expired";
    public const string AttemptsExhausted = "attempts_exhausted";
    public const string InDoubt = "in_doubt";
    public const string Cancelled = "cancelled";
    public const string ResolvedByOperator = "resolved_by_operator";

    /// <summary>The step was taken over as done when the saga was repaired.</summary>
    public const string Recovered = "recovered";

    /// <summary>Code of a participant that refuses a step because the step was undone.</summary>
    public const string AlreadyUndone = "already_undone";
}
