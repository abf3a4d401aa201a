using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Orderwright.EndToEnd;

/// <summary>Dashboards, read by a Prometheus that scrapes a running server.</summary>
public sealed partial class PrometheusTests
{
    // Rates of a chart over minutes, shortened for the test.
    const string Window = "15s";

    [Fact]
    public async Task Every_query_of_every_dashboard_returns_a_series()
    {
        await using var host = await HttpHost.StartAsync(null, "--no-demo");
        await PlaceAsync(host);
        await using var prometheus = await Prometheus.StartAsync(rules: null, host.Url);
        var queries = Directory.GetFiles(Prometheus.FileOf("deploy/grafana"), "*.json")
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

    [GeneratedRegex(@"\$__(?:rate_)?interval")]
    private static partial Regex Interval();
}
