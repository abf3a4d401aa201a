using System.Globalization;
using Orderwright.CustomerService.Payments;

namespace Orderwright.CustomerService.Providers.Stripe;

/// <summary>
/// Stripe's PaymentIntents by when they were made, newest first, each with its charge, which says what was given back
/// (https://docs.stripe.com/api/payment_intents/list). An account may serve other things too: what does not carry our order
/// is not ours.
/// </summary>
sealed class StripeChargeList(StripeClient client, Uri address) : IChargeList
{
    const int PageSize = 100;

    public async Task<ChargePage> ListAsync(
        DateTimeOffset from, DateTimeOffset to, string? cursor, CancellationToken cancel)
    {
        // Stripe counts whole seconds.
        var (first, end) = (from.ToUnixTimeSeconds(), to.AddSeconds(1).AddTicks(-1).ToUnixTimeSeconds());
        var path = string.Create(
            CultureInfo.InvariantCulture,
            $"v1/payment_intents?created[gte]={first}&created[lt]={end}&limit={PageSize}&expand[]=data.latest_charge")
            + (cursor is null ? "" : $"&starting_after={Uri.EscapeDataString(cursor)}");
        try
        {
            var answer = await client.GetAsync(path, StripeJson.Default.StripePageStripeListedIntent, cancel);
            return answer.Value is { } page
                ? new([.. page.Data.Select(Listed)], page.HasMore && page.Data.Count > 0 ? page.Data[^1].Id : null)
                : throw new ChargeListException(
                    $"Stripe's list was answered {(int)answer.Status} {answer.Fault?.Message}".TrimEnd());
        }
        catch (HttpRequestException error)
        {
            throw new ChargeListException($"Stripe's list cannot be read: {error.Message}", error);
        }
    }

    public string CallToReturn(ListedCharge charge, long amountMinor) => amountMinor == 0
        ? $"POST {new Uri(address, $"v1/payment_intents/{charge.Reference}/cancel")}"
        : string.Create(
            CultureInfo.InvariantCulture,
            $"POST {new Uri(address, "v1/refunds")} payment_intent={charge.Reference}"
            + $"&amount={StripeAmounts.Of(amountMinor, charge.Currency)}");

    static ListedCharge Listed(StripeListedIntent intent)
    {
        var currency = intent.Currency.ToUpperInvariant();
        return new(
            intent.Id,
            Guid.TryParseExact(intent.Metadata?.GetValueOrDefault(StripeProvider.OrderName), "D", out var order) ? order : null,
            currency, intent.Status,
            intent.Status == "requires_capture" ? StripeAmounts.Back(intent.AmountCapturable, currency) : 0,
            StripeAmounts.Back(intent.AmountReceived, currency),
            StripeAmounts.Back(intent.LatestCharge?.AmountRefunded ?? 0, currency),
            DateTimeOffset.FromUnixTimeSeconds(intent.Created));
    }
}
