using Orderwright.Conformance.Storage;
using Orderwright.Contracts;

namespace Orderwright.Conformance.Customer.Providers;

/// <summary>
/// Properties of <see cref="ProviderSuite"/> that apply to store credit. Payments are settled in our own transaction, so no
/// request can get lost, and neither 3-D Secure nor webhooks exist.
/// </summary>
public abstract class BalanceSuite(StorageEngine engine)
{
    static readonly PaymentTotals Taken = new(1_530, 1_530, 0, false);
    static readonly AuthorizePayment Pay = CustomerServer.Pay("balance");

    readonly Guid order = Guid.CreateVersion7();

    async Task<CustomerServer> StartAsync(long credit)
    {
        var server = await CustomerServer.StartAsync(engine);
        await server.AddCustomerAsync(credit: credit);
        return server;
    }

    [Fact]
    public async Task A_decline_is_repeated_for_every_retry()
    {
        await using var server = await StartAsync(credit: 1_529);
        var declined = await server.AskAsync(order, Pay);
        Assert.Equal((StepOutcome.Rejected, ReasonCodes.InsufficientFunds), (declined.Outcome, declined.Code));
        await server.AddCreditAsync(1_000);
        Assert.Equal(declined, await server.AskAsync(order, Pay));
        Assert.Equal(2_529, await server.BalanceAsync());
    }

    [Fact]
    public async Task Duplicate_requests_in_one_batch_have_one_effect_and_one_result()
    {
        await using var server = await StartAsync(credit: 4_000);
        await server.TellAsync([(order, Pay), (order, Pay), (order, Pay)]);
        var first = await server.SettledAsync(order);
        Assert.Equal((StepOutcome.Completed, Taken), (first.Outcome, first.Payment! with { Version = 0 }));
        for (var i = 0; i < 2; i++) Assert.Equal(first, await server.SettledAsync(order));
        Assert.Equal(first, await server.AskAsync(order, Pay));
        Assert.Equal(2_470, await server.BalanceAsync());
    }

    [Fact]
    public async Task Credit_is_captured_whole_at_once_and_neither_captured_again_nor_released()
    {
        await using var server = await StartAsync(credit: 4_000);
        Assert.Equal(Taken, (await server.AskAsync(order, Pay)).Payment! with { Version = 0 });
        for (var i = 0; i < 2; i++)
            Assert.Equal(Taken, (await server.AskAsync(order, new CapturePayment())).Payment! with { Version = 0 });
        foreach (var (action, body) in new[]
            {
                ("capture", """{"amount":500}"""), ("capture", """{"amount":1531}"""), ("void", "{}"),
            })
            Assert.Equal(409, (await server.SendAsync("POST", $"payments/{order}/{action}", body)).Status);
        Assert.Equal(2_470, await server.BalanceAsync());
    }

    [Fact]
    public async Task Captured_credit_is_refunded_in_parts_once_each_and_never_exceeded()
    {
        await using var server = await StartAsync(credit: 1_530);
        await server.AskAsync(order, Pay);
        async Task<int> RefundAsync(long amount, string key) => (await server.SendAsync(
            "POST", $"payments/{order}/refunds", $$"""{"amount":{{amount}},"reason":"Broken."}""", key)).Status;
        Assert.Equal(
            (201, 201, 409), (await RefundAsync(600, "r-1"), await RefundAsync(600, "r-1"), await RefundAsync(931, "r-2")));
        Assert.Equal(600, await server.BalanceAsync());
        Assert.Equal((201, 409), (await RefundAsync(930, "r-3"), await RefundAsync(1, "r-4")));
        for (var i = 0; i < 2; i++)
            Assert.Equal(1_530, (await server.AskAsync(order, new UndoPayment("cancelled"))).Payment!.RefundedMinor);
        Assert.Equal(1_530, await server.BalanceAsync());
    }

    [Fact]
    public async Task An_early_undo_rejects_the_late_request()
    {
        await using var server = await StartAsync(credit: 4_000);
        Assert.True((await server.AskAsync(order, new UndoPayment("cancelled"))).Undo);
        Assert.Equal(ReasonCodes.AlreadyUndone, (await server.AskAsync(order, Pay)).Code);
        Assert.Equal(4_000, await server.BalanceAsync());
    }

    [Fact]
    public async Task A_webhook_for_store_credit_returns_404()
    {
        await using var server = await StartAsync(credit: 4_000);
        Assert.Equal(404, (await server.SendAsync("POST", "webhooks/balance", "{}")).Status);
        Assert.Empty(await server.QueryAsync("SELECT event_id FROM gateway_events", row => row.Text("event_id")));
    }
}

public sealed class BalanceOnPostgresTests(PostgresEngine engine) : BalanceSuite(engine), IClassFixture<PostgresEngine>;

public sealed class BalanceOnSqliteTests(SqliteEngine engine) : BalanceSuite(engine), IClassFixture<SqliteEngine>;
