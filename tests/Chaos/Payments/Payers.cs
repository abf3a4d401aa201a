using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Orderwright.Contracts;

namespace Orderwright.Chaos.Payments;

/// <summary>Customers who pay by card at the gateway process. Each order has a key and is retried until accepted.</summary>
sealed class Payers(Cluster cluster)
{
    readonly string run = Guid.NewGuid().ToString("N");
    readonly ConcurrentQueue<string> violations = new();
    int last;

    public IReadOnlyCollection<string> Violations => violations;

    public int Placed { get; private set; }

    /// <summary>Places orders as fast as they are admitted.</summary>
    public async Task PlaceAsync(int orders, int clients, CancellationToken cancel)
    {
        await Parallel.ForEachAsync(
            Enumerable.Range(0, orders), new ParallelOptions { MaxDegreeOfParallelism = clients, CancellationToken = cancel },
            async (_, stop) => await PlaceAsync(stop));
        Placed += orders;
    }

    /// <summary>Places orders at a steady rate, regardless of response times.</summary>
    public async Task PlaceAsync(double perSecond, TimeSpan length, CancellationToken cancel)
    {
        var many = (int)(perSecond * length.TotalSeconds);
        var placing = new List<Task>(many);
        using var beat = new PeriodicTimer(TimeSpan.FromSeconds(1 / perSecond));
        for (var i = 0; i < many && await beat.WaitForNextTickAsync(cancel); i++) placing.Add(PlaceAsync(cancel).AsTask());
        await Task.WhenAll(placing);
        Placed += many;
    }

    async ValueTask PlaceAsync(CancellationToken stop)
    {
        var key = string.Create(CultureInfo.InvariantCulture, $"{run}-{Interlocked.Increment(ref last)}");
        var url = new Uri(cluster.UrlsOf(ServiceNames.Order)[0], "/api/v1/orders");
        while (true)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, url)
                {
                    Content = new StringContent(
                        """{"customerId":"ada","currency":"EUR","lines":[{"sku":"THING","quantity":1}],"payment":""" +
                        """{"provider":"http","token":"tok_visa"}}""",
                        Encoding.UTF8, "application/json"),
                };
                request.Headers.Add("Idempotency-Key", key);
                using var answer = await cluster.Http.SendAsync(request, stop);
                if ((int)answer.StatusCode is 201 or 202) return;
                if ((int)answer.StatusCode != 503)
                {
                    violations.Enqueue($"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(stop)}");
                    return;
                }
            }
            catch (Exception error) when (error is HttpRequestException or TaskCanceledException && !stop.IsCancellationRequested)
            {
                // Without a response the outcome is unknown; the same key finds out.
            }
            await Task.Delay(100, stop);
        }
    }
}
