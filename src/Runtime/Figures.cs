using System.Diagnostics.Metrics;
using Orderwright.Runtime.Database;

namespace Orderwright.Runtime;

/// <summary>Gauge whose values come from the database.</summary>
/// <param name="Name">Name of the instrument, such as <c>orderwright.incidents.open</c>.</param>
/// <param name="Unit">Unit, such as <c>{saga}</c> or <c>s</c>.</param>
/// <param name="Description">Meaning, in a sentence.</param>
public sealed record FigureName(string Name, string Unit, string Description);

/// <summary>Value of a gauge.</summary>
/// <param name="Name">Name of the instrument.</param>
/// <param name="Value">Value.</param>
/// <param name="Tags">Tags beyond the service; bounded.</param>
public sealed record Figure(FigureName Name, double Value, params IReadOnlyList<(string Name, string Value)> Tags);

/// <summary>
/// Gauges of a service, read from the database when somebody asks for the metrics, and at most once in
/// <see cref="MaxAge"/>. Nothing is read while nobody asks. A gauge without a recent reading is absent.
/// </summary>
public sealed class Figures : IDisposable
{
    public static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(5);

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    readonly Meter meter = new(Metrics.SourceName);
    readonly Func<CancellationToken, Task<IReadOnlyList<Figure>>> read;
    readonly TimeProvider time;
    readonly Lock gate = new();
    Task reading = Task.CompletedTask;
    long? readAt;
    volatile IReadOnlyList<Figure> last = [];

    /// <param name="service">Service, a tag of every value.</param>
    /// <param name="names">All gauges.</param>
    /// <param name="read">Reads all values, zeros included: a series that is missing cannot be told from a broken one.</param>
    /// <param name="time">Measures the age of a reading.</param>
    public Figures(
        string service, IReadOnlyList<FigureName> names, Func<CancellationToken, Task<IReadOnlyList<Figure>>> read,
        TimeProvider time)
    {
        (this.read, this.time) = (read, time);
        foreach (var name in names)
            meter.CreateObservableGauge(name.Name, () => Values(name), name.Unit, name.Description);

        IEnumerable<Measurement<double>> Values(FigureName name)
        {
            // An exporter asks in its own rhythm and waits for nothing: the next value is fresh.
            _ = RefreshAsync();
            return last.Where(figure => figure.Name == name).Select(figure => new Measurement<double>(
                figure.Value,
                [
                    new("service", service),
                    .. figure.Tags.Select(tag => KeyValuePair.Create(tag.Name, (object?)tag.Value)),
                ]));
        }
    }

    /// <summary>
    /// Reads the values if the last reading is too old. Returns within two seconds, whatever the database does.
    /// </summary>
    public async Task RefreshAsync()
    {
        Task current;
        lock (gate)
        {
            if (reading.IsCompleted && !(readAt is { } at && time.GetElapsedTime(at) < MaxAge)) reading = ReadAsync();
            current = reading;
        }
        await Task.WhenAny(current, Task.Delay(Patience, time));
    }

    public void Dispose() => meter.Dispose();

    async Task ReadAsync()
    {
        try
        {
            using var limit = new CancellationTokenSource(Patience, time);
            last = await read(limit.Token);
            readAt = time.GetTimestamp();
        }
        catch (Exception error) when (error is DatabaseUnavailableException or OperationCanceledException)
        {
            // Old values would look like a shop at rest; orderwright_database_writable and /health/ready say what happened.
            last = [];
        }
    }
}
