using System.Globalization;
using Orderwright.SagaCoordinator.Process;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator.Overview;

/// <summary>
/// Explains a saga in one sentence: the awaited party, the start of the wait, and the next action. Pure.
/// </summary>
public static class SagaSummary
{
    /// <param name="state">State of the saga.</param>
    /// <param name="now">Time of the explanation.</param>
    /// <param name="heartbeats">Last messages of the participants; null if unknown.</param>
    public static string Of(SagaState state, DateTimeOffset now, Heartbeats? heartbeats = null)
    {
        if (state.StartedAt is not { } started) return "Not started yet.";
        if (state.EndedAt is { } ended) return Ended(state, started, ended, now);
        var (name, undo, leg) = SagaHeadline.MostUrgent(state)
            ?? throw new InvalidOperationException("A saga that has not ended has an outstanding step.");
        var step = state.Definition.Find(name)!;
        var target = undo ? $"the undo of {name}" : name;
        var cause = state.Reason is { } reason ? $"{Cause(state, reason)}: " : "";
        var situation = leg.Phase switch
        {
            LegPhase.Stuck =>
                $"incident ({leg.Code}) at {target}: {Trimmed(leg.Message)}; {Attempts(leg.Attempts)} "
                + $"since {Clock(leg.FirstSentAt, now)}; an operator has to act",
            LegPhase.Waiting =>
                $"waiting for {Named(step.ActionBy ?? step.Participant)} to act on {target} since "
                + $"{Clock(leg.WaitingSince, now)}{Action(leg)}; expires {In(leg.Deadline, now)}",
            LegPhase.InDoubt =>
                $"in doubt since {Clock(leg.InDoubtSince, now)}: {step.Participant} is finding out whether "
                + $"{target} happened; {Attempts(leg.Attempts)}{NextAttempt(leg, now)}"
                + $"{LastSeen(step.Participant, heartbeats, now)}; becomes an incident {In(leg.Deadline, now)}",
            _ =>
                $"waiting for {step.Participant} to reply to {target} since {Clock(leg.FirstSentAt, now)}; "
                + $"{Attempts(leg.Attempts)}{LastResponse(leg, now)}{NextAttempt(leg, now)}"
                + $"{LastSeen(step.Participant, heartbeats, now)}; "
                + $"{EndOf(step, undo)} {In(leg.Deadline, now)}",
        };
        var resolution = leg.Resolution is { } recorded
            ? $"; {recorded.By} recorded that the step {(recorded.Completed ? "happened" : "did not happen")}, and "
                + $"{step.Participant} is being notified"
            : "";
        return Capital($"{cause}{situation}{resolution}.");
    }

    static string EndOf(SagaStep step, bool undo) =>
        step.IsStuckBySilence(undo) ? "becomes an incident" : step.Optional ? "is skipped" : "expires and is undone";

    static string Ended(SagaState state, DateTimeOffset started, DateTimeOffset ended, DateTimeOffset now) =>
        state.Reason is { } reason
            ? Capital($"{Cause(state, reason)}; everything was undone by {Clock(ended, now)}, ")
                + $"{Span(ended - started)} after the start."
            : $"Completed at {Clock(ended, now)}, {Span(ended - started)} after the start.";

    static string Cause(SagaState state, SagaReason reason)
    {
        var cause = reason.Step is { } step ? $"{SagaNames.Of(reason.Kind)} at {step} ({reason.Code})" : null;
        return state.CancelReason is { } cancelled
            ? $"cancelled ({cancelled})" + (cause is null ? "" : $" after being {cause}")
            : cause ?? $"{SagaNames.Of(reason.Kind)} ({Trimmed(reason.Message)})";
    }

    static string Action(Leg leg) => leg.Action is null ? "" : $" ({leg.Action})";

    static string LastResponse(Leg leg, DateTimeOffset now) => leg.AnsweredAt is { } answered
        ? $"; last response '{Trimmed(leg.Message ?? leg.Code)}' {Ago(answered, now)}"
        : "";

    static string NextAttempt(Leg leg, DateTimeOffset now) =>
        leg.NextAskAt is null ? "" : $"; next attempt {In(leg.NextAskAt, now)}";

    static string LastSeen(string service, Heartbeats? heartbeats, DateTimeOffset now) =>
        heartbeats?.LastOf(service) is { } last ? $"; {service} last seen {Ago(last, now)}" : "";

    static string Attempts(int attempts) => attempts == 1 ? "1 attempt" : $"{attempts} attempts";

    // Services have hyphenated names; the customer is just the customer.
    static string Named(string party) =>
        party.Contains('-', StringComparison.Ordinal) ? party : $"the {party}";

    static string Trimmed(string? message) => (message ?? "no reason was given").TrimEnd('.');

    static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];

    // UTC; with the date unless today.
    static string Clock(DateTimeOffset? time, DateTimeOffset now) => time is not { } at ? "an unknown time"
        : at.UtcDateTime.ToString(
            at.UtcDateTime.Date == now.UtcDateTime.Date ? "HH:mm:ss 'UTC'" : "yyyy-MM-dd HH:mm:ss 'UTC'",
            CultureInfo.InvariantCulture);

    static string In(DateTimeOffset? time, DateTimeOffset now) =>
        time is not { } at ? "at no set time" : at <= now ? "now" : $"in {Span(at - now)}";

    static string Ago(DateTimeOffset time, DateTimeOffset now) =>
        time >= now ? "just now" : $"{Span(now - time)} ago";

    static string Span(TimeSpan span) => span switch
    {
        { TotalSeconds: < 1 } => $"{(int)span.TotalMilliseconds} ms",
        { TotalSeconds: < 100 } => $"{(int)span.TotalSeconds} s",
        { TotalMinutes: < 100 } => $"{(int)span.TotalMinutes} min",
        { TotalHours: < 48 } => $"{(int)span.TotalHours} h {span.Minutes} min",
        _ => $"{(int)span.TotalDays} d",
    };
}
