namespace Orderwright.Sagas;

/// <summary>
/// Decision in progress. The event is recorded on the leg concerned. Then the saga advances as far as possible: forward
/// through its stages, or, once there is a reason to compensate, down the stack of steps to undo.
/// </summary>
sealed partial class Turn(SagaDefinition definition, SagaState given, DateTimeOffset now)
{
    readonly List<SagaEffect> effects = [];
    readonly SagaState before = given;
    SagaState state = given;

    public Decision Decided() =>
        new(state == before ? before : state with { Version = before.Version + 1 }, effects);

    // ---- events ----

    /// <summary>
    /// Confirms a saga that is past the pivot and does not know. Only a saga of release 0.1.0 is: the pivot was a later step,
    /// which gets its full time again.
    /// </summary>
    public void PassPivot()
    {
        if (state.Pivoted || state.Reason is not null || definition.Pivot is not { } pivot
            || state[pivot.Name].Do is not { Phase: LegPhase.Completed })
            return;
        foreach (var (step, undo, leg) in Outstanding())
            Set(step, undo, Restart(step, undo, leg) with { NextAskAt = leg.NextAskAt ?? now });
        Pivot();
    }

    public void Start()
    {
        if (state.StartedAt is not null)
        {
            Reannounce();
            return;
        }
        state = state with { StartedAt = now };
        Advance();
    }

    public void Answer(SagaStep step, bool undo, StepReply reply)
    {
        if (LegOf(step, undo) is not { IsOutstanding: true } asked) return;
        var leg = asked with { AnsweredAt = now };
        switch (reply)
        {
            case StepReply.Completed(var detail):
                Set(step, undo, Settle(leg, LegPhase.Completed, code: null, message: null, detail));
                if (!undo) StepCompleted(step);
                break;
            case StepReply.Rejected(var code, var message):
                OnRejected(step, undo, leg, code, message);
                break;
            case StepReply.Retry retry when leg.Phase != LegPhase.Stuck:
                Set(step, undo, Postpone(step, undo, leg, retry));
                break;
            case StepReply.Waiting waiting:
                Set(step, undo, EnterPhase(step, undo, leg, LegPhase.Waiting) with { Action = waiting.Action });
                break;
            case StepReply.InDoubt(var code, var message) { IsFinal: true } when leg.Phase != LegPhase.Stuck:
                Set(step, undo, Park(leg with
                {
                    Code = code, Message = message, InDoubtSince = leg.InDoubtSince ?? now,
                }));
                break;
            case StepReply.InDoubt(var code, var message) when leg.Phase != LegPhase.Stuck:
                Set(
                    step, undo,
                    EnterPhase(step, undo, leg, LegPhase.InDoubt) with { Code = code, Message = message });
                break;
            default:
                return;
        }
        Advance();
    }

    public void Resolve(SagaStep step, bool undo, SagaResolution resolution)
    {
        if (LegOf(step, undo) is not { IsOutstanding: true } leg) return;
        Ask(step, undo, Restart(step, undo, leg) with { Resolution = resolution });
        Advance();
    }

    public void OnTimer(bool askNow, bool mayExpire)
    {
        foreach (var (step, undo, leg) in Outstanding())
            if (mayExpire && now >= leg.Deadline)
                OnDeadline(step, undo, leg);
        foreach (var (step, undo, leg) in Outstanding())
            if (IsDue(leg.NextAskAt) || (askNow && leg.Phase != LegPhase.Stuck))
                Ask(step, undo, leg);
        Advance();
    }

    bool IsDue(DateTimeOffset? time) => now >= time || time > now + RetryPolicy.LongestPause;

