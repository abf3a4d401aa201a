using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Orderwright.EndToEnd;

namespace Orderwright.ConsoleTests;

/// <summary>Size and speed of the console's pages with 10,000 orders.</summary>
public sealed class FullShopTests : IAsyncLifetime
{
    const int Orders = 10_000;
    const int Incidents = 60;

    /// <summary>Size limit of a page.</summary>
    public const int MostBytes = 60_000;

    static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(100);

    HttpHost host = null!;
    string incident = "";
    string run = "";

    public async ValueTask InitializeAsync()
    {
        host = await HttpHost.StartAsync(null, "--no-demo");
        await PutAsync("products/MUG-01", new { name = "Mug", unitPrice = 895, currency = "GBP" });
        await PutAsync("stock/MUG-01", new { onHand = 1_000_000 });
        await PutAsync("customers/ada", new { name = "Ada", email = "ada@example.com" });
        using var credit = await host.Client.PostAsJsonAsync(
            "/api/v1/customers/ada/credits", new { amount = 100_000_000_000, currency = "GBP", reference = "full" });
        credit.EnsureSuccessStatusCode();
        await Parallel.ForEachAsync(
            Enumerable.Range(0, Orders), new ParallelOptions { MaxDegreeOfParallelism = 64 },
            async (number, cancel) =>
            {
                // One order in ten waits for the customer.
                object payment = number % 10 == 0
                    ? new { provider = "sandbox", token = "tok_requires_action" } : new { provider = "balance" };
                using var placed = await host.Client.PostAsJsonAsync(
                    "/api/v1/orders",
                    new { customerId = "ada", currency = "GBP", lines = new[] { new { sku = "MUG-01", quantity = 1 } }, payment },
                    cancel);
                placed.EnsureSuccessStatusCode();
            });
        await MakeIncidentsAsync();
    }

    // More than a page of incidents, each with two audit entries: a cancellation, and a retry of the bulk action.
    async Task MakeIncidentsAsync()
    {
        await Parallel.ForEachAsync(
            Enumerable.Range(0, Incidents), new ParallelOptions { MaxDegreeOfParallelism = 16 },
            async (_, cancel) =>
            {
                var id = (string)(await PostAsync("orders", new
                {
                    customerId = "ada", currency = "GBP", lines = new[] { new { sku = "MUG-01", quantity = 1 } },
                    payment = new { provider = "sandbox", token = "tok_refund_fails" },
                }))["id"]!;
                await Shop.UntilAsync(async () => (string)(await GetAsync($"orders/{id}"))["status"]! == "confirmed");
                await PostAsync($"orders/{id}/cancel", new { reason = "customer" });
                incident = id;
            });
        await Shop.UntilAsync(async () =>
            (await GetAsync("incidents?limit=200"))["items"]!.AsArray().Count == Incidents);
        run = (string)(await PostAsync("bulk-actions", new
        {
            action = "retry", where = new { code = "refund_failed" }, reason = "Refunds work again.", canary = 0,
        }))["id"]!;
        await Shop.UntilAsync(async () =>
            (string)(await GetAsync($"bulk-actions/{run}"))["state"]! is "done" or "stopped");
    }

    [Fact]
    public async Task Each_page_is_small_and_fast()
    {
        var report = new List<string>();
        foreach (var path in new[]
        {
            "/", "/orders", "/orders?state=open", "/orders?state=completed", "/orders?q=ada", "/orders?code=none", "/incidents",
            "/orders?state=rolled_back&youngerThan=PT1H", "/orders?status=confirmed", $"/orders/{incident}",
            $"/orders/{incident}/act?verb=retry", $"/incidents/{incident}", $"/bulk/{run}", $"/bulk/{run}?outcome=stuck_again",
            "/bulk?code=refund_failed&action=retry", "/stock", "/stock/MUG-01", "/services/customer-service", "/payments",
            "/payments?state=action_required", "/payments?inDoubt=true", "/dead-letters", "/timers", "/audit",
            $"/audit?run={run}",
        })
        {
            var (bytes, best) = (0, TimeSpan.MaxValue);
            // The best of several, since a busy machine may delay some or, for a while, all.
            for (var attempt = 0; attempt < 6 || (best > Longest && attempt < 100); attempt++)
            {
                var since = Stopwatch.GetTimestamp();
                bytes = (await host.Client.GetByteArrayAsync(new Uri(path, UriKind.Relative))).Length;
                var took = Stopwatch.GetElapsedTime(since);
                if (took < best) best = took;
            }
            report.Add($"{path}: {bytes} bytes, {best.TotalMilliseconds:0.0} ms");
            Assert.True(bytes <= MostBytes, report[^1]);
            Assert.True(best <= Longest, report[^1]);
        }
        TestContext.Current.TestOutputHelper!.WriteLine(string.Join('\n', report));
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();

    async Task<JsonNode> GetAsync(string path) =>
        JsonNode.Parse(await host.Client.GetStringAsync(new Uri($"/api/v1/{path}", UriKind.Relative)))!;

    async Task<JsonNode> PostAsync(string path, object body)
    {
        using var response = await host.Client.PostAsJsonAsync($"/api/v1/{path}", body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    async Task PutAsync(string path, object body)
    {
        using var response = await host.Client.PutAsJsonAsync($"/api/v1/{path}", body);
        response.EnsureSuccessStatusCode();
    }
}
