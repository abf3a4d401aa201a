using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Orderwright.Load;

/// <summary>Every measured time, without rounding into buckets.</summary>
sealed class Latencies
{
    static readonly double[] Shares = [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1];

    readonly List<long> ticks = new(100_000);

    public void Add(long since, long until) => ticks.Add(until - since);

    /// <summary>Milliseconds by percentile, <c>p1</c> to <c>p100</c>; empty without measurements.</summary>
    public Dictionary<string, double> Milliseconds()
    {
        var sorted = CollectionsMarshal.AsSpan(ticks);
        sorted.Sort();
        var found = new Dictionary<string, double>();
        if (sorted.IsEmpty) return found;
        foreach (var share in Shares)
            found[string.Create(CultureInfo.InvariantCulture, $"p{share * 100:0.###}")] = Math.Round(
                sorted[Math.Min(sorted.Length - 1, (int)(share * sorted.Length))] * 1_000d / Stopwatch.Frequency, 3);
        return found;
    }
}
