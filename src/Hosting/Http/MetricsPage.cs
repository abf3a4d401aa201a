using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Reflection;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
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

        // Buckets come with the first value: a page of empty buckets for every route would be long.
        public IEnumerable<(string Suffix, string Tags, double Value)> Lines(string tags)
        {
            lock (buckets)
            {
                var comma = tags.Length > 0 ? "," : "";
                for (var i = 0; i < bounds.Length && Count > 0; i++)
                    yield return ("_bucket", $"{tags}{comma}le=\"{Number(bounds[i])}\"", buckets[i]);
                yield return ("_bucket", $"{tags}{comma}le=\"+Inf\"", Count);
                yield return ("_sum", tags, Value);
                yield return ("_count", tags, Count);
            }
        }
    }

    public static readonly string Version =
        typeof(MetricsPage).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";

    const string RequestDuration = "http.server.request.duration";
    const string Method = "http.request.method";
    const string Route = "http.route";
    const string Status = "http.response.status_code";

    readonly MeterListener listener = new();
    Instrument? requests;
    int hasBegun;
    readonly ConcurrentDictionary<(Instrument Instrument, string Tags), Series> all = new();

    public MetricsPage()
    {
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == Runtime.Metrics.SourceName || IsOfRuntime(instrument))
                self.EnableMeasurementEvents(instrument);
            else if (instrument.Name == RequestDuration)
                requests = instrument;
        };
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Take(instrument, value, tags));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Take(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Take(instrument, value, tags));
        listener.Start();
    }

    /// <summary>
    /// Measures requests from the first reading on: a server whose metrics are not read does not pay for them. Each route of the
    /// API begins with its failures at 0.
    /// </summary>
    public void Begin(IEnumerable<Endpoint> endpoints)
    {
        if (Interlocked.Exchange(ref hasBegun, 1) != 0 || requests is null) return;
        foreach (var endpoint in endpoints.OfType<RouteEndpoint>())
            foreach (var method in endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? [])
                if (endpoint.RoutePattern.RawText is { } route && route.StartsWith("/api/", StringComparison.Ordinal))
                    EmptySeries.Show(requests, new(Method, method), new(Route, Trimmed(route)), new(Status, 500));
        listener.EnableMeasurementEvents(requests);
    }

    public string Text()
    {
        foreach (var (instrument, tags) in EmptySeries.All)
            all.GetOrAdd((instrument, Labels(tags)), static key => NewSeries(key.Instrument));
        // A series of a gauge that no longer has a value is left out.
        foreach (var (key, _) in all)
            if (key.Instrument.IsObservable) all.TryRemove(key, out _);
        listener.RecordObservableInstruments();
        var text = new StringBuilder(
            $"# HELP orderwright_build_info Version of the program.\n# TYPE orderwright_build_info gauge\n" +
            $"orderwright_build_info{{version=\"{Version}\"}} 1\n");
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
            (instrument, instrument == requests ? LabelsOfRequest(tags) : Labels(tags)),
            static key => NewSeries(key.Instrument));
        if (instrument.IsObservable) series.Set(value);
        else series.Add(value);
    }

    static Series NewSeries(Instrument instrument) =>
        new(!IsHistogram(instrument) ? [] : instrument.Unit == "s" ? Seconds : Counts);

    // Of the tags of .NET, those that tell operations and outcomes apart.
    static string LabelsOfRequest(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var kept = new KeyValuePair<string, object?>[] { new(Method, ""), new(Route, ""), new(Status, "") };
        foreach (var tag in tags)
            for (var i = 0; i < kept.Length; i++)
                if (kept[i].Key == tag.Key) kept[i] = tag;
        if (kept[1].Value is string route) kept[1] = new(Route, Trimmed(route));
        return Labels(kept);
    }

    // The first operation of a group of routes ends with a slash.
    static string Trimmed(string route) => route.Length > 1 ? route.TrimEnd('/') : route;

    static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new string[tags.Length];
        for (var i = 0; i < tags.Length; i++)
            labels[i] = $"{tags[i].Key.Replace('.', '_')}=\"{Escape(tags[i].Value?.ToString() ?? "")}\"";
        return string.Join(',', labels);
    }

    static string Escape(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);

    // Prometheus names include the unit, and "_total" for counters.
    static string NameOf(Instrument instrument) =>
        instrument.Name.Replace('.', '_')
        + instrument.Unit switch { "s" => "_seconds", "By" => "_bytes", _ => "" }
        + (TypeOf(instrument) == "counter" ? "_total" : "");

    // Read on request only, so they cost nothing meanwhile.
    static bool IsOfRuntime(Instrument instrument) => instrument.Meter.Name == "System.Runtime" && instrument.Name is
        "dotnet.process.cpu.time" or "dotnet.process.memory.working_set" or "dotnet.gc.collections" or "dotnet.gc.pause.time"
        or "dotnet.gc.last_collection.heap.size" or "dotnet.monitor.lock_contentions"
        || instrument.Meter.Name == "Npgsql" && instrument.Name is "db.client.connection.count" or "db.client.connection.max";

    static bool IsHistogram(Instrument instrument) => instrument is Histogram<int> or Histogram<long> or Histogram<double>;

    static string TypeOf(Instrument instrument) =>
        IsHistogram(instrument) ? "histogram"
        : instrument is Counter<int> or Counter<long> or Counter<double>
            or ObservableCounter<int> or ObservableCounter<long> or ObservableCounter<double> ? "counter"
        : "gauge";

    static string Number(double value) => value.ToString(CultureInfo.InvariantCulture);
}
