namespace Orderwright.Sagas.Tests;

public sealed class DefinitionTests
{
    static readonly SagaStep A = new("a", "x");
    static readonly SagaStep B = new("b", "x");

    public static TheoryData<string, SagaStage[]> Faults => new()
    {
        { "a stage has no step", [] },
        { "a stage has no step", [A, SagaStage.Parallel()] },
        { "the step 'a' occurs twice", [A, SagaStage.Parallel(B, A)] },
        { "more than one pivot", [A with { Pivot = true }, B with { Pivot = true, ForwardOnly = true }] },
        { "must be the only step of its stage", [SagaStage.Parallel(A with { Pivot = true }, B)] },
        { "cannot be optional", [A with { Pivot = true, Optional = true }] },
        { "must be forward only", [A with { Pivot = true }, B] },
        { "must come after a pivot", [A with { ForwardOnly = true }] },
        { "cannot have an undo", [A with { Human = true, Undo = "u" }] },
        { "depends on 'b'", [A with { SkipWhen = new("b", "done") }, B] },
        { "depends on 'a'", [SagaStage.Parallel(A, B with { SkipWhen = new("a", "done") })] },
        { "first pause is not over 0", [A with { Ask = A.Ask with { First = TimeSpan.Zero } }] },
        { "factor is under 1", [A with { AskUndo = A.Ask with { Factor = 0.5 } }] },
        { "the longest pause is shorter", [A with { WhileWaiting = A.Ask with { Longest = default } }] },
        { "the number of attempts is under 1", [A with { WhileInDoubt = A.Ask with { Attempts = 0 } }] },
        { "the time until the deadline is not over 0", [A with { Ask = A.Ask with { Within = TimeSpan.Zero } }] },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void An_invalid_definition_is_refused(string why, SagaStage[] stages)
    {
        var error = Assert.Throws<ArgumentException>(() => new SagaDefinition("p", 1, stages));
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_version_counts_from_one() =>
        Assert.Throws<ArgumentException>(() => new SagaDefinition("p", 0, A));
}

public sealed class RetryPolicyTests
{
    static readonly RetryPolicy Policy = new(
        TimeSpan.FromSeconds(2), 2, TimeSpan.FromSeconds(15), 10, TimeSpan.FromMinutes(10));

    [Theory]
    [InlineData(1, 2, 4)]
    [InlineData(2, 2, 8)]
    [InlineData(3, 2, 15)]
    [InlineData(900, 2, 15)]
    public void Pauses_grow_up_to_the_longest(int asked, int least, int most)
    {
        Assert.Equal(TimeSpan.FromSeconds(least), Policy.Pause(asked, 0));
        Assert.InRange(Policy.Pause(asked, 0.999999).TotalSeconds, most - 0.1, most);
    }

    [Fact]
    public void Jitter_is_the_same_every_time_and_spreads_evenly_over_sagas()
    {
        Assert.Equal(Jitter.Of(5, "pay", false, 3), Jitter.Of(5, "pay", false, 3));
        Assert.NotEqual(Jitter.Of(5, "pay", false, 3), Jitter.Of(5, "pay", true, 3));
        var tenths = Enumerable.Range(0, 10_000)
            .GroupBy(seed => (int)(Jitter.Of(seed, "pay", false, 1) * 10))
            .Select(group => group.Count()).ToList();
        Assert.Equal(10, tenths.Count);
        Assert.All(tenths, count => Assert.InRange(count, 850, 1_150));
    }
}
