namespace Orderwright.Sagas;

/// <summary>What can happen to a saga.</summary>
public abstract record SagaEvent
{
    SagaEvent() { }

    /// <summary>It is to run. Said again about one that runs or has ended: how does it stand?</summary>
    public sealed record Started : SagaEvent;

    /// <summary>A participant answered the do or the undo of a step.</summary>
    public sealed record Answered(string Step, bool Undo, Reply Reply) : SagaEvent;

    /// <summary>
    /// Time has passed. A timer that comes too early, twice or late does no harm. With <paramref
    /// name="AskNow"/> everything outstanding is asked at once: after a restart nobody knows what got lost.
    /// </summary>
    public sealed record TimerDue(bool AskNow = false) : SagaEvent;

    /// <summary>Somebody wants it undone.</summary>
    public sealed record CancelRequested(string Reason) : SagaEvent;

    /// <summary>An operator: ask again now, with all time and attempts anew for what is stuck.</summary>
    public sealed record RetryRequested : SagaEvent;

    /// <summary>
    /// An operator: undo it all. What is stuck is not awaited but undone, whether it happened or not.
    /// </summary>
    public sealed record CompensateRequested(string Reason) : SagaEvent;

    /// <summary>
    /// An operator answers in the participant's place: it is done, or (<paramref name="Completed"/> false)
    /// refused. With <paramref name="Verdict"/>, a participant that keeps books of its own is told, and its answer counts.
    /// </summary>
    public sealed record Resolved(string Step, bool Undo, bool Completed, string Reason, Verdict? Verdict = null)
        : SagaEvent;
}

/// <summary>What an operator says became of a step.</summary>
/// <param name="Id">Time-ordered and new each time: told twice, or after a later one, it is not heard again.</param>
/// <param name="Completed">It happened; else it did not.</param>
/// <param name="By">Whose word it is.</param>
/// <param name="Reason">In their own words.</param>
/// <param name="Reference">Under which name others know what happened.</param>
public sealed record Verdict(Guid Id, bool Completed, string By, string Reason, string? Reference = null);

/// <summary>What a participant can answer.</summary>
public abstract record Reply
{
    Reply() { }

    public sealed record Completed(string? Detail = null) : Reply;

    /// <summary>A business refusal: it did not happen, and it will not.</summary>
    public sealed record Rejected(string Code, string Message) : Reply;

    /// <summary>
    /// Not now. Says when to ask again, and nothing else: what was in doubt stays in doubt.
    /// </summary>
    public sealed record Retry(TimeSpan After, string? Code = null, string? Message = null) : Reply;

    /// <summary>Somebody outside has to act first.</summary>
    public sealed record Waiting(string? Action = null) : Reply;

    /// <summary>It may have happened; the participant is finding out.</summary>
    public sealed record InDoubt(string? Code = null, string? Message = null) : Reply
    {
        /// <summary>It has done what it can to find out: a person has to.</summary>
        public bool ForGood { get; init; }
    }
}

/// <summary>What is to be done about it, in this order, once the new state is stored.</summary>
public abstract record SagaEffect
{
    SagaEffect() { }

    /// <summary>Ask the step's participant to do it, or to undo it.</summary>
    public sealed record Ask(string Step, bool Undo, int Attempt, DateTimeOffset Deadline) : SagaEffect
    {
        /// <summary>What an operator says became of it.</summary>
        public Verdict? Verdict { get; init; }
    }

    /// <summary>Prolong what this step holds. Needs no answer.</summary>
    public sealed record Renew(string Step) : SagaEffect;

    /// <summary>
    /// Tell whoever started it. May be told again; it is never taken back, but a cancel may follow.
    /// </summary>
    public sealed record Announce(Announcement What) : SagaEffect;
}

/// <summary>What whoever started a saga is told.</summary>
public enum Announcement
{
    /// <summary>It will be carried out; some of it may still be under way.</summary>
    Pivoted,

    /// <summary>All is done.</summary>
    Completed,

    /// <summary>A participant refused; everything is undone.</summary>
    Rejected,

    /// <summary>Time ran out; everything is undone.</summary>
    Expired,

    /// <summary>It was cancelled; everything is undone.</summary>
    Cancelled,
}

/// <summary>The codes that the core itself gives; all others come from participants.</summary>
public static class SagaCodes
{
    public const string TimedOut = "timed_out";
    public const string ActionExpired = "action_expired";
    public const string AttemptsExhausted = "attempts_exhausted";
    public const string InDoubt = "in_doubt";
    public const string Cancelled = "cancelled";
    public const string ResolvedByOperator = "resolved_by_operator";
}
