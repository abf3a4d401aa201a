namespace Orderwright.Sagas;

/// <summary>
/// One decision in the making. What happened is noted on the leg it concerns; then the saga goes as far as it
/// can: forward through its stages, or, once there is a reason to turn back, down the stack of what is to be
/// undone.
/// </summary>
sealed class Turn(SagaDefinition definition, SagaState given, DateTimeOffset now)
{
    readonly List<SagaEffect> effects = [];
    readonly SagaState before = given;
    SagaState state = given;

    public Decision Decided() =>
        new(state == before ? before : state with { Version = before.Version + 1 }, effects);

    // ---- what happened ----

    public void Start()
    {
        if (state.StartedAt is not null)
        {
            Repeat();
            return;
        }
        state = state with { StartedAt = now };
        GoOn();
    }

    public void Answer(SagaStep step, bool undo, Reply reply)
    {
        if (LegOf(step, undo) is not { IsOutstanding: true } asked)
            return;
        var leg = asked with { AnsweredAt = now };
        switch (reply)
        {
            case Reply.Completed(var detail):
                Set(step, undo, Settled(leg, LegPhase.Completed, code: null, message: null, detail));
                if (!undo) Done(step);
                break;
            case Reply.Rejected(var code, var message):
                Refused(step, undo, leg, code, message);
                break;
            case Reply.Retry retry when leg.Phase != LegPhase.Stuck:
                Set(step, undo, Postponed(step, undo, leg, retry));
                break;
            case Reply.Waiting waiting:
                Set(step, undo, Entered(step, undo, leg, LegPhase.Waiting) with { Action = waiting.Action });
                break;
            case Reply.InDoubt(var code, var message) { ForGood: true } when leg.Phase != LegPhase.Stuck:
                Set(step, undo, Parked(leg with
                {
                    Code = code, Message = message, InDoubtSince = leg.InDoubtSince ?? now,
                }));
                break;
            case Reply.InDoubt(var code, var message) when leg.Phase != LegPhase.Stuck:
                Set(
                    step, undo,
                    Entered(step, undo, leg, LegPhase.InDoubt) with { Code = code, Message = message });
                break;
            default:
                return;
        }
        GoOn();
    }

    public void Tell(SagaStep step, bool undo, Verdict verdict)
    {
        if (LegOf(step, undo) is not { IsOutstanding: true } leg) return;
        Ask(step, undo, Revived(step, undo, leg) with { Verdict = verdict });
        GoOn();
    }

    public void LookAtTheClock(bool askNow)
    {
        foreach (var (step, undo, leg) in Outstanding())
            if (now >= leg.Deadline)
                OutOfTime(step, undo, leg);
        foreach (var (step, undo, leg) in Outstanding())
            if (IsDue(leg.NextAskAt) || (askNow && leg.Phase != LegPhase.Stuck))
                Ask(step, undo, leg);
        GoOn();
    }

    bool IsDue(DateTimeOffset? time) => now >= time || time > now + RetryPolicy.LongestPause;

    public void Cancel(string reason)
    {
        if (IsForGood)
        {
            Repeat();
            return;
        }
        state = state with
        {
            StartedAt = state.StartedAt ?? now,
            CancelReason = state.CancelReason ?? reason,
        };
        if (state.Status == SagaStatus.Compensated)
            Repeat();
        else
        {
            TurnBack(new Reason(Announcement.Cancelled, SagaCodes.Cancelled, reason, null));
            GoOn();
        }
    }

    public void Retry()
    {
        foreach (var (step, undo, leg) in Outstanding())
            if (leg.Phase == LegPhase.Stuck)
                Set(step, undo, Revived(step, undo, leg));
        LookAtTheClock(askNow: true);
    }

    public void Compensate(string reason)
    {
        if (IsForGood || state.Status is SagaStatus.NotStarted or SagaStatus.Compensated) return;
        TurnBack(new Reason(Announcement.Cancelled, SagaCodes.Cancelled, reason, null));
        foreach (var (step, undo, leg) in Outstanding())
            if (!undo && leg.Phase == LegPhase.Stuck)
                GiveUp(step, leg);
        GoOn();
    }

    // Whoever asks about a saga that is decided did not hear of it.
    void Repeat()
    {
        if (state.Ending is { } ending)
            effects.Add(new SagaEffect.Announce(ending));
        else if (state.Pivoted && state.Reason is null)
            effects.Add(new SagaEffect.Announce(Announcement.Pivoted));
    }

    bool IsForGood =>
        !definition.CancellableAfterPivot && (state.Pivoted || state.Status == SagaStatus.Completed);

    // ---- going on, forward and back ----

    void GoOn()
    {
        if (state.StartedAt is null || state.EndedAt is not null) return;
        if (state.Reason is null) GoForward();
        else GoBack();
        RenewWhatExpires();
    }

    void GoForward()
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

