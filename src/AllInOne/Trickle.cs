using Orderwright.Client;
using Orderwright.Contracts;

namespace Orderwright.AllInOne;

/// <summary>
/// Customers of the demo shop, who place an order every few seconds. Orders follow a fixed cycle, so a demo is reproducible.
/// </summary>
sealed class Trickle(ApiClient client, TimeProvider time)
{
    static readonly TimeSpan Interval = TimeSpan.FromSeconds(3);
    static readonly string[] Customers = ["ada", "grace", "edsger", "barbara"];
    static readonly string[] Skus = ["MUG-01", "TEA-01", "BIS-01", "SPN-01", "MUG-02", "HNY-01", "TEA-02"];

    // Of twelve payments one is declined, one fails at first, and one has to be looked up.
    static readonly string[] Tokens =
        ["tok_visa", "tok_visa", "tok_visa", "tok_visa", "tok_declined", "tok_visa", "tok_visa", "tok_error", "tok_visa",
            "tok_visa", "tok_timeout_before_charge", "tok_visa"];

    public async Task RunAsync(CancellationToken cancel)
    {
        for (var number = 0; ; number++)
        {
            await Task.Delay(Interval, time, cancel);
            await client.PostAsync(
                ServiceNames.Order, "/orders",
                DemoShop.NewOrder(
                    Customers[number % Customers.Length], Skus[number % Skus.Length], 1 + number % 3,
                    Tokens[number % Tokens.Length]),
                cancel);
            // Replaces the sold goods, so that the demo never runs out of stock.
            if (number % Skus.Length != 0) continue;
            foreach (var sku in Skus)
                await client.PostAsync(
                    ServiceNames.Stock, $"/stock/{sku}/adjustments", new() { ["delta"] = 2, ["reason"] = "received" }, cancel);
        }
    }
}
