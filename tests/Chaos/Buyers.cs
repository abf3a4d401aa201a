using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Orderwright.Contracts;

namespace Orderwright.Chaos;

/// <summary>An acknowledged order.</summary>
/// <param name="Id">Id of the order.</param>
/// <param name="Hash">Hash of the response, byte for byte.</param>
sealed record Acknowledged(Guid Id, string Hash);

/// <summary>
/// Realistic customers: each places orders under an Idempotency-Key, retries with the same key at any instance until
/// acknowledged, sometimes sends a request twice, and sometimes cancels. Every response is remembered.
/// </summary>
sealed class Buyers(Cluster cluster, int seed, double rate, int count, bool usesSandbox = true)
{
    const int Products = 40;
    const int Customers = 100;

    /// <summary>Longest time of retries for an order.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    static readonly MediaTypeHeaderValue Json = new("application/json");

    readonly ConcurrentDictionary<int, Acknowledged> acknowledged = new();
    readonly ConcurrentDictionary<string, int> answers = new();
    readonly ConcurrentQueue<string> violations = new();
    readonly Stopwatch clock = Stopwatch.StartNew();
    readonly Lock turnstile = new();
    TimeSpan nextTurn;
    int last;
    int comparedReplays;
    int cancelled;

    public IReadOnlyDictionary<int, Acknowledged> Acknowledged => acknowledged;

    /// <summary>Number of responses by status or connection failure.</summary>
    public IReadOnlyDictionary<string, int> Answers => answers;

    /// <summary>Responses never acceptable to a customer.</summary>
    public IReadOnlyCollection<string> Violations => violations;

    public int ComparedReplays => comparedReplays;

    public int Cancelled => cancelled;

    /// <summary>Creates products, stock and customers before the first fault.</summary>
    public async Task StockUpAsync()
    {
        var customers = cluster.UrlsOf(ServiceNames.Customer)[0];
        await FillWarehouseAsync();
        foreach (var customer in Enumerable.Range(0, Customers).Select(CustomerOf).Append("poor"))
        {
            await RequireAsync(
                HttpMethod.Put, new Uri(customers, $"/api/v1/customers/{customer}"),
                """{"name":"A person","email":"a@example.com"}""");
            if (customer != "poor")
                await RequireAsync(
                    HttpMethod.Post, new Uri(customers, $"/api/v1/customers/{customer}/credits"),
                    """{"amount":1000000000,"currency":"EUR","reference":"trial"}""");
        }
    }

    /// <summary>Registers the products, and counts their goods.</summary>
    public async Task FillWarehouseAsync()
    {
        var stock = cluster.UrlsOf(ServiceNames.Stock)[0];
        foreach (var sku in Enumerable.Range(0, Products).Select(SkuOf).Append("SOLD-OUT"))
        {
            await RequireAsync(
                HttpMethod.Put, new Uri(stock, $"/api/v1/products/{sku}"),
                """{"name":"A thing","unitPrice":250,"currency":"EUR"}""");
            var onHand = sku == "SOLD-OUT" ? 0 : 1_000_000_000;
            await RequireAsync(HttpMethod.Put, new Uri(stock, $"/api/v1/stock/{sku}"), $$"""{"onHand":{{onHand}}}""");
        }
    }

    /// <summary>
    /// Places orders until <paramref name="stop"/>; completes when every buyer has received its last response.
    /// </summary>
    public Task BuyAsync(CancellationToken stop) =>
        Task.WhenAll(
            Enumerable.Range(0, count).Select(_ => Task.Run(() => BuyOneAfterAnotherAsync(stop), CancellationToken.None)));

    /// <summary>
    /// Repeats up to <paramref name="most"/> orders under their keys; each response must equal the first.
    /// </summary>
    public async Task CompareReplaysAsync(int most)
    {
        var dice = new Random(seed);
        var sample = acknowledged.Keys.OrderBy(_ => dice.Next()).Take(most).ToList();
        await Parallel.ForEachAsync(
            sample, new ParallelOptions { MaxDegreeOfParallelism = 16 },
            async (number, _) => await CompareAsync(number, dice.Next()));
    }

    async Task BuyOneAfterAnotherAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(NextTurn(), stop);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            var number = Interlocked.Increment(ref last);
            var dice = new Random(unchecked(seed * 1_000_003 + number));
            if (await PlaceAsync(number, dice.Next()) is not { } order) continue;
            acknowledged[number] = order;
            if (dice.Next(100) < 8) await CompareAsync(number, dice.Next());
            if (dice.Next(100) < 6) await CancelAsync(order.Id, dice.Next());
        }
    }

    // A steady rate: orders delayed by an outage are not made up for.
    TimeSpan NextTurn()
    {
        lock (turnstile)
        {
            var now = clock.Elapsed;
            if (nextTurn < now - TimeSpan.FromSeconds(1)) nextTurn = now;
            var wait = nextTurn - now;
            nextTurn += TimeSpan.FromSeconds(1 / rate);
            return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
        }
    }

    async Task<Acknowledged?> PlaceAsync(int number, int at)
    {
        var body = OrderOf(number);
        var (status, answer) = await SendAsync(ServiceNames.Order, "/api/v1/orders", body, $"trial-{seed}-{number}", at);
        if (status is not (202 or 201)) return null;
        using var document = JsonDocument.Parse(answer);
        return new(document.RootElement.GetProperty("id").GetGuid(), HashOf(answer));
    }

    async Task CompareAsync(int number, int at)
    {
        if (!acknowledged.TryGetValue(number, out var first) || await PlaceAsync(number, at) is not { } again) return;
        Interlocked.Increment(ref comparedReplays);
        if (again != first) violations.Enqueue($"order {number} got {first}, and then {again}");
    }

    async Task CancelAsync(Guid order, int at)
    {
        var (status, _) = await SendAsync(
            ServiceNames.Order, $"/api/v1/orders/{order}/cancel", """{"reason":"customer"}"""u8.ToArray(), $"cancel-{order}", at);
        if (status == 202) Interlocked.Increment(ref cancelled);
        else if (status != 409) violations.Enqueue($"cancelling {order} got {status}");
    }

    // As a real client does, retries the same request under the same key after a 503 or a broken connection.
    async Task<(int Status, byte[] Body)> SendAsync(string service, string path, byte[] body, string key, int at)
    {
        var since = Stopwatch.StartNew();
        var urls = cluster.UrlsOf(service);
        for (var attempt = 0; since.Elapsed < Patience; attempt++)
        {
            var pause = TimeSpan.FromMilliseconds(Math.Min(100 << Math.Min(attempt, 4), 1_000));
            try
            {
                using var request = new HttpRequestMessage(
                    HttpMethod.Post, new Uri(urls[(at & int.MaxValue) % urls.Count], path))
                {
                    Content = new ByteArrayContent(body),
                };
                request.Content.Headers.ContentType = Json;
                request.Headers.Add("Idempotency-Key", key);
                using var answer = await cluster.Http.SendAsync(request);
                var bytes = await answer.Content.ReadAsByteArrayAsync();
                var status = (int)answer.StatusCode;
                Count(status == 409 ? $"409 {CodeOf(bytes)}" : $"{status}");
                if (status == 503 && answer.Headers.RetryAfter is null) violations.Enqueue($"{path}: 503 without Retry-After");
                if (status is >= 500 and not 503) violations.Enqueue($"{path}: {status} {Encoding.UTF8.GetString(bytes)}");
                if (status < 500 && !(status == 409 && CodeOf(bytes).StartsWith("idempotency", StringComparison.Ordinal)))
                {
                    if (status is 400 or 401 or 403 or 404 or 422)
                        violations.Enqueue($"{path}: {status} {Encoding.UTF8.GetString(bytes)}");
                    return (status, bytes);
                }
            }
            catch (HttpRequestException error)
            {
                Count($"{error.HttpRequestError}");
            }
            catch (SocketException error)
            {
                Count($"{error.SocketErrorCode}");
            }
            catch (TaskCanceledException)
            {
                Count("no response in 15 s");
            }
            at++; // The next instance.
            await Task.Delay(pause);
        }
        violations.Enqueue($"{path} under {key} got no response within {Patience}");
        return (0, []);
    }

    async Task RequireAsync(HttpMethod method, Uri url, string body)
    {
        using var request = new HttpRequestMessage(method, url)
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        using var answer = await cluster.Http.SendAsync(request);
        if (!answer.IsSuccessStatusCode)
            throw new InvalidOperationException(
                $"{method} {url}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
    }

    byte[] OrderOf(int number)
    {
        var dice = new Random(unchecked(seed * 7_919 + number));
        var lines = string.Join(',', Enumerable.Range(0, dice.Next(1, 4)).Select(
            _ => $$"""{"sku":"{{SkuOf(dice.Next(Products))}}","quantity":{{dice.Next(1, 4)}}}"""));
        if (dice.Next(100) < 4) lines += """,{"sku":"SOLD-OUT","quantity":1}""";
        var customer = dice.Next(100) < 3 ? "poor" : CustomerOf(dice.Next(Customers));
        var payment = dice.Next(100) switch
        {
            < 45 => """{"provider":"balance"}""",
            var choice when choice < 85 || !usesSandbox => $$"""{"provider":"http","token":"{{TokenOf(dice)}}"}""",
            _ => $$"""{"provider":"sandbox","token":"{{TokenOf(dice)}}"}""",
        };
        // Letters separate the numbers: thirteen digits, even with dashes, could be a card number and would be refused.
        return Encoding.UTF8.GetBytes(
            $$"""{"customerId":"{{customer}}","currency":"EUR","reference":"trial-{{seed}}-no{{number}}","lines":""" +
            $$"""[{{lines}}],"payment":{{payment}}}""");
    }

    static string TokenOf(Random dice) => dice.Next(100) switch
    {
        < 3 => "tok_declined",
        < 5 => "tok_insufficient_funds",
        < 8 => "tok_error",
        < 10 => "tok_timeout_after_charge",
        < 12 => "tok_timeout_before_charge",
        _ => "tok_visa",
    };

    static string SkuOf(int i) => $"SKU-{i:D3}";

    static string CustomerOf(int i) => $"customer-{i:D3}";

    static string HashOf(byte[] answer) => Convert.ToHexString(SHA256.HashData(answer), 0, 8);

    static string CodeOf(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.TryGetProperty("code", out var code) ? code.GetString() ?? "" : "";
        }
        catch (JsonException)
        {
            return "";
        }
    }

    void Count(string kind) => answers.AddOrUpdate(kind, 1, (_, many) => many + 1);
}
