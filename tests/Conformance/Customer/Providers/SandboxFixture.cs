using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Orderwright.Conformance.Storage;
using Orderwright.CustomerService;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Providers;
using Orderwright.CustomerService.Providers.Http;
using Orderwright.CustomerService.Providers.Sandbox;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Runtime.Transport;

namespace Orderwright.Conformance.Customer.Providers;

/// <summary>Tokens of the sandbox, in process and over HTTP.</summary>
static class SandboxCards
{
    public static string TokenOf(Card card) => card switch
    {
        Card.Good => SandboxTokens.Visa,
        Card.Declined => SandboxTokens.Declined,
        Card.InsufficientFunds => SandboxTokens.InsufficientFunds,
        Card.RequiresAction => SandboxTokens.RequiresAction,
        Card.FailsOnce => SandboxTokens.Error,
        Card.LostAfter => SandboxTokens.TimeoutAfterCharge,
        _ => SandboxTokens.TimeoutBeforeCharge,
    };
}

/// <summary>The sandbox in process, on a separate database.</summary>
sealed class SandboxFixture : GatewayFixture
{
    readonly IDatabase database;
    readonly InProcessTransport transport;
    readonly Metrics metrics = new(Contracts.ServiceNames.Customer);
    readonly CancellationTokenSource stopping = new();
    readonly SandboxLedger ledger;
    readonly SandboxProvider provider;
    readonly Task loop;

    SandboxFixture(IDatabase database, SqlCatalog sql, TimeSpan? holds)
    {
        this.database = database;
        var options = new RuntimeOptions();
        transport = new InProcessTransport(options, SteadyTime.Shared);
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
            [new("SandboxSecret", CustomerServer.Secret), new("SandboxSlow", "50ms"), new("SandboxHolds", holds?.ToString())])
            .Build();
        ledger = new SandboxLedger(new ServiceContext(
            "sandbox", database, sql, sql,
            new BatchRunner(
                "sandbox", database, transport, options, SteadyTime.Shared, new IdSource(), metrics,
                NullLogger<BatchRunner>.Instance),
            options, configuration, SteadyTime.Shared, new IdSource(), NullLoggerFactory.Instance));
        provider = new SandboxProvider(
            ledger, SandboxSettings.Read(configuration), SteadyTime.Shared, (_, _) => Task.CompletedTask);
        loop = ledger.Loop.RunAsync(stopping.Token);
    }

    public static async Task<GatewayFixture> OpenAsync(SqliteEngine engine, TimeSpan? holds = null)
    {
        var sql = new SqlCatalog(typeof(CustomerModule).Assembly, engine.Name);
        var database = engine.Open(await engine.NewAddressAsync());
        await database.MigrateAsync([.. engine.RuntimeSql.Migrations, .. sql.Migrations], default);
        return new SandboxFixture(database, sql, holds);
    }

    public override IPaymentProvider Provider => provider;

    public override string TokenOf(Card card) => SandboxCards.TokenOf(card);

    public override async Task<IReadOnlyList<Charge>> ChargesAsync(Guid order) =>
    [
        .. (await ReadAsync(order)).Where(charge => charge.AuthorizedMinor > 0)
            .Select(charge => new Charge(
                charge.AuthorizedMinor, charge.CapturedMinor, charge.RefundedMinor, charge.Voided)),
    ];

    public override Task ActAsync(Guid order, bool approve) => ledger.ActAsync(order, approve);

    public override async Task<Delivery> WebhookAsync(Guid order, DateTimeOffset signedAt)
    {
        var (headers, body) = provider.Webhook((await ReadAsync(order)).Single(), signedAt);
        return new(
            SandboxProvider.SignatureHeader, headers[SandboxProvider.SignatureHeader].ToString(),
            System.Text.Encoding.UTF8.GetString(body));
    }

    Task<List<SandboxCharge>> ReadAsync(Guid order) => database.QueryAsync(
        new SqlQuery(
            "fixture_charges",
            """
            SELECT id, key, token, currency, state, amount, authorized, captured, refunded, voided, code, message
            FROM sandbox_charges WHERE order_id = @order_id
            """),
        SqlArgs.With("order_id", order),
        row => new SandboxCharge(
            row.Text("id"), row.Text("key"), order, row.Text("token"), row.Text("currency"), row.Text("state"),
            row.BigInt("amount"), row.BigInt("authorized"), row.BigInt("captured"), row.BigInt("refunded"), row.Bool("voided"),
            row.TextOrNull("code"), row.TextOrNull("message")),
        default);

    public override async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loop);
        await transport.DisposeAsync();
        await database.DisposeAsync();
        metrics.Dispose();
        stopping.Dispose();
    }
}

