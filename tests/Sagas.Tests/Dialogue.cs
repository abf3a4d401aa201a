namespace Orderwright.Sagas.Tests;

/// <summary>
/// A saga as a conversation: what happens to it, and what it says to that. Time moves only when told.
/// </summary>
sealed class Dialogue(SagaDefinition definition, long seed = 7)
{
    public static readonly DateTimeOffset Noon = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);

    public SagaState State { get; private set; } = SagaState.New(definition, seed);

    public DateTimeOffset Now { get; private set; } = Noon;

    public string Said { get; private set; } = "";

    public Dialogue On(SagaEvent happened)
    {
        var (state, effects) = Saga.Decide(definition, State, happened, Now);
        Said = ReferenceEquals(state, State) && effects.Count == 0 ? "nothing"
            : effects.Count == 0 ? "noted"
            : string.Join(", ", effects.Select(Text));
        State = state;
        return this;
    }

    public Dialogue Started() => On(new SagaEvent.Started());

    public Dialogue Completed(string step, string? detail = null) =>
        Replies(step, new Reply.Completed(detail));

    public Dialogue Rejected(string step, string code = "no") =>
        Replies(step, new Reply.Rejected(code, "No."));

    public Dialogue Waiting(string step) => Replies(step, new Reply.Waiting("sign"));

    public Dialogue InDoubt(string step) => Replies(step, new Reply.InDoubt("lost", "The line went dead."));

    public Dialogue Replies(string step, Reply reply) => On(new SagaEvent.Answered(step, false, reply));

    public Dialogue Undone(string step) => OnUndo(step, new Reply.Completed());

    public Dialogue OnUndo(string step, Reply reply) => On(new SagaEvent.Answered(step, true, reply));

    public Dialogue Cancel() => On(new SagaEvent.CancelRequested("customer"));

    public Dialogue Timer(bool askNow = false) => On(new SagaEvent.TimerDue(askNow));

    public Dialogue After(TimeSpan time)
    {
        Now += time;
        return this;
    }

    /// <summary>Time passes, with a timer whenever there is something to do.</summary>
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
    /// Effects of the last event: <c>ask pay 1</c>, <c>undo hold 1</c>, <c>renew hold</c>, <c>tell
    /// Pivoted</c>.
    /// </summary>
    public Dialogue Says(string expected)
    {
        Assert.Equal(expected, Said);
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
        SagaEffect.Renew renew => $"renew {renew.Step}",
        SagaEffect.Announce announce => $"tell {announce.What}",
        _ => throw new InvalidOperationException($"{effect}"),
    };
}

/// <summary>Small processes to talk about.</summary>
static class Processes
{
    static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    /// <summary>Hold, pay, commit (the pivot), ship: the shape of an order.</summary>
    public static readonly SagaDefinition Sale = new(
        "sale", 1,
        new SagaStep("hold", "store") { Undo = "release", RenewEvery = 4 * Minute },
        new SagaStep("pay", "bank") { Undo = "refund", ActionBy = "customer" },
        new SagaStep("commit", "store") { Undo = "uncommit", Pivot = true },
        new SagaStep("ship", "carrier") { ForwardOnly = true, SkipWhen = new("pay", "collects") })
    {
        CancellableAfterPivot = true,
    };

    /// <summary>The same shape, with no way back once the pivot is passed.</summary>
    public static readonly SagaDefinition FinalSale = new("final-sale", 1, [.. Sale.Stages]);

    /// <summary>Three at once, one of them optional; then a person decides; then the pivot.</summary>
    public static readonly SagaDefinition Trip = new(
        "trip", 1,
        SagaStage.Parallel(
            new SagaStep("flight", "airline") { Undo = "cancel-flight" },
            new SagaStep("hotel", "hotel") { Undo = "cancel-hotel" },
            new SagaStep("lounge", "airport") { Undo = "cancel-lounge", Optional = true }),
        new SagaStep("approve", "office") { Human = true, ActionBy = "manager" },
        new SagaStep("charge", "bank") { Pivot = true });
}
