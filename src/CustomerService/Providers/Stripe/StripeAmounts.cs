using Orderwright.Contracts;

namespace Orderwright.CustomerService.Providers.Stripe;

/// <summary>
/// Stripe's smallest unit is that of ISO 4217, but for a few currencies (https://docs.stripe.com/currencies): a hundred
/// times too much would be charged for one of them, and a hundredth for two others.
/// </summary>
static class StripeAmounts
{
    /// <summary>Null for an amount that Stripe cannot take.</summary>
    public static long? Of(long amountMinor, string currency) => currency switch
    {
        // No digits after the point any more; Stripe keeps the two that there were.
        "ISK" or "UGX" => checked(amountMinor * 100),
        // Two digits by ISO 4217, none at Stripe.
        "MGA" => amountMinor % 100 == 0 ? amountMinor / 100 : null,
        // Of three digits, card networks take two.
        _ when Currencies.MinorDigits(currency) == 3 => amountMinor % 10 == 0 ? amountMinor : null,
        _ => amountMinor,
    };

    /// <summary>Minor units by ISO 4217 of what Stripe says.</summary>
    public static long Back(long amount, string currency) => currency switch
    {
        "ISK" or "UGX" => amount / 100,
        "MGA" => checked(amount * 100),
        _ => amount,
    };
}
