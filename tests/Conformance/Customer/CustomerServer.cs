using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.CustomerService;
using Orderwright.CustomerService.Commands;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Providers.Sandbox;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Http;
using Orderwright.Http.Approvals;
using Orderwright.Http.Operators;
using Orderwright.Runtime.Transport;

namespace Orderwright.Conformance.Customer;

/// <summary>Clock that a test can advance; pauses run in real time.</summary>
sealed class ShiftedClock : SteadyTime
{
    long shift;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromTicks(Volatile.Read(ref shift));

    public void Forward(TimeSpan by) => Interlocked.Add(ref shift, by.Ticks);
}

/// <summary>Response to an HTTP request.</summary>
sealed record HttpReply(int Status, JsonNode? Body, string? ETag, string? Location, string? Replayed, string Text)
{
    public string? Code => (string?)Body?["code"];

    /// <summary><c>pointer code</c> of each error of a 400.</summary>
    public IEnumerable<string> Errors =>
        Body!["errors"]!.AsArray().Select(error => $"{error!["pointer"] ?? error["parameter"]} {error["code"]}");
}

/// <summary>
/// An instance of customer-service running on a real database, with inbox, timers, loops, gateways and HTTP. The test acts
/// as the coordinator.
/// </summary>
sealed class CustomerServer : IAsyncDisposable
{
    public const string Secret = "a secret of the sandbox";
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(1);
    static readonly TimeSpan Patience = Waiting.HangLimit;

    readonly StorageEngine engine;
    readonly string address;
    readonly IReadOnlyList<IPaymentProvider> further;
    readonly (string Name, string Value)[] settings;
    readonly InProcessTransport transport;
    readonly RunningService service;
    readonly WebApplication web;
    readonly HttpClient client;
    readonly IInbox inbox;
    readonly CancellationTokenSource stopping = new();
    readonly Task reading;
    readonly ConcurrentDictionary<Guid, Channel<Message>> answers = new();
    int answered;

    CustomerServer(
        StorageEngine engine, string address, ShiftedClock clock, IReadOnlyList<IPaymentProvider> further,
        (string Name, string Value)[] settings, InProcessTransport transport, RunningService service, WebApplication web,
        IDatabase database, IInbox inbox)
    {
        (this.engine, this.address, this.further, this.settings, Clock) = (engine, address, further, settings, clock);
        (this.transport, this.service, this.web, Database, this.inbox) = (transport, service, web, database, inbox);
        client = new HttpClient { BaseAddress = new Uri(web.Urls.Single() + "/api/v1/") };
        reading = ReadAnswersAsync();
    }

    public ShiftedClock Clock { get; }

    public IDatabase Database { get; }

    /// <summary>Decisions of the instance about operations that wait.</summary>
    public DecideApprovals Approvals => ((HttpParts)service.Parts).Approvals!;

    /// <summary>Operator actions, oldest first.</summary>
    public Task<List<(string Action, string Actor, string? Subject)>> ActionsAsync() => QueryAsync(
        "SELECT action, actor, subject FROM operator_actions ORDER BY id",
        row => (row.Text("action"), row.Text("actor"), row.TextOrNull("subject")));

    /// <summary>Starts the only instance on an empty database.</summary>
    public static Task<CustomerServer> StartAsync(StorageEngine engine, params IPaymentProvider[] further) =>
        StartAsync(engine, [], further);

    /// <summary>Starts an instance with other settings.</summary>
    public static async Task<CustomerServer> StartAsync(
        StorageEngine engine, (string Name, string Value)[] settings, params IPaymentProvider[] further) =>
        await StartAsync(engine, settings, NullLoggerFactory.Instance, further);

    /// <summary>Starts an instance with a log for the test.</summary>
    public static async Task<CustomerServer> StartAsync(
        StorageEngine engine, (string Name, string Value)[] settings, ILoggerFactory logs, params IPaymentProvider[] further) =>
        await StartAsync(engine, await engine.NewAddressAsync(), new ShiftedClock(), further, settings, logs);

    /// <summary>Starts another instance over the same database and clock, with a separate inbox.</summary>
    public Task<CustomerServer> StartAnotherAsync() =>
        StartAsync(engine, address, Clock, further, settings, NullLoggerFactory.Instance);

