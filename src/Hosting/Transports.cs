using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Transport;
using Orderwright.Transport.RabbitMq;

namespace Orderwright.Hosting;

/// <summary>Transport of messages between the services.</summary>
public sealed class TransportSettings
{
    /// <summary>
    /// <c>inprocess</c>, for all services in one process, or the address of a RabbitMQ broker,
    /// <c>amqp://user:password@host:port/vhost</c>. Nodes of a cluster are separated by commas. TLS:
    /// <c>amqps://user:password@mq1,mq2,mq3/?cacertfile=FILE</c>; without the file, the machine's authorities count.
    /// </summary>
    public string Transport { get; set; } = Transports.InProcess;
}

/// <summary>Opens the transport chosen by <see cref="TransportSettings"/>.</summary>
static class Transports
{
    internal const string InProcess = "inprocess";

    public static ITransport Open(
        IConfiguration settings, RuntimeOptions limits, IReadOnlyList<string> services, TimeProvider time,
        ILoggerFactory logs)
    {
        var address = AddressOf(settings);
        if (address == InProcess)
            // A host of none of the four, such as the sandbox gateway, sends no messages.
            return services.Count > 1 || !ServiceNames.All.Contains(services[0])
                ? new InProcessTransport(limits, time)
                : throw new InvalidSettingException(
                    "TRANSPORT", InProcess,
                    "amqp://user:password@host:port/vhost, because a service in a process of its own needs a broker");
        var options = settings.Bind<RabbitMqOptions>();
        options.Url = address;
        options.ClientName = string.Join(',', services);
        try
        {
            return new RabbitMqTransport(options, limits, time, logs);
        }
        catch (ValidationException error)
        {
            throw new InvalidSettingException($"{Settings.Prefix}TRANSPORT: {error.Message} Or: {InProcess}.")
            {
                Setting = "TRANSPORT",
            };
        }
    }

    public static bool IsInProcess(IConfiguration settings) => AddressOf(settings) == InProcess;

    /// <summary>Describes the transport for people, without user and password.</summary>
    public static string Describe(IConfiguration settings) =>
        IsInProcess(settings) ? "in-process transport" : $"RabbitMQ on {RabbitMqAddress.Parse(AddressOf(settings)).Nodes}";

    static string AddressOf(IConfiguration settings) => settings.Bind<TransportSettings>().Transport;
}
