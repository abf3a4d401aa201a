using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;
using Orderwright.Http.Outgoing;
using Orderwright.Runtime;

namespace Orderwright.OrderService.Webhooks;

/// <summary>Settings of outgoing webhooks: <c>ORDERWRIGHT_{NAME}</c>.</summary>
public sealed class WebhookSettings
{
    /// <summary>
    /// Networks that are not public and may receive webhooks, in CIDR notation, separated by commas: <c>10.1.0.0/16</c>. A
    /// server without keys also allows the loopback interface.
    /// </summary>
    public string WebhookNetworks { get; set; } = "";

    /// <summary>Time limit of an attempt, from the connection to the end of the response.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:00:20")]
    public TimeSpan WebhookTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Requests in flight to an endpoint.</summary>
    [Range(1, 256)]
    public int WebhookMaxInFlight { get; set; } = 16;

    /// <summary>Time for which the log of deliveries is kept.</summary>
    [Range(typeof(TimeSpan), "1.00:00:00", "3650.00:00:00")]
    public TimeSpan WebhookKeep { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Endpoints of a channel.</summary>
    [Range(1, 1_000)]
    public int WebhookMaxEndpoints { get; set; } = 32;

    /// <summary>Reads the settings. Throws <see cref="InvalidSettingException"/> for invalid values.</summary>
    public static (WebhookSettings Settings, ReceiverNetworks Networks) Read(IConfiguration configuration)
    {
        var settings = configuration.Bind<WebhookSettings>();
        return (settings, ReceiverNetworks.Read(
            "WEBHOOK_NETWORKS", settings.WebhookNetworks, allowsLoopback: configuration["KEYS"] is not { Length: > 0 }));
    }
}
