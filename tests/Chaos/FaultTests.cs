namespace Orderwright.Chaos;

public class FaultTests
{
    public static TheoryData<bool> Setups => [false, true];

    [Theory]
    [MemberData(nameof(Setups))]
    public void The_faults_of_a_round_have_distinct_targets_and_every_fault_has_its_turn(bool isReplicated)
    {
        var faults = isReplicated ? Fault.Replicated : Fault.All;
        var dice = new Random(1);
        var rounds = Enumerable.Range(0, 1_000).Select(_ => ChaosRun.Choose(faults, dice)).ToList();
        Assert.All(rounds, round => Assert.InRange(round.Count, 1, 3));
        Assert.All(rounds, round => Assert.Distinct(round.Select(fault => fault.On)));
        Assert.Equal(faults.Count, rounds.SelectMany(round => round).Distinct().Count());
    }
}