    public void Cancel(string reason, bool wasPivoted)
    {
        if (IsFinal)
        {
            Reannounce();
            return;
        }
        var mayBeBehind = state.StartedAt is null || (wasPivoted && !state.Pivoted);
        state = state with
        {
            StartedAt = state.StartedAt ?? now,
            CancelReason = state.CancelReason ?? reason,
        };
        if (state.Status == SagaStatus.Compensated)
            Reannounce();
        else
        {
            StartCompensation(new SagaReason(Announcement.Cancelled, SagaCodes.Cancelled, reason, null));
            // Either the cancellation overtook the start, or the database was restored to an earlier moment and any step may have
            // happened since. Both look the same, so the steps not begun are undone too; where nothing happened, the participant
            // leaves a tombstone.
            if (mayBeBehind)
                foreach (var step in definition.Steps)
                    if (state[step.Name].Do is null) PushCompensation(step);
            Advance();
        }
    }

    public void Retry()
    {
        foreach (var (step, undo, leg) in Outstanding())
            if (leg.Phase == LegPhase.Stuck)
                Set(step, undo, Restart(step, undo, leg));
        // A deadline is for the timer, which knows whether the time is certain.
        foreach (var (step, undo, leg) in Outstanding())
            if (leg.Phase != LegPhase.Stuck && now < leg.Deadline) Ask(step, undo, leg);
        Advance();
    }

    public void CompensateNow(string reason)
    {
        if (IsFinal || state.Status is SagaStatus.NotStarted or SagaStatus.Compensated) return;
        StartCompensation(new SagaReason(Announcement.Cancelled, SagaCodes.Cancelled, reason, null));
        foreach (var (step, undo, leg) in Outstanding())
            if (!undo && leg.Phase == LegPhase.Stuck)
                GiveUp(step, leg);
        Advance();
    }

    // A question about a decided saga means that the announcement was lost.
    void Reannounce()
    {
        if (state.Ending is { } ending)
            effects.Add(new SagaEffect.Announce(ending));
        else if (state.Pivoted && state.Reason is null)
            effects.Add(new SagaEffect.Announce(Announcement.Pivoted));
    }

    bool IsFinal =>
        !definition.CancellableAfterPivot && (state.Pivoted || state.Status == SagaStatus.Completed);

    // ---- forward and back ----

    void Advance()
    {
        if (state.StartedAt is null || state.EndedAt is not null) return;
        if (state.Reason is null) RunForward();
        else Compensate();
    }

    void RunForward()
    {
        foreach (var stage in definition.Stages)
        {
            foreach (var step in stage.Steps)
                if (state[step.Name].Do is null)
                    Begin(step);
            foreach (var step in stage.Steps)
                if (state[step.Name].Do is not { Phase: LegPhase.Completed or LegPhase.Skipped })
                    return;
        }
        End();
    }

    // An outstanding reply may add to the stack, so no undo is sent before all replies are in.
    void Compensate()
    {
        DropWaits();
        if (state.Steps.Any(step => step.Do is { IsOutstanding: true })) return;
        while (!state.ToUndo.IsEmpty)
        {
            var step = definition[state.ToUndo[^1]];
            if (LegOf(step, undo: true) is null) Ask(step, undo: true, NewLeg(step, undo: true));
            if (LegOf(step, undo: true)!.Phase != LegPhase.Completed) return;
            state = state with { ToUndo = state.ToUndo.RemoveAt(state.ToUndo.Length - 1) };
        }
        End();
    }

    void Begin(SagaStep step)
    {
        if (step.SkipWhen is { } skip
            && state[skip.Step].Do is { Phase: LegPhase.Completed } done && done.Detail == skip.Detail)
            Set(step, undo: false, new Leg { Phase = LegPhase.Skipped, AnsweredAt = now });
        else
            Ask(step, undo: false, NewLeg(step, undo: false));
    }

    void End()
    {
        state = state with { EndedAt = now };
        effects.Add(new SagaEffect.Announce(state.Ending!.Value));
    }

    void StartCompensation(SagaReason reason)
    {
        state = state with { Reason = state.Reason ?? reason, EndedAt = null };
        if (state.IsBehind)
            foreach (var step in definition.Steps)
                if (state[step.Name].Undo is null && !state.ToUndo.Contains(step.Name)) PushCompensation(step);
        DropWaits();
    }

