using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Orderwright.EndToEnd;

/// <summary>A Prometheus, with an Alertmanager where installed, that scrapes a running server.</summary>
public sealed partial class PrometheusTests
{
    // Rates of a chart over minutes, and patience before an alert, shortened for the test.
    const string Window = "15s";

    static readonly string Root = RootOf(AppContext.BaseDirectory);

    [Fact]
    public async Task Every_query_of_every_dashboard_returns_a_series()
    {
        await using var host = await HttpHost.StartAsync(null, "--no-demo");
        await PlaceAsync(host);
        await using var prometheus = await Prometheus.StartAsync(host.Url, rules: null);
        var queries = Directory.GetFiles(Path.Combine(Root, "deploy/grafana"), "*.json")
            .SelectMany(file => Queries(JsonNode.Parse(File.ReadAllText(file)))).Distinct().ToList();
        Assert.NotEmpty(queries);
        var empty = queries;
        await Waiting.UntilAsync(async () =>
        {
            var missing = new List<string>();
            foreach (var query in empty)
                if (!await prometheus.HasSeriesAsync(query))
                    missing.Add(query);
            empty = missing;
            return empty.Count == 0 || prometheus.Age > TimeSpan.FromSeconds(40);
        });
        Assert.Empty(empty);
    }

    [Fact]
    public async Task Alerts_fire_on_their_fault_and_clear_after_it()
    {
        Assert.SkipUnless(IsInstalled("prometheus-alertmanager"), "Debian's prometheus-alertmanager is not installed.");
        var data = HttpHost.NewDirectory();
        var port = HttpHost.FreePort().ToString(CultureInfo.InvariantCulture);
        string[] arguments = ["--data", data, "--port", port, "--no-open", "--no-trickle"];
        var host = await HttpHost.StartProcessAsync(arguments);
        try
        {
            await using var prometheus = await Prometheus.StartAsync(
                host.Url, Duration().Replace(
                    ForClause().Replace(
                        await File.ReadAllTextAsync(Path.Combine(Root, "deploy/prometheus/alerts.yml")), "for: 1s"),
                    $"[{Window}]"));
            var table = new List<string>();

            await MeasureAsync(
                "OrderwrightDown", "instance killed", () => host.KillAsync(),
                async () => host = await HttpHost.StartProcessAsync(arguments));
            string order = "";
            await MeasureAsync(
                "OrderwrightIncidents", "refund refused by the gateway",
                async () =>
                {
                    var scenario = await host.Client.PostAsJsonAsync("/api/v1/demo/refund-fails", new { });
                    order = (string?)JsonNode.Parse(await scenario.Content.ReadAsStringAsync())?["orderId"] ?? "";
                },
                async () =>
                {
                    var incident = JsonNode.Parse(await host.Client.GetStringAsync("/api/v1/incidents"))!["items"]![0]!;
                    await host.Client.PostAsJsonAsync(
                        $"/api/v1/sagas/{incident["orderId"]}/resolve",
                        new { step = (string?)incident["step"], outcome = "completed", reason = "paid back by transfer" });
                });
            Console.WriteLine($"alert | fault | fires after, s | clears after, s\n{string.Join('\n', table)}");

            async Task MeasureAsync(string alert, string fault, Func<Task> begin, Func<Task> end)
            {
                var since = Stopwatch.StartNew();
                await begin();
                await Waiting.UntilAsync(() => prometheus.IsFiringAsync(alert));
                var fired = since.Elapsed.TotalSeconds;
                since.Restart();
                await end();
                await Waiting.UntilAsync(async () => !await prometheus.IsFiringAsync(alert));
                table.Add(string.Create(
                    CultureInfo.InvariantCulture, $"{alert} | {fault} | {fired:0.0} | {since.Elapsed.TotalSeconds:0.0}"));
            }
        }
        finally
        {
            await host.DisposeAsync();
            Directory.Delete(data, recursive: true);
        }
    }

    static async Task PlaceAsync(HttpHost host) => await host.Client.PostAsJsonAsync(
        "/api/v1/orders",
        new { customerId = "ada", currency = "GBP", lines = new[] { new { sku = "NONE", quantity = 1, unitPrice = 100 } } });

