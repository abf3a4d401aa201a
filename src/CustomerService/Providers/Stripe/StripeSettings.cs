using System.Text;
using Microsoft.Extensions.Configuration;
using Orderwright.Runtime;

namespace Orderwright.CustomerService.Providers.Stripe;

/// <summary>
/// Settings for payments through Stripe (docs/how-to/stripe.md): <c>ORDERWRIGHT_{NAME}</c>; prefer <c>…_FILE</c> for secrets.
/// No message ever contains a secret.
/// </summary>
public sealed class StripeSettings
{
    /// <summary>Secret or restricted key of the account. Default none: the provider is disabled.</summary>
    public string StripeKey { get; set; } = "";

    /// <summary>
    /// Signing secret of the webhook endpoint, <c>whsec_…</c>. Default none: webhooks are refused, and results are looked up.
    /// </summary>
    public string StripeWebhookSecret { get; set; } = "";

    /// <summary>Address of the API, for a proxy or a mock. Plain HTTP is allowed on a loopback address only.</summary>
    public string StripeUrl { get; set; } = "https://api.stripe.com";

    /// <summary>Page to return to after 3-D Secure. Default none: payments that require a customer action are declined.</summary>
    public string StripeReturnUrl { get; set; } = "";

    /// <summary>
    /// Capture method: <c>manual</c> (default) holds the money until the order is confirmed, <c>automatic</c> captures at once.
    /// </summary>
    public string StripeCapture { get; set; } = Manual;

    public const string Manual = "manual";
    public const string Automatic = "automatic";

    public Uri Url { get; private set; } = null!;

    public byte[] WebhookSecret => Encoding.UTF8.GetBytes(StripeWebhookSecret);

    /// <summary>
    /// Reads the settings; null when no key is configured. Throws <see cref="InvalidSettingException"/> for an invalid value.
    /// </summary>
    public static StripeSettings? Read(IConfiguration configuration)
    {
        var settings = configuration.Bind<StripeSettings>();
        if (settings.StripeKey.Length == 0) return null;
        if (!(settings.StripeKey.StartsWith("sk_", StringComparison.Ordinal)
                || settings.StripeKey.StartsWith("rk_", StringComparison.Ordinal))
            || settings.StripeKey.Any(letter => !char.IsAsciiLetterOrDigit(letter) && letter != '_'))
            throw new InvalidSettingException(
                $"{Settings.Prefix}STRIPE_KEY is not a secret key. Allowed: sk_… or rk_…, as Stripe's dashboard shows it.");
        if (settings.StripeWebhookSecret.Length is > 0 and < Signature.MinimumSecretLength)
            throw new InvalidSettingException(
                $"{Settings.Prefix}STRIPE_WEBHOOK_SECRET has {settings.StripeWebhookSecret.Length} characters. Allowed: " +
                "whsec_…, as Stripe's dashboard shows it, or none.");
        if (settings.StripeCapture is not (Manual or Automatic))
            throw new InvalidSettingException("STRIPE_CAPTURE", settings.StripeCapture, $"{Manual} or {Automatic}");
        if (settings.StripeReturnUrl.Length > 0
            && (!Uri.TryCreate(settings.StripeReturnUrl, UriKind.Absolute, out var back) || back.IsFile))
            throw new InvalidSettingException(
                "STRIPE_RETURN_URL", settings.StripeReturnUrl, "an address such as https://shop.example.com/paid");
        if (!Uri.TryCreate(settings.StripeUrl.TrimEnd('/') + "/", UriKind.Absolute, out var url)
            || !(url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback)))
            throw new InvalidSettingException(
                "STRIPE_URL", settings.StripeUrl, "https://api.stripe.com, or an address on loopback");
        settings.Url = url;
        return settings;
    }
}
