namespace Orderwright.Bench.Cases;

/// <summary>Something that is measured: opens what it needs, compares, verifies.</summary>
/// <param name="Letter">How it is called on the command line.</param>
/// <param name="Title">What is measured.</param>
/// <param name="RunAsync">Measures it.</param>
sealed record Case(string Letter, string Title, Func<Session, CancellationToken, Task<Measured>> RunAsync)
{
    public static IReadOnlyList<Case> All { get; } =
    [
        new("a", "Distributed, saturated", Saturated.DistributedAsync),
        new("b", "Distributed, at a fixed rate", FixedRate.DistributedAsync),
        new("c", "Embedded, saturated and at a fixed rate", Saturated.EmbeddedAsync),
        new("d", "Batches against one message per transaction", Saturated.BatchLimitAsync),
        new("e", "All orders on one product against spread over 95", Saturated.OneSkuAsync),
        new("f", "A million finished orders against empty tables", Saturated.MillionAsync),
        new("g", "Two instances of every service against one", Saturated.InstancesAsync),
        new("h", "Reads beside a saturating load", Reads.RunAsync),
        new("i", "The floor: the same rows, written by bare SQL", Floor.RunAsync),
        new("j", "Start-up and memory", StartUp.RunAsync),
    ];
}

/// <param name="Series">The sides of the comparison.</param>
/// <param name="Figures">What follows from them.</param>
/// <param name="Verified">Orders on which every invariant held afterwards.</param>
/// <param name="Profile">Where the time goes, from a run that is not in the series.</param>
sealed record Measured(
    IReadOnlyList<Series> Series, IReadOnlyList<Figure> Figures, long Verified, Profile? Profile = null);
