using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Orderwright.EndToEnd;

/// <summary>Prometheus, with an Alertmanager where alerts are wanted, in a temporary directory.</summary>
sealed class Prometheus(string directory, List<Process> processes, HttpClient client, HttpClient alerts) : IAsyncDisposable
{
    readonly Stopwatch since = Stopwatch.StartNew();

    public TimeSpan Age => since.Elapsed;

    /// <summary>Full path of a file or folder of the repository.</summary>
    public static string FileOf(string path) => Path.Combine(RootOf(AppContext.BaseDirectory), path);

    /// <param name="rules">Content of the file with the alerts; null without an Alertmanager.</param>
    /// <param name="targets">Processes to scrape, every second.</param>
    public static async Task<Prometheus> StartAsync(string? rules, params IEnumerable<Uri> targets)
    {
        Assert.SkipUnless(IsInstalled("prometheus"), "Prometheus is not installed.");
        if (rules is not null)
            Assert.SkipUnless(IsInstalled("prometheus-alertmanager"), "Debian's prometheus-alertmanager is not installed.");
        var directory = HttpHost.NewDirectory();
        var (port, alertPort) = (HttpHost.FreePort(), HttpHost.FreePort());
        var processes = new List<Process>();
        var managers = $"[{{ static_configs: [{{ targets: ['127.0.0.1:{alertPort}'] }}] }}]";
        var hosts = string.Join(", ", targets.Select(target => $"'{target.Authority}'"));
        var alerting = rules is null ? "" : $"rule_files: [alerts.yml]\nalerting: {{ alertmanagers: {managers} }}";
        await File.WriteAllTextAsync(Path.Combine(directory, "prometheus.yml"), $$"""
            global: { scrape_interval: 1s, evaluation_interval: 1s }
            {{alerting}}
            scrape_configs:
              - { job_name: orderwright, static_configs: [{ targets: [{{hosts}}] }] }
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
        // Two samples of each: the increase of a counter needs a value from before the fault.
        await Waiting.UntilAsync(() => prometheus.HasSeriesAsync(
            $"count(sum_over_time(up[10s]) >= 2) == {targets.Count()}"));
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

    static string RootOf(string folder) =>
        File.Exists(Path.Combine(folder, "Orderwright.slnx")) ? folder : RootOf(Path.GetDirectoryName(folder)!);

    static bool IsInstalled(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, program)));

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
