namespace Orderwright.Sagas;

/// <summary>
/// Result of an event. If nothing changed, <paramref name="State"/> is the same instance as before.
/// </summary>
public sealed record Decision(SagaState State, IReadOnlyList<SagaEffect> Effects);

/// <summary>
/// Pure core of the sagas: maps a state and an event to the next state and its effects. The same arguments give the same
/// decision on any machine, at any time. Every combination of state and event has a result; duplicate, late and stale
/// replies have none but "nothing changes".
/// </summary>
public static class Saga
{
    /// <param name="state">Current state; <see cref="SagaState.New"/> for an unknown saga.</param>
    /// <param name="happened">The event.</param>
    /// <param name="now">Time of the decision.</param>
    public static Decision Decide(SagaState state, SagaEvent happened, DateTimeOffset now)
    {
        var definition = state.Definition;
        var turn = new Turn(definition, state, now);
        turn.PassPivot();
        switch (happened)
        {
            case SagaEvent.Started:
                turn.Start();
                break;
            case SagaEvent.Answered answer when definition.Find(answer.Step) is { Human: false } step:
                turn.Answer(step, answer.Undo, answer.Reply);
                break;
            case SagaEvent.TimerDue timer:
                turn.OnTimer(timer.AskNow, timer.MayExpire);
                break;
            case SagaEvent.CancelRequested cancel:
                turn.Cancel(cancel.Reason, cancel.WasPivoted);
                break;
            case SagaEvent.RetryRequested:
                turn.Retry();
                break;
            case SagaEvent.CompensateRequested compensate:
                turn.CompensateNow(compensate.Reason);
                break;
            case SagaEvent.Recovered known:
                turn.Recover(known);
                break;
            case SagaEvent.Resolved { Resolution: { } resolution } resolved
                when definition.Find(resolved.Step) is { KeepsLedger: true } step:
                turn.Resolve(step, resolved.Undo, resolution);
                break;
            case SagaEvent.Resolved resolved when definition.Find(resolved.Step) is { } step:
                turn.Answer(
                    step, resolved.Undo,
                    resolved.Completed
                        ? new StepReply.Completed(SagaCodes.ResolvedByOperator)
                        : new StepReply.Rejected(SagaCodes.ResolvedByOperator, resolved.Reason));
                break;
        }
        return turn.Decided();
    }
}
