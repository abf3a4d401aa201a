namespace Orderwright.Sagas;

/// <summary>
/// What was decided. With nothing to do and nothing changed, <paramref name="State"/> is the very one given.
/// </summary>
public sealed record Decision(SagaState State, IReadOnlyList<SagaEffect> Effects);

/// <summary>
/// The saga core: what happened and how it stood, to how it stands and what is to be done. Pure: the same
/// arguments give the same decision, on any machine, at any time. Every combination of state and event has an
/// answer, and for duplicates, late and stale answers that answer is: nothing.
/// </summary>
public static class Saga
{
    /// <param name="definition">The version on which the saga started.</param>
    /// <param name="state">How it stands; <see cref="SagaState.New"/> for one nobody has heard of.</param>
    /// <param name="happened">What happened.</param>
    /// <param name="now">When this is decided.</param>
    public static Decision Decide(
        SagaDefinition definition, SagaState state, SagaEvent happened, DateTimeOffset now)
    {
        if (state.DefinitionVersion != definition.Version)
            throw new ArgumentException(
                $"The saga runs on version {state.DefinitionVersion}, not on {definition.Version}.",
                nameof(definition));
        var turn = new Turn(definition, state, now);
        switch (happened)
        {
            case SagaEvent.Started:
                turn.Start();
                break;
            case SagaEvent.Answered answer when definition.Find(answer.Step) is { Human: false } step:
                turn.Answer(step, answer.Undo, answer.Reply);
                break;
            case SagaEvent.TimerDue timer:
                turn.LookAtTheClock(timer.AskNow);
                break;
            case SagaEvent.CancelRequested cancel:
                turn.Cancel(cancel.Reason);
                break;
            case SagaEvent.RetryRequested:
                turn.Retry();
                break;
            case SagaEvent.CompensateRequested compensate:
                turn.Compensate(compensate.Reason);
                break;
            case SagaEvent.Resolved { Verdict: { } verdict } resolved
                when definition.Find(resolved.Step) is { KeepsBooks: true } step:
                turn.Tell(step, resolved.Undo, verdict);
                break;
            case SagaEvent.Resolved resolved when definition.Find(resolved.Step) is { } step:
                turn.Answer(
                    step, resolved.Undo,
                    resolved.Completed
                        ? new Reply.Completed(SagaCodes.ResolvedByOperator)
                        : new Reply.Rejected(SagaCodes.ResolvedByOperator, resolved.Reason));
                break;
        }
        return turn.Decided();
    }
}
