using System.Net.Mime;
using System.Text;
using CloudNative.CloudEvents;
using CloudNative.CloudEvents.SystemTextJson;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Transport;
using Orderwright.Transport.RabbitMq;
using RabbitMQ.Client;

namespace Orderwright.Conformance.Transport;

[Collection("RabbitMQ")]
public class RabbitMqTransportTests(RabbitMqFixture rabbit) : TransportConformance
{
    protected RabbitMqFixture Rabbit => rabbit;

    protected override ITransport Open(RuntimeOptions limits) => rabbit.Open(limits);

    protected override ITransport OpenSmall() => rabbit.Open(Limits, options => options.MaxQueueLength = 10);

    [Fact]
    public async Task Many_logical_messages_travel_as_one_batch_that_the_broker_need_not_store()
    {
        await using var transport = Open(Limits);
        await transport.PublishAsync(Service, Samples.OfEveryType(), default);

        await using var client = await ClientAsync();
        await using var channel = await client.CreateChannelAsync();
        var message = await channel.BasicGetAsync(Service, autoAck: true);

        Assert.NotNull(message);
        Assert.Equal("application/cloudevents-batch+json", message.BasicProperties.ContentType);
        Assert.False(message.BasicProperties.Persistent);
        Assert.Equal("orderwright", message.Exchange);
        Assert.Equal($"{Service}.{Samples.OfEveryType()[0].Type}", message.RoutingKey);
        Assert.Null(await channel.BasicGetAsync(Service, autoAck: true));
    }

    [Fact]
    public async Task A_large_batch_is_split_and_arrives_completely()
    {
        await using var transport = rabbit.Open(Limits, options => options.MaxBodyBytes = 4_096);
        await using var inbox = await transport.OpenInboxAsync(Service, default);
        var sent = Samples.Many(500);

        await transport.PublishAsync(Service, sent, default);

        var deliveries = await DeliveriesAsync(inbox, 500);
        Assert.InRange(deliveries.Count, 10, 100);
        Assert.Equal(Ids(sent), Ids(deliveries.SelectMany(delivery => delivery.Messages)));
    }

