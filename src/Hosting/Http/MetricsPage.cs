using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using Orderwright.Runtime;

namespace Orderwright.Hosting.Http;

/// <summary>
/// Instruments of Orderwright in Prometheus text format: counters, gauges, and histograms with count, sum and
/// doubling buckets, from 1 for counts and from a millisecond for times.
/// </summary>
sealed class MetricsPage : IDisposable
{
    static readonly double[] Counts = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096, 8_192];
    static readonly double[] Seconds =
        [0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192, 16.384];

    sealed class Series(double[] bounds)
    {
        readonly long[] buckets = new long[bounds.Length];

        public double Value { get; private set; }

        public long Count { get; private set; }

        public void Add(double value)
        {
            lock (buckets)
            {
                Value += value;
                Count++;
                for (var i = bounds.Length - 1; i >= 0 && value <= bounds[i]; i--) buckets[i]++;
            }
        }

        public void Set(double value) => Value = value;

        public IEnumerable<(string Suffix, string Tags, double Value)> Lines(string tags)
        {
            lock (buckets)
            {
                var comma = tags.Length > 0 ? "," : "";
                for (var i = 0; i < bounds.Length; i++)
                    yield return ("_bucket", $"{tags}{comma}le=\"{Number(bounds[i])}\"", buckets[i]);
                yield return ("_bucket", $"{tags}{comma}le=\"+Inf\"", Count);
                yield return ("_sum", tags, Value);
                yield return ("_count", tags, Count);
            }
        }
    }

    readonly MeterListener listener = new();
    readonly ConcurrentDictionary<(Instrument Instrument, string Tags), Series> all = new();

    public MetricsPage()
    {
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == Runtime.Metrics.SourceName) self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Take(instrument, value, tags));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Take(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Take(instrument, value, tags));
        listener.Start();
    }

    public string Text()
    {
        listener.RecordObservableInstruments();
        var text = new StringBuilder();
        foreach (var group in all.GroupBy(pair => NameOf(pair.Key.Instrument)).OrderBy(group => group.Key))
        {
            var (name, instrument) = (group.Key, group.First().Key.Instrument);
            text.Append(
                CultureInfo.InvariantCulture,
                $"# HELP {name} {instrument.Description}\n# TYPE {name} {TypeOf(instrument)}\n");
            foreach (var ((_, tags), series) in group.OrderBy(pair => pair.Key.Tags))
            {
                var lines = IsHistogram(instrument) ? series.Lines(tags) : [("", tags, series.Value)];
                foreach (var (suffix, labels, value) in lines)
                    text.Append(CultureInfo.InvariantCulture, $"{name}{suffix}{{{labels}}} {Number(value)}\n");
            }
        }
        return text.ToString();
    }

    public void Dispose() => listener.Dispose();

    void Take(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var series = all.GetOrAdd(
            (instrument, Labels(tags)),
            static key => new Series(!IsHistogram(key.Instrument) ? [] : key.Instrument.Unit == "s" ? Seconds : Counts));
        if (instrument.IsObservable) series.Set(value);
        else series.Add(value);
    }

    static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new string[tags.Length];
        for (var i = 0; i < tags.Length; i++)
            labels[i] = $"{tags[i].Key}=\"{Escape(tags[i].Value?.ToString() ?? "")}\"";
        return string.Join(',', labels);
    }

    static string Escape(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);

    // Prometheus names include the unit, and "_total" for counters.
    static string NameOf(Instrument instrument) =>
        instrument.Name.Replace('.', '_')
        + (instrument.Unit == "s" ? "_seconds" : "")
        + (TypeOf(instrument) == "counter" ? "_total" : "");

    static bool IsHistogram(Instrument instrument) => instrument is Histogram<int> or Histogram<long> or Histogram<double>;

    static string TypeOf(Instrument instrument) =>
        IsHistogram(instrument) ? "histogram"
        : instrument is Counter<int> or Counter<long> or Counter<double> ? "counter"
        : "gauge";

    static string Number(double value) => value.ToString(CultureInfo.InvariantCulture);
}