    static IEnumerable<string> Queries(JsonNode? node) => node switch
    {
        JsonObject part => part.SelectMany(pair =>
            pair.Key == "expr" ? [Interval().Replace((string)pair.Value!, Window)] : Queries(pair.Value)),
        JsonArray list => list.SelectMany(Queries),
        _ => [],
    };

    static string RootOf(string folder) =>
        File.Exists(Path.Combine(folder, "Orderwright.slnx")) ? folder : RootOf(Path.GetDirectoryName(folder)!);

    static bool IsInstalled(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, program)));

    [GeneratedRegex(@"\$__(?:rate_)?interval")]
    private static partial Regex Interval();

    [GeneratedRegex(@"for: \d+\w")]
    private static partial Regex ForClause();

    [GeneratedRegex(@"\[\d+m\]")]
    private static partial Regex Duration();

    sealed class Prometheus(string directory, List<Process> processes, HttpClient client, HttpClient alerts) : IAsyncDisposable
    {
        readonly Stopwatch since = Stopwatch.StartNew();

        public TimeSpan Age => since.Elapsed;

        public static async Task<Prometheus> StartAsync(Uri target, string? rules)
        {
            Assert.SkipUnless(IsInstalled("prometheus"), "Prometheus is not installed.");
            var directory = HttpHost.NewDirectory();
            var (port, alertPort) = (HttpHost.FreePort(), HttpHost.FreePort());
            var processes = new List<Process>();
            var managers = $"[{{ static_configs: [{{ targets: ['127.0.0.1:{alertPort}'] }}] }}]";
            var alerting = rules is null ? "" : $"rule_files: [alerts.yml]\nalerting: {{ alertmanagers: {managers} }}";
            await File.WriteAllTextAsync(Path.Combine(directory, "prometheus.yml"), $$"""
                global: { scrape_interval: 1s, evaluation_interval: 1s }
                {{alerting}}
                scrape_configs:
                  - { job_name: orderwright, static_configs: [{ targets: ['{{target.Authority}}'] }] }
                """);
            if (rules is not null)
            {
                await File.WriteAllTextAsync(Path.Combine(directory, "alerts.yml"), rules);
                await File.WriteAllTextAsync(
                    Path.Combine(directory, "alertmanager.yml"), "route: { receiver: none }\nreceivers: [{ name: none }]\n");
                Start(
                    "prometheus-alertmanager", "--config.file=alertmanager.yml", $"--web.listen-address=127.0.0.1:{alertPort}",
                    "--storage.path=alerts", "--cluster.listen-address=");
            }
            Start(
                "prometheus", "--config.file=prometheus.yml", $"--web.listen-address=127.0.0.1:{port}",
                "--storage.tsdb.path=data");
            var prometheus = new Prometheus(
                directory, processes, new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") },
                new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{alertPort}") });
            await Waiting.UntilAsync(() => prometheus.HasSeriesAsync("up == 1"));
            return prometheus;

            void Start(string program, params string[] arguments) => processes.Add(
                Process.Start(new ProcessStartInfo("nice", [program, .. arguments, "--log.level=error"])
                {
                    WorkingDirectory = directory,
                })!);
        }

        public async Task<bool> HasSeriesAsync(string query)
        {
            try
            {
                using var answer = await client.GetAsync($"/api/v1/query?query={Uri.EscapeDataString(query)}");
                var body = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
                return body["data"]?["result"] is JsonArray { Count: > 0 };
            }
            catch (Exception error) when (error is HttpRequestException or System.Text.Json.JsonException)
            {
                return false;
            }
        }

        public async Task<bool> IsFiringAsync(string alert)
        {
            try
            {
                var active = (JsonArray)JsonNode.Parse(await alerts.GetStringAsync("/api/v2/alerts?active=true"))!;
                return active.Any(found => (string?)found!["labels"]!["alertname"] == alert);
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }

        public async ValueTask DisposeAsync()
        {
            client.Dispose();
            alerts.Dispose();
            foreach (var process in processes)
            {
                process.Kill();
                await process.WaitForExitAsync();
                process.Dispose();
            }
            Directory.Delete(directory, recursive: true);
        }
    }
}
