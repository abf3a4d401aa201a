using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Http;
using Orderwright.Runtime.Transport;
using Orderwright.StockService;

namespace Orderwright.Conformance.Stock;

/// <summary>Response to an HTTP call.</summary>
sealed record Reply(int Status, JsonNode? Body, string? ETag, string? Location, string? Replayed, string Text)
{
    public string? Code => (string?)Body?["code"];

    /// <summary>Pointer and code of each error of a 400.</summary>
    public IEnumerable<(string Pointer, string Code)> Errors =>
        Body!["errors"]!.AsArray().Select(error => ((string)(error!["pointer"] ?? error["parameter"])!, (string)error["code"]!));
}

/// <summary>
/// Running stock-service with loops, inbox and API on a real database.
/// </summary>
sealed class StockServer : IAsyncDisposable
{
    readonly IDatabase database;
    readonly InProcessTransport transport;
    readonly RunningService service;
    readonly WebApplication web;
    readonly HttpClient client;
    readonly IInbox answers;

    StockServer(
        IDatabase database, InProcessTransport transport, RunningService service, WebApplication web, IInbox answers)
    {
        (this.database, this.transport, this.service, this.web, this.answers) =
            (database, transport, service, web, answers);
        client = new HttpClient { BaseAddress = new Uri(web.Urls.Single() + "/api/v1/") };
    }

    public static async Task<StockServer> StartAsync(StorageEngine engine)
    {
        await StockOnEngine.EmptyAsync(engine);
        // No marks of databases among the replies.
        var options = new RuntimeOptions { MarkInterval = TimeSpan.Zero };
        var database = engine.OpenAnother();
        var transport = new InProcessTransport(options, TimeProvider.System);
        var service = new RunningService(
            new StockModule(), database, transport, options, new ConfigurationBuilder().Build(), TimeProvider.System,
            new IdSource(), NullLoggerFactory.Instance);
        await service.StartAsync(default);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var web = builder.Build();
        web.Use(next => http =>
        {
            Caller.Set(http, Caller.Local);
            return next(http);
        });
        web.UseRouting();
        ((HttpParts)service.Parts).Routes(web);
        await web.StartAsync();
        return new(
            database, transport, service, web, await transport.OpenInboxAsync(ServiceNames.Coordinator, default));
    }

    public async Task<Reply> SendAsync(
        string method, string path, string? body = null, string? key = null, string? ifMatch = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body))
            {
                Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
            };
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        if (ifMatch is not null) request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        using var response = await client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return new(
            (int)response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text), response.Headers.ETag?.Tag,
            response.Headers.Location?.ToString(),
            response.Headers.TryGetValues("Idempotent-Replayed", out var replayed) ? replayed.Single() : null, text);
    }

    public Task<Reply> GetAsync(string path) => SendAsync("GET", path);

    /// <summary>Sends a command over the transport, and waits for the reply.</summary>
    public async Task<StepAnswered> HandleAsync(Guid orderId, IMessageBody command)
    {
        await transport.PublishAsync(
            ServiceNames.Stock,
            [new Message
            {
                Id = Guid.CreateVersion7(),
                Source = ServiceNames.Coordinator,
                OrderId = orderId,
                Time = DateTimeOffset.UtcNow,
                Body = command,
                Step = StepNames.ReserveStock,
            }],
            default);
        var deliveries = await answers.ReceiveAsync(1, default);
        await answers.AcknowledgeAsync(deliveries, default);
        return (StepAnswered)Assert.Single(Assert.Single(deliveries).Messages).Body;
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await web.DisposeAsync();
        await service.DisposeAsync();
        await answers.DisposeAsync();
        await transport.DisposeAsync();
        await database.DisposeAsync();
    }
}
