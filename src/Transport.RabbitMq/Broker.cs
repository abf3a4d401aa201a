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

    readonly ConnectionFactory factory;
    readonly string clientName;
    readonly FrozenDictionary<string, Sender> senders;

    public Broker(RabbitMqOptions options)
    {
        Validator.ValidateObject(options, new ValidationContext(options), validateAllProperties: true);
        clientName = options.ClientName;
        factory = new ConnectionFactory
        {
            Uri = new Uri(options.Url),
            AutomaticRecoveryEnabled = false,
            TopologyRecoveryEnabled = false,
            // A silently vanished peer is detected after two heartbeats.
            RequestedHeartbeat = TimeSpan.FromSeconds(15),
            RequestedConnectionTimeout = TimeSpan.FromSeconds(5),
            ContinuationTimeout = TimeSpan.FromSeconds(10),
            // The broker's own maximum: a body beyond the client's limit would break the connection, again at every redelivery.
            // A body beyond our limit becomes a dead letter.
            MaxInboundMessageBodySize = 512u << 20,
        };
        senders = ServiceNames.All.ToFrozenDictionary(
            service => options.UserPrefix + service,
            service => new Sender(options.UserPrefix + service, service, IsReceiver: options.UserPrefix + service == User));
        Address = $"{factory.HostName}:{factory.Endpoint.Port}";
    }

    /// <summary>Host and port, without the password.</summary>
    public string Address { get; }

    /// <summary>User of our connections. The broker refuses a message under any other name.</summary>
    public string User => factory.UserName;

    /// <summary>Sender with a user validated by the broker; null for a message without a user.</summary>
    public Sender SenderOf(string? user) =>
        user is null ? Unnamed : senders.GetValueOrDefault(user) ?? new Sender(user, null, IsReceiver: user == User);

    public Task<IConnection> ConnectAsync(string purpose, CancellationToken cancel) =>
        factory.CreateConnectionAsync($"{clientName} {purpose}", cancel);

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
}
