using System.Globalization;

namespace Orderwright.EndToEnd;

/// <summary>
/// A power cut of the embedded product under load. Its files are on a file system in an image, mounted through a loop
/// device: data written but never synced exist only in the kernel's memory, so a copy of the image is the content of a disk
/// after a power cut. Mounting needs root; without it the process is killed and its files are copied, which does not lose
/// unsynced writes.
/// </summary>
public class PowerCutTests(ITestOutputHelper output)
{
    const string Order = """{"customerId":"ada","currency":"EUR","lines":[{"sku":"GOOD","quantity":1}]}""";

    [Fact]
    public async Task Every_acknowledged_order_survives_a_power_cut()
    {
        using var disk = Disk.Create();
        output.WriteLine(disk.IsReal ? "power cut: unsynced writes are lost" : $"killed and copied: {disk.WhyNot}");
        var acknowledged = new Dictionary<string, byte[]>();
        await using (var host = await HttpHost.StartAsync(Path.Combine(disk.Folder, "data"), "--no-demo"))
        {
            await StockUpAsync(host.Client);
            using var stopped = new CancellationTokenSource();
            var clients = Enumerable.Range(0, 16)
                .Select(client => BuyAsync(host.Client, client, acknowledged, stopped.Token)).ToList();
            await Waiting.UntilAsync(() => acknowledged.Count > 400);

            Signal(host.ProcessId, "STOP");
            disk.CutPower();
            await stopped.CancelAsync();
            await host.KillAsync();
            await Task.WhenAll(clients);
        }
        disk.Restore();

        await using var again = await HttpHost.StartAsync(Path.Combine(disk.Folder, "data"), "--no-demo");
        var lost = 0;
        foreach (var (key, body) in acknowledged)
        {
            var replay = await again.Client.PostAsync("/api/v1/orders", Order, ("Idempotency-Key", key));
            if (!replay.Headers.ContainsKey("Idempotent-Replayed") || !replay.Body.AsSpan().SequenceEqual(body)) lost++;
        }
        Assert.True(lost == 0, $"{lost} of {acknowledged.Count} acknowledged orders are lost");
        foreach (var body in acknowledged.Values.TakeLast(20))
            await Waiting.UntilAsync(async () => (string?)(await again.Client.AskAsync(
                $"/api/v1/orders/{System.Text.Json.Nodes.JsonNode.Parse(body)!["id"]}")).Json["status"] == "confirmed");
    }

