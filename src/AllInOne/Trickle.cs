using System.Net.Http.Json;

namespace Orderwright.AllInOne;

/// <summary>
/// The demo shop's customers: an order every few seconds, so that there is something to see. Who buys what and how it
/// ends follows a fixed round, not chance.
/// </summary>
sealed class Trickle(HttpClient http, TimeProvider time)
{
    static readonly TimeSpan Interval = TimeSpan.FromSeconds(3);
    static readonly string[] Customers = ["ada", "grace", "edsger", "barbara"];
    static readonly string[] Skus = ["MUG-01", "TEA-01", "BIS-01", "SPN-01", "MUG-02", "HNY-01", "TEA-02"];

    // Of a dozen payers one is declined; the lost answer of another is looked up.
    static readonly string[] Tokens =
        ["tok_visa", "tok_visa", "tok_visa", "tok_visa", "tok_declined", "tok_visa", "tok_visa", "tok_error", "tok_visa",
            "tok_visa", "tok_timeout_before_charge", "tok_visa"];

    public async Task RunAsync(CancellationToken cancel)
    {
        for (var number = 0; ; number++)
        {
            await Task.Delay(Interval, time, cancel);
            var sku = Skus[number % Skus.Length];
            using var placed = await http.PostAsJsonAsync(
                new Uri("api/v1/orders", UriKind.Relative),
                new
                {
                    customerId = Customers[number % Customers.Length], currency = "GBP",
                    lines = new[] { new { sku, quantity = 1 + number % 3 } },
                    payment = new { provider = "sandbox", token = Tokens[number % Tokens.Length] },
                    metadata = new { channel = "demo" },
                },
                cancel);
            // What was sold comes in again: the demo does not run dry.
            if (number % Skus.Length != 0) continue;
            foreach (var low in Skus)
                using (await http.PostAsJsonAsync(
                    new Uri($"api/v1/stock/{low}/adjustments", UriKind.Relative), new { delta = 2, reason = "received" }, cancel))
                {
                }
        }
    }
}
