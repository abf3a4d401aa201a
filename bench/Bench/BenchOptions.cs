namespace Orderwright.Bench;

/// <summary>How long and how much is measured.</summary>
sealed record BenchOptions
{
    /// <summary>Where servers and databases are kept while it runs.</summary>
    public required string Data { get; init; }

    /// <summary>Runs of each side of a comparison.</summary>
    public int Repeat { get; init; } = 5;

    /// <summary>About how long a saturated run takes: its orders follow from the rate of the warm-up.</summary>
    public TimeSpan Length { get; init; } = TimeSpan.FromSeconds(6);

    /// <summary>Of a house before it is measured. .NET compiles what it finds hot while it runs, and is slow until then.</summary>
    public int WarmUpOrders { get; init; } = 30_000;

    /// <summary>A house that does not get through as many in this time is measured all the same.</summary>
    public TimeSpan LongestWarmUp { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Of a run that is to say how fast it goes, before the warm-up.</summary>
    public int FewestOrders { get; init; } = 1_000;

    /// <summary>Of a run at a fixed rate, whose percentiles need many orders.</summary>
    public TimeSpan OpenLength { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Requests on their way at once in a saturated run.</summary>
    public int Connections { get; init; } = 512;

    /// <summary>Every how manyth order of a saturated run is answered with its decision.</summary>
    public int WaitEvery { get; init; } = 100;

    /// <summary>Orders that are in the tables already.</summary>
    public int Finished { get; init; } = 1_000_000;

    /// <summary>Orders whose rows are written for the floor.</summary>
    public int FloorOrders { get; init; } = 40_000;

    /// <summary>Repeats of what takes long.</summary>
    public int FewRepeats => (Repeat + 1) / 2;

    /// <summary>Shows in half a minute that everything works; its figures mean nothing.</summary>
    public static BenchOptions Quick(string data) => new()
    {
        Data = data,
        Repeat = 1,
        Length = TimeSpan.FromSeconds(0.5),
        WarmUpOrders = 200,
        OpenLength = TimeSpan.FromSeconds(1),
        FewestOrders = 200,
        Connections = 64,
        WaitEvery = 10,
        Finished = 5_000,
        // Two batches and a bit: with the refused ones left out, some tables have only two.
        FloorOrders = 1_010,
    };
}
