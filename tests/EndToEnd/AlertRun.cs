using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Orderwright.EndToEnd;

/// <summary>
/// The alerts of deploy/prometheus, evaluated while a fault lasts and after it. Waiting times, ranges and ages are shortened to
/// seconds, unless <c>ORDERWRIGHT_ALERTS=as-shipped</c>.
/// </summary>
sealed partial class AlertRun : IAsyncDisposable
{
    static readonly bool AsShipped = Environment.GetEnvironmentVariable("ORDERWRIGHT_ALERTS") == "as-shipped";
    static readonly TimeSpan Limit = AsShipped ? TimeSpan.FromMinutes(40) : Waiting.HangLimit;

    readonly Prometheus prometheus;
    readonly List<string> table = [];

    AlertRun(Prometheus prometheus) => this.prometheus = prometheus;

    public static async Task<AlertRun> StartAsync(params IEnumerable<Uri> targets)
    {
        var rules = await File.ReadAllTextAsync(Prometheus.FileOf("deploy/prometheus/alerts.yml"));
        return new(await Prometheus.StartAsync(AsShipped ? rules : Shortened(rules), targets));
    }

    /// <summary>Begins a fault, waits until the alerts fire, ends the fault, and waits until they clear.</summary>
    public async Task MeasureAsync(string fault, IReadOnlyList<string> alerts, Func<Task> begin, Func<Task> end)
    {
        foreach (var alert in alerts) Assert.False(await prometheus.IsFiringAsync(alert), $"{alert} before: {fault}");
        var fired = await ReachAsync(alerts, begin, isFiring: true);
        var cleared = await ReachAsync(alerts, end, isFiring: false);
        table.AddRange(alerts.Select(alert => string.Create(
            CultureInfo.InvariantCulture, $"| {alert} | {fault} | {fired[alert]:0} s | {cleared[alert]:0} s |")));
    }

    public async ValueTask DisposeAsync()
    {
        Console.WriteLine($"| alert | fault | fires after | clears after |\n{string.Join('\n', table)}");
        await prometheus.DisposeAsync();
    }

    async Task<Dictionary<string, double>> ReachAsync(IReadOnlyList<string> alerts, Func<Task> change, bool isFiring)
    {
        var reached = new Dictionary<string, double>();
        var since = Stopwatch.StartNew();
        await change();
        using var limit = new CancellationTokenSource(Limit);
        while (reached.Count < alerts.Count)
        {
            foreach (var alert in alerts)
                if (!reached.ContainsKey(alert) && await prometheus.IsFiringAsync(alert) == isFiring)
                    reached[alert] = since.Elapsed.TotalSeconds;
            if (limit.IsCancellationRequested)
                Assert.Fail($"Only {string.Join(", ", reached.Keys)} of {string.Join(", ", alerts)}, firing: {isFiring}");
            await Task.Delay(200, CancellationToken.None);
        }
        return reached;
    }

    static string Shortened(string rules) =>
        LongAge().Replace(Range().Replace(ForClause().Replace(rules, "for: 1s"), "[15s]"), "> 2");

    [GeneratedRegex(@"for: \d+\w")]
    private static partial Regex ForClause();

    [GeneratedRegex(@"\[\d+m\]")]
    private static partial Regex Range();

    // Seconds, and messages of a backlog.
    [GeneratedRegex(@"> \d{3,}")]
    private static partial Regex LongAge();
}
