using System.Diagnostics;
using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.CustomerService.Gateways;

namespace Orderwright.Conformance.Customer;

/// <summary>A thousand payments at a gateway that is slow: what they hold meanwhile.</summary>
public abstract class PaymentsInFlightSuite(StorageEngine engine)
{
    const int Payments = 1_000;
    static readonly GatewayResult Ok = new GatewayResult.Succeeded("ref-1");

    [Fact]
    public async Task They_hold_no_thread_and_no_transaction_and_keep_nobody_waiting()
    {
        var gateway = new ScriptedGateway();
        await using var server = await CustomerServer.StartAsync(engine, [("GatewayDeadline", "60s")], gateway);
        await server.AddCustomerAsync();
        await server.AddCustomerAsync("ann", 5_000);
        var before = Threads();
        var slow = Enumerable.Range(0, Payments).Select(_ => Guid.CreateVersion7()).ToArray();
        await server.TellAsync(slow.Select(order => (order, (IMessageBody)CustomerServer.Pay("scripted", amount: 1))));
        await CustomerServer.UntilAsync(() => Task.FromResult(gateway.InFlight == Payments));

        Assert.InRange(Threads() - before, -1_000, 100);
        for (var look = 0; look < 10; look++)
            Assert.Equal(0, await TransactionsOlderThanASecondAsync(server));
        var paid = await server.AskAsync(Guid.CreateVersion7(), CustomerServer.Pay("balance", customer: "ann"));
        Assert.Equal(StepOutcome.Completed, paid.Outcome);
        Assert.Equal(Payments, gateway.InFlight);

        foreach (var order in slow) gateway.Answer(GatewayCall.KeyOf(order, "authorize", 1), Ok);
        foreach (var order in slow) Assert.Equal(StepOutcome.Completed, (await server.SettledAsync(order)).Outcome);
        Assert.Equal(Payments, gateway.Called.Distinct().Count());
        Assert.Equal(Payments, gateway.Called.Count);
    }

    // On SQLite there is one writer: the balance payment beside would not have come through.
    async Task<long> TransactionsOlderThanASecondAsync(CustomerServer server) =>
        engine is not PostgresEngine
            ? 0
            : Assert.Single(await server.QueryAsync(
                """
                SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND now() - xact_start > interval '1 second'
                """,
                row => row.BigInt(0)));

    static int Threads()
    {
        using var process = Process.GetCurrentProcess();
        return process.Threads.Count;
    }
}

public sealed class PaymentsInFlightOnPostgresTests(PostgresEngine engine)
    : PaymentsInFlightSuite(engine), IClassFixture<PostgresEngine>;

public sealed class PaymentsInFlightOnSqliteTests(SqliteEngine engine)
    : PaymentsInFlightSuite(engine), IClassFixture<SqliteEngine>;
