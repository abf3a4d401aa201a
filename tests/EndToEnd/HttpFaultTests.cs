using Microsoft.Data.Sqlite;

namespace Orderwright.EndToEnd;

/// <summary>Responses to failures not caused by the caller.</summary>
public sealed class HttpFaultTests
{
    [Fact]
    public async Task An_internal_error_is_a_500_that_gives_nothing_away_but_a_trace_id()
    {
        var data = HttpHost.NewDirectory();
        await using (var host = await HttpHost.StartAsync(data, "--no-demo"))
        {
            // Dropping a table is a reliable way to make a statement fail.
            await using (var database = new SqliteConnection(
                $"Data Source={Path.Combine(data, "stock-service.db")};Pooling=False"))
            {
                await database.OpenAsync();
                await using var drop = new SqliteCommand("DROP TABLE products", database);
                await drop.ExecuteNonQueryAsync();
            }
            var answer = (await host.Client.AskAsync("/api/v1/products")).IsProblem(500, "internal_error");

            await host.WaitForAsync((string)answer.Json["traceId"]!);
            Assert.Contains("GET /api/v1/products failed", host.Output, StringComparison.Ordinal);
            Assert.DoesNotContain("products", (string)answer.Json["detail"]!, StringComparison.Ordinal);
        }
        Directory.Delete(data, recursive: true);
    }

    [Fact]
    public async Task Without_its_database_a_service_is_alive_but_not_ready_with_a_reason()
    {
        await using var host = await HttpHost.StartUnreadyAsync(
            "StockService", "--database", "postgres://someone:secret@127.0.0.1:1/stock", "--transport", "amqp://127.0.0.1:1");
        var ready = await host.Client.AskAsync("/health/ready");
        var refused = (await host.Client.AskAsync("/api/v1/products")).IsProblem(503, "starting");

        Assert.Equal(503, ready.Status);
        Assert.False((bool)ready.Json["ready"]!);
        Assert.NotNull(ready.Json["services"]!["stock-service"]);
        Assert.True(int.Parse(refused.Headers["Retry-After"], System.Globalization.CultureInfo.InvariantCulture) >= 1);
        await host.WaitForAsync("is waiting for its database");
        Assert.DoesNotContain("secret", host.Output, StringComparison.Ordinal);
        Assert.Equal(0, await host.StopAsync());
    }

    [Fact]
    public async Task Without_its_broker_a_service_responds_but_is_not_ready()
    {
        var data = HttpHost.NewDirectory();
        await using (var host = await HttpHost.StartUnreadyAsync(
            "StockService", "--data", data, "--transport", "amqp://someone:secret@127.0.0.1:1"))
        {
            HttpAnswer products;
            do products = await host.Client.AskAsync("/api/v1/products");
            while (products.Status == 503);
            var ready = await host.Client.AskAsync("/health/ready");

            Assert.Equal(200, products.Status);
            Assert.Equal(503, ready.Status);
            Assert.Contains("127.0.0.1:1", (string)ready.Json["services"]!["stock-service"]!, StringComparison.Ordinal);
            Assert.DoesNotContain("secret", host.Output, StringComparison.Ordinal);
            Assert.DoesNotContain(" is ready: ", host.Output, StringComparison.Ordinal);
            await host.StopAsync();
        }
        Directory.Delete(data, recursive: true);
    }

    [Fact]
    public async Task A_text_from_outside_does_not_start_a_line_of_the_log()
    {
        await using var host = await HttpHost.StartAsync(null, "--no-demo", "--log", "debug");
        const string Forged = "00:00:00.000 FATAL 1 forged";
        await host.Client.PutAsync("/api/v1/customers/log", $$"""{"name":"a\n{{Forged}}","email":null}""");
        await host.Client.PostAsync(
            "/api/v1/orders", """{"customerId":"log","currency":"GBP","lines":[{"sku":"A","quantity":1}]}""",
            ("Idempotency-Key", "k"), ("traceparent", $"00-{new string('1', 32)}-{new string('2', 16)}-01\t{Forged}"));

        Assert.DoesNotContain(host.Output.Split('\n'), line => line.StartsWith(Forged, StringComparison.Ordinal));
    }
}
