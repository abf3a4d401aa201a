using System.Net.Http.Json;
using System.Text.RegularExpressions;

namespace Orderwright.EndToEnd;

/// <summary>Metrics of a running server.</summary>
public sealed partial class MetricsPageTests
{
    // Pools of PostgreSQL; this server runs on SQLite.
    static readonly string[] OfPostgres = ["db_client_connection_count", "db_client_connection_max"];

    // Of steps in a process of one's own.
    static readonly string[] OfOutsideSteps = ["orderwright_step_calls_total", "orderwright_step_duration_seconds"];

    [Fact]
    public async Task A_fresh_server_has_a_series_of_every_metric_and_counts_an_order()
    {
        await using var host = await HttpHost.StartAsync(null, "--no-demo");
        var fresh = await NamesAsync(host);
        Assert.Empty(Documented().Except(OfPostgres).Except(OfOutsideSteps).Except(fresh));

        // Without stock the order is rejected.
        await host.Client.PostAsJsonAsync(
            "/api/v1/orders",
            new { customerId = "ada", currency = "GBP", lines = new[] { new { sku = "NONE", quantity = 1, unitPrice = 100 } } });
        await Waiting.UntilAsync(async () =>
            (await host.Client.GetStringAsync("/metrics")).Contains(
                """orderwright_orders_total{outcome="rejected",code="unknown_sku"} 1""", StringComparison.Ordinal));
        var later = await host.Client.GetStringAsync("/metrics");
        Assert.Contains("""orderwright_orders_total{outcome="placed",code=""} 1""", later, StringComparison.Ordinal);
        Assert.Contains("orderwright_order_decision_seconds_count{} 1", later, StringComparison.Ordinal);
        Assert.Contains("""orderwright_orders_total{outcome="expired",code=""} 0""", later, StringComparison.Ordinal);
        const string PlacedRoute = """http_request_method="POST",http_route="/api/v1/orders",http_response_status_code=""";
        Assert.Contains(
            $"http_server_request_duration_seconds_count{{{PlacedRoute}\"202\"}} 1", later, StringComparison.Ordinal);
        Assert.Contains(
            $"http_server_request_duration_seconds_count{{{PlacedRoute}\"500\"}} 0", later, StringComparison.Ordinal);
    }

    static async Task<HashSet<string>> NamesAsync(HttpHost host) =>
        [.. Series().Matches(await host.Client.GetStringAsync("/metrics")).Select(match =>
            Suffix().Replace(match.Groups[1].Value, ""))];

    static IEnumerable<string> Documented() => DocumentedName()
        .Matches(File.ReadAllText(Path.Combine(RootOf(AppContext.BaseDirectory), "docs/reference/metrics.md")))
        .Select(match => match.Groups[1].Value);

    static string RootOf(string folder) =>
        File.Exists(Path.Combine(folder, "Orderwright.slnx")) ? folder : RootOf(Path.GetDirectoryName(folder)!);

    [GeneratedRegex(@"^([a-z_]+)\{", RegexOptions.Multiline)]
    private static partial Regex Series();

    [GeneratedRegex(@"_(?:bucket|sum|count)$")]
    private static partial Regex Suffix();

    [GeneratedRegex(@"^\| `((?:orderwright|dotnet|http|db)_[a-z_]+)` \|", RegexOptions.Multiline)]
    private static partial Regex DocumentedName();
}
