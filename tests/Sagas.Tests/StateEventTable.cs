namespace Orderwright.Sagas.Tests;

/// <summary>
/// Table of all situations of a saga against all events. The events of a <see cref="Situation"/> lead to the situation. A
/// reply concerns the leg of the situation, unless stated otherwise.
/// </summary>
static class StateEventTable
{
    static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    /// <param name="Name">Name in the table.</param>
    /// <param name="Saga">Brings a saga into the situation.</param>
    /// <param name="Step">Step of the leg concerned.</param>
    /// <param name="Undo">Direction of the leg.</param>
    public sealed record Situation(string Name, Func<Dialogue> Saga, string Step, bool Undo = false);

    static Dialogue Sale => new(Processes.Sale);

    static Dialogue Paying => Sale.Started().Completed("hold");

    static Dialogue Committing => Paying.Completed("pay");

    static Dialogue Shipping => Committing.Completed("commit");

    static Dialogue Undoing => Committing.Rejected("commit");

    static Dialogue Trip => new Dialogue(Processes.Trip).Started();

    static Dialogue Deciding => Trip.Completed("flight").Completed("hotel").Rejected("lounge");

    public static readonly IReadOnlyList<Situation> Situations =
    [
        new("not started", () => Sale, "hold"),
        new("asked", () => Paying, "pay"),
        new("waiting", () => Paying.Waiting("pay"), "pay"),
        new("in doubt", () => Paying.InDoubt("pay"), "pay"),
        new("stuck in doubt", () => Paying.InDoubt("pay").Silence(120 * Minute), "pay"),
        new("pivot asked", () => Committing, "commit"),
        new("one of a group asked", () => Trip.Completed("flight"), "hotel"),
        new("optional asked", () => Trip.Completed("flight").Completed("hotel"), "lounge"),
        new("person decides", () => Deciding, "approve"),
        new("forward only asked", () => Shipping, "ship"),
        new("forward only waiting", () => Shipping.Waiting("ship"), "ship"),
        new("forward only in doubt", () => Shipping.InDoubt("ship"), "ship"),
        new("forward only stuck", () => Shipping.Rejected("ship"), "ship"),
        new("cancelled, answer awaited", () => Paying.Cancel(), "pay"),
        new("cancelled, in doubt", () => Paying.InDoubt("pay").Cancel(), "pay"),
        new("cancelled, stuck in doubt", () => Paying.InDoubt("pay").Cancel().Silence(120 * Minute), "pay"),
        new("cancelled, forward only awaited", () => Shipping.Cancel(), "ship"),
        new("undo asked", () => Undoing, "pay", true),
        new("undo waiting", () => Undoing.OnUndo("pay", new StepReply.Waiting()), "pay", true),
        new("undo in doubt", () => Undoing.OnUndo("pay", new StepReply.InDoubt()), "pay", true),
        new("undo stuck", () => Undoing.OnUndo("pay", new StepReply.Rejected("no", "No.")), "pay", true),
        new("undo of a step given up", () => Paying.Silence(10 * Minute), "pay", true),
        new("completed", () => Shipping.Completed("ship"), "ship"),
        new("completed for good", () => new Dialogue(Processes.FinalSale).Started().Completed("hold")
            .Completed("pay", "collects").Completed("commit"), "commit"),
        new("rejected", () => Paying.Rejected("pay").Undone("hold"), "pay"),
        new("expired", () => Sale.Started().Silence(10 * Minute).Undone("hold"), "hold"),
        new("cancelled", () => Paying.Cancel().Rejected("pay").Undone("hold"), "pay"),
    ];

    /// <summary>All events; each gets the saga and the situation.</summary>
    public static readonly IReadOnlyList<(string Name, Action<Dialogue, Situation> Happens)> Events =
    [
        ("start", (saga, _) => saga.Started()),
        ("completed", (saga, at) => Answer(saga, at, new StepReply.Completed())),
        ("rejected", (saga, at) => Answer(saga, at, new StepReply.Rejected("no", "No."))),
        ("retry", (saga, at) => Answer(saga, at, new StepReply.Retry(Minute))),
        ("waiting", (saga, at) => Answer(saga, at, new StepReply.Waiting())),
        ("in-doubt", (saga, at) => Answer(saga, at, new StepReply.InDoubt())),
        ("late", (saga, _) => saga.Completed("hold")),
        ("crossed", (saga, at) => saga.On(new SagaEvent.Answered(at.Step, !at.Undo, new StepReply.Completed()))),
        ("early", (saga, _) => saga.Timer()),
        ("due", (saga, _) => saga.After(UntilNextAsk(saga)).Timer()),
        ("deadline", (saga, at) => saga.After(UntilDeadline(saga, at)).Timer()),
        ("deadline-in-doubt", (saga, at) => saga.After(UntilDeadline(saga, at)).Timer(mayExpire: false)),
        ("restart", (saga, _) => saga.Timer(askNow: true)),
        ("cancel", (saga, _) => saga.Cancel()),
        ("op-retry", (saga, _) => saga.On(new SagaEvent.RetryRequested())),
        ("op-compensate", (saga, _) => saga.On(new SagaEvent.CompensateRequested("enough"))),
        ("op-done", (saga, at) => saga.On(new SagaEvent.Resolved(at.Step, at.Undo, true, "by hand"))),
        ("op-refused", (saga, at) => saga.On(new SagaEvent.Resolved(at.Step, at.Undo, false, "by hand"))),
    ];

