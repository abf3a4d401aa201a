using Microsoft.Extensions.Configuration;
using Orderwright.Runtime;
using Orderwright.Runtime.Transport;

namespace Orderwright.Hosting;

/// <summary>
/// What carries messages. <c>ORDERWRIGHT_TRANSPORT</c> is <c>inprocess</c> (default; only for all services in one
/// process) later the address of a RabbitMQ broker, <c>amqp://user:password@host:port/vhost</c> (or <c>amqps</c>).
/// </summary>
static class Transports
{
    const string InProcess = "inprocess";

    public static InProcessTransport Open(
        IConfiguration settings, RuntimeOptions limits, IReadOnlyList<string> services, TimeProvider time)
    {
        var address = AddressOf(settings);
        if (address == InProcess)
            return services.Count > 1
                ? new InProcessTransport(limits, time)
                : throw new InvalidSettingException(
                    "TRANSPORT", InProcess,
                    "amqp://user:password@host:port/vhost, as a service in a process of its own reaches the others by a broker");
        throw new InvalidSettingException($"{Settings.Prefix}TRANSPORT names a broker, which this build cannot reach. Allowed: {InProcess}.");
    }

    /// <summary>For people; without user and password.</summary>
    public static string Describe(IConfiguration settings) =>
        Uri.TryCreate(AddressOf(settings), UriKind.Absolute, out var broker)
            ? $"RabbitMQ on {broker.Authority}"
            : "in-process transport";

    static string AddressOf(IConfiguration settings) => settings["TRANSPORT"] is { Length: > 0 } said ? said : InProcess;
}