    static async Task<CustomerServer> StartAsync(
        StorageEngine engine, string address, ShiftedClock clock, IReadOnlyList<IPaymentProvider> further,
        (string Name, string Value)[] settings, ILoggerFactory logs)
    {
        // No marks of databases among the replies.
        var options = new RuntimeOptions
        {
            TimerInterval = TimeSpan.FromMilliseconds(20), ClockTolerance = TimeSpan.Zero, MarkInterval = TimeSpan.Zero,
        };
        var database = engine.Open(address);
        var transport = new InProcessTransport(options, clock);
        var service = new RunningService(
            new CustomerModule(further), database, transport, options, SettingsBeside(further, settings), clock, new IdSource(),
            logs);
        await service.StartAsync(default);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var web = builder.Build();
        web.Use(next => http =>
        {
            var channels = http.Request.Headers["X-Channels"].ToString();
            // "name" or "name:scope".
            var caller = http.Request.Headers["X-Caller"].ToString().Split(':', 2);
            Caller.Set(http, Caller.Local with
            {
                Name = caller[0] is "" ? Caller.Local.Name : caller[0],
                Granted = caller.Length == 1 ? Scopes.All : [caller[1]],
                Channels = ChannelSet.Of((channels is "" ? "*" : channels).Split(',')),
            });
            return next(http);
        });
        web.UseRouting();
        ((HttpParts)service.Parts).Routes(web);
        await web.StartAsync();
        return new(
            engine, address, clock, further, settings, transport, service, web, database,
            await transport.OpenInboxAsync(ServiceNames.Coordinator, default));
    }

    static IConfiguration Settings => new ConfigurationBuilder().AddInMemoryCollection(
    [
        new("SandboxSecret", Secret),
        new("SandboxSlow", "100ms"),
        new("GatewayDeadline", "1s"),
        new("GatewayBackoff", "20ms"),
        // A busy machine is not an outage of a gateway.
        new("GatewayBreakAfter", "1000"),
        new("ReconcileEvery", "0s"),
    ]).Build();

    // A sandbox supplied by the test replaces the built-in one.
    static IConfiguration SettingsBeside(
        IReadOnlyList<IPaymentProvider> further, (string Name, string Value)[] settings) =>
        new ConfigurationBuilder().AddConfiguration(Settings).AddInMemoryCollection(
        [
            new("Sandbox", further.Any(provider => provider.Name == SandboxProvider.ProviderName) ? "false" : "true"),
            .. settings.Select(one => KeyValuePair.Create(one.Name, (string?)one.Value)),
        ]).Build();

    /// <summary>Signs webhooks like the sandbox.</summary>
    public static SandboxProvider Signer { get; } =
        new(null!, SandboxSettings.Read(Settings), SteadyTime.Shared, (_, _) => Task.CompletedTask);

