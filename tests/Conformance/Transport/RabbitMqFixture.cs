using Orderwright.LocalServers;
using Orderwright.Runtime;
using Orderwright.Transport.RabbitMq;
using Microsoft.Extensions.Logging.Abstractions;

namespace Orderwright.Conformance.Transport;

/// <summary>Private broker, shared by all tests in need of a broker; the tests run sequentially.</summary>
public sealed class RabbitMqFixture : IAsyncLifetime
{
    readonly string directory = Path.Combine(Path.GetTempPath(), $"orderwright-rabbitmq-{Guid.NewGuid():N}");
    PrivateRabbitMq? broker;

    public PrivateRabbitMq Broker
    {
        get
        {
            Machine.Require(Machine.LacksRabbitMq);
            return broker!;
        }
    }

    public RabbitMqTransport Open(RuntimeOptions limits, Action<RabbitMqOptions>? change = null)
    {
        var options = new RabbitMqOptions { Url = Broker.Url, ClientName = "conformance" };
        change?.Invoke(options);
        return new RabbitMqTransport(options, limits, TimeProvider.System, NullLoggerFactory.Instance);
    }

    /// <summary>Transport of a service, under the user and with the rights of the service.</summary>
    public RabbitMqTransport OpenAs(string service) => Open(
        new RuntimeOptions { PublishTimeout = TimeSpan.FromSeconds(10) },
        options => (options.Url, options.ClientName) = (Broker.UrlOf(service), service));

    public async ValueTask InitializeAsync()
    {
        if (Machine.LacksRabbitMq is null)
            broker = await PrivateRabbitMq.StartAsync(directory, definitions: BrokerRights.Definitions);
    }

    public async ValueTask DisposeAsync()
    {
        if (broker is null) return;
        await broker.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }
}

[CollectionDefinition("RabbitMQ")]
public sealed class RabbitMqCollection : ICollectionFixture<RabbitMqFixture>;
