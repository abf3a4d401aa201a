using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Orderwright.Contracts;

namespace Orderwright.Chaos;

/// <summary>An order that somebody was told is in.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Hash">Of the answer, byte for byte.</param>
sealed record Acknowledged(Guid Id, string Hash);

/// <summary>
/// Customers as they are: each places an order under a key of its own, tries again (the same key, at any instance) until
/// it is told that the order is in, sometimes asks twice, sometimes cancels. They remember what they were told.
/// </summary>
sealed class Buyers(Cluster cluster, int seed, double rate, int count)
{
    const int Products = 40;
    const int Customers = 100;

    /// <summary>How long a buyer goes on asking for one order.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    static readonly MediaTypeHeaderValue Json = new("application/json");

    readonly ConcurrentDictionary<int, Acknowledged> acknowledged = new();
    readonly ConcurrentDictionary<string, int> answers = new();
    readonly ConcurrentQueue<string> complaints = new();
    readonly Stopwatch clock = Stopwatch.StartNew();
    readonly Lock turnstile = new();
    TimeSpan nextTurn;
    int last;
    int comparedReplays;
    int cancelled;

    public IReadOnlyDictionary<int, Acknowledged> Acknowledged => acknowledged;

    /// <summary>How often each kind of answer came: a status, or how a request broke.</summary>
    public IReadOnlyDictionary<string, int> Answers => answers;

    /// <summary>What no customer should ever see.</summary>
    public IReadOnlyCollection<string> Complaints => complaints;

    public int ComparedReplays => comparedReplays;

    public int Cancelled => cancelled;

    /// <summary>Products, stock and customers, before anything breaks.</summary>
    public async Task StockUpAsync()
    {
        var stock = cluster.UrlsOf(ServiceNames.Stock)[0];
        var customers = cluster.UrlsOf(ServiceNames.Customer)[0];
        foreach (var sku in Enumerable.Range(0, Products).Select(SkuOf).Append("SOLD-OUT"))
        {
            await MustAsync(HttpMethod.Put, new Uri(stock, $"/api/v1/products/{sku}"), """{"name":"A thing","unitPrice":250,"currency":"EUR"}""");
            var onHand = sku == "SOLD-OUT" ? 0 : 1_000_000_000;
            await MustAsync(HttpMethod.Put, new Uri(stock, $"/api/v1/stock/{sku}"), $$"""{"onHand":{{onHand}}}""");
        }
        foreach (var customer in Enumerable.Range(0, Customers).Select(CustomerOf).Append("poor"))
        {
            await MustAsync(HttpMethod.Put, new Uri(customers, $"/api/v1/customers/{customer}"), """{"name":"A person","email":"a@example.com"}""");
            if (customer != "poor")
                await MustAsync(
                    HttpMethod.Post, new Uri(customers, $"/api/v1/customers/{customer}/credits"),
                    """{"amount":1000000000,"currency":"EUR","reference":"trial"}""");
        }
    }

    /// <summary>Returns when every buyer has got its last answer after <paramref name="stop"/>.</summary>
    public Task BuyAsync(CancellationToken stop) =>
        Task.WhenAll(Enumerable.Range(0, count).Select(_ => Task.Run(() => BuyOneAfterAnotherAsync(stop), CancellationToken.None)));

    /// <summary>Asks again for up to <paramref name="most"/> orders under their keys; each must be answered as the first time.</summary>
    public async Task CompareReplaysAsync(int most)
    {
        var dice = new Random(seed);
        var sample = acknowledged.Keys.OrderBy(_ => dice.Next()).Take(most).ToList();
        await Parallel.ForEachAsync(
            sample, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (number, _) => await CompareAsync(number, dice.Next()));
    }

    async Task BuyOneAfterAnotherAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(TakeTurn(), stop);
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

