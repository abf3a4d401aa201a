using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using StandardWebhooks;

namespace Orderwright.Conformance.Orders;

/// <summary>Message as received.</summary>
public sealed record ReceivedWebhook(string Id, string Timestamp, string Signature, string Body)
{
    public JsonNode Json { get; } = JsonNode.Parse(Body)!;

    public Guid OrderId => (Guid)Json["data"]!["orderId"]!;

    public int Version => (int)Json["data"]!["version"]!;

    public string Type => (string)Json["type"]!;

    /// <summary>Verifies the signature with the library of Standard Webhooks. Throws if it is wrong.</summary>
    public void Verify(string secret) => new StandardWebhook(secret).Verify(
        Body, new HeaderDictionary
        {
            ["webhook-id"] = Id, ["webhook-timestamp"] = Timestamp, ["webhook-signature"] = Signature,
        });
}

/// <summary>Receiver of webhooks on the loopback interface.</summary>
public sealed class WebhookReceiver : IAsyncDisposable
{
    readonly ConcurrentQueue<ReceivedWebhook> received = new();
    readonly WebApplication web;

    WebhookReceiver()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        web = builder.Build();
        web.Run(async http =>
        {
            using var reader = new StreamReader(http.Request.Body);
            var message = new ReceivedWebhook(
                http.Request.Headers["webhook-id"].ToString(), http.Request.Headers["webhook-timestamp"].ToString(),
                http.Request.Headers["webhook-signature"].ToString(), await reader.ReadToEndAsync());
            http.Response.StatusCode = Respond(message);
            if (http.Response.StatusCode == StatusCodes.Status302Found) http.Response.Headers.Location = "/elsewhere";
            if (http.Response.StatusCode < 300) received.Enqueue(message);
        });
    }

    public static async Task<WebhookReceiver> StartAsync()
    {
        var receiver = new WebhookReceiver();
        await receiver.web.StartAsync();
        receiver.Url =
            receiver.web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return receiver;
    }

    public string Url { get; private set; } = "";

    /// <summary>Chooses the status of a response; 200 by default.</summary>
    public Func<ReceivedWebhook, int> Respond { get; set; } = _ => 200;

    /// <summary>Messages accepted so far, in order of arrival.</summary>
    public IReadOnlyList<ReceivedWebhook> Received => [.. received];

    public ValueTask DisposeAsync() => web.DisposeAsync();
}
