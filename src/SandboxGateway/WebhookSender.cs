using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Orderwright.CustomerService.Providers;
using Orderwright.CustomerService.Providers.Http;
using Orderwright.Runtime;

namespace Orderwright.SandboxGateway;

/// <summary>
/// Notifies customer-service of charges that changed by themselves. Webhooks are kept in memory only and sent at most five
/// times; customer-service also looks up every charge in doubt.
/// </summary>
public sealed partial class WebhookSender(Uri address, Signature signature, TimeProvider time, ILoggerFactory logs)
{
    const int Attempts = 5;

    readonly Channel<HttpGatewayEvent> queue = Channel.CreateBounded<HttpGatewayEvent>(
        new BoundedChannelOptions(1_000) { FullMode = BoundedChannelFullMode.DropOldest });

    readonly ILogger log = logs.CreateLogger<WebhookSender>();

    public BackgroundLoop Loop => new("webhooks", RunAsync);

    public void Send(HttpGatewayEvent webhook) => queue.Writer.TryWrite(webhook);

    async Task RunAsync(CancellationToken cancel)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        await foreach (var webhook in queue.Reader.ReadAllAsync(cancel))
            for (var attempt = 1; attempt <= Attempts && !await DeliverAsync(http, webhook, cancel); attempt++)
                await Task.Delay(Backoff.Pause(attempt), time, cancel);
    }

    async Task<bool> DeliverAsync(HttpClient http, HttpGatewayEvent webhook, CancellationToken cancel)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(webhook, HttpGatewayJson.Default.HttpGatewayEvent);
        using var message = new HttpRequestMessage(HttpMethod.Post, address)
        {
            Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
        };
        message.Headers.Add(HttpGatewayNames.SignatureHeader, signature.Sign("", body, time.GetUtcNow()));
        try
        {
            using var response = await http.SendAsync(message, cancel);
            if (response.IsSuccessStatusCode) return true;
            LogRefused(webhook.Id, (int)response.StatusCode);
        }
        catch (Exception error) when (
            error is HttpRequestException or SocketException or TaskCanceledException && !cancel.IsCancellationRequested)
        {
            LogNotDelivered(webhook.Id, error.Message);
        }
        return false;
    }

    [LoggerMessage(6001, LogLevel.Warning, "The receiver responded to the webhook {Id} with {Status}")]
    partial void LogRefused(string id, int status);

    [LoggerMessage(6002, LogLevel.Warning, "The webhook {Id} was not delivered: {Why}")]
    partial void LogNotDelivered(string id, string why);
}
