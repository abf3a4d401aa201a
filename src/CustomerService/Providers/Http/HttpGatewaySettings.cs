using System.Text;
using Microsoft.Extensions.Configuration;
using Orderwright.Runtime;

namespace Orderwright.CustomerService.Providers.Http;

/// <summary>
/// Where a shop's own gateway is that speaks our contract (docs/http-gateway.md). Settings: <c>ORDERWRIGHT_{NAME}</c>.
/// </summary>
public sealed class HttpGatewaySettings
{
    /// <summary>
    /// The base of its paths, such as <c>https://pay.example.com/v1</c>. Default none: there is no such provider.
    /// </summary>
    public string GatewayUrl { get; set; } = "";

    /// <summary>Signs our requests and its webhooks; at least 16 characters.</summary>
    public string GatewaySecret { get; set; } = "";

    /// <summary>
    /// What is left after a partial capture stays held at the gateway, and can be captured too. Default: no; an order that is
    /// paid with what is shipped is then captured whole with its first fulfilment.
    /// </summary>
    public bool GatewaySeveralCaptures { get; set; }

    public Uri Url { get; private set; } = null!;

    public byte[] Secret => Encoding.UTF8.GetBytes(GatewaySecret);

    /// <summary>
    /// Null where no gateway is configured; throws <see cref="InvalidSettingException"/> for what cannot be.
    /// </summary>
    public static HttpGatewaySettings? Read(IConfiguration configuration)
    {
        var settings = configuration.Bind<HttpGatewaySettings>();
        if (settings.GatewayUrl.Length == 0) return null;
        if (!Uri.TryCreate(settings.GatewayUrl.TrimEnd('/') + "/", UriKind.Absolute, out var url)
            || url.Scheme is not ("http" or "https") || url.Query.Length > 0)
            throw new InvalidSettingException(
                "GATEWAY_URL", settings.GatewayUrl, "an address such as https://pay.example.com/v1");
        settings.Url = url;
        if (settings.GatewaySecret.Length < Signature.LeastSecret)
            throw new InvalidSettingException(
                $"{Settings.Prefix}GATEWAY_SECRET has {settings.GatewaySecret.Length} characters. Allowed: " +
                $"{Signature.LeastSecret} or more; the gateway has the same.");
        return settings;
    }
}
