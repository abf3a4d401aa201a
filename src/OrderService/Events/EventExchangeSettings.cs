using Microsoft.Extensions.Configuration;
using Orderwright.Runtime;

namespace Orderwright.OrderService.Events;

/// <summary>Settings of the exchange for external consumers: <c>ORDERWRIGHT_{NAME}</c>.</summary>
public sealed class EventExchangeSettings
{
    /// <summary>
    /// Publish every order event as a CloudEvent to the exchange <c>orderwright.events</c> of RabbitMQ. Begins with the events
    /// after the first start with this setting.
    /// </summary>
    public bool EventExchange { get; set; }

    /// <summary>True if events are announced. Throws <see cref="InvalidSettingException"/> without RabbitMQ.</summary>
    public static bool Read(IConfiguration configuration, bool hasExchange)
    {
        var isOn = configuration.Bind<EventExchangeSettings>().EventExchange;
        return isOn && !hasExchange
            ? throw new InvalidSettingException("EVENT_EXCHANGE", "true", "false, or true with RabbitMQ as the transport")
            : isOn;
    }
}