    // No undo is asked while an answer is out that may add to what is to be undone.
    void GoBack()
    {
        WaitForNobodyOutside();
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

    void TurnBack(Reason reason)
    {
        state = state with { Reason = state.Reason ?? reason, EndedAt = null };
        WaitForNobodyOutside();
    }

    // On the way back it makes no difference whether they act: the step is undone in any case.
    void WaitForNobodyOutside()
    {
        foreach (var (step, undo, leg) in Outstanding())
            if (!undo && leg.Phase == LegPhase.Waiting && !step.ForwardOnly)
                GiveUp(step, leg);
    }

    void RenewWhatExpires()
    {
        var waits = state is { Reason: null, Pivoted: false }
            && (state.Has(LegPhase.Waiting) || state.Has(LegPhase.InDoubt));
        foreach (var step in definition.Steps)
        {
            if (step.RenewEvery is not { } every) continue;
            var its = state[step.Name];
            if (!waits || its.Do?.Phase != LegPhase.Completed)
            {
                if (its.RenewAt is not null) Set(its with { RenewAt = null });
            }
            else if (its.RenewAt is null || IsDue(its.RenewAt))
            {
                Set(its with { RenewAt = now + every });
                effects.Add(new SagaEffect.Renew(step.Name));
            }
        }
    }

    // ---- what becomes of a leg ----

    void Done(SagaStep step)
    {
        RememberToUndo(step);
        if (!step.Pivot || state.Reason is not null) return;
        state = state with { Pivoted = true };
        effects.Add(new SagaEffect.Announce(Announcement.Pivoted));
    }

    void Refused(SagaStep step, bool undo, Leg leg, string code, string message)
    {
        if (undo || (step.ForwardOnly && !step.Optional))
            Set(step, undo, Parked(leg with { Code = code, Message = message }));
        else if (step.Optional)
            Set(step, undo, Settled(leg, LegPhase.Skipped, code, message, leg.Detail));
        else
        {
            Set(step, undo, Settled(leg, LegPhase.Rejected, code, message, leg.Detail));
            TurnBack(new Reason(Announcement.Rejected, code, message, step.Name));
        }
    }

    void OutOfTime(SagaStep step, bool undo, Leg leg)
    {
        var mustBeDone = undo || step.ForwardOnly;
        var who = leg.Phase == LegPhase.Waiting ? step.ActionBy ?? step.Participant : step.Participant;
        var (code, what) = leg.Phase switch
        {
            LegPhase.InDoubt => (SagaCodes.InDoubt, "could not tell whether it happened"),
            LegPhase.Waiting => (SagaCodes.ActionExpired, "did not act in time"),
            _ when mustBeDone => (SagaCodes.AttemptsExhausted, "did not carry it out in time"),
            _ => (SagaCodes.TimedOut, "did not answer in time"),
        };
        var message = $"{who} {what}.";
        if (mustBeDone || leg.Phase == LegPhase.InDoubt)
            Set(step, undo, Parked(leg with { Code = code, Message = WithLastWord(message, leg) }));
        else
        {
            GiveUp(step, leg with { Code = code, Message = WithLastWord(message, leg) });
            TurnBack(new Reason(Announcement.Expired, code, message, step.Name));
        }
    }

    static string WithLastWord(string message, Leg leg) =>
        leg.Message is null ? message : $"{message} Its last word: {leg.Message}";

    // It may have happened: it goes on the stack like a completed step.
    void GiveUp(SagaStep step, Leg leg)
    {
        Set(step, undo: false, leg with { Phase = LegPhase.GivenUp, NextAskAt = null, Deadline = null });
        RememberToUndo(step);
    }

    void RememberToUndo(SagaStep step)
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

    // Its limit counts from when it first came into the phase: going to and fro does not buy time.
    Leg Entered(SagaStep step, bool undo, Leg leg, LegPhase phase)
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

    Leg Postponed(SagaStep step, bool undo, Leg leg, Reply.Retry retry)
    {
        var policy = step.PolicyFor(leg.Phase, undo);
        var pause = retry.After < policy.First ? policy.First
            : retry.After > RetryPolicy.LongestPause ? RetryPolicy.LongestPause
            : retry.After;
        return leg with
        {
            Code = retry.Code ?? leg.Code,
            Message = retry.Message ?? leg.Message,
            NextAskAt = leg.Tries >= policy.Attempts ? null : now + pause,
        };
    }

    // What was in doubt is still in doubt: a person's wish to ask again does not make it safe to give up.
    Leg Revived(SagaStep step, bool undo, Leg leg)
    {
        var fresh = NewLeg(step, undo) with
        {
            FirstSentAt = leg.FirstSentAt, Attempts = leg.Attempts, Verdict = leg.Verdict,
        };
        return leg.InDoubtSince is null ? fresh : Entered(step, undo, fresh, LegPhase.InDoubt);
    }

    static Leg Parked(Leg leg) => leg with { Phase = LegPhase.Stuck, NextAskAt = null, Deadline = null };

    static Leg Settled(Leg leg, LegPhase phase, string? code, string? message, string? detail) =>
        leg with
        {
            Phase = phase, NextAskAt = null, Deadline = null, Action = null, Verdict = null, Code = code, Message = message,
            Detail = detail,
        };

    void Ask(SagaStep step, bool undo, Leg leg)
    {
        if (step.Human)
        {
            Set(step, undo, leg); // nobody is asked
            return;
        }
        var policy = step.PolicyFor(leg.Phase, undo);
        var (attempts, tries) = (leg.Attempts + 1, leg.Tries + 1);
        var pause = policy.Pause(tries, Jitter.Of(state.Seed, step.Name, undo, attempts));
        Set(step, undo, leg with
        {
            Attempts = attempts, Tries = tries, NextAskAt = tries >= policy.Attempts ? null : now + pause,
        });
        effects.Add(new SagaEffect.Ask(step.Name, undo, attempts, leg.Deadline!.Value) { Verdict = leg.Verdict });
    }

    // ---- the state ----

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