    // While compensating, an action of an outside party makes no difference: the step is undone in any case.
    void DropWaits()
    {
        foreach (var (step, undo, leg) in Outstanding())
            if (!undo && leg.Phase == LegPhase.Waiting && !step.ForwardOnly)
                GiveUp(step, leg);
    }

    // ---- legs ----

    void StepCompleted(SagaStep step)
    {
        PushCompensation(step);
        if (step.Pivot && state.Reason is null) Pivot();
    }

    void Pivot()
    {
        state = state with { Pivoted = true };
        effects.Add(new SagaEffect.Announce(Announcement.Pivoted));
    }

    void OnRejected(SagaStep step, bool undo, Leg leg, string code, string message)
    {
        // The participant of a saga that is behind knows of a compensation that the saga has forgotten.
        var isForgotten = state.IsBehind && code == SagaCodes.AlreadyUndone;
        if (undo || (step.ForwardOnly && !step.Optional && state.Reason is null && !isForgotten))
            Set(step, undo, Park(leg with { Code = code, Message = message }));
        else if (step.Optional)
            Set(step, undo, Settle(leg, LegPhase.Skipped, code, message, leg.Detail));
        else
        {
            Set(step, undo, Settle(leg, LegPhase.Rejected, code, message, leg.Detail));
            StartCompensation(new SagaReason(
                step.ForwardOnly ? Announcement.Cancelled : Announcement.Rejected, code, message, step.Name));
        }
    }

    void OnDeadline(SagaStep step, bool undo, Leg leg)
    {
        var mustBeDone = leg.Phase == LegPhase.Asked ? step.IsStuckBySilence(undo) : undo || step.ForwardOnly;
        var party = leg.Phase == LegPhase.Waiting ? step.ActionBy ?? step.Participant : step.Participant;
        var (code, fault) = leg.Phase switch
        {
            LegPhase.InDoubt => (SagaCodes.InDoubt, "could not find out whether the step happened"),
            LegPhase.Waiting => (SagaCodes.ActionExpired, "did not act in time"),
            _ when mustBeDone => (SagaCodes.AttemptsExhausted, "did not complete the step in time"),
            _ => (SagaCodes.TimedOut, "did not reply in time"),
        };
        var message = $"{party} {fault}.";
        var expired = leg with { Code = code, Message = WithLastResponse(message, leg) };
        if (mustBeDone || leg.Phase == LegPhase.InDoubt)
            Set(step, undo, Park(expired));
        else if (step is { Optional: true, WhenSilent: WhenSilent.Reject } && leg.Phase == LegPhase.Asked)
        {
            // The step may have happened: a later compensation undoes it.
            Set(step, undo, Settle(leg, LegPhase.Skipped, code, expired.Message, leg.Detail));
            PushCompensation(step);
        }
        else
        {
            GiveUp(step, expired);
            StartCompensation(new SagaReason(Announcement.Expired, code, message, step.Name));
        }
    }

    static string WithLastResponse(string message, Leg leg) =>
        leg.Message is null ? message : $"{message} Last response: {leg.Message}";

    // The step may have happened, so it is undone like a completed step.
    void GiveUp(SagaStep step, Leg leg)
    {
        Set(step, undo: false, leg with { Phase = LegPhase.GivenUp, NextAskAt = null, Deadline = null });
        PushCompensation(step);
    }

    void PushCompensation(SagaStep step)
    {
        if (step.Undo is not null) state = state with { ToUndo = state.ToUndo.Add(step.Name) };
    }

    Leg NewLeg(SagaStep step, bool undo) =>
        new()
        {
            Phase = step.Human ? LegPhase.Waiting : LegPhase.Asked,
            FirstSentAt = now,
            WaitingSince = step.Human ? now : null,
            Deadline = now + step.PolicyFor(step.Human ? LegPhase.Waiting : LegPhase.Asked, undo).Within,
        };