    /// <summary>
    /// Handles a command like an instance that crashes after committing the intent, before sending the request. With
    /// <paramref name="call"/> the crash comes after the request, before the result is recorded.
    /// </summary>
    public async Task DieWhileAuthorizingAsync(Guid orderId, AuthorizePayment command, bool call)
    {
        var sql = new SqlCatalog(typeof(CustomerModule).Assembly, engine.Name);
        using var metrics = new Metrics(ServiceNames.Customer);
        var options = new RuntimeOptions();
        var runner = new BatchRunner(
            ServiceNames.Customer, Database, transport, options, Clock, new IdSource(),
            metrics, NullLogger<BatchRunner>.Instance);
        GatewayRequest? sent = null;
        var handler = new AuthorizePayments(
            new PaymentStore(sql), new Dictionary<string, IPaymentProvider> { ["sandbox"] = Signer },
            new GatewayLimits { GatewayDeadline = Deadline }, new Audit(ServiceNames.Customer, Database, sql),
            (paymentCase, task) => sent = new(
                task.Attempt.Key, paymentCase.OrderId, task.Attempt.Operation, task.Attempt.AmountMinor, "GBP",
                paymentCase.Payment!.Token, null));
        await runner.RunOnceAsync(
            work => handler.HandleAsync([MessageOf(orderId, command, StepNames.AuthorizePayment)], work), default);
        Assert.NotNull(sent);
        if (!call) return;
        var gateway = new SandboxLedger(new ServiceContext(
            ServiceNames.Customer, Database, sql, sql, runner, options, Settings, Clock, new IdSource(),
            NullLoggerFactory.Instance));
        using var once = new CancellationTokenSource();
        var loop = gateway.Loop.RunAsync(once.Token);
        Assert.IsType<GatewayResult.Succeeded>((await gateway.ExecuteAsync(sent)).Result);
        await once.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loop);
    }

    public static AuthorizePayment Pay(string provider, string? token = null, long amount = 1_530, string customer = "17850") =>
        new(customer, amount, "GBP", new PaymentMethod(provider, token));

    public Task TellAsync(Guid orderId, IMessageBody body, string? step = null) =>
        transport.PublishAsync(ServiceNames.Customer, [MessageOf(orderId, body, step ?? StepOf(body))], default);

    public Task TellAsync(IEnumerable<(Guid OrderId, IMessageBody Body)> commands) =>
        transport.PublishAsync(
            ServiceNames.Customer,
            [.. commands.Select(command => MessageOf(command.OrderId, command.Body, StepOf(command.Body)))], default);

    /// <summary>Waits for the next reply about an order; fails when none arrives.</summary>
    public async Task<(string Step, StepAnswered Answer)> NextAsync(Guid orderId)
    {
        using var patience = new CancellationTokenSource(Patience);
        var message = await Inbox(orderId).Reader.ReadAsync(patience.Token);
        return (message.Step!, (StepAnswered)message.Body);
    }

    /// <summary>Waits for the next reply other than "in doubt", because on a busy machine any request may time out.</summary>
    public async Task<StepAnswered> SettledAsync(Guid orderId)
    {
        while (true)
            if (await NextAsync(orderId) is { Answer: { Outcome: not StepOutcome.InDoubt } answer })
                return answer;
    }

    public async Task<StepAnswered> AskAsync(Guid orderId, IMessageBody body)
    {
        await TellAsync(orderId, body);
        return await SettledAsync(orderId);
    }

    /// <summary>Messages sent to another service.</summary>
    public async Task<IInbox> ListenAsync(string service) => await transport.OpenInboxAsync(service, default);

    /// <summary>Number of replies received, about any order.</summary>
    public int Answered => Volatile.Read(ref answered);

    public bool HasAnswer(Guid orderId) => Inbox(orderId).Reader.Count > 0;

    /// <summary>Polls until a condition without a signal holds.</summary>
    public static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!await holds()) await Task.Delay(10, patience.Token);
    }

    public Task<List<T>> QueryAsync<T>(string sql, Func<IRow, T> map) =>
        Database.ReadAsync(read => read.QueryAsync(new SqlQuery($"test_{sql.GetHashCode()}", sql), SqlArgs.None, map), default);

    public Task ExecuteAsync(string sql, SqlArgs args) =>
        Database.WriteAsync(write => write.ExecuteAsync(new SqlQuery($"test_{sql.GetHashCode()}", sql), args), default);

    public async Task<List<(string State, long Authorized, long Captured, long Refunded)>> ChargesAsync(Guid orderId) =>
        [
            .. (await QueryAsync(
                "SELECT order_id, state, authorized, captured, refunded FROM sandbox_charges ORDER BY id",
                row => (
                    OrderId: row.Uuid("order_id"),
                    (row.Text("state"), row.BigInt("authorized"), row.BigInt("captured"), row.BigInt("refunded")))))
                .Where(charge => charge.OrderId == orderId).Select(charge => charge.Item2),
        ];

    public async Task<JsonNode> PaymentAsync(Guid orderId) => (await GetAsync($"payments/{orderId}")).Body!;

    /// <summary>Adds a customer with store credit.</summary>
    public async Task AddCustomerAsync(string id = "17850", long credit = 0)
    {
        Assert.Equal(201, (await SendAsync("PUT", $"customers/{id}", """{"name":"Ann"}""")).Status);
        if (credit > 0) await AddCreditAsync(credit, id);
    }

    public async Task AddCreditAsync(long credit, string id = "17850") => Assert.Equal(
        201, (await SendAsync("POST", $"customers/{id}/credits", $$"""{"amount":{{credit}},"currency":"GBP"}""")).Status);

    public async Task<long> BalanceAsync(string id = "17850") =>
        (long?)(await GetAsync($"customers/{id}/balances")).Body!["items"]!.AsArray().SingleOrDefault()?["amount"] ?? 0;

    public Task<HttpReply> GetAsync(string path) => SendAsync("GET", path);

    public async Task<HttpReply> SendAsync(
        string method, string path, string? body = null, string? key = null, string? ifMatch = null,
        (string Name, string Value)? header = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body))
            {
                Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
            };
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        if (ifMatch is not null) request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        if (header is { } more) request.Headers.TryAddWithoutValidation(more.Name, more.Value);
        using var response = await client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return new(
            (int)response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text), response.Headers.ETag?.Tag,
            response.Headers.Location?.ToString(),
            response.Headers.TryGetValues("Idempotent-Replayed", out var replayed) ? replayed.Single() : null, text);
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await web.DisposeAsync();
        await service.DisposeAsync();
        await stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        await inbox.DisposeAsync();
        await transport.DisposeAsync();
        await Database.DisposeAsync();
        stopping.Dispose();
    }

    Message MessageOf(Guid orderId, IMessageBody body, string step) => new()
    {
        Id = Guid.CreateVersion7(),
        Source = ServiceNames.Coordinator,
        OrderId = orderId,
        Time = Clock.GetUtcNow(),
        Body = body,
        Step = step,
    };

    static string StepOf(IMessageBody body) =>
        body is CapturePayment ? StepNames.CapturePayment : StepNames.AuthorizePayment;

    Channel<Message> Inbox(Guid orderId) => answers.GetOrAdd(orderId, _ => Channel.CreateUnbounded<Message>());

    async Task ReadAnswersAsync()
    {
        while (true)
        {
            var deliveries = await inbox.ReceiveAsync(1_000, stopping.Token);
            foreach (var message in deliveries.SelectMany(delivery => delivery.Messages))
            {
                await Inbox(message.OrderId).Writer.WriteAsync(message);
                Interlocked.Increment(ref answered);
            }
            await inbox.AcknowledgeAsync(deliveries, default);
        }
    }
}
