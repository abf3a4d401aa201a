using System.Collections.Concurrent;
using System.Diagnostics;
using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Providers.Sandbox;

namespace Orderwright.Conformance.Customer;

/// <summary>Many payments at a slow gateway: resources in use, and concurrent requests.</summary>
public abstract class PaymentsInFlightSuite(StorageEngine engine)
{
    const int Payments = 1_000;
    static readonly GatewayResult Ok = new GatewayResult.Succeeded("ref-1");

    [Fact]
    public async Task Payments_in_flight_hold_no_thread_and_no_transaction()
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
        // A transaction that waited for the gateway would not end before the gateway answers.
        var open = await TransactionsAsync(server);
        await CustomerServer.UntilAsync(async () => !open.Intersect(await TransactionsAsync(server)).Any());
        var paid = await server.AskAsync(Guid.CreateVersion7(), CustomerServer.Pay("balance", customer: "ann"));
        Assert.Equal(StepOutcome.Completed, paid.Outcome);
        Assert.Equal(Payments, gateway.InFlight);

        foreach (var order in slow) gateway.Answer(PaymentAttempt.KeyOf(order, "authorize", 1), Ok);
        foreach (var order in slow) Assert.Equal(StepOutcome.Completed, (await server.SettledAsync(order)).Outcome);
        Assert.Equal(Payments, gateway.Called.Distinct().Count());
        Assert.Equal(Payments, gateway.Called.Count);
    }

    [Fact]
    public async Task Concurrent_requests_respect_the_limit_and_each_is_stored_before_it_is_sent()
    {
        const int Limit = 8;
        var gateway = new ScriptedGateway();
        await using var server = await CustomerServer.StartAsync(
            engine, [("GatewayDeadline", "60s"), ("GatewayMaxInFlight", $"{Limit}")], gateway);
        await server.AddCustomerAsync();
        var (most, stored) = (0, new ConcurrentBag<string>());
        gateway.Sees = async request =>
        {
            InterlockedMost(ref most, gateway.InFlight);
            // Another connection sees only committed rows.
            foreach (var state in await server.QueryAsync(
                $"SELECT state FROM payment_attempts WHERE gateway_key = '{request.Key}'", row => row.Text("state")))
                stored.Add(state);
        };
        var slow = Enumerable.Range(0, 5 * Limit).Select(_ => Guid.CreateVersion7()).ToArray();
        await server.TellAsync(slow.Select(order => (order, (IMessageBody)CustomerServer.Pay("scripted", amount: 1))));
        await CustomerServer.UntilAsync(() => Task.FromResult(stored.Count == Limit));

        // The limit is per gateway, so another gateway does not wait.
        var beside = await server.AskAsync(Guid.CreateVersion7(), CustomerServer.Pay("sandbox", SandboxTokens.Visa));
        Assert.Equal(StepOutcome.Completed, beside.Outcome);
        Assert.Equal(Limit, gateway.InFlight);
        foreach (var order in slow) gateway.Answer(PaymentAttempt.KeyOf(order, "authorize", 1), Ok);
        foreach (var order in slow) Assert.Equal(StepOutcome.Completed, (await server.SettledAsync(order)).Outcome);
        Assert.Equal(Limit, most);
        Assert.Equal(Enumerable.Repeat(AttemptStates.Open, slow.Length), stored);
    }

    static void InterlockedMost(ref int most, int seen)
    {
        for (var before = most; seen > before; before = most)
            if (Interlocked.CompareExchange(ref most, seen, before) == before) return;
    }

    // SQLite has a single writer: a parallel payment from the balance would not have completed.
    async Task<List<string>> TransactionsAsync(CustomerServer server) =>
        engine is not PostgresEngine
            ? []
            : await server.QueryAsync(
                """
                SELECT pid || ' since ' || xact_start AS transaction FROM pg_stat_activity
                WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
                """,
                row => row.Text("transaction"));

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
