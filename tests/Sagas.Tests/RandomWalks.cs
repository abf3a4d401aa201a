namespace Orderwright.Sagas.Tests;

/// <summary>
/// Random walks over random processes check invariants under any order of events. A failure prints the seed, which replays
/// the walk.
/// </summary>
public sealed class RandomWalks
{
    const int Walks = 4_000;
    const int Steps = 60;

    [Fact]
    public void No_order_of_events_breaks_the_rules()
    {
        for (var seed = 1; seed <= Walks; seed++)
            try
            {
                Walk(seed);
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"seed {seed}: {error.Message}", error);
            }
    }

    [Fact]
    public void Every_walk_with_replies_ends()
    {
        for (var seed = 1; seed <= Walks; seed++)
        {
            var (definition, state, now) = Walk(seed);
            if (state.StartedAt is null) continue;
            for (var i = 0; state.EndedAt is null; i++)
            {
                Assert.True(i < 20, $"seed {seed}: no end after 20 rounds");
                foreach (var (step, undo, _) in state.Outstanding.ToList())
                {
                    var done = new SagaEvent.Resolved(step.Step, undo, true, "by hand");
                    state = Saga.Decide(state, done, now).State;
                }
            }
        }
    }

    static (SagaDefinition, SagaState, DateTimeOffset) Walk(int seed)
    {
        var random = new Random(seed);
        var definition = RandomProcess(random);
        var state = SagaState.New(definition, seed);
        var now = Dialogue.Noon;
        var announced = new List<Announcement>();
        for (var i = 0; i < Steps; i++)
        {
            now += TimeSpan.FromSeconds(random.Next(4) == 0 ? random.Next(5_000) : random.Next(5));
            if (random.Next(3) == 0 && state.NextActionAt > now) now = state.NextActionAt.Value;
            var happened = RandomEvent(random, definition);
            var (next, effects) = Saga.Decide(state, happened, now);
            Check(definition, state, happened, next, effects, now);
            foreach (var announce in effects.OfType<SagaEffect.Announce>()) announced.Add(announce.Outcome);
            state = next;
        }
        CheckAnnouncements(announced);
        return (definition, state, now);
    }

    static void Check(
        SagaDefinition definition, SagaState before, SagaEvent happened, SagaState after,
        IReadOnlyList<SagaEffect> effects, DateTimeOffset now)
    {
        Assert.Equal(ReferenceEquals(before, after) ? before.Version : before.Version + 1, after.Version);
        Assert.False(before.Pivoted && !after.Pivoted, "the pivot is taken back");
        Assert.False(before.Reason is not null && after.Reason != before.Reason, "the reason changed");

        if (before.EndedAt is not null)
            Assert.True(
                after.Status == before.Status
                || (before.Status == SagaStatus.Completed && definition.CancellableAfterPivot
                    && happened is SagaEvent.CancelRequested or SagaEvent.CompensateRequested),
                $"{happened} took it from {before.Status} to {after.Status}");

        foreach (var effect in effects)
            switch (effect)
            {
                case SagaEffect.Ask(var step, var undo, var attempt, var deadline):
                    var leg = undo ? after[step].Undo! : after[step].Do!;
                    Assert.True(leg.IsOutstanding, $"{step} is asked and not outstanding");
                    Assert.NotEqual(LegPhase.Stuck, leg.Phase);
                    Assert.Equal(leg.Attempts, attempt);
                    Assert.True(deadline > now, $"{step} is asked past its deadline");
                    // A saga that began with a cancellation undoes steps that it never began.
                    if (undo && after.Steps.Any(one => one.Do is not null))
                        Assert.True(after[step].Do?.Phase is LegPhase.Completed or LegPhase.GivenUp);
                    Assert.False(
                        !undo && before.Reason is not null && before[step].Do is null,
                        $"{step} is begun on the way back");
                    break;
            }

        foreach (var step in after.Steps)
        {
            CheckLeg(before[step.Step].Do, step.Do);
            CheckLeg(before[step.Step].Undo, step.Undo);
            if (before[step.Step].Do?.Phase == LegPhase.InDoubt && step.Do!.Phase == LegPhase.GivenUp)
                Assert.True(
                    happened is SagaEvent.Answered { Reply: StepReply.Waiting },
                    $"{step.Step} was in doubt and given up by {happened}");
        }

        if (after.Status == SagaStatus.Compensated) Assert.Empty(after.ToUndo);
        if (after.Status == SagaStatus.Completed)
            Assert.All(
                after.Steps, step => Assert.True(step.Do!.Phase is LegPhase.Completed or LegPhase.Skipped));
        if (after.StartedAt is not null && after.EndedAt is null)
            Assert.True(
                after.NextActionAt is not null || after.Status == SagaStatus.Failed,
                $"nothing would ever happen again: {after.Status}");
    }

    static void CheckLeg(Leg? before, Leg? after)
    {
        if (before is null) return;
        Assert.NotNull(after);
        Assert.True(after.Attempts >= before.Attempts);
        if (!before.IsOutstanding) Assert.Equal(before.Phase, after.Phase);
    }

    // The initiator gets a consistent sequence: confirmed, then completed, then perhaps cancelled.
    static void CheckAnnouncements(List<Announcement> announced)
    {
        for (var i = 1; i < announced.Count; i++)
            Assert.True(
                announced[i] == announced[i - 1] || announced[i] == Announcement.Cancelled
                || (announced[i - 1] == Announcement.Pivoted && announced[i] == Announcement.Completed),
                $"{announced[i]} was announced after {announced[i - 1]}");
    }

    static SagaDefinition RandomProcess(Random random)
    {
        var count = 0;
        SagaStep Step(bool forwardOnly = false) => new($"s{++count}", "x")
        {
            Undo = random.Next(4) > 0 ? "undo" : null,
            Optional = random.Next(5) == 0,
            ForwardOnly = forwardOnly,
            SkipWhen = count > 1 && random.Next(4) == 0 ? new("s1", "collects") : null,
        };
        var stages = new List<SagaStage>();
        for (var i = random.Next(1, 4); i > 0; i--)
            if (stages.Count > 0 && random.Next(6) == 0)
                stages.Add(Step() with { Human = true, Undo = null });
            else
            {
                var size = random.Next(1, 4);
                stages.Add(new SagaStage(
                    [.. Enumerable.Range(0, size).Select(_ => Step() with { SkipWhen = null })]));
            }
        if (random.Next(4) > 0)
        {
            stages.Add(Step() with { Pivot = true, Optional = false });
            for (var i = random.Next(3); i > 0; i--) stages.Add(Step(forwardOnly: true));
        }
        return new SagaDefinition("random", 1, stages) { CancellableAfterPivot = random.Next(2) == 0 };
    }

    static SagaEvent RandomEvent(Random random, SagaDefinition definition)
    {
        var step = definition.Steps[random.Next(definition.Steps.Length)].Name;
        var undo = random.Next(2) == 0;
        return random.Next(24) switch
        {
            0 => new SagaEvent.CancelRequested("customer"),
            1 or 2 => new SagaEvent.Started(),
            3 => new SagaEvent.RetryRequested(),
            4 => random.Next(4) == 0 ? new SagaEvent.CompensateRequested("enough") : new SagaEvent.TimerDue(),
            5 => new SagaEvent.Resolved(step, undo, random.Next(2) == 0, "by hand"),
            6 => new SagaEvent.TimerDue(AskNow: true),
            7 or 8 or 9 => new SagaEvent.TimerDue(),
            10 => new SagaEvent.Answered(step, undo, new StepReply.Rejected("no", "No.")),
            11 => new SagaEvent.Answered(step, undo, new StepReply.Retry(TimeSpan.FromSeconds(random.Next(90)))),
            12 => new SagaEvent.Answered(step, undo, new StepReply.Waiting()),
            13 => new SagaEvent.Answered(step, undo, new StepReply.InDoubt()),
            14 => new SagaEvent.Answered(step, undo, new StepReply.Completed("collects")),
            _ => new SagaEvent.Answered(step, undo, new StepReply.Completed()),
        };
    }
}
