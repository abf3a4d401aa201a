namespace Orderwright.Chaos.Rounds;

/// <summary>A race repeated on PostgreSQL; throws when the outcome is not permitted.</summary>
/// <param name="Name">Name on the command line.</param>
/// <param name="Property">The property to check.</param>
/// <param name="RunAsync">Runs the trial and returns a summary of the outcomes.</param>
sealed record Trial(string Name, string Property, Func<TrialGround, Task<string>> RunAsync)
{
    public static IReadOnlyList<Trial> All { get; } =
    [
        HotSku.Trial, ShipmentAgainstCommit.Trial, TwoCoordinators.Trial, CancelAgainstConfirmation.Trial,
    ];
}

/// <param name="NewDatabaseAsync">Creates an empty database and returns its address.</param>
/// <param name="Seed">Seed of all random choices.</param>
/// <param name="Rounds">Number of rounds.</param>
/// <param name="Progress">Receives the number of completed rounds.</param>
sealed record TrialGround(Func<string, Task<string>> NewDatabaseAsync, int Seed, int Rounds, Action<int> Progress)
{
    public static void Check(bool holds, string text)
    {
        if (!holds) throw new InvalidOperationException(text);
    }
}
