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
    public const string Events = "orderwright.events";
    const string SingleActiveConsumer = "x-single-active-consumer";

    volatile bool mayDeclareOthers = true;

    public Task DeclareExchangeAsync(IConnection connection, CancellationToken cancel) =>
        DeclareTopicAsync(connection, Exchange, cancel);

    /// <summary>Declares the exchange for consumers outside the installation.</summary>
    public Task DeclareEventsAsync(IConnection connection, CancellationToken cancel) =>
        DeclareTopicAsync(connection, Events, cancel);

    async Task DeclareTopicAsync(IConnection connection, string exchange, CancellationToken cancel)
    {
        // A service with exactly its rights cannot declare the exchange, and need not once an administrator has.
        if (!await ExistsAsync(connection, channel => channel.ExchangeDeclarePassiveAsync(exchange, cancel), cancel))
            await TryAsync(connection, $"exchange {exchange}", channel =>
                channel.ExchangeDeclareAsync(exchange, ExchangeType.Topic, durable: true, cancellationToken: cancel), cancel);
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

    /// <summary>
    /// Declares and binds the queue of a service; false if the user may not. A queue of release 0.1.0 has no single active
    /// consumer, so its instances share the messages.
    /// </summary>
    public async Task<bool> DeclareServiceAsync(IConnection connection, string service, CancellationToken cancel) =>
        await TryAsync(connection, $"queue {service}", DeclareQueueOf(service, cancel), cancel) is not Declared.Forbidden
        && await BindAsync(connection, service, service, cancel);

    /// <summary>
    /// Declares the queue of a service for its own instance. A queue of release 0.1.0 is replaced once it is empty and has no
    /// consumer, as on the first start after all instances have stopped.
    /// </summary>
    public async Task DeclareOwnServiceAsync(IConnection connection, string service, CancellationToken cancel)
    {
        var declare = DeclareQueueOf(service, cancel);
        var declared = await TryAsync(connection, $"queue {service}", declare, cancel);
        if (declared == Declared.WithoutSingleConsumer && await IsIdleAsync(connection, service, cancel))
        {
            LogReplaced(service);
            // A message of this very moment is returned to its sender or lost, and its sender retries.
            await TryAsync(
                connection, $"queue {service}", channel => channel.QueueDeleteAsync(service, cancellationToken: cancel), cancel);
            declared = await TryAsync(connection, $"queue {service}", declare, cancel);
        }
        if (declared != Declared.Forbidden) await BindAsync(connection, service, service, cancel);
    }

    /// <summary>
    /// Declares the queue of an instance for replies; false if the user may not, as with the rights of release 0.1.0. The queue
    /// ends with the connection. Messages refused by the instance move to the inbox of the service.
    /// </summary>
    public async Task<bool> DeclareInstanceAsync(
        IConnection connection, string service, string instance, CancellationToken cancel)
    {
        var queue = InstanceQueue.NameOf(service, instance);
        var arguments = Limits(options, "reject-publish");
        // A quorum queue cannot be exclusive.
        arguments["x-queue-type"] = "classic";
        arguments["x-dead-letter-exchange"] = Exchange;
        arguments["x-dead-letter-routing-key"] = $"{service}.returned";
        return await TryAsync(connection, $"queue {queue}", channel =>
                channel.QueueDeclareAsync(
                    queue, durable: false, exclusive: true, autoDelete: false, arguments, cancellationToken: cancel), cancel)
                == Declared.AsWanted
            && await BindAsync(connection, queue, queue, cancel);
    }

    /// <summary>Sends the messages for an instance to the inbox of the service from now on.</summary>
    public static Task UnbindInstanceAsync(IChannel channel, string service, string instance)
    {
        var queue = InstanceQueue.NameOf(service, instance);
        return channel.QueueUnbindAsync(queue, Exchange, $"{queue}.#");
    }

    /// <summary>
    /// Declares the queue of a destination. A user without the right to declare the queues of others is refused once, and then
    /// relies on the destinations to declare their own.
    /// </summary>
    public async Task DeclareDestinationAsync(IConnection connection, string service, CancellationToken cancel)
    {
        if (mayDeclareOthers) mayDeclareOthers = await DeclareServiceAsync(connection, service, cancel);
    }

    Func<IChannel, Task> DeclareQueueOf(string service, CancellationToken cancel)
    {
        var arguments = Limits(options, "reject-publish");
        arguments["x-dead-letter-exchange"] = Dead;
        arguments[SingleActiveConsumer] = true;
        if (options.UsesQuorumQueues) arguments["x-delivery-limit"] = options.DeliveryLimit;
        return channel => channel.QueueDeclareAsync(
            service, durable: true, exclusive: false, autoDelete: false, arguments, cancellationToken: cancel);
    }

    async Task<bool> BindAsync(IConnection connection, string queue, string key, CancellationToken cancel) =>
        await TryAsync(connection, $"binding of {queue}", channel =>
            channel.QueueBindAsync(queue, Exchange, $"{key}.#", cancellationToken: cancel), cancel) == Declared.AsWanted;

    static async Task<bool> IsIdleAsync(IConnection connection, string queue, CancellationToken cancel)
    {
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancel);
        return await channel.QueueDeclarePassiveAsync(queue, cancel) is { MessageCount: 0, ConsumerCount: 0 };
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
        ["x-queue-type"] = options.UsesQuorumQueues ? "quorum" : "classic",
        ["x-max-length"] = options.MaxQueueLength,
        ["x-max-length-bytes"] = options.MaxQueueBytes,
        ["x-overflow"] = overflow,
    };

    // A channel per declaration, because a refusal closes the channel. Existing objects of another form are used as they are,
    // and a user without permission to declare works with what an administrator has set up.
    async Task<Declared> TryAsync(IConnection connection, string what, Func<IChannel, Task> declare, CancellationToken cancel)
    {
        var channel = await connection.CreateChannelAsync(cancellationToken: cancel);
        try
        {
            await declare(channel);
            await channel.CloseAsync(cancel);
            return Declared.AsWanted;
        }
        catch (OperationInterruptedException error) when (
            error.ShutdownReason?.ReplyCode is Constants.AccessRefused or Constants.PreconditionFailed)
        {
            var why = error.ShutdownReason.ReplyText;
            LogNotDeclared(what, why);
            return error.ShutdownReason.ReplyCode == Constants.AccessRefused ? Declared.Forbidden
                : why.Contains(SingleActiveConsumer, StringComparison.Ordinal) ? Declared.WithoutSingleConsumer
                : Declared.Otherwise;
        }
    }

    enum Declared
    {
        AsWanted,

        /// <summary>The object exists, and only this argument differs.</summary>
        WithoutSingleConsumer,

        /// <summary>The object exists in another form.</summary>
        Otherwise,
        Forbidden,
    }

    [LoggerMessage(1102, LogLevel.Warning,
        "The queue {Queue} is not available, and messages that another queue gives up are lost until it is: {Why}")]
    partial void LogNoDeadLetters(string queue, string why);

    [LoggerMessage(1103, LogLevel.Information,
        "The queue {Queue} was declared by an earlier release; it is empty and unused, and is replaced")]
    partial void LogReplaced(string queue);

    [LoggerMessage(1101, LogLevel.Warning, "The {What} was not declared; the existing one is used: {Why}")]
    partial void LogNotDeclared(string what, string why);
}
