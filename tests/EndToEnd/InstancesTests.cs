using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;

namespace Orderwright.EndToEnd;

/// <summary>
/// Three instances of every service: HTTP is served by all, one of each receives the messages, and the next takes over when it
/// dies, freezes or stops.
/// </summary>
[Collection("up")]
public sealed class InstancesTests(FourProcesses up, ITestOutputHelper output) : IDisposable
{
    static readonly string[] Services = ["saga-coordinator", "order-service", "customer-service", "stock-service"];

    // Documented: 5 s. The rest lets a busy machine be late.
    static readonly TimeSpan TakeoverLimit = TimeSpan.FromSeconds(30);

    public void Dispose()
    {
        if (TestContext.Current.TestState?.Result == TestResult.Failed) output.WriteLine(up.LastLines);
    }

    [Fact]
    public async Task Three_instances_serve_callers_streams_and_reconciliations_alike()
    {
        await StockUpAsync();
        using var second = await up.StartFurtherInstancesAsync();
        using var third = await up.StartFurtherInstancesAsync();
        HttpClient[][] clients =
            [[up.Coordinator, up.Orders, up.Customers, up.Stock], [.. second.Clients], [.. third.Clients]];
        for (var service = 0; service < Services.Length; service++)
        {
            var active = await ActiveOfAsync(service, [.. clients.Select(instance => instance[service])]);
            output.WriteLine($"{Services[service]}: {active}");
        }
        var (exit, text) = await up.ToolAsync("doctor", "--data", up.Data);
        Assert.True(exit == 0, text);
        Assert.Contains("order-service: ", text, StringComparison.Ordinal);
        Assert.Contains(" is active", text, StringComparison.Ordinal);
        var page = await up.Coordinator.GetStringAsync(new Uri("/services/stock-service", UriKind.Relative));
        Assert.Contains("3 instances, of which one receives the messages.", page, StringComparison.Ordinal);

        // The stream at one instance, orders at each: a caller waits at the instance that placed the order.
        using var stream = await OpenStreamAsync(third.Orders);
        var placed = new List<string>();
        foreach (var (instance, number) in clients.Select((instance, number) => (instance, number)))
            for (var i = 0; i < 3; i++)
            {
                var since = Stopwatch.StartNew();
                var order = await PlaceAsync(instance[1], $"waits-{number}-{i}");
                output.WriteLine($"order-service {number}: confirmed after {since.ElapsedMilliseconds} ms");
                placed.Add(order);
            }
        await SeeAsync(stream, placed);

        // One runs at a time, whichever instance is asked; all show it.
        var begun = await Task.WhenAll(clients.Select(instance => instance[2].PostAsync(
            "/api/v1/reconciliations", """{"provider":"sandbox"}""")));
        foreach (var refused in begun.Where(answer => answer.Status != 202)) refused.IsProblem(409, "reconciliation_running");
        var run = begun.First(answer => answer.Status == 202);
        foreach (var instance in clients)
            await Waiting.UntilAsync(async () => (string?)(await instance[2].AskAsync(
                $"/api/v1/reconciliations/{run.Json["id"]}")).Json["state"] == "agrees");
        await VerifyAsync();
    }

    [Theory]
    [InlineData("KILL")]
    [InlineData("STOP")]
    [InlineData("TERM")]
    public async Task Another_instance_takes_over_from_one_that_dies_freezes_or_stops(string signal)
    {
        await StockUpAsync();
        using var second = await up.StartFurtherInstancesAsync();
        foreach (var service in new[] { 0, 3, 2, 1 })
        {
            HttpClient[] instances = [ClientOf(service), second.Clients[service]];
            var active = await ActiveOfAsync(service, instances);
            // The name holds the process id.
            var process = active.Split('-')[^2];
            var mine = second.Processes[service].Id.ToString(CultureInfo.InvariantCulture) == process;
            var remaining = service == 1 ? instances[mine ? 0 : 1] : up.Orders;
            await SignalAsync(signal, process);
            try
            {
                var since = Stopwatch.StartNew();
                await PlaceAsync(remaining, $"takeover-{signal}-{service}");
                output.WriteLine($"{Services[service]} {signal}: confirmed after {since.Elapsed.TotalSeconds:F1} s");
                Assert.InRange(since.Elapsed, TimeSpan.Zero, TakeoverLimit);
            }
            finally
            {
                // The tests that follow share this process.
                if (signal == "STOP") await SignalAsync("CONT", process);
            }
            await Waiting.UntilAsync(async () => mine && signal != "STOP" || await IsReadyAsync(instances[mine ? 1 : 0]));
        }
        await VerifyAsync();
    }

