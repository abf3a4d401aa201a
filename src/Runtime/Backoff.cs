namespace Orderwright.Runtime;

/// <summary>Pause after consecutive failures: 100 ms, doubled each time, up to 5 s.</summary>
public static class Backoff
{
    static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    /// <param name="failures">1 or more.</param>
    public static TimeSpan Pause(int failures) =>
        TimeSpan.FromMilliseconds(Math.Min(100 * Math.Pow(2, failures - 1), Longest.TotalMilliseconds));
}
