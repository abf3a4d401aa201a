namespace Orderwright.Sagas;

/// <summary>
/// Retry schedule of a command. The pause grows by <paramref name="Factor"/> from <paramref name="First"/> to
/// <paramref name="Longest"/>, with full jitter above a floor.
/// </summary>
/// <param name="First">
/// The shortest pause, over 0. Also the floor of every later pause: a missing reply is usually on its way, and an immediate
/// retry would only double the load.
/// </param>
/// <param name="Factor">1 or more.</param>
/// <param name="Longest">The longest pause, at least <paramref name="First"/>, at most 10 min.</param>
/// <param name="Attempts">Maximum number of attempts, 1 or more. After the last attempt only the deadline remains.</param>
/// <param name="Within">Time until the deadline, over 0. The step decides what happens then.</param>
public sealed record RetryPolicy(
    TimeSpan First, double Factor, TimeSpan Longest, int Attempts, TimeSpan Within)
{
    /// <summary>
    /// Upper bound of every pause. A retry scheduled further ahead was set while the clock was ahead, and is due at once.
    /// </summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(10);

    /// <summary>The pause after an attempt, in whole milliseconds.</summary>
    /// <param name="attempt">Number of the attempt under this policy, from 1.</param>
    /// <param name="jitter">0 to 1, see <see cref="Jitter"/>.</param>
    public TimeSpan Pause(int attempt, double jitter)
    {
        var floor = First.TotalMilliseconds;
        var ceiling = Math.Min(Longest.TotalMilliseconds, floor * Math.Pow(Factor, attempt));
        return TimeSpan.FromMilliseconds(Math.Floor(floor + jitter * (ceiling - floor)));
    }

    internal string? Fault =>
        First <= TimeSpan.Zero ? "the first pause is not over 0"
        : Factor < 1 ? "the factor is under 1"
        : Longest < First ? "the longest pause is shorter than the first"
        : Longest > LongestPause ? "the longest pause is over 10 min"
        : Attempts < 1 ? "the number of attempts is under 1"
        : Within <= TimeSpan.Zero ? "the time until the deadline is not over 0"
        : null;
}

/// <summary>
/// Deterministic jitter: a function of the saga's seed and the attempt. A repeated decision is therefore the same decision,
/// and two sagas with commands sent at the same moment retry at different moments.
/// </summary>
public static class Jitter
{
    /// <summary>Evenly spread value, 0 or more and under 1.</summary>
    public static double Of(long seed, string step, bool undo, int attempt)
    {
        var hash = (ulong)seed;
        foreach (var letter in step) hash = Mix(hash ^ letter);
        hash = Mix(hash ^ (undo ? 1UL : 0UL));
        hash = Mix(hash ^ (ulong)attempt);
        return (hash >> 11) * (1.0 / (1UL << 53));
    }

    // SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
    static ulong Mix(ulong z)
    {
        z += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
