namespace Orderwright.Simulation.Tests;

/// <summary>
/// The proof that the simulation can find what it looks for: bugs that such systems are known for, put in from outside one
/// at a time. Each must be found within 2,000 seeds, by the invariant that it is known to break.
/// </summary>
public sealed class PlantedBugTests(ITestOutputHelper output)
{
    const int Seeds = 2_000;

    [Fact]
    public Task A_charge_without_a_deterministic_key_is_found() => IsFound(() => new ChargeWithoutADeterministicKey(), "I2", "I3");

    [Fact]
    public Task A_doubt_that_is_treated_as_a_refusal_is_found() => IsFound(() => new InDoubtTreatedAsRefused(), "I2", "I3");

    [Fact]
    public Task An_acknowledgement_before_the_commit_is_found() => IsFound(() => new AcknowledgeBeforeCommit(), "I1");

    [Fact]
    public Task An_undo_without_a_tombstone_is_found() => IsFound(() => new UndoWithoutATombstone(), "I4", "I6");

    [Fact]
    public Task A_saga_whose_version_is_not_guarded_is_found() => IsFound(() => new SagaVersionNotGuarded(), "I2", "I3", "I4");

    [Fact]
    public Task An_answer_that_is_not_kept_under_its_key_is_found() => IsFound(() => new AnswerNotKept(), "I1");

    [Fact]
    public Task A_balance_that_is_read_before_it_is_locked_is_found() => IsFound(() => new BalanceReadBeforeItIsLocked(), "I3");

    [Fact]
    public Task An_answer_for_a_step_that_is_not_outstanding_is_found() => IsFound(() => new AnswerForWhicheverStep(), "I2", "I4", "I6");

    [Fact]
    public Task An_expiry_without_compare_and_set_is_found() => IsFound(() => new ExpiryWithoutCompareAndSet(), "I4");

    [Fact]
    public Task A_coordinator_that_does_not_ask_again_is_found() => IsFound(() => new NobodyAsksAgain(), "I7");

    [Fact]
    public Task A_clock_set_back_that_nobody_minds_is_found() => IsFound(() => new ClockSetBackIsNotMinded(), "I7");

    async Task IsFound(Func<Plant> plant, params string[] breaks)
    {
        bool Breaks(Outcome outcome) => outcome.Findings.Any(finding => breaks.Contains(finding.Invariant));
        var tally = await Sweep.RunAsync(1, Seeds, TimeSpan.FromMinutes(3), plant, isEnough: Breaks);

        // What fails without the bug as well has another one, and proves nothing here.
        using var arena = Arena.Open();
        Assert.All(tally.Failed.Keys, seed => Assert.Empty(new World(Plan.Of(seed), arena).Run().Findings));

        Assert.Contains(tally.Failed.Values, Breaks);
        var outcome = tally.Failed.Values.First(Breaks);
        output.WriteLine($"found after {tally.Runs} seeds: {outcome.Findings.First(finding => breaks.Contains(finding.Invariant))}");
    }
}