    [Fact]
    public async Task A_publish_fails_if_the_broker_accepts_only_the_first_body()
    {
        await using var transport = rabbit.Open(
            Limits, options => (options.MaxBodyBytes, options.MaxQueueLength) = (4_096, 10));
        await transport.PublishAsync(Service, [Samples.One()], default);

        var error = await Assert.ThrowsAsync<PublishFailedException>(
            () => transport.PublishAsync(Service, Samples.Many(500), default));

        Assert.Contains("full", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_channel_on_which_a_service_refuses_every_message_is_replaced()
    {
        await using var transport = OpenSmall();
        await transport.PublishAsync("order-service", [Samples.One()], default);
        var first = await PublishersAsync();
        await Waiting.UntilAsync(
            async () =>
            {
                try
                {
                    await transport.PublishAsync(Service, [Samples.One()], default);
                }
                catch (PublishFailedException)
                {
                    // Full.
                }
                return (await PublishersAsync()).Except(first).Any();
            },
            TimeSpan.FromMilliseconds(200));
        await Waiting.RetryAsync<bool, PublishFailedException>(async () =>
        {
            await transport.PublishAsync("order-service", [Samples.One()], default);
            return true;
        });
        // The tests share a broker.
        foreach (var queue in new[] { Service, "order-service" }) await rabbit.Broker.ControlAsync(["delete_queue", queue]);
    }

    // Ports of the connections that publish.
    async Task<IReadOnlyList<string>> PublishersAsync()
    {
        var connections = await rabbit.Broker.ControlAsync(["list_connections", "-q", "client_properties", "peer_port"]);
        return
        [
            .. connections.Split('\n').Where(line => line.Contains("conformance publishes", StringComparison.Ordinal))
                .Select(line => line.Split('\t')[^1]),
        ];
    }

    [Fact]
    public async Task Decoded_messages_are_bounded_and_all_arrive()
    {
        await using var transport = rabbit.Open(new RuntimeOptions { MaxMessages = 128, Prefetch = 64 });
        var sent = Samples.Many(64 * 100);
        foreach (var batch in sent.Chunk(100)) await transport.PublishAsync(Service, batch, default);
        await using var inbox = await transport.OpenInboxAsync(Service, default);

        var first = await inbox.ReceiveAsync(100, default);
        using var patience = new CancellationTokenSource(Waiting.HangLimit);
        while (inbox.Backlog <= 400) await Task.Delay(10, patience.Token);
        await Task.Delay(300); // Time enough to decode all the rest, if that is what it does.
        Assert.InRange(inbox.Backlog, 401, 4 * 128);

        await inbox.AcknowledgeAsync(first, default);
        var rest = await DeliveriesAsync(inbox, 64 * 100 - first.Sum(delivery => delivery.Messages.Count));
        Assert.Equal(Ids(sent), Ids(first.Concat(rest).SelectMany(delivery => delivery.Messages)));
    }

    [Fact]
    public async Task A_corrupt_event_and_an_unknown_type_arrive_as_unreadable_and_their_neighbours_survive()
    {
        await using var transport = Open(Limits);
        await using var inbox = await transport.OpenInboxAsync(Service, default);
        var good = Samples.One();
        await transport.PublishAsync(Service, [good], default);
        await TakeAsync(inbox, 1);
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        CloudEventsBatch.Write(buffer, [good]);
        var text = Encoding.UTF8.GetString(buffer.WrittenSpan)[1..^1];

        await PublishRawAsync($"""[{text},{text.Replace("stock.commit.v1", "stock.commit.v9")},[1],{text}]""");
        var mixed = Assert.Single(await inbox.ReceiveAsync(10, default));
        await PublishRawAsync("\0\u0001 not JSON at all");
        var broken = Assert.Single(await inbox.ReceiveAsync(10, default));

        Assert.Equal([good, good], mixed.Messages);
        Assert.Equal([good.OrderId, null], mixed.Unreadable.Select(unreadable => unreadable.OrderId));
        Assert.Equal("orderwright.stock.commit.v9", mixed.Unreadable[0].Type);
        Assert.Empty(broken.Messages);
        Assert.Equal("\0\u0001 not JSON at all", Assert.Single(broken.Unreadable).Raw);
    }

    [Theory]
    [InlineData("structured")]
    [InlineData("binary")]
    [InlineData("binary with another prefix")]
    [InlineData("batch")]
    public async Task An_event_of_another_sender_is_read_in_each_mode_of_CloudEvents(string mode)
    {
        await using var transport = Open(Limits);
        await using var inbox = await transport.OpenInboxAsync(Service, default);
        // The queue exists from here on.
        await transport.PublishAsync(Service, [Samples.One()], default);
        Assert.Single(await TakeAsync(inbox, 1));
        var order = Guid.CreateVersion7();
        var cloud = new CloudEvent
        {
            Id = "answer 7", Source = new Uri("/orderwright/customer-service", UriKind.Relative),
            Type = "orderwright.saga.step-answered.v1", Subject = $"{order}", DataContentType = "application/json",
            Data = new { undo = false, outcome = "retry", retryAfter = "PT1S" },
        };
        cloud["step"] = StepNames.AuthorizePayment;
        cloud["traceparent"] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        var formatter = new JsonEventFormatter();
        var contentType = new ContentType("application/json");
        var body = mode switch
        {
            "structured" => formatter.EncodeStructuredModeMessage(cloud, out contentType),
            "batch" => formatter.EncodeBatchModeMessage([cloud], out contentType),
            _ => formatter.EncodeBinaryModeEventData(cloud),
        };
        var properties = new BasicProperties { ContentType = contentType.ToString() };
        if (mode.StartsWith("binary", StringComparison.Ordinal))
        {
            var prefix = mode == "binary" ? "cloudEvents:" : "cloudEvents_";
            properties.Headers = cloud.GetPopulatedAttributes()
                .ToDictionary(pair => prefix + pair.Key.Name, object? (pair) => pair.Key.Format(pair.Value));
            properties.Headers[prefix + "specversion"] = cloud.SpecVersion.VersionId;
        }

        await using var client = await ClientAsync();
        await using var channel = await client.CreateChannelAsync();
        await channel.BasicPublishAsync("orderwright", $"{Service}.{cloud.Type}", mandatory: true, properties, body);
        var delivery = Assert.Single(await inbox.ReceiveAsync(1, Waiting.NewLimit()));
        await inbox.AcknowledgeAsync([delivery], default);
        Assert.Equal([], delivery.Unreadable.Select(part => part.Why));
        var message = Assert.Single(delivery.Messages);

        Assert.Equal((order, StepNames.AuthorizePayment), (message.OrderId, message.Step));
        Assert.Equal("0af7651916cd43dd8448eb211c80319c", message.TraceId);
        Assert.Equal(TimeSpan.FromSeconds(1), Assert.IsType<StepAnswered>(message.Body).RetryAfter);
        Assert.InRange(message.Time, DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddMinutes(5));
    }

    [Fact]
    public async Task Quorum_queues_are_an_option()
    {
        await using var transport = rabbit.Open(Limits, options => options.QuorumQueues = true);
        await using var inbox = await transport.OpenInboxAsync(Service, default);
        await transport.PublishAsync(Service, Samples.Many(3), default);
        Assert.Equal(3, (await TakeAsync(inbox, 3)).Count);
        Assert.Contains(
            $"{Service}\tquorum", await rabbit.Broker.ControlAsync(["list_queues", "name", "type"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_existing_queue_of_another_form_is_used()
    {
        await using (var client = await ClientAsync())
        await using (var channel = await client.CreateChannelAsync())
        {
            await channel.QueueDeclareAsync(Service, durable: true, exclusive: false, autoDelete: false);
        }
        await using var transport = Open(Limits);
        await using var inbox = await transport.OpenInboxAsync(Service, default);
        await transport.PublishAsync(Service, Samples.Many(3), default);
        Assert.Equal(3, (await TakeAsync(inbox, 3)).Count);
    }

    [Theory]
    [InlineData("", "The Url field is required.")]
    [InlineData("localhost:5672", "is no amqp:// or amqps:// address")]
    [InlineData("amqp://someone@localhost", "names a user without a password")]
    [InlineData("amqp://a:b@localhost/one/two", "names more than one virtual host")]
    public void Options_that_make_no_sense_are_refused_in_a_sentence_without_the_password(string url, string sentence)
    {
        var error = Assert.Throws<System.ComponentModel.DataAnnotations.ValidationException>(() => new RabbitMqTransport(
            new RabbitMqOptions { Url = url }, Limits, TimeProvider.System,
            Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance));
        Assert.Contains(sentence, error.Message, StringComparison.Ordinal);
    }

    protected async Task<IConnection> ClientAsync() =>
        await new ConnectionFactory { Uri = new Uri(rabbit.Broker.Url), AutomaticRecoveryEnabled = false }
            .CreateConnectionAsync();

    async Task PublishRawAsync(string body)
    {
        await using var client = await ClientAsync();
        await using var channel = await client.CreateChannelAsync();
        await channel.BasicPublishAsync("orderwright", $"{Service}.anything", Encoding.UTF8.GetBytes(body));
        await channel.CloseAsync();
    }
}
