using Orderwright.Conformance.Storage;
using Orderwright.Contracts;

namespace Orderwright.Conformance.Customer;

/// <summary>Store credit under load: two instances, few customers, every command duplicated and out of order.</summary>
public abstract class PaymentStormSuite(StorageEngine engine)
{
    const int Orders = 1_500;

    [Theory]
    [InlineData(20_260_131)]
    [InlineData(7)]
    public async Task Balances_are_credits_less_payments_in_any_order_of_arrival(int seed)
    {
        var dice = new Random(seed);
        await using var first = await CustomerServer.StartAsync(engine);
        await using var second = await first.StartAnotherAsync();
        string[] customers = ["ann", "bob", "cid", "dot"];
        foreach (var customer in customers) await first.AddCustomerAsync(customer, 100_000);

        var commands = new List<(Guid OrderId, IMessageBody Body)>();
        var orders = new Dictionary<Guid, bool>();
        for (var i = 0; i < Orders; i++)
        {
            var order = Guid.CreateVersion7();
            var undone = dice.Next(3) == 0;
            orders.Add(order, undone);
            var pay = CustomerServer.Pay(
                "balance", amount: dice.Next(1, 2_000), customer: customers[dice.Next(customers.Length)]);
            for (var times = dice.Next(1, 4); times > 0; times--) commands.Add((order, pay));
            if (undone)
                for (var times = dice.Next(1, 3); times > 0; times--) commands.Add((order, new UndoPayment("cancelled")));
        }
        var shuffled = commands.ToArray();
        dice.Shuffle(shuffled);
        var credits = 0;
        await Task.WhenAll(
            SendAsync(first, [.. shuffled.Where((_, i) => i % 2 == 0)]),
            SendAsync(second, [.. shuffled.Where((_, i) => i % 2 == 1)]),
            Task.WhenAll(Enumerable.Range(0, 50).Select(async i =>
            {
                var credited = await (i % 2 == 0 ? first : second).SendAsync(
                    "POST", $"customers/{customers[i % 4]}/credits", """{"amount":500,"currency":"GBP"}""");
                Assert.Equal(201, credited.Status);
                Interlocked.Add(ref credits, 500);
            })));

        var expected = commands.Count;
        await CustomerServer.UntilAsync(() => Task.FromResult(first.Answered + second.Answered == expected));

        var payments = await first.QueryAsync(
            "SELECT order_id, customer_id, state, captured, refunded FROM payments",
            row => (
                Id: row.Uuid("order_id"), Customer: row.TextOrNull("customer_id"), State: row.Text("state"),
                Captured: row.BigInt("captured"), Refunded: row.BigInt("refunded")));
        Assert.Equal(Orders, payments.Count);
        Assert.All(payments, payment => Assert.Contains(
            payment.State, orders[payment.Id] ? ["undone", "refunded", "declined"] : (string[])["captured", "declined"]));
        var added = (await first.QueryAsync(
            "SELECT customer_id, CAST(SUM(amount) AS bigint) AS sum FROM credits GROUP BY customer_id",
            row => (Customer: row.Text("customer_id"), Sum: row.BigInt("sum"))))
            .ToDictionary(row => row.Customer, row => row.Sum);
        Assert.Equal(400_000 + credits, added.Values.Sum());
        foreach (var customer in customers)
        {
            var spent = payments.Where(payment => payment.Customer == customer)
                .Sum(payment => payment.Captured - payment.Refunded);
            Assert.Equal((customer, added[customer] - spent), (customer, await first.BalanceAsync(customer)));
        }
    }

    static async Task SendAsync(CustomerServer server, (Guid, IMessageBody)[] commands)
    {
        foreach (var part in commands.Chunk(100)) await server.TellAsync(part);
    }
}

public sealed class PaymentStormOnPostgresTests(PostgresEngine engine)
    : PaymentStormSuite(engine), IClassFixture<PostgresEngine>;

public sealed class PaymentStormOnSqliteTests(SqliteEngine engine)
    : PaymentStormSuite(engine), IClassFixture<SqliteEngine>;