    // A steady pace; what an outage held up is not made up for.
    TimeSpan TakeTurn()
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
        var (status, answer) = await AskAsync(ServiceNames.Order, "/api/v1/orders", body, $"trial-{seed}-{number}", at);
        if (status is not (202 or 201)) return null;
        using var document = JsonDocument.Parse(answer);
        return new(document.RootElement.GetProperty("id").GetGuid(), HashOf(answer));
    }

    async Task CompareAsync(int number, int at)
    {
        if (!acknowledged.TryGetValue(number, out var first) || await PlaceAsync(number, at) is not { } again) return;
        Interlocked.Increment(ref comparedReplays);
        if (again != first) complaints.Enqueue($"order {number} was answered {first}, and then {again}");
    }

    async Task CancelAsync(Guid order, int at)
    {
        var (status, _) = await AskAsync(
            ServiceNames.Order, $"/api/v1/orders/{order}/cancel", """{"reason":"customer"}"""u8.ToArray(), $"cancel-{order}", at);
        if (status == 202) Interlocked.Increment(ref cancelled);
        else if (status != 409) complaints.Enqueue($"cancelling {order} was answered {status}");
    }

    // As a real client: the same request under the same key until there is an answer; 503 and a dead connection are none.
    async Task<(int Status, byte[] Body)> AskAsync(string service, string path, byte[] body, string key, int at)
    {
        var since = Stopwatch.StartNew();
        var urls = cluster.UrlsOf(service);
        for (var attempt = 0; since.Elapsed < Patience; attempt++)
        {
            var pause = TimeSpan.FromMilliseconds(Math.Min(100 << Math.Min(attempt, 4), 1_000));
            try
            {
                using var request = new HttpRequestMessage(
                    HttpMethod.Post, new Uri(urls[(at & int.MaxValue) % urls.Count], path)) { Content = new ByteArrayContent(body) };
                request.Content.Headers.ContentType = Json;
                request.Headers.Add("Idempotency-Key", key);
                using var answer = await cluster.Http.SendAsync(request);
                var bytes = await answer.Content.ReadAsByteArrayAsync();
                var status = (int)answer.StatusCode;
                Count(status == 409 ? $"409 {CodeOf(bytes)}" : $"{status}");
                if (status == 503 && answer.Headers.RetryAfter is null) complaints.Enqueue($"{path}: 503 without Retry-After");
                if (status is >= 500 and not 503) complaints.Enqueue($"{path}: {status} {Encoding.UTF8.GetString(bytes)}");
                if (status < 500 && !(status == 409 && CodeOf(bytes).StartsWith("idempotency", StringComparison.Ordinal)))
                {
                    if (status is 400 or 401 or 403 or 404 or 422) complaints.Enqueue($"{path}: {status} {Encoding.UTF8.GetString(bytes)}");
                    return (status, bytes);
                }
            }
            catch (HttpRequestException error)
            {
                Count($"{error.HttpRequestError}");
            }
            catch (TaskCanceledException)
            {
                Count("no answer in 15 s");
            }
            at++; // The next instance.
            await Task.Delay(pause);
        }
        complaints.Enqueue($"{path} under {key} got no answer within {Patience}");
        return (0, []);
    }

    async Task MustAsync(HttpMethod method, Uri url, string body)
    {
        using var request = new HttpRequestMessage(method, url) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        using var answer = await cluster.Http.SendAsync(request);
        if (!answer.IsSuccessStatusCode)
            throw new InvalidOperationException($"{method} {url}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
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
            < 85 => $$"""{"provider":"http","token":"{{TokenOf(dice)}}"}""",
            _ => $$"""{"provider":"sandbox","token":"{{TokenOf(dice)}}"}""",
        };
        // Letters between the numbers: thirteen digits, dashes or not, may be a card number, and are refused as one.
        return Encoding.UTF8.GetBytes(
            $$"""{"customerId":"{{customer}}","currency":"EUR","reference":"trial-{{seed}}-no{{number}}","lines":[{{lines}}],"payment":{{payment}}}""");
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
