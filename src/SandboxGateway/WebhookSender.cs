using System.Net.Http.Headers;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Orderwright.CustomerService.Providers;
using Orderwright.CustomerService.Providers.Http;
using Orderwright.Runtime;

namespace Orderwright.SandboxGateway;

/// <summary>
/// Tells the shop how a charge has come to stand. From memory, five times at most: a shop must bear that a webhook
/// never comes, and asks.
/// </summary>
public sealed partial class WebhookSender(Uri address, Signature signature, TimeProvider time, ILoggerFactory logs)
{
    const int Attempts = 5;

    readonly Channel<HttpGatewayEvent> line = Channel.CreateBounded<HttpGatewayEvent>(
        new BoundedChannelOptions(1_000) { FullMode = BoundedChannelFullMode.DropOldest });

    readonly ILogger log = logs.CreateLogger<WebhookSender>();

    public BackgroundLoop Loop => new("webhooks", RunAsync);

    public void Send(HttpGatewayEvent happened) => line.Writer.TryWrite(happened);

    async Task RunAsync(CancellationToken cancel)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        await foreach (var happened in line.Reader.ReadAllAsync(cancel))
            for (var attempt = 1; attempt <= Attempts && !await DeliverAsync(http, happened, cancel); attempt++)
                await Task.Delay(Backoff.Pause(attempt), time, cancel);
    }

    async Task<bool> DeliverAsync(HttpClient http, HttpGatewayEvent happened, CancellationToken cancel)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(happened, HttpGatewayJson.Default.HttpGatewayEvent);
        using var message = new HttpRequestMessage(HttpMethod.Post, address)
        {
            Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
        };
        message.Headers.Add(HttpGatewayNames.SignatureHeader, signature.Write("", body, time.GetUtcNow()));
        try
        {
            using var answer = await http.SendAsync(message, cancel);
            if (answer.IsSuccessStatusCode) return true;
            LogRefused(happened.Id, (int)answer.StatusCode);
        }
        catch (Exception error) when (error is HttpRequestException or TaskCanceledException && !cancel.IsCancellationRequested)
        {
            LogNotDelivered(happened.Id, error.Message);
        }
        return false;
    }

    [LoggerMessage(6001, LogLevel.Warning, "The webhook {Id} was answered {Status}")]
    partial void LogRefused(string id, int status);

    [LoggerMessage(6002, LogLevel.Warning, "The webhook {Id} was not delivered: {Why}")]
    partial void LogNotDelivered(string id, string why);
}
