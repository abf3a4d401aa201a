namespace Orderwright.Bench.Cases;

/// <summary>A measurement: opens its stacks, compares, verifies.</summary>
/// <param name="Letter">Name on the command line.</param>
/// <param name="Title">Subject of the measurement.</param>
/// <param name="RunAsync">Runs the measurement.</param>
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
        new("g", "Several instances of every service against one", Saturated.InstancesAsync),
        new("h", "Reads beside a saturating load", Reads.RunAsync),
        new("i", "The floor: the same rows, written by bare SQL", Floor.RunAsync),
        new("j", "Start-up and memory", StartUp.RunAsync),
        new("k", "The same process on Wolverine and MassTransit, with one message per order and hop", Peers.RunAsync),
        new("l", "Light load, and none", LightLoad.RunAsync),
    ];
}

/// <param name="Series">Variants compared.</param>
/// <param name="Figures">Figures derived from the series.</param>
/// <param name="Verified">Orders on which every invariant held afterwards.</param>
/// <param name="Profile">Time by statement and by batch, from a run outside the series.</param>
sealed record Measured(
    IReadOnlyList<Series> Series, IReadOnlyList<Figure> Figures, long Verified, Profile? Profile = null);
