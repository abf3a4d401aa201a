using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.CustomerService.Customers;
using Orderwright.CustomerService.Providers.Sandbox;
using Orderwright.Runtime.Database;

namespace Orderwright.Conformance.Customer;

/// <summary>Erasure of customers, on every engine. The test stands in for order-service.</summary>
public abstract class ErasureSuite(StorageEngine engine)
{
    const string Path = "customers/17850";
    const string Ann = """{"name":"Ann Lee","email":"ann@example.org"}""";

    [Fact]
    public async Task An_erased_id_is_never_given_out_again()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await using var orders = await OrderServiceStandIn.StartAsync(server);
        Assert.Equal(201, (await server.SendAsync("PUT", Path, Ann)).Status);

        var erased = await server.SendAsync("DELETE", Path);

        Assert.Equal((200, 3, false), (erased.Status, (int)erased.Body!["orders"]!, (bool)erased.Body["complete"]!));
        Assert.Contains("payments, credits and journal", erased.Text, StringComparison.Ordinal);
        Assert.Contains("accounting", erased.Text, StringComparison.Ordinal);
        foreach (var path in new[] { Path, $"{Path}/balances" })
            Assert.Equal((410, "erased"), CodeOf(await server.GetAsync(path)));
        Assert.Equal((409, "erased"), CodeOf(await server.SendAsync("PUT", Path, Ann)));
        Assert.Equal(
            (409, "erased"),
            CodeOf(await server.SendAsync("POST", $"{Path}/credits", """{"amount":1,"currency":"GBP"}""")));
        Assert.Equal(
            ReasonCodes.UnknownCustomer,
            (await server.AskAsync(Guid.CreateVersion7(), CustomerServer.Pay("balance", amount: 0))).Code);
        var again = await server.SendAsync("DELETE", Path);
        Assert.Equal((200, (string)erased.Body["erasedAt"]!), (again.Status, (string)again.Body!["erasedAt"]!));
        Assert.Equal(
            [(null, null)],
            await server.QueryAsync(
                "SELECT name, email FROM customers", row => (row.TextOrNull("name"), row.TextOrNull("email"))));
    }

    [Fact]
    public async Task Store_credit_keeps_a_customer()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await using var orders = await OrderServiceStandIn.StartAsync(server);
        await server.AddCustomerAsync(credit: 5_000);

        var refused = await server.SendAsync("DELETE", Path);

        Assert.Equal((409, "has_balance"), CodeOf(refused));
        Assert.Contains("50.00 GBP", (string)refused.Body!["detail"]!, StringComparison.Ordinal);
        Assert.Equal(200, (await server.GetAsync(Path)).Status);
        await server.AskAsync(Guid.CreateVersion7(), CustomerServer.Pay("balance", amount: 5_000));
        Assert.Equal(200, (await server.SendAsync("DELETE", Path)).Status);
    }

    [Fact]
    public async Task Open_orders_and_unsettled_payments_keep_a_customer()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await using var orders = await OrderServiceStandIn.StartAsync(server);
        await server.AddCustomerAsync();
        var card = Guid.CreateVersion7();
        await server.AskAsync(card, CustomerServer.Pay("sandbox", SandboxTokens.Visa));
        Assert.Equal((409, "open_orders"), CodeOf(await server.SendAsync("DELETE", Path)));
        Assert.Empty(orders.Stages);
        await server.AskAsync(card, new UndoPayment("cancelled"));

        // Confirmed and not fulfilled: only order-service knows.
        orders.OpenOrder = card;
        var refused = await server.SendAsync("DELETE", Path);
        Assert.Equal((409, "open_orders", card.ToString()), (refused.Status, refused.Code, (string?)refused.Body!["orderId"]));
        Assert.Equal(201, (await server.SendAsync(
            "POST", $"{Path}/credits", """{"amount":1,"currency":"GBP"}""")).Status);
        Assert.Equal(StepOutcome.Completed, (await server.AskAsync(
            Guid.CreateVersion7(), CustomerServer.Pay("balance", amount: 1))).Outcome);

        orders.OpenOrder = null;
        Assert.Equal(200, (await server.SendAsync("DELETE", Path)).Status);
    }

    [Fact]
    public async Task Nothing_arrives_at_a_customer_between_the_question_and_the_decision()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await using var orders = await OrderServiceStandIn.StartAsync(server);
        await server.AddCustomerAsync();
        var order = Guid.CreateVersion7();
        var seen = new List<string?>();
        orders.Meanwhile = async erase =>
        {
            if (erase.Stage != ErasureStages.Ask) return;
            seen.Add((await server.SendAsync("POST", $"{Path}/credits", """{"amount":1,"currency":"GBP"}""")).Code);
            seen.Add((await server.SendAsync("PUT", Path, Ann)).Code);
            await server.TellAsync(order, CustomerServer.Pay("sandbox", SandboxTokens.Visa));
            var (_, answer) = await server.NextAsync(order);
            seen.Add($"{answer.Outcome} {answer.Code}");
        };

        Assert.Equal(200, (await server.SendAsync("DELETE", Path)).Status);

        Assert.Equal(["erasure_running", "erasure_running", "Retry erasure_running"], seen);
        Assert.Equal(
            ReasonCodes.UnknownCustomer, (await server.AskAsync(order, CustomerServer.Pay("sandbox", SandboxTokens.Visa))).Code);
    }

    [Fact]
    public async Task Money_that_arrives_in_spite_of_that_withdraws_the_erasure()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await using var orders = await OrderServiceStandIn.StartAsync(server);
        await server.AddCustomerAsync(credit: 1);
        await server.ExecuteAsync("UPDATE balances SET amount = 0", SqlArgs.None);
        orders.Meanwhile = erase => erase.Stage == ErasureStages.Ask
            ? server.ExecuteAsync("UPDATE balances SET amount = 1", SqlArgs.None)
            : Task.CompletedTask;

        Assert.Equal((409, "has_balance"), CodeOf(await server.SendAsync("DELETE", Path)));

        Assert.Equal([ErasureStages.Ask, ErasureStages.Withdrawn], orders.Stages);
        Assert.Equal(200, (await server.GetAsync(Path)).Status);
        Assert.Equal(200, (await server.SendAsync("PUT", Path, Ann)).Status);
    }

    [Fact]
    public async Task An_erasure_waits_for_order_service_and_is_asked_again()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await using var orders = await OrderServiceStandIn.StartAsync(server);
        orders.Answers = false;
        await server.AddCustomerAsync();
        Assert.Equal((503, "erasure_running"), CodeOf(await server.SendAsync("DELETE", Path)));
        Assert.Equal(200, (await server.GetAsync(Path)).Status);

        orders.Answers = true;
        server.Clock.Forward(ErasureRules.AskAgain + TimeSpan.FromSeconds(1));
        await CustomerServer.UntilAsync(async () => (await server.GetAsync(Path)).Status == 410);
        Assert.Equal(200, (await server.SendAsync("DELETE", Path)).Status);
    }

    [Fact]
    public async Task The_last_question_follows_orders_that_were_accepted_in_time_and_the_words_go_last()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await using var orders = await OrderServiceStandIn.StartAsync(server);
        await server.SendAsync("PUT", Path, Ann);
        Assert.Equal(200, (await server.SendAsync("DELETE", Path)).Status);
        var (id, words) = Assert.Single(await server.QueryAsync(
            "SELECT id, words FROM erasures", row => (row.Uuid("id"), row.TextOrNull("words"))));
        Assert.Equal("""["ann@example.org","Ann Lee","Ann","Lee"]""", words);

        await server.TellAsync(id, new NotesErased("17850"));
        await CustomerServer.UntilAsync(async () => Assert.Single(await server.QueryAsync(
            "SELECT words FROM erasures", row => row.TextOrNull("words"))) is null);
        Assert.False((bool)(await server.SendAsync("DELETE", Path)).Body!["complete"]!);
        server.Clock.Forward(ErasureRules.LateOrders + ErasureRules.AskAgain);
        await CustomerServer.UntilAsync(async () => (bool)(await server.SendAsync("DELETE", Path)).Body!["complete"]!);
        Assert.Equal([null], await server.QueryAsync("SELECT next_ask_at FROM erasures", row => row.TimeOrNull("next_ask_at")));
    }

    [Fact]
    public async Task Words_of_operators_that_name_the_customer_are_erased_and_the_deed_stays()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await using var orders = await OrderServiceStandIn.StartAsync(server);
        await server.SendAsync("PUT", Path, Ann);
        var order = Guid.CreateVersion7();
        await server.AskAsync(order, CustomerServer.Pay("sandbox", SandboxTokens.Visa));
        await server.AskAsync(order, new CapturePayment());
        var refund = await server.SendAsync(
            "POST", $"payments/{order}/refunds", """{"amount":1530,"reason":"Mrs. LEE <ann@example.org> called about Leeds"}""");
        Assert.Equal(201, refund.Status);
        await CustomerServer.UntilAsync(async () => (string)(await server.PaymentAsync(order))["state"]! == "refunded");

        Assert.Equal(200, (await server.SendAsync("DELETE", Path)).Status);

        const string Kept = "Mrs. [erased] <[erased]> called about Leeds";
        Assert.Equal(
            [("refund", "1530", Kept)],
            await server.QueryAsync(
                "SELECT action, subject, reason FROM operator_actions",
                row => (row.Text("action"), row.Text("subject"), row.Text("reason"))));
        Assert.Equal(
            [Kept],
            await server.QueryAsync(
                "SELECT reason FROM payment_attempts WHERE reason IS NOT NULL", row => row.Text("reason")));
        // Anything else about the audit is still refused.
        foreach (var change in new[] { "actor = 'bob'", "reason = 'never'", "reason = '[erased]', action = 'void'" })
            await Assert.ThrowsAnyAsync<Exception>(() => server.ExecuteAsync(
                $"UPDATE operator_actions SET {change}", SqlArgs.None));
        await Assert.ThrowsAnyAsync<Exception>(() => server.ExecuteAsync("DELETE FROM operator_actions", SqlArgs.None));
    }

    [Fact]
    public async Task A_refund_to_the_credit_of_an_erased_customer_is_refused()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await using var orders = await OrderServiceStandIn.StartAsync(server);
        await server.AddCustomerAsync(credit: 1_530);
        var order = Guid.CreateVersion7();
        await server.AskAsync(order, CustomerServer.Pay("balance"));
        Assert.Equal(200, (await server.SendAsync("DELETE", Path)).Status);

        Assert.Equal(
            (409, "erased"),
            CodeOf(await server.SendAsync("POST", $"payments/{order}/refunds", """{"amount":1,"reason":"late"}""")));
    }

    static (int, string?) CodeOf(HttpReply reply) => (reply.Status, reply.Code);
}

public sealed class ErasureOnPostgresTests(PostgresEngine engine) : ErasureSuite(engine), IClassFixture<PostgresEngine>;

public sealed class ErasureOnSqliteTests(SqliteEngine engine) : ErasureSuite(engine), IClassFixture<SqliteEngine>;
