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

/// <summary>The tokens that the sandbox takes, in the process and as a process of its own.</summary>
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

/// <summary>The sandbox in the process, on a database that nobody else has.</summary>
sealed class SandboxHouse : GatewayHouse
{
    readonly IDatabase database;
    readonly InProcessTransport transport;
    readonly Metrics metrics = new(Contracts.ServiceNames.Customer);
    readonly CancellationTokenSource stopping = new();
    readonly SandboxLedger gateway;
    readonly SandboxProvider provider;
    readonly Task loop;

    SandboxHouse(IDatabase database, SqlCatalog sql, TimeSpan? holds)
    {
        this.database = database;
        var options = new RuntimeOptions();
        transport = new InProcessTransport(options, TimeProvider.System);
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
            [new("SandboxSecret", CustomerServer.Secret), new("SandboxSlow", "50ms"), new("SandboxHolds", holds?.ToString())])
            .Build();
        gateway = new SandboxLedger(new ServiceContext(
            "sandbox", database, sql, sql,
            new BatchRunner(
                "sandbox", database, transport, options, TimeProvider.System, new IdSource(), metrics,
                NullLogger<BatchRunner>.Instance),
            options, configuration, TimeProvider.System, new IdSource(), NullLoggerFactory.Instance));
        provider = new SandboxProvider(
            gateway, SandboxSettings.Read(configuration), TimeProvider.System, (_, _) => Task.CompletedTask);
        loop = gateway.Loop.RunAsync(stopping.Token);
    }

    public static async Task<GatewayHouse> OpenAsync(SqliteEngine engine, TimeSpan? holds = null)
    {
        var sql = new SqlCatalog(typeof(CustomerModule).Assembly, engine.Name);
        var database = engine.Open(await engine.NewAddressAsync());
        await database.MigrateAsync([.. engine.RuntimeSql.Migrations, .. sql.Migrations], default);
        return new SandboxHouse(database, sql, holds);
    }

    public override IPaymentProvider Provider => provider;

    public override string TokenOf(Card card) => SandboxCards.TokenOf(card);

    public override async Task<IReadOnlyList<Charge>> ChargesAsync(Guid order) =>
    [
        .. (await ReadAsync(order)).Where(charge => charge.AuthorizedMinor > 0)
            .Select(charge => new Charge(
                charge.AuthorizedMinor, charge.CapturedMinor, charge.RefundedMinor, charge.Voided)),
    ];

    public override Task ActAsync(Guid order, bool approve) => gateway.ActAsync(order, approve);

    public override async Task<Delivery> TellAsync(Guid order, DateTimeOffset signedAt)
    {
        var (headers, body) = provider.Webhook((await ReadAsync(order)).Single(), signedAt);
        return new(
            SandboxProvider.SignatureHeader, headers[SandboxProvider.SignatureHeader].ToString(),
            System.Text.Encoding.UTF8.GetString(body));
    }

    Task<List<SandboxCharge>> ReadAsync(Guid order) => database.QueryAsync(
        new SqlQuery(
            "house_charges",
            """
            SELECT id, key, token, currency, state, amount, authorized, captured, refunded, voided, code, message
            FROM sandbox_charges WHERE order_id = @order_id
            """),
        SqlArgs.With("order_id", order),
        row => new SandboxCharge(
            row.Text(0), row.Text(1), order, row.Text(2), row.Text(3), row.Text(4), row.BigInt(5), row.BigInt(6),
            row.BigInt(7), row.BigInt(8), row.Bool(9), row.TextOrNull(10), row.TextOrNull(11)),
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

/// <summary>The sandbox as its own process runs it, over HTTP.</summary>
sealed class HttpHouse : GatewayHouse
{
    readonly string directory = Directory.CreateTempSubdirectory("orderwright-house-").FullName;
    HttpGateway gateway = null!;

    public static async Task<GatewayHouse> OpenAsync(TimeSpan? holds = null)
    {
        var house = new HttpHouse();
        house.gateway = await HttpGateway.StartAsync(
            Path.Combine(house.directory, "gateway.db"), holds is { } time ? [("SandboxHolds", time.ToString())] : []);
        return house;
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
        using var act = new StringContent(
            approve ? """{"approve":true}""" : """{"approve":false}""", System.Text.Encoding.UTF8, "application/json");
        using var answer = await gateway.Client.PostAsync($"charges/{order}/action", act);
        Assert.True(answer.IsSuccessStatusCode);
    }

    // As docs/http-gateway.md has it; that the gateway's own are the same is shown beside (HttpGatewayTests).
    public override async Task<Delivery> TellAsync(Guid order, DateTimeOffset signedAt)
    {
        var charge = (await gateway.ListAsync($"reference={order}")).Single();
        var (id, state) = ((string)charge["id"]!, (string)charge["state"]!);
        var answer = state == "declined"
            ? new HttpGatewayAnswer(
                HttpGatewayNames.Declined, Code: "authentication_failed", Message: "The customer did not approve.")
            : new HttpGatewayAnswer(HttpGatewayNames.Succeeded, id);
        var body = System.Text.Json.JsonSerializer.Serialize(
            new HttpGatewayEvent($"evt_{id}_{state}", $"charge.{state}", (string)charge["key"]!, answer),
            HttpGatewayJson.Default.HttpGatewayEvent);
        var signature = new Signature(System.Text.Encoding.UTF8.GetBytes(HttpGateway.Secret));
        return new(
            HttpGatewayNames.SignatureHeader,
            signature.Write("", System.Text.Encoding.UTF8.GetBytes(body), signedAt), body);
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

    protected override Task<GatewayHouse> OpenAsync(TimeSpan? holds) => SandboxHouse.OpenAsync(engine, holds);
}

public sealed class HttpProviderTests(SqliteEngine engine) : ProviderSuite(engine), IClassFixture<SqliteEngine>
{
    protected override Task<GatewayHouse> OpenAsync(TimeSpan? holds) => HttpHouse.OpenAsync(holds);
}
