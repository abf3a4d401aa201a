using System.Collections.Frozen;
using System.ComponentModel.DataAnnotations;
using Orderwright.Contracts;
using Orderwright.Runtime.Transport;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Orderwright.Transport.RabbitMq;

/// <summary>
/// Opens and closes connections to the broker. The client's own recovery is off: it hangs if the broker disappears during a
/// publish (rabbitmq-dotnet-client #1928, #1930), and cannot redeclare the topology of a wiped broker.
/// </summary>
sealed class Broker
{
    static readonly TimeSpan CloseTime = TimeSpan.FromSeconds(5);

    static readonly Sender Unnamed = new(null, null, IsReceiver: false);

    // A silently vanished broker is detected after two heartbeats.
    static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);
    static readonly TimeSpan ClusterHeartbeat = TimeSpan.FromSeconds(5);

    // The broker drops a silent peer after two to three heartbeats. A frozen process must not keep the inbox of its service for
    // longer than that.
    static readonly TimeSpan ReceivingHeartbeat = TimeSpan.FromSeconds(1);

    readonly RabbitMqAddress address;
    readonly ConnectionFactory factory;
    readonly ConnectionFactory receiving;
    readonly string clientName;
    readonly FrozenDictionary<string, Sender> senders;

    public Broker(RabbitMqOptions options)
    {
        Validator.ValidateObject(options, new ValidationContext(options), validateAllProperties: true);
        clientName = options.ClientName;
        address = RabbitMqAddress.Parse(options.Url);
        // Sooner where another node can take over.
        factory = FactoryOf(address, address.IsCluster ? ClusterHeartbeat : Heartbeat);
        receiving = FactoryOf(address, ReceivingHeartbeat);
        senders = ServiceNames.All.ToFrozenDictionary(
            service => options.UserPrefix + service,
            service => new Sender(options.UserPrefix + service, service, IsReceiver: options.UserPrefix + service == User));
    }

    /// <summary>Hosts and ports, without the password.</summary>
    public string Address => address.Nodes;

    /// <summary>User of our connections. The broker refuses a message under any other name.</summary>
    public string User => factory.UserName;

    /// <summary>Sender with a user validated by the broker; null for a message without a user.</summary>
    public Sender SenderOf(string? user) =>
        user is null ? Unnamed : senders.GetValueOrDefault(user) ?? new Sender(user, null, IsReceiver: user == User);

    /// <summary>Connects to a node chosen at random, or to the next that replies.</summary>
    public Task<IConnection> ConnectAsync(string purpose, CancellationToken cancel) =>
        factory.CreateConnectionAsync(address.Endpoints, $"{clientName} {purpose}", cancel);

    /// <summary>Connects to receive; the broker notices within 3 s when this process stops reacting.</summary>
    public Task<IConnection> ConnectToReceiveAsync(string purpose, CancellationToken cancel) =>
        receiving.CreateConnectionAsync(address.Endpoints, $"{clientName} {purpose}", cancel);

    /// <summary>Explains an error in a sentence, for <c>Trouble</c> and the log.</summary>
    public string Explain(Exception error) => error switch
    {
        BrokerUnreachableException { InnerException: { } inner } => Explain(inner),
        AggregateException { InnerException: { } inner } => Explain(inner),
        AuthenticationFailureException => $"RabbitMQ at {Address} refuses the user '{factory.UserName}': {error.Message}",
        _ => $"RabbitMQ at {Address} cannot be reached: {error.Message}",
    };

    /// <summary>Never throws and takes a bounded time, even if the client hangs (#1757).</summary>
    public static async Task CloseAsync(IConnection connection)
    {
        try
        {
            await connection.AbortAsync(Constants.ReplySuccess, "Goodbye", CloseTime).WaitAsync(CloseTime);
            await connection.DisposeAsync().AsTask().WaitAsync(CloseTime);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // The connection is abandoned in any case, and its socket with it.
        }
    }

    static ConnectionFactory FactoryOf(RabbitMqAddress address, TimeSpan heartbeat) => new()
    {
        UserName = address.User,
        Password = address.Password,
        VirtualHost = address.VirtualHost,
        AutomaticRecoveryEnabled = false,
        TopologyRecoveryEnabled = false,
        RequestedHeartbeat = heartbeat,
        RequestedConnectionTimeout = TimeSpan.FromSeconds(address.IsCluster ? 3 : 5),
        ContinuationTimeout = TimeSpan.FromSeconds(10),
    };
}
