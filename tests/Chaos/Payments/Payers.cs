using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Orderwright.Contracts;

namespace Orderwright.Chaos.Payments;

/// <summary>Customers who pay by card at the gateway of another process, each order under a key, until it is taken.</summary>
sealed class Payers(Cluster cluster)
{
    readonly string run = Guid.NewGuid().ToString("N");
    readonly ConcurrentQueue<string> complaints = new();
    int last;

    public IReadOnlyCollection<string> Complaints => complaints;

    public int Placed { get; private set; }

    /// <summary>As fast as they are let in.</summary>
    public async Task PlaceAsync(int orders, int clients, CancellationToken cancel)
    {
        await Parallel.ForEachAsync(
            Enumerable.Range(0, orders), new ParallelOptions { MaxDegreeOfParallelism = clients, CancellationToken = cancel },
            async (_, stop) => await PlaceAsync(stop));
        Placed += orders;
    }

    /// <summary>At a steady pace, however long each takes.</summary>
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
                        """{"customerId":"ada","currency":"EUR","lines":[{"sku":"THING","quantity":1}],"payment":{"provider":"http","token":"tok_visa"}}""",
                        Encoding.UTF8, "application/json"),
                };
                request.Headers.Add("Idempotency-Key", key);
                using var answer = await cluster.Http.SendAsync(request, stop);
                if ((int)answer.StatusCode is 201 or 202) return;
                if ((int)answer.StatusCode != 503)
                {
                    complaints.Enqueue($"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(stop)}");
                    return;
                }
            }
            catch (Exception error) when (error is HttpRequestException or TaskCanceledException && !stop.IsCancellationRequested)
            {
                // No answer says nothing; the same key does.
            }
            await Task.Delay(100, stop);
        }
    }
}
