using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Orderwright.Chaos;

/// <summary>
/// Listens to all messages of a run, and validates each against docs/reference/asyncapi.json. Reads on after each fault of the
/// broker; under a burst the oldest unread messages are left out.
/// </summary>
sealed class MessageJudge
{
    const string Exchange = "orderwright";
    const int MostUnread = 5_000;

    readonly Func<string> url;
    readonly Dictionary<string, JsonSchema> schemas;
    readonly ConcurrentDictionary<string, int> judged = new();
    readonly ConcurrentDictionary<string, string> violations = new();

    MessageJudge(Func<string> url, Dictionary<string, JsonSchema> schemas) => (this.url, this.schemas) = (url, schemas);

    /// <summary>Number of valid messages by type.</summary>
    public IReadOnlyDictionary<string, int> Judged => judged;

    /// <summary>An example per type of each message that is unknown or invalid.</summary>
    public IReadOnlyCollection<string> Violations => [.. violations.Values];

    /// <param name="document">Path of the AsyncAPI document.</param>
    /// <param name="url">Address of the broker, as its administrator.</param>
    public static MessageJudge Open(string document, Func<string> url)
    {
        var components = JsonNode.Parse(File.ReadAllText(document))!["components"]!;
        var definitions = components["schemas"]!.ToJsonString();
        return new(url, components["messages"]!.AsObject().ToDictionary(
            message => message.Key,
            message => JsonSchema.FromText(
                $$"""{"allOf":[{{message.Value!["payload"]!.ToJsonString()}}],"$defs":{{definitions}}}"""
                    .Replace("#/components/schemas/", "#/$defs/", StringComparison.Ordinal))));
    }

    /// <summary>Listens until cancelled.</summary>
    public async Task ListenAsync(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                await using var connection = await new ConnectionFactory
                {
                    Uri = new Uri(url()), AutomaticRecoveryEnabled = false,
                }.CreateConnectionAsync(cancel);
                await ListenAsync(connection, cancel);
            }
            catch (Exception) when (!cancel.IsCancellationRequested)
            {
                // A fault of the broker.
                await Task.Delay(TimeSpan.FromSeconds(1), cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    async Task ListenAsync(IConnection connection, CancellationToken cancel)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        connection.ConnectionShutdownAsync += (_, _) =>
        {
            ended.TrySetResult();
            return Task.CompletedTask;
        };
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancel);
        var queue = await channel.QueueDeclareAsync(
            arguments: new Dictionary<string, object?> { ["x-max-length"] = MostUnread }, cancellationToken: cancel);
        await channel.QueueBindAsync(queue.QueueName, Exchange, "#", cancellationToken: cancel);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, delivery) =>
        {
            Judge(delivery.Body);
            return Task.CompletedTask;
        };
        await channel.BasicConsumeAsync(queue.QueueName, autoAck: true, consumer, cancel);
        await ended.Task.WaitAsync(cancel);
    }

    void Judge(ReadOnlyMemory<byte> body)
    {
        using var document = JsonDocument.Parse(body);
        foreach (var message in document.RootElement.EnumerateArray())
        {
            var type = message.GetProperty("type").GetString()!;
            if (!schemas.TryGetValue(type, out var schema)) violations.TryAdd(type, $"{type} is not described.");
            else if (!schema.Evaluate(message).IsValid) violations.TryAdd(type, $"{type} contradicts its schema: {message}");
            else judged.AddOrUpdate(type, 1, (_, many) => many + 1);
        }
    }
}
