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
    /// command at once: after a restart, any of them may have been lost.
    /// </summary>
    public sealed record TimerDue(bool AskNow = false) : SagaEvent;

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
    /// Reply by an operator on behalf of a participant: done, or (<paramref name="Completed"/> false) refused. A participant
    /// with a ledger receives the <paramref name="Resolution"/>, and its own reply counts.
    /// </summary>
    public sealed record Resolved(string Step, bool Undo, bool Completed, string Reason, SagaResolution? Resolution = null)
        : SagaEvent;
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

    /// <summary>Temporary refusal with the time of the next attempt. A step in doubt remains in doubt.</summary>
    public sealed record Retry(TimeSpan After, string? Code = null, string? Message = null) : StepReply;

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

    /// <summary>Renews the hold of a step. Needs no reply.</summary>
    public sealed record Renew(string Step) : SagaEffect;

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
}
