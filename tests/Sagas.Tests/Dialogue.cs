namespace Orderwright.Sagas.Tests;

/// <summary>
/// Saga as a conversation: events, and the effects of each. Time passes only on request.
/// </summary>
sealed class Dialogue(SagaDefinition definition, long seed = 7)
{
    public static readonly DateTimeOffset Noon = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Continues a saga on another edition of its definition.</summary>
    public Dialogue(SagaDefinition definition, Dialogue before)
        : this(definition) => (State, Now) = (before.State with { Definition = definition }, before.Now);

    public SagaState State { get; private set; } = SagaState.New(definition, seed);

    public DateTimeOffset Now { get; private set; } = Noon;

    public string Effects { get; private set; } = "";

    public Dialogue On(SagaEvent happened)
    {
        var (state, effects) = Saga.Decide(State, happened, Now);
        Effects = ReferenceEquals(state, State) && effects.Count == 0 ? "nothing"
            : effects.Count == 0 ? "noted"
            : string.Join(", ", effects.Select(Text));
        State = state;
        return this;
    }

    public Dialogue Started() => On(new SagaEvent.Started());

    public Dialogue Completed(string step, string? detail = null) =>
        Replies(step, new StepReply.Completed(detail));

    public Dialogue Rejected(string step, string code = "no") =>
        Replies(step, new StepReply.Rejected(code, "No."));

    public Dialogue Waiting(string step) => Replies(step, new StepReply.Waiting("sign"));

    public Dialogue InDoubt(string step) => Replies(step, new StepReply.InDoubt("lost", "The line went dead."));

    public Dialogue Replies(string step, StepReply reply) => On(new SagaEvent.Answered(step, false, reply));

    public Dialogue Undone(string step) => OnUndo(step, new StepReply.Completed());

    public Dialogue OnUndo(string step, StepReply reply) => On(new SagaEvent.Answered(step, true, reply));

    public Dialogue Cancel() => On(new SagaEvent.CancelRequested("customer"));

    public Dialogue Timer(bool askNow = false, bool mayExpire = true) => On(new SagaEvent.TimerDue(askNow, mayExpire));

    public Dialogue After(TimeSpan time)
    {
        Now += time;
        return this;
    }

    /// <summary>Lets time pass, and runs the timer whenever an action is due.</summary>
    public Dialogue Silence(TimeSpan time)
    {
        var until = Now + time;
        while (State.NextActionAt is { } next && next <= until)
        {
            Now = next > Now ? next : Now;
            Timer();
        }
        Now = until;
        return this;
    }

    /// <summary>
    /// Asserts the effects of the last event: <c>ask pay 1</c>, <c>undo hold 1</c>, <c>announce Pivoted</c>.
    /// </summary>
    public Dialogue Sends(string expected)
    {
        Assert.Equal(expected, Effects);
        return this;
    }

    public Dialogue Is(SagaStatus status)
    {
        Assert.Equal(status, State.Status);
        return this;
    }

    static string Text(SagaEffect effect) => effect switch
    {
        SagaEffect.Ask ask => $"{(ask.Undo ? "undo" : "ask")} {ask.Step} {ask.Attempt}",
        SagaEffect.Announce announce => $"announce {announce.Outcome}",
        _ => throw new InvalidOperationException($"{effect}"),
    };
}

/// <summary>Small processes for the tests.</summary>
static class Processes
{
    /// <summary>Hold, pay, commit (the pivot), ship: the shape of an order.</summary>
    public static readonly SagaDefinition Sale = new(
        "sale", 1,
        new SagaStep("hold", "store") { Undo = "release" },
        new SagaStep("pay", "bank") { Undo = "refund", ActionBy = "customer" },
        new SagaStep("commit", "store") { Undo = "uncommit", Pivot = true },
        new SagaStep("ship", "carrier") { ForwardOnly = true, SkipWhen = new("pay", "collects") })
    {
        CancellableAfterPivot = true,
    };

    /// <summary>The same shape, final after the pivot.</summary>
    public static readonly SagaDefinition FinalSale = new("final-sale", 1, [.. Sale.Stages]);

    /// <summary>Three parallel steps with an optional step, then a human decision, then the pivot.</summary>
    public static readonly SagaDefinition Trip = new(
        "trip", 1,
        SagaStage.Parallel(
            new SagaStep("flight", "airline") { Undo = "cancel-flight" },
            new SagaStep("hotel", "hotel") { Undo = "cancel-hotel" },
            new SagaStep("lounge", "airport") { Undo = "cancel-lounge", Optional = true }),
        new SagaStep("approve", "office") { Human = true, ActionBy = "manager" },
        new SagaStep("charge", "bank") { Pivot = true });
}
