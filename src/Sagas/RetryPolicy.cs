namespace Orderwright.Sagas;

/// <summary>
/// How a party is asked until it answers: the pause grows by <paramref name="Factor"/> from
/// <paramref name="First"/> to <paramref name="Longest"/>, spread by full jitter above a floor.
/// </summary>
/// <param name="First">
/// The shortest pause, over 0. It is also the floor of every later one: an answer that is not there yet is
/// mostly on its way, and asking again at once would only double the load.
/// </param>
/// <param name="Factor">1 or more.</param>
/// <param name="Longest">The longest pause, at least <paramref name="First"/>, at most 10 min.</param>
/// <param name="Attempts">
/// How often it is asked at most, 1 or more; after that only the time is awaited.
/// </param>
/// <param name="Within">How long in total; what happens then is the step's matter. Over 0.</param>
public sealed record RetryPolicy(
    TimeSpan First, double Factor, TimeSpan Longest, int Attempts, TimeSpan Within)
{
    /// <summary>
    /// No pause is longer. A time to ask again that lies further ahead was set by a clock that was ahead, and has been set
    /// right since: it has come.
    /// </summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(10);

    /// <summary>The pause after the <paramref name="asked"/>th ask (from 1), in whole milliseconds.</summary>
    /// <param name="asked">How often it was asked under this policy.</param>
    /// <param name="jitter">0 to 1, see <see cref="Jitter"/>.</param>
    public TimeSpan Pause(int asked, double jitter)
    {
        var floor = First.TotalMilliseconds;
        var ceiling = Math.Min(Longest.TotalMilliseconds, floor * Math.Pow(Factor, asked));
        return TimeSpan.FromMilliseconds(Math.Floor(floor + jitter * (ceiling - floor)));
    }

    internal string? Fault =>
        First <= TimeSpan.Zero ? "its first pause is not over 0"
        : Factor < 1 ? "its factor is under 1"
        : Longest < First ? "its longest pause is shorter than its first"
        : Longest > LongestPause ? "its longest pause is over 10 min"
        : Attempts < 1 ? "it has no attempts"
        : Within <= TimeSpan.Zero ? "it has no time"
        : null;
}

/// <summary>
/// Jitter without chance: a fixed function of the saga's seed and the ask, so that a decision made twice is
/// the same decision, and two sagas that were asked at the same moment are not asked again at the same
/// moment.
/// </summary>
public static class Jitter
{
    /// <summary>0 or more, under 1, evenly spread.</summary>
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
