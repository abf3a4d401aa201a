namespace Orderwright.Bench;

/// <summary>Duration and size of the measurements.</summary>
sealed record BenchOptions
{
    /// <summary>Directory of servers and databases during the measurement.</summary>
    public required string Data { get; init; }

    /// <summary>Runs of each variant.</summary>
    public int Repeat { get; init; } = 5;

    /// <summary>Approximate length of a saturated run; the warm-up's rate determines the number of orders.</summary>
    public TimeSpan Length { get; init; } = TimeSpan.FromSeconds(6);

    /// <summary>Orders before a stack is measured. .NET compiles hot code while running and is slow until then.</summary>
    public int WarmUpOrders { get; init; } = 30_000;

    /// <summary>Limit of the warm-up for a stack too slow to reach that number.</summary>
    public TimeSpan LongestWarmUp { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Orders of the first run of a warm-up, which estimates the rate.</summary>
    public int FewestOrders { get; init; } = 1_000;

    /// <summary>Length of a run at a fixed rate, whose percentiles need many orders.</summary>
    public TimeSpan OpenLength { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Concurrent requests of a saturated run.</summary>
    public int Connections { get; init; } = 512;

    /// <summary>Sampling of a saturated run: of every N orders, a single order waits for the decision.</summary>
    public int WaitEvery { get; init; } = 100;

    /// <summary>Finished orders already in the tables.</summary>
    public int Finished { get; init; } = 1_000_000;

    /// <summary>Orders whose rows are written to measure the floor.</summary>
    public int FloorOrders { get; init; } = 40_000;

    /// <summary>Repeats of slow measurements.</summary>
    public int FewRepeats => (Repeat + 1) / 2;

    /// <summary>Half a minute to check that everything works; the figures mean nothing.</summary>
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
        // Somewhat more than two batches: without the rejected orders some tables fill only two.
        FloorOrders = 1_010,
    };
}