    HttpClient ClientOf(int service) => new[] { up.Coordinator, up.Orders, up.Customers, up.Stock }[service];

    // The active instance, once all instances agree.
    static async Task<string> ActiveOfAsync(int service, IReadOnlyList<HttpClient> instances)
    {
        var active = new List<string?>();
        await Waiting.UntilAsync(async () =>
        {
            active.Clear();
            foreach (var instance in instances)
                active.Add((string?)(await instance.AskAsync("/health/ready")).Json["instances"]?[Services[service]]?["active"]);
            return active[0] is not null && active.Distinct().Count() == 1;
        });
        return active[0]!;
    }

    static async Task<bool> IsReadyAsync(HttpClient client)
    {
        try
        {
            return (await client.AskAsync("/health/ready")).Status == 200;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    static async Task SignalAsync(string signal, string process)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process]);
        await kill.WaitForExitAsync();
        Assert.Equal(0, kill.ExitCode);
    }

    static async Task<StreamReader> OpenStreamAsync(HttpClient client)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/events");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        response.EnsureSuccessStatusCode();
        return new StreamReader(await response.Content.ReadAsStreamAsync());
    }

    static async Task SeeAsync(StreamReader stream, IEnumerable<string> orders)
    {
        var missing = orders.ToHashSet();
        for (var limit = Waiting.NewLimit(); missing.Count > 0;)
        {
            var line = await stream.ReadLineAsync(limit) ?? throw new EndOfStreamException();
            if (line.Contains("\"type\":\"confirmed\"", StringComparison.Ordinal))
                missing.RemoveWhere(order => line.Contains(order, StringComparison.Ordinal));
        }
    }

    // Waits for the decision. The same key until answered, as a client does.
    static async Task<string> PlaceAsync(HttpClient orders, string key)
    {
        for (var limit = Waiting.NewLimit(); ; await Task.Delay(100, limit))
        {
            try
            {
                var answer = await orders.PostAsync(
                    "/api/v1/orders",
                    """{"customerId":"ada","currency":"EUR","lines":[{"sku":"GOOD","quantity":1}]}""",
                    ("Idempotency-Key", key), ("Prefer", "wait=30"));
                if (answer.Status == 503) continue;
                Assert.Equal(201, answer.Status);
                Assert.Equal("confirmed", (string?)answer.Json["status"]);
                return (string)answer.Json["id"]!;
            }
            catch (HttpRequestException)
            {
                // The service is down and restarts.
            }
        }
    }

    async Task VerifyAsync()
    {
        var (exit, text) = await up.ToolAsync("verify", "--data", up.Data, "--settle", "60");
        Assert.True(exit == 0, text);
    }

    async Task StockUpAsync()
    {
        await up.Stock.PutAsync("/api/v1/products/GOOD", """{"name":"A thing","unitPrice":250,"currency":"EUR"}""");
        await up.Stock.PutAsync("/api/v1/stock/GOOD", """{"onHand":100000}""");
        await up.Customers.PutAsync("/api/v1/customers/ada", """{"name":"Ada","email":"ada@example.com"}""");
        await up.Customers.PostAsync(
            "/api/v1/customers/ada/credits", """{"amount":100000000,"currency":"EUR","reference":"once"}""",
            ("Idempotency-Key", "once"));
    }
}
