using System.Collections.Frozen;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.OrderService;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Http;
using Orderwright.Runtime.Transport;

namespace Orderwright.Conformance.Orders;

/// <summary>
/// Running instance of order-service with its HTTP API; the test plays the coordinator. Two instances on one address act as
/// two processes. Headers name the caller, because authentication belongs to the real host.
/// </summary>
public sealed class OrderServer : IAsyncDisposable
{
    static readonly TimeSpan Patience = Waiting.HangLimit;

    readonly InProcessTransport transport;
    readonly RunningService service;
    readonly WebApplication web;
    readonly HttpClient http = new() { Timeout = Waiting.HangLimit };
    readonly List<Message> unread = [];
    IInbox coordinator = null!;
    IInbox? asking;

    OrderServer(IDatabase database, RuntimeOptions options, IEventExchange? events, (string, string)[] settings)
    {
        Database = database;
        transport = new InProcessTransport(options, Time);
        service = new RunningService(
            new OrderModule(), database, events is null ? transport : new WithEvents(transport, events), options,
            new ConfigurationBuilder().AddInMemoryCollection(
                settings.Select(pair => KeyValuePair.Create(pair.Item1, (string?)pair.Item2))).Build(),
            Time, new IdSource(), NullLoggerFactory.Instance);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        web = builder.Build();
        web.UseRouting();
        web.Use(next => async context =>
        {
            var name = context.Request.Headers["X-Name"].ToString();
            var channel = context.Request.Headers["X-Channel"].ToString();
            Caller.Set(context, new Caller(
                name is "" ? "ann" : name, channel is "" ? ChannelSet.Of("main") : ChannelSet.Of(channel),
                name == "operator" ? Scopes.All : FrozenSet.Create(Scopes.Orders), name == "sales" ? 20 : 0));
            try
            {
                await next(context);
            }
            catch (OverloadedException)
            {
                await Problem.Of(503, "overloaded", "Come back later.").ExecuteAsync(context);
            }
        });
        ((HttpParts)service.Parts).Routes(web);
    }

    public static async Task<OrderServer> OpenAsync(
        StorageEngine engine, string? address = null, RuntimeOptions? options = null, params (string, string)[] settings) =>
        await OpenAsync(engine, events: null, address, options, settings);

    /// <param name="engine">Engine of the database.</param>
    /// <param name="events">Exchange for external consumers; null for none.</param>
    /// <param name="address">Database; null for a new one.</param>
    /// <param name="options">Limits.</param>
    /// <param name="settings">Settings of the service.</param>
    public static async Task<OrderServer> OpenAsync(
        StorageEngine engine, IEventExchange? events, string? address = null, RuntimeOptions? options = null,
        params (string, string)[] settings)
    {
        options ??= new RuntimeOptions();
        options.ClockTolerance = TimeSpan.Zero;
        options.MarkInterval = TimeSpan.Zero;
        var server = new OrderServer(engine.Open(address ?? await engine.NewAddressAsync(), options), options, events, settings);
        await server.service.StartAsync(default);
        server.coordinator = await server.transport.OpenInboxAsync(ServiceNames.Coordinator, default);
        await server.web.StartAsync();
        server.http.BaseAddress = new Uri(
            server.web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return server;
    }

    public IDatabase Database { get; }

    /// <summary>Real time plus an offset set by the test.</summary>
    public ShiftedTime Time { get; } = new();

    /// <param name="json">Body of the request.</param>
    /// <param name="headers">Alternating names and values.</param>
    public Task<Reply> PlaceAsync(string json, params string[] headers) =>
        SendAsync(HttpMethod.Post, "/api/v1/orders", json, headers);

    public Task<Reply> GetAsync(string path, params string[] headers) => SendAsync(HttpMethod.Get, path, null, headers);

    public async Task<Reply> SendAsync(HttpMethod method, string path, string? json, params string[] headers)
    {
        using var request = Request(method, path, json, headers);
        using var response = await http.SendAsync(request);
        return new Reply(
            (int)response.StatusCode, await response.Content.ReadAsStringAsync(), response.Headers.ETag?.Tag,
            response.Headers.Location?.OriginalString, Header(response, "Idempotent-Replayed"),
            Header(response, "Preference-Applied"))
        {
            RetryAfter = Header(response, "Retry-After"),
        };
    }

    /// <summary>Reads the data of a live stream's events, until the stream ends.</summary>
    public async IAsyncEnumerable<JsonNode> StreamAsync(
        string path, string[]? headers = null, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        using var request = Request(HttpMethod.Get, path, null, [.. headers ?? [], "Accept", "text/event-stream"]);
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancel));
        string? id = null;
        while (await reader.ReadLineAsync(cancel).AsTask().WaitAsync(Patience, cancel) is { } line)
        {
            if (line.StartsWith("id: ", StringComparison.Ordinal)) id = line[4..];
            if (!line.StartsWith("data: ", StringComparison.Ordinal)) continue;
            var data = JsonNode.Parse(line[6..])!;
            Assert.Equal(id, data["seq"]!.ToString());
            yield return data;
        }
    }

    /// <summary>Waits on the order's live stream for a status, and returns the order.</summary>
    public async Task<Reply> UntilAsync(Guid orderId, string status, string payment = "")
    {
        await foreach (var e in StreamAsync($"/api/v1/orders/{orderId}/events"))
            if ((string?)e["status"] == status && (payment == "" || (string?)e["data"]!["paymentStatus"] == payment))
                break;
        return await GetAsync($"/api/v1/orders/{orderId}");
    }

    /// <summary>Receives the next message of a type about an order, as the coordinator.</summary>
    public async Task<Message> NextAsync<T>(Guid orderId) where T : IMessageBody
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            if (unread.Find(message => message.OrderId == orderId && message.Body is T) is { } found)
            {
                unread.Remove(found);
                return found;
            }
            var deliveries = await coordinator.ReceiveAsync(1_000, limit.Token);
            unread.AddRange(deliveries.SelectMany(delivery => delivery.Messages));
            await coordinator.AcknowledgeAsync(deliveries, default);
        }
    }

    /// <summary>Opens the inbox of another service.</summary>
    public async Task<IInbox> OpenInboxAsync(string other) => await transport.OpenInboxAsync(other, default);

    /// <summary>
    /// Delivers messages to order-service as the coordinator; the messages of one call form a batch.
    /// </summary>
    public Task DeliverAsync(params (Guid OrderId, IMessageBody Body)[] outcomes) =>
        DeliverAsync(ServiceNames.Coordinator, outcomes);

    /// <summary>Delivers a message to order-service as another service.</summary>
    public Task DeliverAsync(string from, Guid orderId, IMessageBody body) => DeliverAsync(from, [(orderId, body)]);

    /// <summary>Delivers a message as another service, and waits for the reply.</summary>
    public async Task<Message> AskAsync(string from, Guid orderId, IMessageBody body)
    {
        asking ??= await transport.OpenInboxAsync(from, default);
        await DeliverAsync(from, orderId, body);
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            var deliveries = await asking.ReceiveAsync(100, limit.Token);
            await asking.AcknowledgeAsync(deliveries, default);
            if (deliveries.SelectMany(delivery => delivery.Messages).FirstOrDefault(message => message.OrderId == orderId)
                is { } reply)
                return reply;
        }
    }

    Task DeliverAsync(string from, (Guid OrderId, IMessageBody Body)[] outcomes) =>
        transport.PublishAsync(
            ServiceNames.Order,
            [.. outcomes.Select(outcome => new Message
            {
                Id = Guid.CreateVersion7(), Source = from, OrderId = outcome.OrderId, Time = Time.GetUtcNow(),
                Body = outcome.Body, TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            })],
            default);

    /// <param name="from">Table, optionally with a condition: <c>orders WHERE …</c>.</param>
    public async Task<long> CountAsync(string from)
    {
        var sql = $"SELECT count(*) AS count FROM {from}";
        return (await Database.QueryAsync(new SqlQuery(sql, sql), SqlArgs.None, row => row.BigInt("count")))[0];
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await web.DisposeAsync();
        await service.DisposeAsync();
        await coordinator.DisposeAsync();
        if (asking is not null) await asking.DisposeAsync();
        await transport.DisposeAsync();
        await Database.DisposeAsync();
    }

    static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? values.Single() : null;

    static HttpRequestMessage Request(HttpMethod method, string path, string? json, string[] headers)
    {
        var request = new HttpRequestMessage(method, path);
        if (json is not null)
            request.Content = new StringContent(json, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        foreach (var pair in headers.Chunk(2)) request.Headers.TryAddWithoutValidation(pair[0], pair[1]);
        return request;
    }
}