    // The time limit counts from the first entry into the phase: alternating between phases buys no time.
    Leg EnterPhase(SagaStep step, bool undo, Leg leg, LegPhase phase)
    {
        if (leg.Phase == phase) return leg;
        var since = (phase == LegPhase.Waiting ? leg.WaitingSince : leg.InDoubtSince) ?? now;
        var policy = step.PolicyFor(phase, undo);
        return leg with
        {
            Phase = phase,
            Tries = 0,
            NextAskAt = now + policy.Pause(1, Jitter.Of(state.Seed, step.Name, undo, leg.Attempts)),
            Deadline = since + policy.Within,
            WaitingSince = phase == LegPhase.Waiting ? since : leg.WaitingSince,
            InDoubtSince = phase == LegPhase.InDoubt ? since : leg.InDoubtSince,
        };
    }

    Leg Postpone(SagaStep step, bool undo, Leg leg, StepReply.Retry retry)
    {
        var policy = step.PolicyFor(leg.Phase, undo);
        var next = retry.After is { } after ? now + Within(policy, after) : leg.NextAskAt;
        return leg with
        {
            Code = retry.Code ?? leg.Code,
            Message = retry.Message ?? leg.Message,
            NextAskAt = leg.Tries >= policy.Attempts ? null : next,
        };
    }

    static TimeSpan Within(RetryPolicy policy, TimeSpan pause) =>
        pause < policy.First ? policy.First : pause > RetryPolicy.LongestPause ? RetryPolicy.LongestPause : pause;

    // A step in doubt remains in doubt: a retry by an operator does not make giving up safe.
    Leg Restart(SagaStep step, bool undo, Leg leg)
    {
        var fresh = NewLeg(step, undo) with
        {
            FirstSentAt = leg.FirstSentAt, Attempts = leg.Attempts, Resolution = leg.Resolution,
        };
        return leg.InDoubtSince is null ? fresh : EnterPhase(step, undo, fresh, LegPhase.InDoubt);
    }

    static Leg Park(Leg leg) => leg with { Phase = LegPhase.Stuck, NextAskAt = null, Deadline = null };

    static Leg Settle(Leg leg, LegPhase phase, string? code, string? message, string? detail) =>
        leg with
        {
            Phase = phase, NextAskAt = null, Deadline = null, Action = null, Resolution = null, Code = code, Message = message,
            Detail = detail,
        };

    void Ask(SagaStep step, bool undo, Leg leg)
    {
        if (step.Human)
        {
            Set(step, undo, leg); // decided by a person: no command
            return;
        }
        var policy = step.PolicyFor(leg.Phase, undo);
        var (attempts, tries) = (leg.Attempts + 1, leg.Tries + 1);
        var pause = policy.Pause(tries, Jitter.Of(state.Seed, step.Name, undo, attempts));
        Set(step, undo, leg with
        {
            Attempts = attempts, Tries = tries, NextAskAt = tries >= policy.Attempts ? null : now + pause,
        });
        effects.Add(new SagaEffect.Ask(step.Name, undo, attempts, leg.Deadline!.Value) { Resolution = leg.Resolution });
    }

    // ---- state ----

    Leg? LegOf(SagaStep step, bool undo) => undo ? state[step.Name].Undo : state[step.Name].Do;

    List<(SagaStep Step, bool Undo, Leg Leg)> Outstanding() =>
        [.. state.Outstanding.Select(asked => (definition[asked.Step.Step], asked.Undo, asked.Leg))];

    void Set(SagaStep step, bool undo, Leg leg) =>
        Set(undo ? state[step.Name] with { Undo = leg } : state[step.Name] with { Do = leg });

    void Set(StepState changed)
    {
        if (changed != state[changed.Step]) state = state.With(changed);
    }
}