    [Theory]
    [InlineData("before-commit:40")]
    [InlineData("after-commit:40")]
    [InlineData("after-publish:40")]
    public async Task A_crash_at_the_worst_moment_loses_and_duplicates_nothing(string fault)
    {
        var data = HttpHost.NewDirectory();
        var acknowledged = new Dictionary<string, byte[]>();
        try
        {
            await using (var host = await HttpHost.StartAsync(data, "--no-demo")) await StockUpAsync(host.Client);
            await using (var host = await HttpHost.StartAsync(data, "--no-demo", "--fault", fault))
                await Task.WhenAll(Enumerable.Range(0, 8).Select(client => BuyAsync(host.Client, client, acknowledged, default)));
            await using var again = await HttpHost.StartAsync(data, "--no-demo");
            // Each client repeats its last request, which got no response.
            var before = acknowledged.Count;
            foreach (var client in Enumerable.Range(0, 8))
            {
                var last = acknowledged.Keys.Count(key => key.StartsWith($"{client}-", StringComparison.Ordinal));
                var answer = await again.Client.PostAsync("/api/v1/orders", Order, ("Idempotency-Key", $"{client}-{last}"));
                Assert.Equal(202, answer.Status);
                acknowledged.Add($"{client}-{last}", answer.Body);
            }
            var ids = acknowledged.Values.Select(body => (string)System.Text.Json.Nodes.JsonNode.Parse(body)!["id"]!).ToList();
            Assert.Equal(before + 8, ids.Distinct().Count());
            foreach (var id in ids)
                await Waiting.UntilAsync(
                    async () => (string?)(await again.Client.AskAsync($"/api/v1/orders/{id}")).Json["status"] == "confirmed");
            // A confirmed order's goods are allocated a moment later.
            await Waiting.UntilAsync(async () =>
                (await again.Client.AskAsync("/api/v1/stock/GOOD")).Json is var stock
                && ((int)stock["allocated"]!, (int)stock["reserved"]!) == (ids.Count, 0));
            var balance = (await again.Client.AskAsync("/api/v1/customers/ada/balances")).Json["items"]![0]!;
            Assert.Equal(100_000_000 - 250 * ids.Count, (int)balance["amount"]!);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    [Fact]
    public async Task A_full_disk_is_answered_with_503_and_loses_nothing()
    {
        using var disk = Disk.Create(megabytes: 48);
        if (!disk.IsReal) Assert.Skip($"This test needs a file system of its own: {disk.WhyNot}");
        var acknowledged = new Dictionary<string, byte[]>();
        await using var host = await HttpHost.StartAsync(Path.Combine(disk.Folder, "data"), "--no-demo");
        await StockUpAsync(host.Client);
        disk.Fill();
        HttpAnswer refused;
        var number = 0;
        // Orders that still fit into the log files are accepted.
        while ((refused = await host.Client.PostAsync(
            "/api/v1/orders", Order, ("Idempotency-Key", $"full-{number}"))).Status == 202)
            acknowledged.Add($"full-{number++}", refused.Body);
        refused.IsProblem(503, refused.Code!);
        Assert.True(refused.Headers.ContainsKey("Retry-After"));
        // Readiness knows, and further requests are refused without an attempt.
        await Waiting.UntilAsync(async () => (await host.Client.AskAsync("/health/ready")).Status == 503);
        Assert.Contains(
            "does not accept writes",
            (string)(await host.Client.AskAsync("/health/ready")).Json["services"]!["order-service"]!, StringComparison.Ordinal);
        (await host.Client.PostAsync("/api/v1/orders", Order, ("Idempotency-Key", "at-once")))
            .IsProblem(503, "database_unavailable");

        disk.Free();
        await Waiting.UntilAsync(async () => (await host.Client.AskAsync("/health/ready")).Status == 200);
        await Waiting.UntilAsync(async () =>
        {
            var answer = await host.Client.PostAsync("/api/v1/orders", Order, ("Idempotency-Key", $"full-{number}"));
            if (answer.Status == 202) acknowledged[$"full-{number}"] = answer.Body;
            return answer.Status == 202;
        });
        foreach (var body in acknowledged.Values)
            await Waiting.UntilAsync(async () => (string?)(await host.Client.AskAsync(
                $"/api/v1/orders/{System.Text.Json.Nodes.JsonNode.Parse(body)!["id"]}")).Json["status"] == "confirmed");
        var balance = (await host.Client.AskAsync("/api/v1/customers/ada/balances")).Json["items"]![0]!;
        Assert.Equal(100_000_000 - 250 * acknowledged.Count, (int)balance["amount"]!);
    }

    static async Task StockUpAsync(HttpClient client)
    {
        await client.PutAsync("/api/v1/products/GOOD", """{"name":"A thing","unitPrice":250,"currency":"EUR"}""");
        await client.PutAsync("/api/v1/stock/GOOD", """{"onHand":100000}""");
        await client.PutAsync("/api/v1/customers/ada", """{"name":"Ada","email":"ada@example.com"}""");
        await client.PostAsync(
            "/api/v1/customers/ada/credits", """{"amount":100000000,"currency":"EUR","reference":"once"}""",
            ("Idempotency-Key", "once"));
    }

    // Places orders one after another until the server is gone.
    static async Task BuyAsync(HttpClient client, int number, Dictionary<string, byte[]> acknowledged, CancellationToken stopped)
    {
        for (var i = 0; !stopped.IsCancellationRequested; i++)
        {
            try
            {
                var key = $"{number}-{i}";
                var answer = await client.PostAsync("/api/v1/orders", Order, ("Idempotency-Key", key)).WaitAsync(stopped);
                if (answer.Status != 202) return;
                lock (acknowledged) acknowledged.Add(key, answer.Body);
            }
            catch (Exception error) when (error is HttpRequestException or OperationCanceledException)
            {
                return;
            }
        }
    }

    static void Signal(int process, string signal) =>
        Programs.Run("kill", $"-{signal}", process.ToString(CultureInfo.InvariantCulture));
}