    /// <summary>
    /// Expected results, a block per situation: <c>status: effects</c>, then the events. The number of attempts is omitted.
    /// <c>nothing</c>: same state, no effects.
    /// </summary>
    public static readonly IReadOnlyDictionary<(string Situation, string Event), string> Expected = Read(
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "StateEventTable.txt")));

    public static string Actual(Situation situation, string happens)
    {
        var saga = situation.Saga();
        Events.Single(e => e.Name == happens).Happens(saga, situation);
        if (saga.Effects == "nothing") return "nothing";
        var texts = saga.Effects.Split(", ").Select(WithoutCount);
        var effects = saga.Effects == "noted" ? "-" : string.Join(", ", texts);
        return $"{saga.State.Status.ToString().ToLowerInvariant()}: {effects}";
    }

    static void Answer(Dialogue saga, Situation at, StepReply reply) =>
        saga.On(new SagaEvent.Answered(at.Step, at.Undo, reply));

    static TimeSpan UntilNextAsk(Dialogue saga) => (saga.State.NextActionAt ?? saga.Now) - saga.Now;

    static TimeSpan UntilDeadline(Dialogue saga, Situation at)
    {
        var leg = at.Undo ? saga.State[at.Step].Undo : saga.State[at.Step].Do;
        return leg?.Deadline is { } deadline ? deadline - saga.Now : TimeSpan.FromDays(1);
    }

    static string WithoutCount(string effect) => effect.TrimEnd([.. "0123456789"]).TrimEnd();

    static Dictionary<(string, string), string> Read(string table)
    {
        var cells = new Dictionary<(string, string), string>();
        var situation = "";
        foreach (var line in table.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            if (line.StartsWith('#'))
                continue;
            else if (line.StartsWith("  ", StringComparison.Ordinal))
            {
                var parts = line.Split(" <- ");
                foreach (var name in parts[1].Split(' ', StringSplitOptions.RemoveEmptyEntries))
                    cells.Add((situation, name), parts[0].Trim());
            }
            else
                situation = line.Trim().TrimEnd(':');
        return cells;
    }
}

public sealed class StateEventTableTests
{
    [Fact]
    public void Every_situation_has_an_expected_result_for_every_event()
    {
        var cells =
            from situation in StateEventTable.Situations
            from happens in StateEventTable.Events
            select (situation.Name, happens.Name);
        Assert.Equal(cells.Order(), StateEventTable.Expected.Keys.Order());
    }

    [Fact]
    public void Every_phase_of_do_and_undo_and_every_status_is_a_situation()
    {
        var states = StateEventTable.Situations.Select(situation => situation.Saga().State).ToList();
        Assert.Empty(Enum.GetValues<SagaStatus>().Except(states.Select(state => state.Status)));
        var steps = states.SelectMany(state => state.Steps).ToList();
        var ofDo = Enum.GetValues<LegPhase>();
        Assert.Empty(ofDo.Except(steps.Select(step => step.Do).OfType<Leg>().Select(PhaseOf)));
        LegPhase[] ofUndo =
            [LegPhase.Asked, LegPhase.Waiting, LegPhase.InDoubt, LegPhase.Stuck, LegPhase.Completed];
        Assert.Empty(ofUndo.Except(steps.Select(step => step.Undo).OfType<Leg>().Select(PhaseOf)));

        static LegPhase PhaseOf(Leg leg) => leg.Phase;
    }

    public static IEnumerable<TheoryDataRow<string, string>> Cells() =>
        from situation in StateEventTable.Situations
        from happens in StateEventTable.Events
        select new TheoryDataRow<string, string>(situation.Name, happens.Name);

    [Theory]
    [MemberData(nameof(Cells))]
    public void The_saga_behaves_as_in_the_table(string situation, string happens) =>
        Assert.Equal(
            StateEventTable.Expected[(situation, happens)],
            StateEventTable.Actual(StateEventTable.Situations.Single(s => s.Name == situation), happens));

    [Theory]
    [MemberData(nameof(Cells))]
    public void The_same_decision_is_made_every_time(string situation, string happens)
    {
        var at = StateEventTable.Situations.Single(s => s.Name == situation);
        Assert.Equal(StateEventTable.Actual(at, happens), StateEventTable.Actual(at, happens));
    }
}
