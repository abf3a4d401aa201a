using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.CustomerService;
using Orderwright.CustomerService.Providers.Sandbox;
using Orderwright.Runtime.Database;

namespace Orderwright.Conformance.Customer;

/// <summary>The journal records every movement of money once, and the database refuses changes.</summary>
public abstract class JournalSuite(StorageEngine engine)
{
    const string OfOrders = "SELECT order_id, kind, debit_account, credit_account, currency, amount, running_total FROM journal";

    protected virtual string Refusal => "journal is append-only";

    static async Task<List<string>> JournalAsync(CustomerServer server, Guid order) =>
    [
        .. (await server.QueryAsync(
                $"{OfOrders} WHERE order_id IS NOT NULL ORDER BY kind, running_total",
                row => (Order: row.Uuid("order_id"), Text: Format(row))))
            .Where(row => row.Order == order).Select(row => row.Text),
    ];

    static string Format(IRow row) =>
        $"{row.Text("kind")} {row.Text("debit_account")} > {row.Text("credit_account")} {row.Text("currency")} "
        + $"{row.BigInt("amount")} of {row.BigInt("running_total")}";

    [Fact]
    public async Task A_top_up_comes_from_credits()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.AddCustomerAsync(credit: 2_000);
        const string Top = """{"amount":500,"currency":"GBP","reference":"gift"}""";
        Assert.Equal(201, (await server.SendAsync("POST", "customers/17850/credits", Top)).Status);
        Assert.Equal(409, (await server.SendAsync("POST", "customers/17850/credits", Top)).Status);
        Assert.Equal(
            ["credit credits > customer:17850 GBP 500 of 500", "credit credits > customer:17850 GBP 2000 of 2000"],
            await server.QueryAsync(
                $"{OfOrders.Replace("order_id", "credit_id", StringComparison.Ordinal)} ORDER BY running_total", Format));
    }

    [Fact]
    public async Task Store_credit_moves_to_the_order_and_back_in_parts()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.AddCustomerAsync(credit: 2_000);
        var order = Guid.CreateVersion7();
        await server.AskAsync(order, CustomerServer.Pay("balance"));
        await server.AskAsync(order, CustomerServer.Pay("balance"));
        await server.AskAsync(order, new CapturePayment());
        Assert.Equal(["capture customer:17850 > orders GBP 1530 of 1530"], await JournalAsync(server, order));
        await server.SendAsync("POST", $"payments/{order}/refunds", """{"amount":500,"reason":"Broken in the post."}""");
        await server.AskAsync(order, new UndoPayment("cancelled"));
        await server.AskAsync(order, new UndoPayment("cancelled"));
        Assert.Equal(
            [
                "capture customer:17850 > orders GBP 1530 of 1530",
                "refund orders > customer:17850 GBP 500 of 500",
                "refund orders > customer:17850 GBP 1030 of 1530",
            ],
            await JournalAsync(server, order));
    }

    [Fact]
    public async Task A_card_payment_is_journaled_only_once_captured()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.AddCustomerAsync();
        var (order, declined, released) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        await server.AskAsync(order, CustomerServer.Pay("sandbox", SandboxTokens.TimeoutAfterCharge));
        Assert.Empty(await JournalAsync(server, order));
        await server.AskAsync(order, new CapturePayment());
        await server.AskAsync(order, new UndoPayment("cancelled"));
        await server.AskAsync(declined, CustomerServer.Pay("sandbox", SandboxTokens.Declined));
        await server.AskAsync(released, CustomerServer.Pay("sandbox", SandboxTokens.Visa));
        await server.AskAsync(released, new UndoPayment("cancelled"));
        Assert.Equal(
            [
                "capture gateway:sandbox > orders GBP 1530 of 1530",
                "refund orders > gateway:sandbox GBP 1530 of 1530",
            ],
            await JournalAsync(server, order));
        Assert.Empty(await JournalAsync(server, declined));
        Assert.Empty(await JournalAsync(server, released));
    }

    [Fact]
    public async Task A_capture_and_a_refund_in_one_batch_are_two_entries()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.AddCustomerAsync(credit: 2_000);
        var order = Guid.CreateVersion7();
        await server.TellAsync([(order, CustomerServer.Pay("balance")), (order, new UndoPayment("cancelled"))]);
        await server.SettledAsync(order);
        Assert.True((await server.SettledAsync(order)).Undo);
        Assert.Equal(
            ["capture customer:17850 > orders GBP 1530 of 1530", "refund orders > customer:17850 GBP 1530 of 1530"],
            await JournalAsync(server, order));
    }

    [Theory]
    [InlineData("UPDATE journal SET amount = amount - 1")]
    [InlineData("DELETE FROM journal")]
    public async Task Journal_entries_are_neither_changed_nor_deleted(string statement)
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.AddCustomerAsync(credit: 2_000);
        var refused = await Assert.ThrowsAnyAsync<Exception>(() => server.ExecuteAsync(statement, SqlArgs.None));
        Assert.Contains(Refusal, refused.ToString(), StringComparison.Ordinal);
        Assert.Equal([2_000], await server.QueryAsync("SELECT amount FROM journal", row => row.BigInt("amount")));
    }

    [Theory]
    [InlineData("order_id, 'capture', 1530, 'gateway:sandbox', 'orders', 'GBP', 1530")]
    [InlineData("order_id, 'capture', 1530, 'customer:17850', 'orders', 'GBP', 1")]
    [InlineData("order_id, 'refund', 1530, 'orders', 'customer:17850', 'GBP', 0")]
    [InlineData("order_id, 'refund', 1, 'orders', 'customer:17850', 'GBP', 2")]
    [InlineData("order_id, 'refund', 1, 'orders', 'orders', 'GBP', 1")]
    [InlineData("order_id, 'credit', 1, 'credits', 'customer:17850', 'GBP', 1")]
    public async Task Duplicate_and_invalid_entries_are_refused(string row)
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.AddCustomerAsync(credit: 2_000);
        await server.AskAsync(Guid.CreateVersion7(), CustomerServer.Pay("balance"));
        await Assert.ThrowsAsync<ConstraintViolatedException>(() => server.ExecuteAsync(
            "INSERT INTO journal (order_id, kind, running_total, debit_account, credit_account, currency, amount, recorded_at) "
            + $"SELECT {row}, updated_at FROM payments",
            SqlArgs.None));
    }
}

public sealed class JournalOnSqliteTests(SqliteEngine engine) : JournalSuite(engine), IClassFixture<SqliteEngine>;
