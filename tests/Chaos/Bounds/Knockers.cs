using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Orderwright.Contracts;

namespace Orderwright.Chaos.Bounds;

/// <summary>
/// Clients that send orders at full speed and accept refusals. They record how many orders a service admits, how long
/// requests wait, and the responses.
/// </summary>
sealed class Knockers(Cluster cluster, int count)
{
    readonly ConcurrentDictionary<string, int> answers = new();
    readonly ConcurrentQueue<string> violations = new();
    readonly string run = Guid.NewGuid().ToString("N");
    long longestTicks;
    long lastAccepted;
    int last;

    public IReadOnlyDictionary<string, int> Answers => answers;

    public IReadOnlyCollection<string> Violations => violations;

    /// <summary>Longest time from a request to its response.</summary>
    public TimeSpan Longest => TimeSpan.FromTicks(Volatile.Read(ref longestTicks));

    /// <summary>Time of the last accepted order.</summary>
    public long LastAccepted => Volatile.Read(ref lastAccepted);

    public int Accepted => answers.GetValueOrDefault("202");

    public async Task StockUpAsync()
    {
        var (stock, customers) = (cluster.UrlsOf(ServiceNames.Stock)[0], cluster.UrlsOf(ServiceNames.Customer)[0]);
        await RequireAsync(
            HttpMethod.Put, new Uri(stock, "/api/v1/products/THING"), """{"name":"A thing","unitPrice":250,"currency":"EUR"}""");
        await RequireAsync(HttpMethod.Put, new Uri(stock, "/api/v1/stock/THING"), """{"onHand":1000000000}""");
        await RequireAsync(
            HttpMethod.Put, new Uri(customers, "/api/v1/customers/ada"), """{"name":"Ada","email":"ada@example.com"}""");
        await RequireAsync(
            HttpMethod.Post, new Uri(customers, "/api/v1/customers/ada/credits"),
            """{"amount":1000000000000,"currency":"EUR","reference":"trial"}""");
    }

    public Task KnockAsync(CancellationToken stop) =>
        Task.WhenAll(
            Enumerable.Range(0, count).Select(_ => Task.Run(() => KnockOneAfterAnotherAsync(stop), CancellationToken.None)));

    async Task KnockOneAfterAnotherAsync(CancellationToken stop)
    {
        var url = new Uri(cluster.UrlsOf(ServiceNames.Order)[0], "/api/v1/orders");
        while (!stop.IsCancellationRequested)
        {
            var number = Interlocked.Increment(ref last);
            var payment = number % 2 == 0 ? """{"provider":"balance"}""" : """{"provider":"http","token":"tok_visa"}""";
            var since = Stopwatch.StartNew();
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, url);
                request.Content = new StringContent(
                    $$"""{"customerId":"ada","currency":"EUR","lines":[{"sku":"THING","quantity":1}],"payment":{{payment}}}""",
                    Encoding.UTF8, "application/json");
                request.Headers.Add("Idempotency-Key", string.Create(CultureInfo.InvariantCulture, $"{run}-{number}"));
                using var answer = await cluster.Http.SendAsync(request, CancellationToken.None);
                Note(((int)answer.StatusCode).ToString(CultureInfo.InvariantCulture), since.Elapsed);
                if ((int)answer.StatusCode == 202)
                    Volatile.Write(ref lastAccepted, Stopwatch.GetTimestamp());
                else if ((int)answer.StatusCode != 503)
                    violations.Enqueue(
                        $"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(CancellationToken.None)}");
                else if (answer.Headers.RetryAfter is null)
                    violations.Enqueue("503 without Retry-After");
                else
                    await Task.Delay(50, CancellationToken.None); // Impatient, but not a busy loop.
            }
            catch (Exception error) when (error is HttpRequestException or TaskCanceledException)
            {
                Note(error is TaskCanceledException ? "none in 15 s" : "broke off", since.Elapsed);
                violations.Enqueue($"no answer: {error.Message}");
            }
        }
    }

    void Note(string answer, TimeSpan took)
    {
        answers.AddOrUpdate(answer, 1, (_, many) => many + 1);
        for (var longest = Volatile.Read(ref longestTicks); took.Ticks > longest;)
        {
            var seen = Interlocked.CompareExchange(ref longestTicks, took.Ticks, longest);
            if (seen == longest) break;
            longest = seen;
        }
    }

    async Task RequireAsync(HttpMethod method, Uri url, string body)
    {
        using var request = new HttpRequestMessage(method, url)
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        using var answer = await cluster.Http.SendAsync(request);
        answer.EnsureSuccessStatusCode();
    }
}
