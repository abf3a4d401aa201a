namespace Orderwright.Sagas;

sealed partial class Turn
{
    public void Recover(SagaEvent.Recovered known)
    {
        var blank = SagaState.New(definition, state.Seed) with
        {
            Version = state.Version, StartedAt = state.StartedAt ?? now, IsBehind = true,
        };
        switch (known.To)
        {
            case Recovery.Running:
                if (state.EndedAt is not null) return;
                state = state with { StartedAt = blank.StartedAt, IsBehind = true };
                foreach (var (step, undo, leg) in Outstanding()) Set(step, undo, Restart(step, undo, leg));
                OnTimer(askNow: true, mayExpire: false);
                break;
            case Recovery.Pivoted:
                state = blank;
                foreach (var step in definition.Steps.TakeWhile(step => !step.ForwardOnly))
                    TakeOver(step, known.Known?.Step == step.Name ? known.Known.Detail : null);
                Pivot();
                Advance();
                break;
            default:
                state = blank with { Reason = known.Reason, CancelReason = known.CancelReason };
                foreach (var step in definition.Steps) PushCompensation(step);
                Advance();
                break;
        }
    }

    // Neither the attempts nor their times are known.
    void TakeOver(SagaStep step, string? detail)
    {
        Set(step, undo: false, new Leg
        {
            Phase = LegPhase.Completed, AnsweredAt = now, Code = SagaCodes.Recovered, Detail = detail,
        });
        PushCompensation(step);
    }
}
