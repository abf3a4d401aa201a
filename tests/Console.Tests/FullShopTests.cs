using System.Diagnostics;
using System.Net.Http.Json;
using Orderwright.EndToEnd;

namespace Orderwright.ConsoleTests;

/// <summary>The console over a shop with 10,000 orders: pages stay small and quick.</summary>
public sealed class FullShopTests : IAsyncLifetime
{
    const int Orders = 10_000;
    const int MostBytes = 60_000;
    static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(100);

    HttpHost host = null!;

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
                // One in ten waits for its payer.
                object payment = number % 10 == 0
                    ? new { provider = "sandbox", token = "tok_requires_action" } : new { provider = "balance" };
                using var placed = await host.Client.PostAsJsonAsync(
                    "/api/v1/orders",
                    new { customerId = "ada", currency = "GBP", lines = new[] { new { sku = "MUG-01", quantity = 1 } }, payment },
                    cancel);
                placed.EnsureSuccessStatusCode();
            });
    }

    [Fact]
    public async Task Each_page_is_small_and_quick()
    {
        var report = new List<string>();
        foreach (var path in new[]
        {
            "/", "/orders", "/orders?state=open", "/orders?state=completed", "/orders?q=ada", "/orders?code=none", "/incidents",
            "/stock", "/stock/MUG-01", "/payments", "/payments?state=action_required", "/dead-letters", "/timers", "/audit",
        })
        {
            var (bytes, best) = (0, TimeSpan.MaxValue);
            for (var look = 0; look < 6; look++)
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

    async Task PutAsync(string path, object body)
    {
        using var answer = await host.Client.PutAsJsonAsync($"/api/v1/{path}", body);
        answer.EnsureSuccessStatusCode();
    }
}
