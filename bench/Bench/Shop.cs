using System.Text;
using Orderwright.Contracts;
using Orderwright.Load;

namespace Orderwright.Bench;

/// <summary>
/// The shop of every stack, filled over HTTP: 1,000 customers, 50 of them almost without balance, and 100 products, 5 of
/// them sold out.
/// </summary>
sealed class Shop(HttpClient http, Stack stack)
{
    const int AtOnce = 32;

    public async Task FillAsync(CancellationToken cancel)
    {
        var stock = new Uri(stack.UrlsOf(ServiceNames.Stock)[0], "/api/v1/");
        var customers = new Uri(stack.UrlsOf(ServiceNames.Customer)[0], "/api/v1/");
        var options = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancel };
        await Parallel.ForAsync(0, OrderMix.Products, options, async (i, cancel) =>
        {
            var sku = OrderMix.Sku(i);
            await SendAsync(
                HttpMethod.Put, new Uri(stock, $"products/{sku}"),
                $$"""{"name":"Product {{i}}","unitPrice":{{100 + i}},"currency":"EUR"}""", cancel);
            var onHand = i < OrderMix.Products - OrderMix.SoldOut ? 1_000_000_000 : 0;
            await SendAsync(HttpMethod.Put, new Uri(stock, $"stock/{sku}"), $$"""{"onHand":{{onHand}}}""", cancel);
        });
        await Parallel.ForAsync(0, OrderMix.Customers, options, async (i, cancel) =>
        {
            var customer = OrderMix.CustomerId(i);
            await SendAsync(
                HttpMethod.Put, new Uri(customers, $"customers/{customer}"),
                $$"""{"name":"Customer {{i}}","email":"c{{i}}@example.com"}""", cancel);
            var credit = i < OrderMix.Customers - OrderMix.PoorCustomers ? 1_000_000_000_000 : 1;
            await SendAsync(
                HttpMethod.Post, new Uri(customers, $"customers/{customer}/credits"),
                $$"""{"amount":{{credit}},"currency":"EUR","reference":"opening"}""", cancel);
        });
    }

    async Task SendAsync(HttpMethod method, Uri url, string body, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(method, url)
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        using var answer = await http.SendAsync(request, cancel);
        if (!answer.IsSuccessStatusCode)
            throw new InvalidOperationException(
                $"{method} {url}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(cancel)}");
    }
}
