using System.Diagnostics;
using System.Net.Http.Json;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Orderwright.Hosting.Keys;
using Orderwright.Http;

namespace Orderwright.EndToEnd;

/// <summary>Traces and logs of a running server. The receiver of the traces is Aspire's dashboard.</summary>
public sealed class TelemetryTests
{
    const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736";

    // A version that is not ours yet, with a field that version 00 does not have.
    const string FutureParent = $"cc-{TraceId}-00f067aa0ba902b7-01-x";

    sealed record Span(string TraceId, string Name, string? State, string? Parent, JsonArray Links, string Json);

    [Fact]
    public async Task OpenTelemetry_is_loaded_only_when_an_endpoint_is_set()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The files that a process has mapped are read from /proc.");
        await using (var without = await HttpHost.StartWithAsync([], "--no-demo"))
            Assert.DoesNotContain("OpenTelemetry", MappedFilesOf(without), StringComparison.Ordinal);
        // Nobody listens there: exporting fails, and the server works.
        await using var with = await HttpHost.StartWithAsync(
            [("OTEL_EXPORTER_OTLP_ENDPOINT", $"http://127.0.0.1:{HttpHost.FreePort()}")], "--no-demo");
        Assert.Contains("OpenTelemetry.dll", MappedFilesOf(with), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_order_is_one_trace_through_doubt_retry_and_compensation()
    {
        await using var dashboard = await Dashboard.StartAsync();
        await using var host = await HttpHost.StartWithAsync(
            [("OTEL_EXPORTER_OTLP_ENDPOINT", dashboard.Endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "200")],
            "--no-demo", "--trace-percent", "0");
        await host.Client.PutAsJsonAsync("/api/v1/products/MUG", new { name = "Mug", unitPrice = 895, currency = "GBP" });
        await host.Client.PutAsJsonAsync("/api/v1/stock/MUG", new { onHand = 10 });
        await host.Client.PutAsJsonAsync("/api/v1/customers/ada", new { name = "Ada" });
        // The charge is made and its response lost: in doubt, looked up, and undone by the cancellation.
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/orders")
        {
            Content = JsonContent.Create(new
            {
                customerId = "ada", currency = "GBP", lines = new[] { new { sku = "MUG", quantity = 1 } },
                payment = new { provider = "sandbox", token = "tok_timeout_after_charge" },
            }),
            Headers = { { "traceparent", FutureParent }, { "tracestate", "congo=t61rcWkgMzE" }, { "Prefer", "wait=30" } },
        };
        using var placed = await host.Client.SendAsync(request);
        var order = JsonNode.Parse(await placed.Content.ReadAsStringAsync())!;
        Assert.Equal("confirmed", (string?)order["status"]);
        await host.Client.PostAsJsonAsync($"/api/v1/orders/{order["id"]}/cancel", new { reason = "customer" });

        string[] expected =
        [
            "step reserve-stock", "step authorize-payment", "gateway authorize", "gateway look_up", "send authorize-payment",
            "order", "undo authorize-payment", "gateway refund",
        ];
        IReadOnlyList<Span> spans = [];
        await Waiting.UntilAsync(async () =>
        {
            spans = await dashboard.SpansAsync();
            return expected.All(name => spans.Any(span => span.Name == name && span.TraceId == TraceId));
        });
        var its = spans.Where(span => span.Json.Contains((string)order["id"]!, StringComparison.Ordinal)).ToList();
        Assert.All(its, span => Assert.Equal(TraceId, span.TraceId));
        Assert.All(its, span => Assert.Equal("congo=t61rcWkgMzE", span.State));
        // The steps link to the batches that decided them, and the batches to the order.
        Assert.Contains(its, span => span.Name == "step reserve-stock" && span.Links.Count == 1);
        Assert.Contains(
            spans, span => span.Name == "process customer-service"
                && span.Links.ToJsonString().Contains(TraceId, StringComparison.Ordinal));
        // The requests before had no trace context, and 0 % of those are recorded.
        Assert.DoesNotContain(spans, span => span.Name.StartsWith("PUT", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_log_line_of_a_request_is_JSON_with_the_trace_of_the_request()
    {
        var directory = HttpHost.NewDirectory();
        var keys = Path.Combine(directory, "keys.json");
        KeyFile.Add(keys, "shop", [Scopes.Orders], DateTimeOffset.UtcNow);
        await using var host = await HttpHost.StartWithAsync([("ORDERWRIGHT_LOG_FORMAT", "json")], "--no-demo", "--keys", keys);
        await host.Client.AskAsync("/api/v1/orders", ("Authorization", "Bearer ow_no"), ("traceparent", FutureParent));
        // A refused key is logged.
        var line = JsonNode.Parse(await host.WaitForAsync("\"event\":2004"))!;
        Assert.Equal("warn", (string?)line["level"]);
        Assert.Equal("unknown", (string?)line["values"]!["Prefix"]);
        Assert.Equal(TraceId, (string?)line["traceId"]);
        Assert.Equal(16, ((string)line["spanId"]!).Length);
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task The_console_links_an_order_to_its_trace_and_its_logs()
    {
        await using var host = await HttpHost.StartAsync(
            null, "--no-demo", "--trace-url", "https://traces.example/t/{traceId}",
            "--log-url", "https://logs.example/?q={orderId}");
        using var placed = await host.Client.PostAsJsonAsync(
            "/api/v1/orders",
            new { customerId = "ada", currency = "GBP", lines = new[] { new { sku = "NONE", quantity = 1, unitPrice = 100 } } });
        var id = (string)JsonNode.Parse(await placed.Content.ReadAsStringAsync())!["id"]!;
        await Waiting.UntilAsync(async () =>
            (await host.Client.GetStringAsync($"/orders/{id}")).Contains("https://traces.example/t/", StringComparison.Ordinal));
        var page = await host.Client.GetStringAsync($"/orders/{id}");
        Assert.Contains($"href=\"https://logs.example/?q={id}\"", page, StringComparison.Ordinal);
        var (exit, output) = await HttpHost.RunAsync("--port", "0", "--trace-url", "javascript:{traceId}");
        Assert.Equal(2, exit);
        Assert.Contains("ORDERWRIGHT_TRACE_URL", output, StringComparison.Ordinal);
    }

    static string MappedFilesOf(HttpHost host) => File.ReadAllText($"/proc/{host.ProcessId}/maps");

    /// <summary>Aspire's dashboard, from its package.</summary>
    sealed class Dashboard(Process process, string endpoint, HttpClient client) : IAsyncDisposable
    {
        public string Endpoint => endpoint;

        public static async Task<Dashboard> StartAsync()
        {
            var program = typeof(TelemetryTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
                .First(data => data.Key == "Dashboard").Value!;
            Assert.SkipUnless(
                OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64 && File.Exists(program),
                "The package of Aspire's dashboard is for Linux on x64.");
            var (page, grpc, http) = (HttpHost.FreePort(), HttpHost.FreePort(), HttpHost.FreePort());
            var start = new ProcessStartInfo(program)
            {
                RedirectStandardOutput = true,
                WorkingDirectory = Path.GetDirectoryName(program),
                Environment =
                {
                    ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{page}",
                    ["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = $"http://127.0.0.1:{grpc}",
                    ["ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL"] = $"http://127.0.0.1:{http}",
                    ["DOTNET_DASHBOARD_UNSECURED_ALLOW_ANONYMOUS"] = "true",
                    ["ASPIRE_DASHBOARD_API_ENABLED"] = "true",
                },
            };
            var process = Process.Start(start)!;
            process.OutputDataReceived += (_, _) => { };
            process.BeginOutputReadLine();
            var dashboard = new Dashboard(
                process, $"http://127.0.0.1:{grpc}", new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{page}") });
            await Waiting.UntilAsync(async () =>
            {
                try
                {
                    await dashboard.SpansAsync();
                    return true;
                }
                catch (HttpRequestException) when (!process.HasExited)
                {
                    return false;
                }
            });
            return dashboard;
        }

        public async Task<IReadOnlyList<Span>> SpansAsync() =>
            [.. Within(JsonNode.Parse(await client.GetStringAsync("/api/telemetry/traces")))];

        public async ValueTask DisposeAsync()
        {
            client.Dispose();
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }

        // OTLP's JSON, whatever the page puts around it.
        static IEnumerable<Span> Within(JsonNode? node) => node switch
        {
            JsonObject span when span.ContainsKey("spanId") && span.ContainsKey("name") =>
            [
                new(
                    (string)span["traceId"]!, (string)span["name"]!, (string?)span["traceState"], (string?)span["parentSpanId"],
                    span["links"] as JsonArray ?? [], span.ToJsonString()),
            ],
            JsonObject other => other.SelectMany(pair => Within(pair.Value)),
            JsonArray list => list.SelectMany(Within),
            _ => [],
        };
    }
}
