using Orderwright.Contracts;
using Orderwright.Runtime.Database;
using Orderwright.Verification;

namespace Orderwright.EndToEnd;

/// <summary>What <c>verify</c> finds in the tables, on both engines: nothing in a sound shop, and each damage planted in one.</summary>
public abstract class VerifySuite(VerifyShop shop)
{
    // Past the moment in which an order counts as just touched, and past the patience with one that nobody moves; well
    // within the life of the one hold.
    static readonly TimeSpan Later = TimeSpan.FromSeconds(90);

    sealed class LaterClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Later;
    }

    [Fact]
    public async Task A_sound_shop_holds()
    {
        var report = await VerifyAsync();

        Assert.True(report.Holds, Told(report));
        Assert.Equal((9, 0, 1), (report.Orders, report.InFlight, report.Passes));
        Assert.Equal(CheckOutcome.CheckedByTests, report.Checks.Single(check => check.Name == "I8").Outcome);
        Assert.Equal((1, 9, 9), (Looked("I1", "acknowledged"), Looked("I1", "orders"), Looked("I1", "sagas")));
        Assert.Equal((1, 1), (Looked("I6", "holds"), Looked("I7", "waiting")));
        Assert.True(Looked("I2", "charges") >= 1);

        long Looked(string invariant, string kind) => report.Checks.Single(check => check.Name == invariant).Looked[kind];
    }

    const string MoveFrom = """
        INSERT INTO journal (order_id, kind, running_total, debit_account, credit_account, currency, amount, recorded_at)
        SELECT order_id, 'capture', captured + 1,
        """;
    const string MoveTo = ", 'orders', currency, 1, updated_at FROM payments WHERE order_id = @id";
    const string Move = MoveFrom + "'customer:' || customer_id" + MoveTo;

    [Theory]
    [InlineData("I1", "KEYED", ServiceNames.Order, "DELETE FROM orders WHERE id = @id")]
    [InlineData("I1", "DEMO-1", ServiceNames.Order, "DELETE FROM orders WHERE id = @id")]
    [InlineData("I1", "DEMO-1", ServiceNames.Coordinator, "DELETE FROM sagas WHERE order_id = @id")]
    [InlineData("I1", "DEMO-3", ServiceNames.Coordinator, "UPDATE sagas SET state = 'completed' WHERE order_id = @id")]
    [InlineData("I2", "DEMO-1", ServiceNames.Customer, "DELETE FROM payments WHERE order_id = @id")]
    [InlineData("I2", "DEMO-1", ServiceNames.Customer, "UPDATE payments SET captured = captured - 1 WHERE order_id = @id")]
    [InlineData("I2", "DEMO-6", ServiceNames.Customer, "UPDATE payments SET refunded = refunded - 1 WHERE order_id = @id")]
    [InlineData("I2", "DEMO-1", ServiceNames.Order, "UPDATE orders SET total = total + 1 WHERE id = @id")]
    [InlineData("I2", "DEMO-2", ServiceNames.Customer, """
        INSERT INTO sandbox_charges (id, key, order_id, token, currency, state, amount, authorized, captured, refunded, voided,
            created_at, updated_at)
        SELECT 'second', 'second', order_id, token, currency, state, amount, authorized, captured, refunded, voided,
            created_at, updated_at
        FROM sandbox_charges
        WHERE order_id = @id
        """)]
    [InlineData("I3", "DEMO-2", ServiceNames.Customer, "DELETE FROM sandbox_charges WHERE order_id = @id")]
    [InlineData("I3", "DEMO-2", ServiceNames.Customer,
        "UPDATE sandbox_charges SET captured = captured - 1 WHERE order_id = @id")]
    [InlineData("I3", null, ServiceNames.Customer, "UPDATE balances SET amount = amount + 1 WHERE customer_id = 'ada'")]
    [InlineData("I3", null, ServiceNames.Customer, "DELETE FROM credits WHERE customer_id = 'grace'")]
    [InlineData("I3", "DEMO-1", ServiceNames.Customer, "DELETE FROM payments WHERE order_id = @id")]
    [InlineData("I3", "DEMO-1", ServiceNames.Customer, Move)]
    [InlineData("I3", "DEMO-1", ServiceNames.Customer, MoveFrom + "'customer:nobody'" + MoveTo)]
    [InlineData("I3", "DEMO-1", ServiceNames.Order, "UPDATE orders SET payment_status = 'authorized' WHERE id = @id")]
    [InlineData("I4", null, ServiceNames.Stock, "UPDATE levels SET on_hand = on_hand + 1 WHERE sku = 'MUG-01'")]
    [InlineData("I4", null, ServiceNames.Stock, "UPDATE levels SET reserved = reserved + 1 WHERE sku = 'MUG-01'")]
    [InlineData("I4", null, ServiceNames.Stock, "DELETE FROM movements WHERE sku = 'MUG-01'")]
    [InlineData("I4", "DEMO-1", ServiceNames.Stock, "UPDATE reservations SET state = 'released' WHERE order_id = @id")]
    [InlineData("I4", "DEMO-6", ServiceNames.Stock, "UPDATE reservations SET state = 'committed' WHERE order_id = @id")]
    [InlineData("I5", "DEMO-1", ServiceNames.Order,
        "UPDATE order_events SET version = version + 5 WHERE order_id = @id AND version = 2")]
    [InlineData("I5", "DEMO-3", ServiceNames.Order,
        "UPDATE order_events SET status = 'completed' WHERE order_id = @id AND version = 1")]
    [InlineData("I6", "DEMO-7", ServiceNames.Stock, "DELETE FROM holds WHERE order_id = @id")]
    [InlineData("I6", "DEMO-3", ServiceNames.Stock, "UPDATE reservations SET state = 'held' WHERE order_id = @id")]
    [InlineData("I7", "DEMO-7", ServiceNames.Coordinator, "UPDATE sagas SET waiting_for = NULL WHERE order_id = @id")]
    [InlineData("I7", "DEMO-7", ServiceNames.Coordinator, "UPDATE sagas SET state = 'running' WHERE order_id = @id")]
    [InlineData("I9", "DEMO-1", ServiceNames.Order, "DELETE FROM order_events WHERE order_id = @id")]
    [InlineData("I9", "DEMO-1", ServiceNames.Order, "DELETE FROM order_events WHERE order_id = @id AND version > 1")]
    public async Task Damage_is_found(string invariant, string? reference, string service, string damage)
    {
        var report = await VerifyAsync(service, damage, reference);

        var check = report.Checks.Single(check => check.Name == invariant);
        Assert.True(check.Outcome == CheckOutcome.Broken, Told(report));
        if (reference is not null && invariant != "I3")
            Assert.Contains(check.Findings, finding => finding.Subject == shop[reference].ToString());
        Assert.False(report.Holds);
    }

    // The database itself takes nothing back: somebody who may do all has to be at it.
    [Theory]
    [InlineData("DELETE FROM journal WHERE order_id = @id")]
    [InlineData("UPDATE journal SET amount = amount - 1 WHERE order_id = @id")]
    [InlineData("UPDATE journal SET debit_account = 'gateway:sandbox' WHERE order_id = @id")]
    [InlineData("UPDATE journal SET currency = 'EUR' WHERE order_id = @id")]
    public async Task A_forged_journal_is_found(string damage)
    {
        var report = await VerifyAsync(ServiceNames.Customer, damage, "DEMO-1", forced: true);

        var check = report.Checks.Single(check => check.Name == "I3");
        Assert.Contains(check.Findings, finding => finding.Subject == shop["DEMO-1"].ToString());
        // And by the sums, which do not go by orders.
        Assert.Contains(check.Findings, finding => finding.Subject.StartsWith("customer:", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_was_only_just_touched_is_read_again_and_not_judged_by_a_half_seen_moment()
    {
        var report = await VerifyAsync(
            ServiceNames.Order, "UPDATE orders SET total = total + 1 WHERE id = @id", "DEMO-8",
            async databases => new StoppedClock(await TouchedAsync(databases, "DEMO-8")));

        Assert.Equal(3, report.Passes);
        Assert.True(report.InFlight > 0);
        Assert.True(report.Holds, Told(report));
    }

    // Its pauses end at once, and no time passes in them.
    sealed class StoppedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            System.CreateTimer(callback, state, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    Task<DateTimeOffset> TouchedAsync(IReadOnlyDictionary<string, IDatabase> databases, string reference) =>
        databases[ServiceNames.Order].ReadAsync(
            async queries => (await queries.QueryAsync(
                new SqlQuery("touched", "SELECT updated_at FROM orders WHERE id = @id"), SqlArgs.With("id", shop[reference]),
                row => row.Time(0)))[0],
            default);

    async Task<VerificationReport> VerifyAsync(
        string? service = null, string? damage = null, string? reference = null,
        Func<IReadOnlyDictionary<string, IDatabase>, Task<TimeProvider>>? clock = null, bool forced = false)
    {
        var databases = await shop.OpenAsync(service);
        try
        {
            if (forced) await UnlockJournalAsync(databases[ServiceNames.Customer]);
            if (service is not null) await SpoilAsync(databases[service], damage!, reference);
            return await new Verifier(databases, clock is null ? new LaterClock() : await clock(databases)).RunAsync(default);
        }
        finally
        {
            foreach (var database in databases.Values) await database.DisposeAsync();
        }
    }

    static Task<bool> UnlockJournalAsync(IDatabase database) => database.WriteAsync(
        async transaction =>
        {
            foreach (var statement in database.Engine == "postgres"
                ? ["DROP TRIGGER journal_append_only ON journal"]
                : new[] { "DROP TRIGGER journal_not_updated", "DROP TRIGGER journal_not_deleted" })
                await transaction.ExecuteAsync(new SqlQuery("unlock", statement), SqlArgs.None);
            return true;
        },
        default);

    Task<int> SpoilAsync(IDatabase database, string damage, string? reference) => database.WriteAsync(
        async transaction =>
        {
            var args = reference is null ? SqlArgs.None : SqlArgs.With("id", shop[reference]);
            var rows = await transaction.ExecuteAsync(new SqlQuery("damage", damage), args);
            Assert.True(rows > 0, "The damage missed.");
            return rows;
        },
        default);

    static string Told(VerificationReport report) => string.Join('\n', report.Checks.SelectMany(check => check.Findings));
}

public class SqliteVerifyTests(SqliteVerifyShop shop) : VerifySuite(shop), IClassFixture<SqliteVerifyShop>;

public class PostgresVerifyTests(PostgresVerifyShop shop) : VerifySuite(shop), IClassFixture<PostgresVerifyShop>;
