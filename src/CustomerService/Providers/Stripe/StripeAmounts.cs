using Orderwright.Contracts;

namespace Orderwright.CustomerService.Providers.Stripe;

/// <summary>
/// Conversion between ISO 4217 minor units and Stripe's smallest unit. The two differ for a few currencies
/// (https://docs.stripe.com/currencies); without conversion a charge would be off by a factor of 100.
/// </summary>
static class StripeAmounts
{
    /// <summary>Amount in Stripe's unit; null when Stripe cannot charge the amount.</summary>
    public static long? ToStripe(long amountMinor, string currency) => currency switch
    {
        // ISO 4217 has no decimals any more; Stripe still uses two.
        "ISK" or "UGX" => checked(amountMinor * 100),
        // Two decimals in ISO 4217, none at Stripe.
        "MGA" => amountMinor % 100 == 0 ? amountMinor / 100 : null,
        // Card networks accept only two of three decimals.
        _ when Currencies.MinorDigits(currency) == 3 => amountMinor % 10 == 0 ? amountMinor : null,
        _ => amountMinor,
    };

    /// <summary>Amount in ISO 4217 minor units.</summary>
    public static long FromStripe(long amount, string currency) => currency switch
    {
        "ISK" or "UGX" => amount / 100,
        "MGA" => checked(amount * 100),
        _ => amount,
    };
}
