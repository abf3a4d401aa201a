using System.Diagnostics;

namespace Orderwright.Load;

/// <summary>Every measured time, none rounded into a bucket. Made for a known number of them.</summary>
sealed class Latencies(int most)
{
    static readonly double[] Shares = [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1];

    readonly long[] ticks = new long[most];
    int count;

    public void Add(long since, long until) => ticks[count++] = until - since;

    /// <summary>Milliseconds by percentile, such as <c>p99</c>; empty without a measurement.</summary>
    public Dictionary<string, double> Milliseconds()
    {
        var sorted = ticks.AsSpan(0, count);
        sorted.Sort();
        var found = new Dictionary<string, double>();
        if (count == 0) return found;
        foreach (var share in Shares)
            found[string.Create(null, $"p{share * 100:0.###}")] =
                Math.Round(sorted[Math.Min(count - 1, (int)(share * count))] * 1_000d / Stopwatch.Frequency, 3);
        return found;
    }
}
