// A closed-loop load on a running Orderwright: N clients post orders of 1-3 lines, 1,000 customers, 100 products, 5 %
// out of stock, 5 % short of money; it waits until every order is decided and says orders/s end to end and the CPU
// that all processes of Orderwright, PostgreSQL, RabbitMQ and this client burnt. For loopback only.
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Orderwright.Load;

var settings = Settings.Read(args);
using var http = new HttpClient(new SocketsHttpHandler
{
    MaxConnectionsPerServer = settings.Clients,
    PooledConnectionIdleTimeout = TimeSpan.FromMinutes(5),
});
var shop = new Shop(http, settings);
await shop.StockUpAsync();
await shop.PlaceAsync(Math.Min(settings.Orders, 2_000), seed: 1);
await shop.WaitUntilDecidedAsync();

var cpuBefore = ProcessorTime.OfAll();
var watch = Stopwatch.StartNew();
var (accepted, refused) = await shop.PlaceAsync(settings.Orders, seed: 2);
var placed = watch.Elapsed;
await shop.WaitUntilDecidedAsync();
var decided = watch.Elapsed;
var cpu = ProcessorTime.Since(cpuBefore);

Console.WriteLine(JsonSerializer.Serialize(new
{
    orders = accepted,
    refused,
    clients = settings.Clients,
    placedPerSecond = Math.Round(accepted / placed.TotalSeconds),
    ordersPerSecond = Math.Round(accepted / decided.TotalSeconds),
    seconds = Math.Round(decided.TotalSeconds, 2),
    cpuSecondsPer1000 = Math.Round(cpu.Values.Sum() / accepted * 1000, 3),
    cpuSecondsPer1000By = cpu.ToDictionary(pair => pair.Key, pair => Math.Round(pair.Value / accepted * 1000, 3)),
}, new JsonSerializerOptions { WriteIndented = true }));

namespace Orderwright.Load
{
    sealed record Settings(int Orders, int Clients, string OrderUrl, string CustomerUrl, string StockUrl)
    {
        public static Settings Read(string[] args)
        {
            string Value(string name, string otherwise) =>
                Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : otherwise;
            var port = int.Parse(Value("--port", "4000"), CultureInfo.InvariantCulture);
            var apart = args.Contains("--distributed") ? 1 : 0;
            string Url(int offset) => $"http://127.0.0.1:{port + apart * offset}/api/v1";
            return new(
                int.Parse(Value("--orders", "20000"), CultureInfo.InvariantCulture),
                int.Parse(Value("--clients", "64"), CultureInfo.InvariantCulture),
                Url(1), Url(2), Url(3));
        }
    }

    sealed class Shop(HttpClient http, Settings settings)
    {
        const int Products = 100;
        const int Customers = 1_000;
        static readonly MediaTypeHeaderValue Json = new("application/json");

        // Every order has a number of its own, so that a reference never repeats between runs on one database.
        readonly DateTime began = DateTime.UtcNow;
        readonly string run = DateTime.UtcNow.Ticks.ToString("x", CultureInfo.InvariantCulture);

        public async Task StockUpAsync()
        {
            await ForEachAsync(Products + 1, async i =>
            {
                var sku = i == Products ? "SOLD-OUT" : $"SKU-{i:D3}";
                await SendAsync(HttpMethod.Put, $"{settings.StockUrl}/products/{sku}",
                    $$"""{"name":"Product {{i}}","unitPrice":{{100 + i}},"currency":"EUR"}""");
                if (i < Products) await SendAsync(HttpMethod.Put, $"{settings.StockUrl}/stock/{sku}", """{"onHand":1000000000}""");
            });
            await ForEachAsync(Customers + 1, async i =>
            {
                var customer = i == Customers ? "poor" : $"customer-{i:D4}";
                await SendAsync(HttpMethod.Put, $"{settings.CustomerUrl}/customers/{customer}",
                    $$"""{"name":"Customer {{i}}","email":"c{{i}}@example.com"}""");
                if (i < Customers)
                    await SendAsync(HttpMethod.Post, $"{settings.CustomerUrl}/customers/{customer}/credits",
                        $$"""{"amount":1000000000,"currency":"EUR","reference":"load-{{run}}"}""");
            });
        }

