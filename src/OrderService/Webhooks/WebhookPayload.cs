using System.Text.Json;
using Orderwright.Http.Outgoing;
using Orderwright.OrderService.Events;
using Orderwright.Runtime;

namespace Orderwright.OrderService.Webhooks;

/// <summary>Body of a webhook, in the form of Standard Webhooks.</summary>
/// <param name="Type">Type of the event.</param>
/// <param name="Timestamp">Time of the event.</param>
/// <param name="Data">Event as in the feed.</param>
public sealed record WebhookPayload(string Type, DateTimeOffset Timestamp, EventResponse Data)
{
    /// <summary>
    /// Message of an event. Order and version name an event even after a restored database has assigned its <c>seq</c> again.
    /// </summary>
    public static SignedMessage Of(EventResponse e) => new(
        $"evt_{e.OrderId:N}_{e.Version}",
        JsonSerializer.SerializeToUtf8Bytes(new WebhookPayload(e.Type, e.At, e), OrderJson.Default.WebhookPayload));
}

/// <summary>Body of a test message.</summary>
/// <param name="Type"><see cref="TestType"/>.</param>
/// <param name="Timestamp">Time of the test.</param>
/// <param name="Data">The endpoint.</param>
public sealed record WebhookTest(string Type, DateTimeOffset Timestamp, WebhookTestData Data)
{
    public const string TestType = "webhook.test";

    public static SignedMessage Of(WebhookEndpoint endpoint, Guid id, DateTimeOffset now) => new(
        $"test_{id:N}",
        JsonSerializer.SerializeToUtf8Bytes(
            new WebhookTest(TestType, now, new(endpoint.Id)), OrderJson.Default.WebhookTest));
}

public sealed record WebhookTestData(Guid EndpointId);
