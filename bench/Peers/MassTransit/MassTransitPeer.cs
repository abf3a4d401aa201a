using MassTransit;
using Npgsql;
using Orderwright.Peers.Shop;

namespace Orderwright.Peers.MassTransit;

/// <summary>
/// MassTransit with its in-memory outbox and a saga row of the peer's own; README.md gives the reason for each option.
/// </summary>
static class MassTransitPeer
{
    const int Parallel = 100;
    const int Prefetch = 200;

    static readonly Dictionary<Type, Uri> Queues = Services.Receives
        .SelectMany(service => service.Value.Select(message => (message, new Uri($"queue:{service.Key}"))))
        .ToDictionary();

    public static Uri QueueOf(object message) => Queues[message.GetType()];

    public static void Add(WebApplicationBuilder builder, Settings settings)
    {
        builder.Services.AddSingleton<IIntake, BusIntake>();
        builder.Services.AddMassTransit(bus =>
        {
            foreach (var message in Services.Receives[settings.Service])
                bus.AddConsumer(typeof(StepConsumer<>).MakeGenericType(message));
            bus.UsingRabbitMq((context, rabbit) =>
            {
                var account = settings.Broker.UserInfo.Split(':');
                rabbit.Host(settings.Broker.Host, (ushort)settings.Broker.Port, "/", host =>
                {
                    host.Username(account[0]);
                    host.Password(account[1]);
                    host.PublisherConfirmation = true;
                });
                rabbit.ReceiveEndpoint(settings.Service, endpoint =>
                {
                    endpoint.PrefetchCount = Prefetch;
                    endpoint.ConcurrentMessageLimit = Parallel;
                    // Every message is sent to one queue, so no exchange of its type is needed.
                    endpoint.ConfigureConsumeTopology = false;
                    endpoint.UseMessageRetry(retry =>
                    {
                        retry.Handle<NpgsqlException>();
                        retry.Intervals(50, 250, 1_000);
                    });
                    endpoint.UseInMemoryOutbox(context);
                    endpoint.ConfigureConsumers(context);
                });
            });
        });
        // Started before the service says that it is ready.
        builder.Services.Configure<MassTransitHostOptions>(options => options.WaitUntilStarted = true);
    }
}

/// <summary>
/// A step: its rows are committed, then the in-memory outbox sends the messages, then the message is acknowledged. A crash in
/// between has the message delivered again, and the step sends the same messages again.
/// </summary>
sealed class StepConsumer<TMessage>(NpgsqlDataSource data, Decisions decisions) : IConsumer<TMessage>
    where TMessage : class
{
    public async Task Consume(ConsumeContext<TMessage> context)
    {
        await using var connection = await data.OpenConnectionAsync(context.CancellationToken);
        foreach (var next in await Steps.TakeAsync(connection, context.Message, context.CancellationToken))
        {
            var queue = await context.GetSendEndpoint(MassTransitPeer.QueueOf(next));
            await queue.Send(next, next.GetType(), context.CancellationToken);
        }
        decisions.Announce(context.Message);
    }
}

/// <summary>Commits the order, then sends its first message. A crash in between leaves the order pending.</summary>
sealed class BusIntake(NpgsqlDataSource data, IBus bus) : IIntake
{
    public async Task PlaceAsync(Guid id, NewOrder order, CancellationToken cancel)
    {
        StartOrder start;
        await using (var connection = await data.OpenConnectionAsync(cancel))
            start = await Steps.PlaceAsync(connection, id, order, cancel);
        var queue = await bus.GetSendEndpoint(MassTransitPeer.QueueOf(start));
        await queue.Send(start, cancel);
    }
}
