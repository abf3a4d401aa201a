using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Orderwright.Runtime;

/// <summary>
/// Series of histograms that are shown before their first value: a series that is missing cannot be told from a broken one, and
/// an increase cannot be computed from a series that begins with its first event. A counter is begun by adding 0 instead.
/// </summary>
public static class EmptySeries
{
    static readonly ConcurrentDictionary<(Instrument Instrument, string Key), KeyValuePair<string, object?>[]> Shown = new();

    /// <summary>All series, repeated ones once.</summary>
    public static IEnumerable<(Instrument Instrument, KeyValuePair<string, object?>[] Tags)> All =>
        Shown.Select(pair => (pair.Key.Instrument, pair.Value));

    /// <summary>Shows a series from now on.</summary>
    public static void Show(Instrument instrument, params KeyValuePair<string, object?>[] tags) =>
        Shown.TryAdd((instrument, string.Join(',', tags.Select(tag => $"{tag.Key}={tag.Value}"))), tags);

    /// <summary>Forgets the series of a meter that ends.</summary>
    public static void Forget(Meter meter)
    {
        foreach (var key in Shown.Keys)
            if (key.Instrument.Meter == meter) Shown.TryRemove(key, out _);
    }
}
