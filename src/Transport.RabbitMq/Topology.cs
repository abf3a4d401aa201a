using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Orderwright.Transport.RabbitMq;

/// <summary>
/// Exchanges and queues in the broker: the topic exchange <c>orderwright</c>, a bounded queue per service, bound to
/// <c>{service}.#</c>, and <c>orderwright.dead</c> for messages that a queue gives up. Declared on every new connection,
/// because the broker may have lost everything; a sender also declares its destination, which may never have run.
/// </summary>
sealed partial class Topology(RabbitMqOptions options, ILogger log)
{
    public const string Exchange = "orderwright";
    public const string Dead = "orderwright.dead";

    volatile bool mayDeclareOthers = true;

    public async Task DeclareExchangeAsync(IConnection connection, CancellationToken cancel)
    {
        // A service with exactly its rights cannot declare the exchange, and need not once an administrator has.
        if (!await ExistsAsync(connection, channel => channel.ExchangeDeclarePassiveAsync(Exchange, cancel), cancel))
            await TryAsync(connection, $"exchange {Exchange}", channel =>
                channel.ExchangeDeclareAsync(Exchange, ExchangeType.Topic, durable: true, cancellationToken: cancel), cancel);
    }

    /// <summary>
    /// Declares the queue of dead letters, unless it exists. Never throws: no service may wait for a queue that no service
    /// consumes, such as a classic queue on a dead node of a cluster. The next connection tries again.
    /// </summary>
    public async Task DeclareDeadLettersAsync(IConnection connection, CancellationToken cancel)
    {
        try
        {
            if (await ExistsAsync(connection, LookAtDeadLettersAsync, cancel)) return;
            await TryAsync(connection, $"exchange {Dead}", channel =>
                channel.ExchangeDeclareAsync(Dead, ExchangeType.Fanout, durable: true, cancellationToken: cancel), cancel);
            await TryAsync(connection, $"queue {Dead}", channel =>
                channel.QueueDeclareAsync(
                    Dead, durable: true, exclusive: false, autoDelete: false,
                    DeadArguments(options), cancellationToken: cancel), cancel);
            await TryAsync(connection, $"binding of {Dead}", channel =>
                channel.QueueBindAsync(Dead, Dead, "", cancellationToken: cancel), cancel);
        }
        catch (Exception error)
        {
            if (connection.IsOpen && !cancel.IsCancellationRequested) LogNoDeadLetters(Dead, error.Message);
        }
    }

    // Final destination: the oldest messages are dropped, because nobody would handle a refusal.
    internal static Dictionary<string, object?> DeadArguments(RabbitMqOptions options) =>
        Limits(options, "drop-head");

    /// <summary>Declares and binds the queue of a service; false if the user may not.</summary>
    public async Task<bool> DeclareServiceAsync(IConnection connection, string service, CancellationToken cancel)
    {
        var arguments = Limits(options, "reject-publish");
        arguments["x-dead-letter-exchange"] = Dead;
        if (options.QuorumQueues) arguments["x-delivery-limit"] = options.DeliveryLimit;
        return await TryAsync(connection, $"queue {service}", channel =>
                channel.QueueDeclareAsync(
                    service, durable: true, exclusive: false, autoDelete: false, arguments, cancellationToken: cancel), cancel)
            && await TryAsync(connection, $"binding of {service}", channel =>
                channel.QueueBindAsync(service, Exchange, $"{service}.#", cancellationToken: cancel), cancel);
    }

    /// <summary>
    /// Declares the queue of a destination. A user without the right to declare the queues of others is refused once, and then
    /// relies on the destinations to declare their own.
    /// </summary>
    public async Task DeclareDestinationAsync(IConnection connection, string service, CancellationToken cancel)
    {
        if (mayDeclareOthers) mayDeclareOthers = await DeclareServiceAsync(connection, service, cancel);
    }

    static async Task LookAtDeadLettersAsync(IChannel channel)
    {
        await channel.ExchangeDeclarePassiveAsync(Dead);
        await channel.QueueDeclarePassiveAsync(Dead);
    }

    // On a separate channel, because looking at a missing object closes the channel.
    static async Task<bool> ExistsAsync(IConnection connection, Func<IChannel, Task> look, CancellationToken cancel)
    {
        var channel = await connection.CreateChannelAsync(cancellationToken: cancel);
        try
        {
            await look(channel);
            await channel.CloseAsync(cancel);
            return true;
        }
        catch (OperationInterruptedException)
        {
            return false;
        }
    }

    static Dictionary<string, object?> Limits(RabbitMqOptions options, string overflow) => new()
    {
        ["x-queue-type"] = options.QuorumQueues ? "quorum" : "classic",
        ["x-max-length"] = options.MaxQueueLength,
        ["x-max-length-bytes"] = options.MaxQueueBytes,
        ["x-overflow"] = overflow,
    };

    // A channel per declaration, because a refusal closes the channel. Existing objects of another form are used as they are,
    // and a user without permission to declare works with what an administrator has set up. False if permission is missing.
    async Task<bool> TryAsync(IConnection connection, string what, Func<IChannel, Task> declare, CancellationToken cancel)
    {
        var channel = await connection.CreateChannelAsync(cancellationToken: cancel);
        try
        {
            await declare(channel);
            await channel.CloseAsync(cancel);
            return true;
        }
        catch (OperationInterruptedException error) when (
            error.ShutdownReason?.ReplyCode is Constants.AccessRefused or Constants.PreconditionFailed)
        {
            LogNotDeclared(what, error.ShutdownReason.ReplyText);
            return error.ShutdownReason.ReplyCode != Constants.AccessRefused;
        }
    }

    [LoggerMessage(1102, LogLevel.Warning,
        "The queue {Queue} is not available, and messages that another queue gives up are lost until it is: {Why}")]
    partial void LogNoDeadLetters(string queue, string why);

    [LoggerMessage(1101, LogLevel.Warning, "The {What} was not declared; the existing one is used: {Why}")]
    partial void LogNotDeclared(string what, string why);
}
