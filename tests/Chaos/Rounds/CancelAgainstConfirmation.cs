using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Orderwright.Contracts;
using Orderwright.CustomerService;
using Orderwright.Hosting;
using Orderwright.OrderService;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Http;
using Orderwright.Runtime.Transport;
using Orderwright.SagaCoordinator;
using Orderwright.StockService;
using Orderwright.Storage.Postgres;
using Orderwright.Verification;

namespace Orderwright.Chaos.Rounds;

/// <summary>
/// Two instances of all four services on PostgreSQL, competing on an in-process transport. Each order is cancelled at the
/// other instance around the moment of its confirmation.
/// </summary>
static class CancelAgainstConfirmation
{
    const int InFlight = 48;
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    public static Trial Trial { get; } = new(
        "cancel", "an order whose cancel was accepted is cancelled, its money and goods back; no other is", RunAsync);

    static async Task<string> RunAsync(TrialGround ground)
    {
        var options = new RuntimeOptions();
        await using var transport = new InProcessTransport(options, TimeProvider.System);
        var addresses = new Dictionary<string, string>();
        foreach (var service in ServiceNames.All)
            addresses[service] = await ground.NewDatabaseAsync($"cancel_{Databases.WordOf(service)}");
        await using var first = await Shop.StartAsync(addresses, transport, options);
        await using var other = await Shop.StartAsync(addresses, transport, options);
        await first.SendAsync(HttpMethod.Put, "products/THING", """{"name":"A thing","unitPrice":250,"currency":"EUR"}""");
        await first.SendAsync(HttpMethod.Put, "stock/THING", """{"onHand":1000000000}""");
        await first.SendAsync(HttpMethod.Put, "customers/ada", """{"name":"Ada","email":"ada@example.com"}""");
        await first.SendAsync(
            HttpMethod.Post, "customers/ada/credits", """{"amount":1000000000,"currency":"EUR","reference":"once"}""");

        var next = 0;
        await Task.WhenAll(Enumerable.Range(0, InFlight).Select(lane => Task.Run(async () =>
        {
            var dice = new Random(unchecked(ground.Seed * 1_009 + lane));
            while (Interlocked.Increment(ref next) is var number && number <= ground.Rounds)
            {
                var payment = number % 3 == 0 ? """{"provider":"sandbox","token":"tok_visa"}""" : """{"provider":"balance"}""";
                var (status, body) = await first.SendAsync(
                    HttpMethod.Post, "orders",
                    $$"""{"customerId":"ada","currency":"EUR","lines":[{"sku":"THING","quantity":1}],"payment":{{payment}}}""");
                TrialGround.Check(status == HttpStatusCode.Accepted, $"an order was answered {status}: {body}");
                var id = JsonDocument.Parse(body).RootElement.GetProperty("id").GetGuid();
                await Task.Delay(dice.Next(150));
                (status, body) = await other.SendAsync(HttpMethod.Post, $"orders/{id}/cancel", """{"reason":"customer"}""");
                TrialGround.Check(status == HttpStatusCode.Accepted, $"a cancel was answered {status}: {body}");
                if (number % 200 == 0) ground.Progress(number);
            }
        })));

        var databases = addresses.ToDictionary(
            pair => pair.Key, pair => (IDatabase)new PostgresDatabase(pair.Value, pair.Key, options));
        try
        {
            var verifier = new Verifier(databases, TimeProvider.System);
            TrialGround.Check(
                await verifier.SettleAsync(TimeSpan.FromMinutes(2), _ => { }, default),
                "orders are still in flight after two minutes");
            // Recent changes are not judged.
            await Task.Delay(TimeSpan.FromSeconds(4));
            var report = await ChaosRun.VerifyAsync(databases);
            TrialGround.Check(report.Holds, string.Join('\n', report.Checks.SelectMany(check => check.Findings)));
            var statuses = await databases[ServiceNames.Order].QueryAsync(
                new SqlQuery("trial_statuses", "SELECT id, status, payment_status FROM orders"), SqlArgs.None,
                row => (row.Uuid("id"), row.Text("status"), row.Text("payment_status")));
            foreach (var (id, status, payment) in statuses)
                TrialGround.Check(
                    status == "cancelled" && payment is "refunded" or "voided" or "pending",
                    $"{id} is {status}, its payment {payment}");
            var afterwards = statuses.Count(order => order.Item3 == "refunded");
            TrialGround.Check(
                afterwards > 0 && afterwards < statuses.Count,
                $"one side always won: {afterwards} of {statuses.Count} were paid first");
            return $"{statuses.Count - afterwards:N0} stopped before the money was taken, {afterwards:N0} refunded after";
        }
        finally
        {
            foreach (var database in databases.Values) await database.DisposeAsync();
        }
    }

    /// <summary>An instance of all four services, with its API.</summary>
    sealed class Shop : IAsyncDisposable
    {
        readonly List<PostgresDatabase> databases = [];
        readonly List<RunningService> services = [];
        WebApplication web = null!;
        HttpClient client = null!;

        public static async Task<Shop> StartAsync(
            IReadOnlyDictionary<string, string> addresses, InProcessTransport transport, RuntimeOptions options)
        {
            var shop = new Shop();
            foreach (var module in (IServiceModule[])
                [new SagaModule(), new OrderModule(), new CustomerModule(), new StockModule()])
            {
                shop.databases.Add(new PostgresDatabase(addresses[module.Name], module.Name, options));
                shop.services.Add(new RunningService(
                    module, shop.databases[^1], transport, options, new ConfigurationBuilder().Build(), TimeProvider.System,
                    new IdSource(), NullLoggerFactory.Instance));
            }
            foreach (var service in shop.services) await service.StartAsync(default);
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.Services.AddRoutingCore();
            builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
            shop.web = builder.Build();
            shop.web.Use(next => async http =>
            {
                Caller.Set(http, Caller.Local);
                try
                {
                    await next(http);
                }
                catch (Exception error) when (error is OverloadedException or DatabaseUnavailableException)
                {
                    http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                }
                catch (Exception error)
                {
                    http.Response.StatusCode = StatusCodes.Status500InternalServerError;
                    await http.Response.WriteAsync(error.ToString());
                }
            });
            shop.web.UseRouting();
            foreach (var service in shop.services) ((HttpParts)service.Parts).Routes(shop.web);
            await shop.web.StartAsync();
            shop.client = new HttpClient { BaseAddress = new Uri(shop.web.Urls.Single() + "/api/v1/") };
            return shop;
        }

        // Retries under the same key while the machine is too busy.
        public async Task<(HttpStatusCode Status, string Body)> SendAsync(HttpMethod method, string path, string? body)
        {
            var key = Guid.NewGuid().ToString();
            for (var since = Stopwatch.StartNew(); ; await Task.Delay(100))
            {
                using var request = new HttpRequestMessage(method, path);
                if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
                if (method == HttpMethod.Post) request.Headers.Add("Idempotency-Key", key);
                using var answer = await client.SendAsync(request);
                if (answer.StatusCode != HttpStatusCode.ServiceUnavailable || since.Elapsed > Patience)
                    return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
            }
        }

        public async ValueTask DisposeAsync()
        {
            client.Dispose();
            await web.DisposeAsync();
            foreach (var service in services) await service.DisposeAsync();
            foreach (var database in databases) await database.DisposeAsync();
        }
    }
}
