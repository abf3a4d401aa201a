using System.Net.Mime;
using System.Text.Json;
using CloudNative.CloudEvents.SystemTextJson;
using Orderwright.Conformance.Orders;
using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Transport;
using RabbitMQ.Client;

namespace Orderwright.Conformance.Transport;

/// <summary>Order events on the exchange for external consumers, under the rights of order-service.</summary>
[Collection("RabbitMQ")]
public sealed class EventExchangeTests(RabbitMqFixture rabbit)
{
    const string Exchange = "orderwright.events";

    const string Mug =
        """{"customerId":"17850","currency":"GBP","lines":[{"sku":"85123A","quantity":6,"unitPrice":255}]}""";

    [Fact]
    public async Task A_bound_queue_receives_the_events_of_each_order_in_order()
    {
        await using var queue = await BoundQueue.OpenAsync(rabbit, "orderwright.order.#");
        await using var transport = rabbit.OpenAs(ServiceNames.Order);
        await using var server = await OpenAsync(transport.Events);
        var first = (await server.PlaceAsync(Mug)).Id;
        var second = (await server.PlaceAsync(Mug)).Id;
        await server.DeliverAsync((first, Outcomes.Authorized), (second, Outcomes.Rejected));
        await server.UntilAsync(first, OrderStatuses.Confirmed);
        await server.DeliverAsync((first, Outcomes.Paid));

        var received = await queue.ReceiveAsync(5);

        Assert.Equal(["placed", "confirmed", "payment_updated"], received[first]);
        Assert.Equal(["placed", "rejected"], received[second]);
    }

    [Fact]
    public async Task Events_wait_in_the_feed_while_a_bound_queue_refuses_them()
    {
        await using var queue = await BoundQueue.OpenAsync(rabbit, "orderwright.order.#", most: 1);
        await using var transport = rabbit.OpenAs(ServiceNames.Order);
        await using var server = await OpenAsync(transport.Events);
        var ids = new List<Guid>();
        for (var i = 0; i < 5; i++) ids.Add((await server.PlaceAsync(Mug)).Id);
        Assert.Equal(ids.ToHashSet(), [.. (await queue.ReceiveAsync(5)).Keys]);
    }

    [Fact]
    public async Task The_events_begin_with_the_first_use_and_continue_after_a_restart()
    {
        await using var queue = await BoundQueue.OpenAsync(rabbit, "orderwright.order.placed");
        await using var transport = rabbit.OpenAs(ServiceNames.Order);
        var engine = new SqliteEngine();
        var address = await engine.NewAddressAsync();
        Guid before, meanwhile;
        await using (var server = await OrderServer.OpenAsync(engine, address)) before = (await server.PlaceAsync(Mug)).Id;
        await using (var server = await OpenAsync(transport.Events, engine, address))
        {
            var id = (await server.PlaceAsync(Mug)).Id;
            Assert.Equal([id], (await queue.ReceiveAsync(1)).Keys);
        }
        await using (var server = await OrderServer.OpenAsync(engine, address)) meanwhile = (await server.PlaceAsync(Mug)).Id;
        await using (var server = await OpenAsync(transport.Events, engine, address))
            Assert.Equal([meanwhile], (await queue.ReceiveAsync(1)).Keys);
        Assert.NotEqual(before, meanwhile);
    }

    static async Task<OrderServer> OpenAsync(IEventExchange events, StorageEngine? engine = null, string? address = null)
    {
        var server = await OrderServer.OpenAsync(
            engine ?? new SqliteEngine(), events, address, settings: ("EventExchange", "true"));
        await Waiting.UntilAsync(async () => await server.CountAsync("event_exchange") == 1);
        return server;
    }

    /// <summary>Queue of a consumer outside the installation.</summary>
    sealed class BoundQueue(IConnection connection, IChannel channel, string name) : IAsyncDisposable
    {
        public static async Task<BoundQueue> OpenAsync(RabbitMqFixture rabbit, string key, int? most = null)
        {
            var connection = await new ConnectionFactory { Uri = new Uri(rabbit.Broker.Url) }.CreateConnectionAsync();
            var channel = await connection.CreateChannelAsync();
            await channel.ExchangeDeclareAsync(Exchange, "topic", durable: true);
            var arguments = most is { } limit
                ? new Dictionary<string, object?> { ["x-max-length"] = limit, ["x-overflow"] = "reject-publish" }
                : null;
            var queue = await channel.QueueDeclareAsync($"consumer-{Guid.NewGuid():N}", arguments: arguments);
            await channel.QueueBindAsync(queue.QueueName, Exchange, key);
            return new(connection, channel, queue.QueueName);
        }

        /// <summary>Receives so many different events; returns their types by order, in order of arrival.</summary>
        public async Task<Dictionary<Guid, List<string>>> ReceiveAsync(int events)
        {
            var received = new Dictionary<Guid, List<string>>();
            var seen = new HashSet<string>();
            await Waiting.UntilAsync(async () =>
            {
                if (await channel.BasicGetAsync(name, autoAck: true) is not { } message) return false;
                var cloud = new JsonEventFormatter().DecodeStructuredModeMessage(
                    message.Body, new ContentType(message.BasicProperties.ContentType!), extensionAttributes: null);
                Assert.True(cloud.IsValid);
                Assert.Equal(message.RoutingKey, cloud.Type);
                Assert.Equal(message.BasicProperties.MessageId, cloud.Id);
                var data = (JsonElement)cloud.Data!;
                Assert.Equal(cloud.Subject, data.GetProperty("orderId").GetString());
                if (seen.Add(cloud.Id!))
                {
                    var order = Guid.Parse(cloud.Subject!);
                    if (!received.TryGetValue(order, out var types)) received[order] = types = [];
                    types.Add(data.GetProperty("type").GetString()!);
                }
                return seen.Count == events;
            });
            return received;
        }

        public async ValueTask DisposeAsync()
        {
            await channel.DisposeAsync();
            await connection.DisposeAsync();
        }
    }
}