/// <summary>Transport within the process, and an exchange elsewhere.</summary>
sealed class WithEvents(ITransport inner, IEventExchange events) : ITransport
{
    public IEventExchange Events => events;

    public string? Trouble => inner.Trouble;

    public Task<IInbox> OpenInboxAsync(string service, CancellationToken cancel) => inner.OpenInboxAsync(service, cancel);

    public Task PublishAsync(string service, IReadOnlyList<Message> messages, CancellationToken cancel) =>
        inner.PublishAsync(service, messages, cancel);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <param name="Body">Body of the response as text.</param>
public sealed record Reply(int Status, string Body, string? ETag, string? Location, string? Replayed, string? PreferenceApplied)
{
    public string? RetryAfter { get; init; }

    public JsonNode Json => JsonNode.Parse(Body)!;

    public Guid Id => Json["id"]!.GetValue<Guid>();

    public string? this[string name] => Json[name]?.ToString();
}

/// <summary>Clock that a test can advance; timers run in real time.</summary>
public sealed class ShiftedTime : SteadyTime
{
    long ticks;

    public void Advance(TimeSpan by) => Interlocked.Add(ref ticks, by.Ticks);

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddTicks(Interlocked.Read(ref ticks));
}

/// <summary>Outcomes sent by the coordinator.</summary>
static class Outcomes
{
    public static readonly OrderLine[] Lines = [new(1, "85123A", 6, 255)];

    static readonly StepStamp[] Steps =
    [
        new(
            StepNames.ReserveStock, false, "completed", DateTimeOffset.UnixEpoch, 1,
            AnsweredAt: DateTimeOffset.UnixEpoch.AddMilliseconds(3)),
    ];

    public static OrderConfirmed Authorized => new(Lines, 1530, new PaymentTotals(1530, 0, 0, false, 2), Steps);

    public static OrderConfirmed Paid => new(Lines, 1530, new PaymentTotals(1530, 1530, 0, false, 3), Steps);

    public static OrderRejected Rejected => new(
        ReasonCodes.OutOfStock, "Out of stock.", StepNames.ReserveStock, PaymentTotals.None, Steps);

    public static OrderCancelled Cancelled => new(new PaymentTotals(1530, 1530, 1530, false, 9), Steps);

    public static OrderExpired Expired => new(
        ReasonCodes.TimedOut, "No answer.", StepNames.ReserveStock, PaymentTotals.None, Steps);
}
