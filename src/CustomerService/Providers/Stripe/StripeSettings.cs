using System.Text;
using Microsoft.Extensions.Configuration;
using Orderwright.Runtime;

namespace Orderwright.CustomerService.Providers.Stripe;

/// <summary>
/// How payments go through Stripe (docs/stripe.md). Settings: <c>ORDERWRIGHT_{NAME}</c>; secrets are better given as
/// <c>…_FILE</c>. No message ever says what a secret is.
/// </summary>
public sealed class StripeSettings
{
    /// <summary>The secret or restricted key of the account. Default none: there is no such provider.</summary>
    public string StripeKey { get; set; } = "";

    /// <summary>Of the webhook endpoint, <c>whsec_…</c>. Default none: no webhook is believed, everything is looked up.</summary>
    public string StripeWebhookSecret { get; set; } = "";

    /// <summary>Another address than Stripe's own: a proxy, a mock. Not encrypted on loopback only.</summary>
    public string StripeUrl { get; set; } = "https://api.stripe.com";

    /// <summary>
    /// Where a customer comes back to from 3-D Secure. Default none: what a customer would have to act for is declined.
    /// </summary>
    public string StripeReturnUrl { get; set; } = "";

    /// <summary><c>manual</c>: authorizing holds the money, confirming the order takes it. Or <c>automatic</c>.</summary>
    public string StripeCapture { get; set; } = Manual;

    public const string Manual = "manual";
    public const string Automatic = "automatic";

    public Uri Url { get; private set; } = null!;

    public byte[] WebhookSecret => Encoding.UTF8.GetBytes(StripeWebhookSecret);

    /// <summary>
    /// Null where no key is configured; throws <see cref="InvalidSettingException"/> for what cannot be.
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
        if (settings.StripeWebhookSecret.Length is > 0 and < Signature.LeastSecret)
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
            throw new InvalidSettingException("STRIPE_URL", settings.StripeUrl, "https://api.stripe.com, or one on loopback");
        settings.Url = url;
        return settings;
    }
}
