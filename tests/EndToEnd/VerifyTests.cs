using Orderwright.Contracts;
using Orderwright.Runtime.Database;
using Orderwright.Verification;

namespace Orderwright.EndToEnd;

/// <summary>Runs of <c>verify</c> on both engines: an intact shop passes, and every planted damage is found.</summary>
public abstract class VerifySuite(VerifyShop shop)
{
    // Late enough that no order counts as in flight and that abandoned orders are reported.
    static readonly TimeSpan Later = TimeSpan.FromSeconds(90);

    sealed class LaterClock(TimeSpan? by = null) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + (by ?? Later);
    }

    [Fact]
    public async Task An_intact_shop_passes()
    {
        var report = await VerifyAsync();

        Assert.True(report.Holds, Findings(report));
        Assert.Equal((9, 0, 1), (report.Orders, report.InFlight, report.Passes));
        Assert.Equal(CheckOutcome.CheckedByTests, report.Checks.Single(check => check.Name == "I8").Outcome);
        Assert.Equal((1, 9, 9), (Looked("I1", "acknowledged"), Looked("I1", "orders"), Looked("I1", "sagas")));
        Assert.Equal((1, 1), (Looked("I6", "holds"), Looked("I7", "waiting")));
        Assert.Empty(report.NotJudged);
        Assert.Equal(19, Looked("I10", "tables"));
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
    [InlineData("I2", "DEMO-1", ServiceNames.Order, "UPDATE orders SET total_minor = total_minor + 1 WHERE id = @id")]
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
    [InlineData("I2", "DEMO-1", ServiceNames.Order, """
        UPDATE orders SET discount_limit = 10, adjustments = '[{"type":"discount","label":"x","amount":-500}]' WHERE id = @id
        """)]
    [InlineData("I4", "DEMO-1", ServiceNames.Order, "UPDATE orders SET status = 'completed' WHERE id = @id")]
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
    [InlineData("I4", "DEMO-1", ServiceNames.Stock, "UPDATE reservations SET state = 'held' WHERE order_id = @id")]
    [InlineData("I6", "DEMO-1", ServiceNames.Stock, "INSERT INTO holds (order_id) VALUES (@id)")]
    [InlineData("I6", "DEMO-3", ServiceNames.Stock, "UPDATE reservations SET state = 'held' WHERE order_id = @id")]
    [InlineData("I7", "DEMO-7", ServiceNames.Coordinator, "UPDATE sagas SET waiting_for = NULL WHERE order_id = @id")]
    [InlineData("I7", "DEMO-7", ServiceNames.Coordinator, "UPDATE sagas SET state = 'running' WHERE order_id = @id")]
    [InlineData("I9", "DEMO-1", ServiceNames.Order, "DELETE FROM order_events WHERE order_id = @id")]
    [InlineData("I12", "DEMO-1", ServiceNames.Order,
        """UPDATE orders SET metadata = '{"channel":"import","import":"f00d","importLines":"7"}' WHERE id = @id""")]
    [InlineData("I9", "DEMO-1", ServiceNames.Order, "DELETE FROM order_events WHERE order_id = @id AND version > 1")]
    public async Task Damage_is_found(string invariant, string? reference, string service, string damage)
    {
        var report = await VerifyAsync(service, damage, reference);

        var check = report.Checks.Single(check => check.Name == invariant);
        Assert.True(check.Outcome == CheckOutcome.Broken, Findings(report));
        if (reference is not null && invariant != "I3")
            Assert.Contains(check.Findings, finding => finding.Subject == shop[reference].ToString());
        Assert.Equal(Verdict.Broken, report.Verdict);
        Assert.All(report.Checks.SelectMany(each => each.Findings), finding => Assert.NotEqual("", finding.Repair));
    }

    // The state and amounts of a payment, a saga and the rows of participants, an erased customer and its orders.
    [Theory]
    [InlineData("I3", "DEMO-1", ServiceNames.Customer, "UPDATE payments SET state = 'refunded' WHERE order_id = @id")]
    [InlineData("I3", "DEMO-6", ServiceNames.Customer, "UPDATE payments SET state = 'captured' WHERE order_id = @id")]
    [InlineData("I3", "DEMO-1", ServiceNames.Customer, "UPDATE payments SET state = 'voided' WHERE order_id = @id")]
    [InlineData("I2", "DEMO-1", ServiceNames.Coordinator, "UPDATE sagas SET state = 'compensated' WHERE order_id = @id")]
    [InlineData("I4", "DEMO-1", ServiceNames.Coordinator, "UPDATE sagas SET state = 'compensated' WHERE order_id = @id")]
    // F3: cancelled by a coordinator that had forgotten the order, with money and goods kept.
    [InlineData("I2", "DEMO-1", ServiceNames.Order, "UPDATE orders SET status = 'cancelled' WHERE id = @id")]
    [InlineData("I4", "DEMO-1", ServiceNames.Order, "UPDATE orders SET status = 'cancelled' WHERE id = @id")]
    // F11: the payment's row is lost while the order is confirmed and the gateway has the charge.
    [InlineData("I2", "DEMO-2", ServiceNames.Customer, "DELETE FROM payments WHERE order_id = @id")]
    [InlineData("I3", "DEMO-2", ServiceNames.Customer, "DELETE FROM payments WHERE order_id = @id")]
    // A key whose order does not exist.
    [InlineData("I1", "KEYED", ServiceNames.Order, "DELETE FROM orders WHERE id = @id")]
    public async Task Disagreement_between_services_is_found_with_a_repair(
        string invariant, string reference, string service, string damage)
    {
        var report = await VerifyAsync(service, damage, reference);

        var finding = Assert.Single(
            report.Checks.Single(check => check.Name == invariant).Findings.DistinctBy(found => found.Subject),
            found => found.Subject == shop[reference].ToString());
        Assert.NotEqual("", finding.Repair);
        if (reference == "DEMO-2") Assert.Contains("./orderwright adopt", finding.Repair, StringComparison.Ordinal);
        if (reference == "DEMO-2")
            Assert.DoesNotContain("refunds", finding.Repair, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "ada", "has store credit of")]
    [InlineData(0, "DEMO-1", "is confirmed and unfulfilled, but ada was erased")]
    [InlineData(1, "DEMO-1", "under the id of ada, a customer erased at")]
    public async Task An_erased_customer_with_money_or_orders_is_found(int hoursBefore, string subject, string what)
    {
        var before = shop.IsPostgres ? $"interval '{hoursBefore} hours'" : $"{hoursBefore * 3_600_000}";
        var report = await VerifyAsync(
            ServiceNames.Customer, $"UPDATE customers SET erased_at = updated_at - {before}, name = NULL WHERE id = 'ada'");

        var expected = subject == "ada" ? subject : shop[subject].ToString();
        var finding = Assert.Single(
            report.Checks.Single(check => check.Name == "I11").Findings, finding => finding.Subject == expected);
        Assert.Contains(what, finding.What, StringComparison.Ordinal);
        Assert.NotEqual("", finding.Repair);
    }

    [Theory]
    [InlineData(ServiceNames.Order, "orders", "updated_at")]
    [InlineData(ServiceNames.Order, "order_events", "at")]
    [InlineData(ServiceNames.Order, "idempotency", "created_at")]
    [InlineData(ServiceNames.Customer, "payments", "updated_at")]
    [InlineData(ServiceNames.Customer, "credits", "created_at")]
    [InlineData(ServiceNames.Stock, "reservations", "updated_at")]
    [InlineData(ServiceNames.Stock, "movements", "at")]
    [InlineData(ServiceNames.Coordinator, "sagas", "updated_at")]
    public async Task A_row_stamped_in_the_future_is_found(string service, string table, string column)
    {
        var later = shop.IsPostgres ? "interval '3 days'" : "259200000";
        var report = await VerifyAsync(service, $"UPDATE {table} SET {column} = {column} + {later}");

        var finding = Assert.Single(report.Checks.Single(check => check.Name == "I10").Findings);
        Assert.Equal($"{service} {table}", finding.Subject);
        Assert.Contains("stamped in the future", finding.What, StringComparison.Ordinal);
        Assert.Equal(Verdict.Broken, report.Verdict);
        // Such rows are judged all the same.
        Assert.Equal(0, report.InFlight);
    }

    // DEMO-7 waits for its customer.
    [Fact]
    public async Task A_hold_lasts_as_long_as_its_order_waits()
    {
        var report = await VerifyAsync(
            clock: _ => Task.FromResult<TimeProvider>(new LaterClock(TimeSpan.FromDays(1))));

        Assert.True(report.Holds, Findings(report));
        Assert.Equal(1, report.Checks.Single(check => check.Name == "I6").Looked["holds"]);
    }

    // Triggers reject such changes, so only an administrator can forge the journal.
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
        // Sums per account, which do not depend on orders, differ as well.
        Assert.Contains(check.Findings, finding => finding.Subject.StartsWith("customer:", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_order_in_flight_is_read_again_before_it_is_reported()
    {
        var report = await VerifyAsync(
            ServiceNames.Order, "UPDATE orders SET total_minor = total_minor + 1 WHERE id = @id", "DEMO-8",
            async databases => new StoppedClock(await UpdatedAsync(databases, "DEMO-8")));

        Assert.Equal(4, report.Passes);
        Assert.True(report.InFlight > 0);
        Assert.All(report.Checks, check => Assert.NotEqual(CheckOutcome.Broken, check.Outcome));
        // Never a success for what was not judged.
        Assert.Equal((Verdict.NotJudged, false), (report.Verdict, report.Holds));
        var open = Assert.Single(report.NotJudged);
        Assert.Equal(("orders", report.InFlight), (open.Subject, open.Count));
    }

    // Pauses end immediately, and the clock does not advance.
    sealed class StoppedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            System.CreateTimer(callback, state, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    Task<DateTimeOffset> UpdatedAsync(IReadOnlyDictionary<string, IDatabase> databases, string reference) =>
        databases[ServiceNames.Order].ReadAsync(
            async queries => (await queries.QueryAsync(
                new SqlQuery("updated", "SELECT updated_at FROM orders WHERE id = @id"), SqlArgs.With("id", shop[reference]),
                row => row.Time("updated_at")))[0],
            default);

    async Task<VerificationReport> VerifyAsync(
        string? service = null, string? damage = null, string? reference = null,
        Func<IReadOnlyDictionary<string, IDatabase>, Task<TimeProvider>>? clock = null, bool forced = false)
    {
        var databases = await shop.OpenAsync(service);
        try
        {
            if (forced) await UnlockJournalAsync(databases[ServiceNames.Customer]);
            if (service is not null) await DamageAsync(databases[service], damage!, reference);
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

    Task<int> DamageAsync(IDatabase database, string damage, string? reference) => database.WriteAsync(
        async transaction =>
        {
            var args = reference is null ? SqlArgs.None : SqlArgs.With("id", shop[reference]);
            var rows = await transaction.ExecuteAsync(new SqlQuery("damage", damage), args);
            Assert.True(rows > 0, "The damage missed.");
            return rows;
        },
        default);

    static string Findings(VerificationReport report) => string.Join('\n', report.Checks.SelectMany(check => check.Findings));
}

public class SqliteVerifyTests(SqliteVerifyShop shop) : VerifySuite(shop), IClassFixture<SqliteVerifyShop>;

public class PostgresVerifyTests(PostgresVerifyShop shop) : VerifySuite(shop), IClassFixture<PostgresVerifyShop>;
