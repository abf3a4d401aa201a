using System.Globalization;
using Orderwright.CustomerService.Payments;

namespace Orderwright.CustomerService.Providers.Stripe;

/// <summary>
/// Stripe's PaymentIntents, newest first, each with its charge, which contains the refunded amount
/// (https://docs.stripe.com/api/payment_intents/list). The account may have other uses, so an intent without one of our order
/// ids is listed as unrelated.
/// </summary>
sealed class StripeChargeList(StripeClient client, Uri address) : IChargeList
{
    const int PageSize = 100;

    public async Task<ChargePage> ListAsync(
        DateTimeOffset from, DateTimeOffset to, string? cursor, CancellationToken cancel)
    {
        // Stripe's times are whole seconds.
        var (first, end) = (from.ToUnixTimeSeconds(), to.AddSeconds(1).AddTicks(-1).ToUnixTimeSeconds());
        var path = string.Create(
            CultureInfo.InvariantCulture,
            $"v1/payment_intents?created[gte]={first}&created[lt]={end}&limit={PageSize}&expand[]=data.latest_charge")
            + (cursor is null ? "" : $"&starting_after={Uri.EscapeDataString(cursor)}");
        try
        {
            var response = await client.GetAsync(path, StripeJson.Default.StripePageStripeListedIntent, cancel);
            return response.Value is { } page
                ? new([.. page.Data.Select(Listed)], page.HasMore && page.Data.Count > 0 ? page.Data[^1].Id : null)
                : throw new ChargeListException(
                    $"Stripe responded to the list request with {(int)response.Status} {response.Fault?.Message}".TrimEnd());
        }
        catch (HttpRequestException error)
        {
            throw new ChargeListException($"Stripe's charge list cannot be read: {error.Message}", error);
        }
    }

    public string CallToReturn(ListedCharge charge, long amountMinor) => amountMinor == 0
        ? $"POST {new Uri(address, $"v1/payment_intents/{charge.Reference}/cancel")}"
        : string.Create(
            CultureInfo.InvariantCulture,
            $"POST {new Uri(address, "v1/refunds")} payment_intent={charge.Reference}"
            + $"&amount={StripeAmounts.ToStripe(amountMinor, charge.Currency)}");

    static ListedCharge Listed(StripeListedIntent intent)
    {
        var currency = intent.Currency.ToUpperInvariant();
        return new(
            intent.Id,
            Guid.TryParseExact(intent.Metadata?.GetValueOrDefault(StripeProvider.OrderName), "D", out var order) ? order : null,
            currency, intent.Status,
            intent.Status == "requires_capture" ? StripeAmounts.FromStripe(intent.AmountCapturable, currency) : 0,
            StripeAmounts.FromStripe(intent.AmountReceived, currency),
            StripeAmounts.FromStripe(intent.LatestCharge?.AmountRefunded ?? 0, currency),
            DateTimeOffset.FromUnixTimeSeconds(intent.Created));
    }
}
