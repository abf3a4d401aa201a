using System.Diagnostics;
using System.Net.Http.Json;
using Orderwright.Contracts;

namespace Orderwright.Bench.Cases;

/// <summary>
/// The time from process start to the first confirmed order, and the memory of each process: idle and, for services, at the
/// peak under load.
/// </summary>
static class StartUp
{
    public static async Task<Measured> RunAsync(Session session, CancellationToken cancel)
    {
        using var http = new HttpClient();
        var embedded = new List<double>();
        for (var i = 0; i < session.Options.Repeat; i++)
        {
            var watch = Stopwatch.StartNew();
            await using var stack = await Stack.StartAsync(
                new StackKind("embedded", Embedded: true), session.NewDirectory("start"), cancel);
            await FirstOrderAsync(http, stack, cancel);
            embedded.Add(watch.Elapsed.TotalSeconds);
            session.Say($"  embedded, on nothing, {i + 1}: {embedded[^1]:F2} s to the first confirmed order");
        }
        var alone = new StackKind("embedded", Embedded: true);
        var apart = new StackKind("distributed");
        await using var single = await session.OpenAsync(alone, cancel);
        await using var four = await session.OpenAsync(apart, cancel);
        var distributed = new List<double>();
        for (var i = 0; i < session.Options.Repeat; i++)
        {
            await four.StopServicesAsync();
            var watch = Stopwatch.StartNew();
            await four.StartServicesAsync(cancel);
            await FirstOrderAsync(http, four, cancel);
            distributed.Add(watch.Elapsed.TotalSeconds);
            session.Say($"  distributed, four services, {i + 1}: {distributed[^1]:F2} s to the first confirmed order");
        }
        await Session.UntilQuietAsync(cancel);
        var singleIdle = ProcessorTime.Memory(single.Processes, peak: false);
        var fourIdle = ProcessorTime.Memory(four.Processes, peak: false);
        var series = await session.CompareAsync(
            [session.Saturate(four, "distributed"), session.Saturate(single, "embedded")], 1, cancel);
        return new(
            series,
            [
                new("embedded, on nothing, to the first confirmed order", Spread.Of(embedded), "s", AtMost: 1.5),
                new("distributed, on running servers, to the first confirmed order", Spread.Of(distributed), "s"),
                .. MemoryOf(fourIdle, ProcessorTime.Memory(four.Processes, peak: true)),
                .. MemoryOf(singleIdle, ProcessorTime.Memory(single.Processes, peak: true)),
            ],
            await session.VerifyAsync(single, cancel) + await session.VerifyAsync(four, cancel));
    }

    static IEnumerable<Figure> MemoryOf(Dictionary<string, double> idle, Dictionary<string, double> loaded) =>
        idle.SelectMany(pair => (Figure[])
        [
            new($"{pair.Key}, memory idle", Spread.Of([pair.Value]), "MB"),
            new(
                $"{pair.Key}, memory loaded", Spread.Of([loaded[pair.Key]]), "MB",
                AtMost: ServiceNames.All.Contains(pair.Key) ? 150 : null),
        ]);

    static async Task FirstOrderAsync(HttpClient http, Stack stack, CancellationToken cancel)
    {
        await PutAsync(ServiceNames.Stock, "products/first", new { name = "First", unitPrice = 100, currency = "EUR" });
        await PutAsync(ServiceNames.Stock, "stock/first", new { onHand = 1_000 });
        await PutAsync(ServiceNames.Customer, "customers/first", new { name = "First", email = "first@example.com" });
        await PostAsync(ServiceNames.Customer, "customers/first/credits", new { amount = 100, currency = "EUR" });
        var order = await PostAsync(ServiceNames.Order, "orders", new
        {
            customerId = "first", currency = "EUR", lines = new[] { new { sku = "first", quantity = 1 } },
        });
        if (!order.Contains("\"status\":\"confirmed\"", StringComparison.Ordinal))
            throw new InvalidOperationException($"The first order was not confirmed: {order}");
        stack.Acknowledged++;

        Task PutAsync(string service, string path, object body) => SendAsync(HttpMethod.Put, service, path, body);
        Task<string> PostAsync(string service, string path, object body) => SendAsync(HttpMethod.Post, service, path, body);
        async Task<string> SendAsync(HttpMethod method, string service, string path, object body)
        {
            using var request = new HttpRequestMessage(method, new Uri(stack.UrlsOf(service)[0], $"/api/v1/{path}"))
            {
                Content = JsonContent.Create(body),
            };
            request.Headers.Add("Prefer", "wait=30");
            using var answer = await http.SendAsync(request, cancel);
            var text = await answer.Content.ReadAsStringAsync(cancel);
            return answer.IsSuccessStatusCode
                ? text
                : throw new InvalidOperationException($"{method} {path}: {(int)answer.StatusCode} {text}");
        }
    }
}
