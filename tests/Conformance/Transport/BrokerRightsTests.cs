using System.Text;
using Orderwright.Contracts;
using Orderwright.Runtime.Transport;
using Orderwright.Transport.RabbitMq;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Orderwright.Conformance.Transport;

/// <summary>Users of the services at a real broker: each sends and receives what is its own, and nothing else.</summary>
[Collection("RabbitMQ")]
public sealed class BrokerRightsTests(RabbitMqFixture rabbit)
{
    const string Exchange = "orderwright";

    [Fact]
    public async Task Every_service_reaches_its_destinations_under_its_own_user()
    {
        foreach (var service in ServiceNames.All) await DeclareAsync(service);
        foreach (var service in ServiceNames.All)
        {
            await using var sender = rabbit.OpenAs(service);
            foreach (var destination in MessageCatalog.DestinationsOf(service))
            {
                await using var receiver = rabbit.OpenAs(destination);
                await using var inbox = await receiver.OpenInboxAsync(destination, default);
                var message = Samples.Many(1);
                await Waiting.UntilAsync(() => receiver.Trouble is null);
                await sender.PublishAsync(destination, message, default);

                var delivery = Assert.Single(await inbox.ReceiveAsync(1, default));
                await inbox.AcknowledgeAsync([delivery], default);

                Assert.Equal(message, delivery.Messages);
                Assert.Equal(new Sender(service, service, IsReceiver: false), delivery.Sender);
            }
        }
    }

    [Fact]
    public async Task A_service_may_send_to_itself_for_a_replay()
    {
        await using var transport = rabbit.OpenAs(ServiceNames.Stock);
        await using var inbox = await transport.OpenInboxAsync(ServiceNames.Stock, default);
        await Waiting.UntilAsync(() => transport.Trouble is null);
        await transport.PublishAsync(ServiceNames.Stock, Samples.Many(1), default);
        var delivery = Assert.Single(await inbox.ReceiveAsync(1, default));
        await inbox.AcknowledgeAsync([delivery], default);
        Assert.True(delivery.Sender!.IsReceiver);
    }

    [Fact]
    public async Task A_message_without_a_user_arrives_without_a_sender()
    {
        await using var transport = rabbit.OpenAs(ServiceNames.Order);
        await using var inbox = await transport.OpenInboxAsync(ServiceNames.Order, default);
        await Waiting.UntilAsync(() => transport.Trouble is null);
        await using var connection = await ConnectAsync(ServiceNames.Stock);
        await using var channel = await connection.CreateChannelAsync();
        await PublishAsync(channel, ServiceNames.Order, user: null);

        var delivery = Assert.Single(await inbox.ReceiveAsync(1, default));
        await inbox.AcknowledgeAsync([delivery], default);
        Assert.Equal(new Sender(null, null, IsReceiver: false), delivery.Sender);
        Assert.StartsWith("The sender withheld its name", delivery.Sender!.Refuses(Forged), StringComparison.Ordinal);
    }

    public static TheoryData<string, string> Forbidden()
    {
        var all = new TheoryData<string, string>();
        foreach (var service in ServiceNames.All)
        {
            foreach (var other in ServiceNames.All.Where(other => other != service))
            {
                all.Add(service, $"read {other}");
                all.Add(service, $"declare {other}-2");
                all.Add(service, $"declare {other}@1");
                all.Add(service, $"delete {other}");
                all.Add(service, $"publish as {other}");
                all.Add(service, $"bind {other}.#");
                all.Add(service, $"bind {other}@1.#");
                if (MessageCatalog.DestinationsOf(service).Contains(other)) continue;
                all.Add(service, $"publish to {other}");
                all.Add(service, $"publish to {other}@1");
            }
            all.Add(service, "bind #");
            all.Add(service, "bind *.#");
            all.Add(service, "read orderwright.dead");
            all.Add(service, "publish without an exchange");
            all.Add(service, "delete the exchange");
        }
        return all;
    }

    [Theory]
    [MemberData(nameof(Forbidden))]
    public async Task Everything_else_is_refused(string service, string action)
    {
        foreach (var each in ServiceNames.All) await DeclareAsync(each);
        await using var connection = await ConnectAsync(service);
        await using var channel = await connection.CreateChannelAsync(new(
            publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));
        var subject = action.Split(' ')[^1];

        var error = await Assert.ThrowsAnyAsync<RabbitMQClientException>(() => action.Split(' ') switch
        {
            ["read", _] => channel.BasicGetAsync(subject, autoAck: false),
            ["declare", _] => channel.QueueDeclareAsync(subject, durable: true, exclusive: false, autoDelete: false),
            ["delete", "the", _] => channel.ExchangeDeleteAsync(Exchange),
            ["delete", _] => channel.QueueDeleteAsync(subject),
            ["bind", _] => channel.QueueBindAsync(service, Exchange, subject),
            ["publish", "as", _] => PublishAsync(channel, MessageCatalog.DestinationsOf(service).First(), subject),
            ["publish", "to", _] => PublishAsync(channel, subject, service),
            _ => channel.BasicPublishAsync("", MessageCatalog.DestinationsOf(service).First(), true, Encoding.UTF8.GetBytes("[]"))
                .AsTask(),
        });
        Assert.Contains(
            channel.CloseReason?.ReplyCode ?? (error as OperationInterruptedException)?.ShutdownReason?.ReplyCode,
            new ushort?[] { Constants.AccessRefused, Constants.PreconditionFailed });
    }

    static Message Forged => Samples.Of(new OrderConfirmed([], 0, PaymentTotals.None, [])) with
    {
        Source = ServiceNames.Coordinator,
    };

    static async Task PublishAsync(IChannel channel, string destination, string? user)
    {
        var body = new System.Buffers.ArrayBufferWriter<byte>();
        CloudEventsBatch.Write(body, [Forged]);
        var properties = new BasicProperties { ContentType = CloudEventsBatch.ContentType };
        if (user is not null) properties.UserId = user;
        await channel.BasicPublishAsync(
            Exchange, $"{destination}.{Forged.Type}", mandatory: true, properties, body.WrittenMemory);
    }

    async Task DeclareAsync(string service)
    {
        await using var transport = rabbit.OpenAs(service);
        await using var inbox = await transport.OpenInboxAsync(service, default);
        await Waiting.UntilAsync(() => transport.Trouble is null);
    }

    Task<IConnection> ConnectAsync(string service) =>
        new ConnectionFactory { Uri = new Uri(rabbit.Broker.UrlOf(service)), AutomaticRecoveryEnabled = false }
            .CreateConnectionAsync();
}
