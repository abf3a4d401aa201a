using System.Globalization;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator;

/// <summary>
/// Says in one sentence how a saga stands: what it waits for, since when, and what happens next. Pure.
/// </summary>
public static class Explain
{
    /// <param name="state">How it stands.</param>
    /// <param name="now">When that is told.</param>
    /// <param name="signs">When the participants were last heard; null where nobody listened.</param>
    public static string Sentence(SagaState state, DateTimeOffset now, SignsOfLife? signs = null)
    {
        if (state.StartedAt is not { } started) return "It has not started.";
        if (state.EndedAt is { } ended) return Ended(state, started, ended, now);
        var (step, undo, leg) = Headline.TheOneThatMatters(state)
            ?? throw new InvalidOperationException("A saga that has not ended has asked somebody.");
        var how = OrderSaga.Version(state.DefinitionVersion).Find(step)!;
        var what = undo ? $"the undo of {step}" : step;
        var because = state.Reason is { } reason ? $"{Why(state, reason)}: " : "";
        var stands = leg.Phase switch
        {
            LegPhase.Stuck =>
                $"incident ({leg.Code}) at {what}: {Trimmed(leg.Message)}; asked {Times(leg.Attempts)} "
                + $"since {Clock(leg.FirstSentAt, now)}; an operator has to retry, resolve or compensate it",
            LegPhase.Waiting =>
                $"waiting for {Named(how.ActionBy ?? how.Participant)} to act on {what} since "
                + $"{Clock(leg.WaitingSince, now)}{Action(leg)}; given up {In(leg.Deadline, now)}",
            LegPhase.InDoubt =>
                $"in doubt since {Clock(leg.InDoubtSince, now)}: {how.Participant} is finding out whether "
                + $"{what} happened; asked {Times(leg.Attempts)}{NextTry(leg, now)}"
                + $"{LastSeen(how.Participant, signs, now)}; an incident {In(leg.Deadline, now)}",
            _ =>
                $"waiting for {how.Participant} to answer {what} since {Clock(leg.FirstSentAt, now)}; "
                + $"asked {Times(leg.Attempts)}{LastWord(leg, now)}{NextTry(leg, now)}"
                + $"{LastSeen(how.Participant, signs, now)}; "
                + $"{(undo || how.ForwardOnly ? "an incident" : "given up and undone")} {In(leg.Deadline, now)}",
        };
        var said = leg.Verdict is { } verdict
            ? $"; {verdict.By} says that it {(verdict.Completed ? "happened" : "did not happen")}, and {how.Participant} is told"
            : "";
        return Capital($"{because}{stands}{said}.");
    }

    static string Ended(SagaState state, DateTimeOffset started, DateTimeOffset ended, DateTimeOffset now) =>
        state.Reason is { } reason
            ? Capital($"{Why(state, reason)}; everything was undone by {Clock(ended, now)}, ")
                + $"{Span(ended - started)} after it began."
            : $"Completed at {Clock(ended, now)}, {Span(ended - started)} after it began.";

    static string Why(SagaState state, Reason reason)
    {
        var cause = reason.Step is { } step ? $"{SagaNames.Of(reason.Kind)} at {step} ({reason.Code})" : null;
        return state.CancelReason is { } cancelled
            ? $"cancelled ({cancelled})" + (cause is null ? "" : $", after it was {cause}")
            : cause ?? $"{SagaNames.Of(reason.Kind)} ({Trimmed(reason.Message)})";
    }

    static string Action(Leg leg) => leg.Action is null ? "" : $" ({leg.Action})";

    static string LastWord(Leg leg, DateTimeOffset now) => leg.AnsweredAt is { } heard
        ? $"; it last said '{Trimmed(leg.Message ?? leg.Code)}' {Ago(heard, now)}"
        : "";

    static string NextTry(Leg leg, DateTimeOffset now) =>
        leg.NextAskAt is null ? "" : $"; next try {In(leg.NextAskAt, now)}";

    static string LastSeen(string service, SignsOfLife? signs, DateTimeOffset now) =>
        signs?.LastHeard(service) is { } heard ? $"; {service} last seen {Ago(heard, now)}" : "";

    static string Times(int attempts) => attempts == 1 ? "once" : $"{attempts} times";

    // Services have names; the customer is just the customer.
    static string Named(string party) =>
        party.Contains('-', StringComparison.Ordinal) ? party : $"the {party}";

    static string Trimmed(string? message) => (message ?? "no reason was given").TrimEnd('.');

    static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];

    /// <summary>UTC; with the date when it is not today's.</summary>
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
