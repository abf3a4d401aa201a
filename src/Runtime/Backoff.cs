namespace Orderwright.Runtime;

/// <summary>How long to hold off after failures in a row: 100 ms, doubled each time, at most 5 s.</summary>
public static class Backoff
{
    static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    /// <param name="failures">1 and up.</param>
    public static TimeSpan Pause(int failures) =>
        TimeSpan.FromMilliseconds(Math.Min(100 * Math.Pow(2, failures - 1), Longest.TotalMilliseconds));
}
