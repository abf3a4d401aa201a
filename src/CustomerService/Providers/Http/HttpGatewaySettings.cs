using System.Text;
using Microsoft.Extensions.Configuration;
using Orderwright.Runtime;

namespace Orderwright.CustomerService.Providers.Http;

/// <summary>Settings of the shop's own gateway (docs/reference/http-gateway.md): <c>ORDERWRIGHT_{NAME}</c>.</summary>
public sealed class HttpGatewaySettings
{
    /// <summary>
    /// Base address of the gateway, such as <c>https://pay.example.com/v1</c>. Default none: the provider is disabled.
    /// </summary>
    public string GatewayUrl { get; set; } = "";

    /// <summary>Secret that signs our requests and the gateway's webhooks; at least 16 characters.</summary>
    public string GatewaySecret { get; set; } = "";

    /// <summary>
    /// True when the gateway keeps the rest of a partial capture held for further captures. Default false: an order with the
    /// capture policy <c>fulfilment</c> is captured whole with its first fulfilment.
    /// </summary>
    public bool GatewaySeveralCaptures { get; set; }

    public Uri Url { get; private set; } = null!;

    public byte[] Secret => Encoding.UTF8.GetBytes(GatewaySecret);

    /// <summary>
    /// Reads the settings; null when no gateway is configured. Throws <see cref="InvalidSettingException"/> for an invalid value.
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
        if (settings.GatewaySecret.Length < Signature.MinimumSecretLength)
            throw new InvalidSettingException(
                $"{Settings.Prefix}GATEWAY_SECRET has {settings.GatewaySecret.Length} characters. Allowed: " +
                $"{Signature.MinimumSecretLength} or more; the gateway must use the same secret.");
        return settings;
    }
}