/// <summary>The sandbox gateway over HTTP.</summary>
sealed class HttpFixture : GatewayFixture
{
    readonly string directory = Directory.CreateTempSubdirectory("orderwright-fixture-").FullName;
    HttpGateway gateway = null!;

    public static async Task<GatewayFixture> OpenAsync(TimeSpan? holds = null)
    {
        var fixture = new HttpFixture();
        fixture.gateway = await HttpGateway.StartAsync(
            Path.Combine(fixture.directory, "gateway.db"), holds is { } time ? [("SandboxHolds", time.ToString())] : []);
        return fixture;
    }

    public override IPaymentProvider Provider => gateway.Provider;

    public override string TokenOf(Card card) => SandboxCards.TokenOf(card);

    public override async Task<IReadOnlyList<Charge>> ChargesAsync(Guid order) =>
    [
        .. (await gateway.ListAsync($"reference={order}")).Where(charge => (long)charge["authorized"]! > 0)
            .Select(charge => new Charge(
                (long)charge["authorized"]!, (long)charge["captured"]!, (long)charge["refunded"]!,
                (bool)charge["voided"]!)),
    ];

    public override async Task ActAsync(Guid order, bool approve)
    {
        using var action = new StringContent(
            approve ? """{"approve":true}""" : """{"approve":false}""", System.Text.Encoding.UTF8, "application/json");
        using var response = await gateway.Client.PostAsync($"charges/{order}/action", action);
        Assert.True(response.IsSuccessStatusCode);
    }

    // As described in docs/reference/http-gateway.md; HttpGatewayTests covers webhooks sent by the gateway itself.
    public override async Task<Delivery> WebhookAsync(Guid order, DateTimeOffset signedAt)
    {
        var charge = (await gateway.ListAsync($"reference={order}")).Single();
        var (id, state) = ((string)charge["id"]!, (string)charge["state"]!);
        var response = state == "declined"
            ? new HttpGatewayResponse(
                HttpGatewayNames.Declined, Code: "authentication_failed", Message: "The customer did not approve.")
            : new HttpGatewayResponse(HttpGatewayNames.Succeeded, id);
        var body = System.Text.Json.JsonSerializer.Serialize(
            new HttpGatewayEvent($"evt_{id}_{state}", $"charge.{state}", (string)charge["key"]!, response),
            HttpGatewayJson.Default.HttpGatewayEvent);
        var signature = new Signature(System.Text.Encoding.UTF8.GetBytes(HttpGateway.Secret));
        return new(
            HttpGatewayNames.SignatureHeader,
            signature.Sign("", System.Text.Encoding.UTF8.GetBytes(body), signedAt), body);
    }

    public override async ValueTask DisposeAsync()
    {
        await gateway.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }
}

public sealed class SandboxProviderTests(SqliteEngine engine) : ProviderSuite(engine), IClassFixture<SqliteEngine>
{
    readonly SqliteEngine engine = engine;

    protected override Task<GatewayFixture> OpenAsync(TimeSpan? holds) => SandboxFixture.OpenAsync(engine, holds);
}

public sealed class HttpProviderTests(SqliteEngine engine) : ProviderSuite(engine), IClassFixture<SqliteEngine>
{
    protected override Task<GatewayFixture> OpenAsync(TimeSpan? holds) => HttpFixture.OpenAsync(holds);
}
