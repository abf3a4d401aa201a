using Npgsql;
using Orderwright.Peers.Shop;
using Wolverine;
using Wolverine.RDBMS;
using Wolverine.Runtime;

namespace Orderwright.Peers.Wolverine;

/// <summary>
/// Direct SQL inside Wolverine's outbox transaction: the rows of a message, the messages that follow, and the message's own row
/// in the inbox are committed together, as the integration with Entity Framework does.
/// </summary>
public sealed class Outbox
{
    readonly NpgsqlDataSource data;
    readonly IWolverineRuntime runtime;
    readonly IServiceProvider services;

    public Outbox(NpgsqlDataSource data, IWolverineRuntime runtime, IServiceProvider services)
    {
        this.data = data;
        this.runtime = runtime;
        this.services = services;
    }

    /// <summary>Handles a message. Wolverine sends the messages that follow after this method returns.</summary>
    public async Task TakeAsync(object message, MessageContext context, CancellationToken cancel)
    {
        await using var connection = await data.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        // Published before the context enlists, all messages are stored by one statement.
        foreach (var next in await Steps.TakeAsync(connection, message, cancel)) await context.PublishAsync(next);
        var database = DatabaseOf(context);
        await context.EnlistInOutboxAsync(new DatabaseEnvelopeTransaction(database, transaction));
        if (context.Envelope is { WasPersistedInInbox: true } envelope)
        {
            await database.MarkIncomingEnvelopeAsHandledInTransactionAsync(
                connection, transaction, envelope, DateTimeOffset.UtcNow + runtime.Options.Durability.KeepAfterMessageHandling,
                cancel);
            envelope.Status = EnvelopeStatus.Handled;
        }
        await transaction.CommitAsync(cancel);
        services.GetRequiredService<Decisions>().Announce(message);
    }

    /// <summary>Commits an order with its first message, and sends the message.</summary>
    public async Task PlaceAsync(Guid id, NewOrder order, CancellationToken cancel)
    {
        var context = new MessageContext(runtime);
        await using var connection = await data.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        var start = await Steps.PlaceAsync(connection, id, order, cancel);
        await context.EnlistInOutboxAsync(new DatabaseEnvelopeTransaction(DatabaseOf(context), transaction));
        await context.PublishAsync(start);
        await transaction.CommitAsync(cancel);
        await context.FlushOutgoingMessagesAsync();
    }

    static IMessageDatabase DatabaseOf(MessageContext context) =>
        context.TryFindMessageDatabase(out var database) ? database! : throw new InvalidOperationException("No database.");
}

/// <summary>The outbox as the intake of the HTTP API.</summary>
sealed class OutboxIntake(Outbox outbox) : IIntake
{
    public Task PlaceAsync(Guid id, NewOrder order, CancellationToken cancel) => outbox.PlaceAsync(id, order, cancel);
}