        public async Task<(int Accepted, int Refused)> PlaceAsync(int orders, int seed)
        {
            int accepted = 0, refused = 0;
            await ForEachAsync(orders, async i =>
            {
                using var answer = await http.PostAsync(new Uri($"{settings.OrderUrl}/orders"), Order(new Random(seed * 1_000_003 + i)));
                if (answer.IsSuccessStatusCode) Interlocked.Increment(ref accepted);
                else Interlocked.Increment(ref refused);
            });
            return (accepted, refused);
        }

        /// <summary>Waits for this run's own orders; gives up after two minutes.</summary>
        public async Task WaitUntilDecidedAsync()
        {
            for (var waited = Stopwatch.StartNew(); ; await Task.Delay(20))
            {
                if (!await AnyPendingAsync()) return;
                if (waited.Elapsed > TimeSpan.FromMinutes(2))
                    throw new TimeoutException("Some orders are still pending after two minutes.");
            }
        }

        async Task<bool> AnyPendingAsync()
        {
            var cursor = "";
            while (true)
            {
                using var page = JsonDocument.Parse(await http.GetStringAsync(new Uri(
                    $"{settings.OrderUrl}/orders?status=pending&createdAfter={began:yyyy-MM-ddTHH:mm:ss.fffZ}&limit=1{cursor}")));
                if (page.RootElement.GetProperty("items").GetArrayLength() > 0) return true;
                if (page.RootElement.GetProperty("nextCursor").GetString() is not { } next) return false;
                cursor = "&cursor=" + next;
            }
        }

        static ByteArrayContent Order(Random dice)
        {
            var lines = string.Join(',', Enumerable.Range(0, dice.Next(1, 4)).Select(
                _ => $$"""{"sku":"SKU-{{dice.Next(Products):D3}}","quantity":{{dice.Next(1, 5)}}}"""));
            var fate = dice.Next(20);
            if (fate == 0) lines += """,{"sku":"SOLD-OUT","quantity":1}""";
            var customer = fate == 1 ? "poor" : $"customer-{dice.Next(Customers):D4}";
            var content = new ByteArrayContent(Encoding.UTF8.GetBytes(
                $$"""{"customerId":"{{customer}}","currency":"EUR","lines":[{{lines}}]}"""));
            content.Headers.ContentType = Json;
            return content;
        }

        async Task SendAsync(HttpMethod method, string url, string body)
        {
            using var request = new HttpRequestMessage(method, url) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
            using var answer = await http.SendAsync(request);
            if (!answer.IsSuccessStatusCode)
                throw new InvalidOperationException($"{method} {url}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        }

        async Task ForEachAsync(int count, Func<int, Task> act)
        {
            var next = -1;
            await Task.WhenAll(Enumerable.Range(0, settings.Clients).Select(async _ =>
            {
                while (Interlocked.Increment(ref next) is var i && i < count) await act(i);
            }));
        }
    }

    /// <summary>CPU seconds by kind of process, from /proc: user and system, ended children included.</summary>
    static class ProcessorTime
    {
        static readonly double TicksPerSecond = 100;

        public static Dictionary<(int Id, string Kind), double> OfAll()
        {
            var found = new Dictionary<(int, string), double>();
            foreach (var folder in Directory.EnumerateDirectories("/proc"))
            {
                if (!int.TryParse(Path.GetFileName(folder), out var id)) continue;
                try
                {
                    var command = File.ReadAllText($"{folder}/cmdline").Replace('\0', ' ');
                    if (KindOf(command) is not { } kind) continue;
                    var fields = File.ReadAllText($"{folder}/stat").Split(") ")[^1].Split(' ');
                    found[(id, kind)] = fields[11..13].Sum(f => double.Parse(f, CultureInfo.InvariantCulture)) / TicksPerSecond;
                }
                catch (IOException)
                {
                    // It ended while we looked.
                }
            }
            return found;
        }

        public static Dictionary<string, double> Since(Dictionary<(int Id, string Kind), double> before) =>
            OfAll().GroupBy(pair => pair.Key.Kind).ToDictionary(
                group => group.Key, group => group.Sum(pair => pair.Value - before.GetValueOrDefault(pair.Key)));

        static string? KindOf(string command) =>
            command.Contains("Orderwright.", StringComparison.Ordinal)
                ? command[(command.IndexOf("Orderwright.", StringComparison.Ordinal) + 12)..].Split(".dll")[0].Split(' ')[0]
            : command.Contains("postgres", StringComparison.Ordinal) ? "postgres"
            : command.Contains("beam.smp", StringComparison.Ordinal) ? "rabbitmq"
            : null;
    }
}
