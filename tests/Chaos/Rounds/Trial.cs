namespace Orderwright.Chaos.Rounds;

/// <summary>A race that is run again and again on PostgreSQL; throws when it ends otherwise than it may.</summary>
/// <param name="Name">For the command line.</param>
/// <param name="Says">What must hold.</param>
/// <param name="RunAsync">
/// Given a server's new database maker, a seed, how many rounds, and where to say how far it is; returns what it saw.
/// </param>
sealed record Trial(string Name, string Says, Func<TrialGround, Task<string>> RunAsync)
{
    public static IReadOnlyList<Trial> All { get; } =
    [
        HotSku.Trial, ExpiryAgainstCommit.Trial, TwoCoordinators.Trial, CancelAgainstConfirmation.Trial,
    ];
}

/// <param name="NewDatabaseAsync">Makes an empty database and returns its address.</param>
/// <param name="Seed">Of everything that is drawn.</param>
/// <param name="Rounds">How many.</param>
/// <param name="Progress">Takes how many rounds are done.</param>
sealed record TrialGround(Func<string, Task<string>> NewDatabaseAsync, int Seed, int Rounds, Action<int> Progress)
{
    public static void Must(bool holds, string what)
    {
        if (!holds) throw new InvalidOperationException(what);
    }
}
