using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.CustomerService.Customers;
using Orderwright.CustomerService.Providers.Sandbox;
using Orderwright.Runtime.Database;

namespace Orderwright.Conformance.Customer;

/// <summary>The HTTP API of customer-service, on every engine.</summary>
public abstract class CustomerApiSuite(StorageEngine engine)
{
    const string Ann = """{"name":"Ann","email":"ann@example.org"}""";

    static IEnumerable<string?> Ids(HttpReply page) =>
        page.Body!["items"]!.AsArray().Select(item => (string?)item!["id"]);

    [Fact]
    public async Task A_caller_reads_and_changes_only_payments_of_its_channels()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.AddCustomerAsync();
        var (eu, unknown) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await server.AskAsync(eu, CustomerServer.Pay("balance", amount: 0) with { Channel = "eu" });
        // As in release 0.1.0.
        await server.AskAsync(unknown, CustomerServer.Pay("balance", amount: 0));
        Assert.Equal([$"{eu}"], Ids(await AsAsync("main,eu", "GET", "payments")));
        Assert.Equal(2, Ids(await AsAsync("*", "GET", "payments")).Count());
        Assert.Equal(200, (await AsAsync("eu", "GET", $"payments/{eu}")).Status);
        foreach (var channels in new[] { "main", "e", "eu2" })
        {
            Assert.Empty(Ids(await AsAsync(channels, "GET", "payments")));
            Assert.Equal(404, (await AsAsync(channels, "GET", $"payments/{eu}")).Status);
            Assert.Equal(
                404, (await AsAsync(channels, "POST", $"payments/{eu}/refunds", """{"amount":1,"reason":"r"}""")).Status);
        }
        Assert.Equal(404, (await AsAsync("main", "GET", $"payments/{unknown}")).Status);

        Task<HttpReply> AsAsync(string channels, string method, string path, string? body = null) =>
            server.SendAsync(method, path, body, header: ("X-Channels", channels));
    }

    [Fact]
    public async Task A_customer_is_created_changed_read_and_erased()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await using var orders = await OrderServiceStandIn.StartAsync(server);
        var created = await server.SendAsync("PUT", "customers/17850", Ann);
        Assert.Equal((201, "\"1\"", "/api/v1/customers/17850"), (created.Status, created.ETag, created.Location));
        Assert.Equal(
            ["id", "name", "email", "version", "createdAt", "updatedAt"],
            created.Body!.AsObject().Select(property => property.Key));
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", (string)created.Body["createdAt"]!);

        var same = await server.SendAsync("PUT", "customers/17850", Ann);
        Assert.Equal((200, created.Text), (same.Status, same.Text));
        var changed = await server.SendAsync("PUT", "customers/17850", """{"name":"Anna"}""", ifMatch: "\"1\"");
        Assert.Equal(
            (200, "\"2\"", "Anna", null), (changed.Status, changed.ETag, (string?)changed.Body!["name"], changed.Body["email"]));
        var stale = await server.SendAsync("PUT", "customers/17850", Ann, ifMatch: "\"1\"");
        Assert.Equal((412, "version_mismatch"), (stale.Status, stale.Code));
        Assert.Equal(changed.Text, (await server.GetAsync("customers/17850")).Text);

        Assert.Equal(412, (await server.SendAsync("DELETE", "customers/17850", ifMatch: "\"1\"")).Status);
        var erased = await server.SendAsync("DELETE", "customers/17850");
        Assert.Equal(200, erased.Status);
        foreach (var path in new[] { "customers/17850", "customers/17850/balances" })
            Assert.Equal("erased", (await server.GetAsync(path)).Code);
        Assert.Empty(Ids(await server.GetAsync("customers")));
        Assert.Equal(
            [(null, null)],
            await server.QueryAsync("SELECT name, email FROM customers",
                row => (row.TextOrNull("name"), row.TextOrNull("email"))));
    }

    [Fact]
    public async Task A_credit_adds_up_once_per_reference_and_key()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.SendAsync("PUT", "customers/17850", Ann);
        await server.SendAsync("PUT", "customers/17851", Ann);
        const string Credit = """{"amount":10000,"currency":"GBP","reference":"invoice-1"}""";
        var first = await server.SendAsync("POST", "customers/17850/credits", Credit, key: "k-1");
        Assert.Equal((201, null), (first.Status, first.Replayed));
        Assert.Equal(
            ["id", "customerId", "currency", "amount", "reference", "createdAt"],
            first.Body!.AsObject().Select(property => property.Key));
        var again = await server.SendAsync("POST", "customers/17850/credits", Credit, key: "k-1");
        Assert.Equal((201, "true", first.Text), (again.Status, again.Replayed, again.Text));
        var reused = await server.SendAsync("POST", "customers/17851/credits", Credit, key: "k-1");
        Assert.Equal((422, "idempotency_key_reused"), (reused.Status, reused.Code));
        var doubled = await server.SendAsync("POST", "customers/17850/credits", Credit);
        Assert.Equal((409, "duplicate_reference"), (doubled.Status, doubled.Code));
        Assert.Equal(201, (await server.SendAsync("POST", "customers/17851/credits", Credit)).Status);
        Assert.Equal(
            201, (await server.SendAsync("POST", "customers/17850/credits", """{"amount":5,"currency":"EUR"}""")).Status);
        Assert.Equal(
            """{"items":[{"currency":"EUR","amount":5},{"currency":"GBP","amount":10000}],"nextCursor":null}""",
            (await server.GetAsync("customers/17850/balances")).Text);

        var nobody = await server.SendAsync("POST", "customers/nobody/credits", Credit);
        Assert.Equal((404, "not_found"), (nobody.Status, nobody.Code));
        Assert.Empty(
            await server.QueryAsync("SELECT amount FROM balances WHERE customer_id = 'nobody'", row => row.BigInt("amount")));
    }

    [Fact]
    public async Task Two_hundred_concurrent_credits_count_and_a_reference_counts_once()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await using var other = await server.StartAnotherAsync();
        await server.AddCustomerAsync();
        var statuses = await Task.WhenAll(Enumerable.Range(0, 200).Select(async i =>
            (await (i % 2 == 0 ? server : other).SendAsync(
                "POST", "customers/17850/credits",
                $$"""{"amount":10,"currency":"GBP","reference":"{{(i < 100 ? $"r-{i}" : "the same")}}"}""")).Status));
        Assert.Equal(101, statuses.Count(status => status == 201));
        Assert.Equal(99, statuses.Count(status => status == 409));
        Assert.Equal(1_010, await server.BalanceAsync());
    }

    [Fact]
    public async Task Lists_are_paged_in_order_and_filtered()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        foreach (var id in new[] { "b", "B", "a", "A-1", "A.1", "A" }) await server.AddCustomerAsync(id);
        var walked = new List<string?>();
        for (string? cursor = ""; cursor is not null;)
        {
            var page = await server.GetAsync($"customers?limit=2{(cursor == "" ? "" : $"&cursor={cursor}")}");
            walked.AddRange(Ids(page));
            cursor = (string?)page.Body!["nextCursor"];
        }
        Assert.Equal(["A", "A-1", "A.1", "B", "a", "b"], walked);

        var orders = Enumerable.Range(0, 3).Select(n => Guid.CreateVersion7(DateTimeOffset.UtcNow.AddSeconds(n))).ToArray();
        await server.AskAsync(orders[0], CustomerServer.Pay("balance", amount: 0, customer: "a"));
        await server.AskAsync(orders[1], CustomerServer.Pay("balance", amount: 1, customer: "a"));
        await server.AskAsync(orders[2], CustomerServer.Pay("balance", amount: 0, customer: "a"));
        var first = await server.GetAsync("payments?limit=2");
        Assert.Equal([$"{orders[2]}", $"{orders[1]}"], Ids(first));
        Assert.Equal([$"{orders[0]}"], Ids(await server.GetAsync($"payments?limit=2&cursor={first.Body!["nextCursor"]}")));
        Assert.Equal([$"{orders[1]}"], Ids(await server.GetAsync("payments?state=declined")));
        Assert.Equal([$"{orders[0]}"], Ids(await server.GetAsync($"payments?orderId={orders[0]}&state=captured")));
        Assert.Empty(Ids(await server.GetAsync($"payments?orderId={orders[0]}&state=declined")));

        var one = await server.GetAsync($"payments/{orders[1]}");
        Assert.Equal((200, "\"1\""), (one.Status, one.ETag));
        Assert.Equal("insufficient_funds", (string?)one.Body!["reason"]!["code"]);
        Assert.Equal(404, (await server.GetAsync($"payments/{Guid.CreateVersion7()}")).Status);
        var foreign = (string?)(await server.GetAsync("customers?limit=1")).Body!["nextCursor"];
        Assert.Equal(["cursor invalid_cursor"], (await server.GetAsync($"payments?cursor={foreign}")).Errors);
    }

    [Fact]
    public async Task A_page_examines_a_bounded_number_of_payments_and_has_a_cursor()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.AddCustomerAsync();
        var declined = Guid.CreateVersion7(DateTimeOffset.UtcNow.AddMinutes(-1));
        await server.AskAsync(declined, CustomerServer.Pay("balance", amount: 1));
        var free = CustomerServer.Pay("balance", amount: 0);
        foreach (var part in Enumerable.Range(0, 20_500).Chunk(1_000))
            await server.TellAsync(part.Select(_ => (Guid.CreateVersion7(), (IMessageBody)free)));
        await CustomerServer.UntilAsync(() => Task.FromResult(server.Answered == 20_501));

        var first = await server.GetAsync("payments?state=declined");
        Assert.Empty(Ids(first));
        var second = await server.GetAsync($"payments?state=declined&cursor={first.Body!["nextCursor"]}");
        Assert.Equal([$"{declined}"], Ids(second));
        Assert.Null(second.Body!["nextCursor"]);

        // Payments that need attention are on the first page at any age.
        Assert.Empty(Ids(await server.GetAsync("payments?attention=true")));
        await server.ExecuteAsync("UPDATE payments SET attention_code = 'hold_ending' WHERE state = 'declined'", SqlArgs.None);
        foreach (var query in new[] { "", "&state=declined", $"&orderId={declined}" })
        {
            var listed = await server.GetAsync($"payments?attention=true{query}");
            Assert.Equal([$"{declined}"], Ids(listed));
            Assert.Null(listed.Body!["nextCursor"]);
        }
        Assert.Empty(Ids(await server.GetAsync("payments?attention=true&state=captured")));
    }

    [Fact]
    public async Task Errors_are_named_by_pointer_and_code()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.SendAsync("PUT", "customers/17850", Ann);
        const string Credit = "POST customers/17850/credits";
        var longName = new string('n', 201);
        (string Call, string? Body, string[] Errors)[] wrong =
        [
            ("PUT customers/a%20b", Ann, ["id invalid_id"]),
            ($"PUT customers/{new string('A', 65)}", Ann, ["id invalid_id"]),
            ("PUT customers/1", $$"""{"name":"{{longName}}","email":"ann"}""", ["/name too_long", "/email invalid_email"]),
            ("PUT customers/1", """{"name":" ","email":"a b@example.org"}""", ["/name required", "/email invalid_email"]),
            ("PUT customers/1", """{"name":"a\tb","email":"@"}""", ["/name invalid_text", "/email invalid_email"]),
            ("PUT customers/1", $$"""{"name":"Ann","email":"ann@{{new string('x', 251)}}"}""", ["/email invalid_email"]),
            (Credit, """{"amount":0,"currency":"XXX","reference":""}""",
                ["/amount out_of_range", "/currency unknown_currency", "/reference required"]),
            (Credit, """{"amount":-1,"currency":"gbp"}""", ["/amount out_of_range", "/currency unknown_currency"]),
            (Credit, """{"amount":1000000000001,"currency":"GBP"}""", ["/amount out_of_range"]),
            ("DELETE customers/%25", null, ["id invalid_id"]),
            ("GET customers/%25/balances", null, ["id invalid_id"]),
            ("GET customers?name=Ann", null, ["name unknown_parameter"]),
            ("GET customers?limit=0", null, ["limit out_of_range"]),
            ("GET customers?cursor=AAAA", null, ["cursor invalid_cursor"]),
            ("GET payments?orderId=1&state=paid", null, ["orderId invalid_id", "state unknown_value"]),
            ("GET payments/1", null, ["id invalid_id"]),
            ("POST sandbox/actions/1", """{"approve":true}""", ["orderId invalid_id"]),
        ];
        foreach (var (call, body, errors) in wrong)
        {
            var reply = await server.SendAsync(call.Split(' ')[0], call.Split(' ')[1], body);
            Assert.Equal((call, 400, "invalid_request"), (call, reply.Status, reply.Code));
            Assert.Equal(errors.Prepend(call), reply.Errors.Prepend(call));
        }
    }

    [Fact]
    public async Task A_body_that_does_not_match_the_schema_is_refused()
    {
        await using var server = await CustomerServer.StartAsync(engine);
        await server.SendAsync("PUT", "customers/17850", Ann);
        (string Body, string Pointer)[] wrong =
        [
            ("""{"amount":1,"currency":"GBP","colour":"red"}""", "/colour"),
            ("""{"amount":1,"amount":2,"currency":"GBP"}""", "/amount"),
            ("""{"amount":"1","currency":"GBP"}""", "/amount"),
            ("""{"amount":1.5,"currency":"GBP"}""", "/amount"),
            ("""{"amount":9223372036854775808,"currency":"GBP"}""", "/amount"),
            ("""{"amount":1,"currency":null}""", "/currency"),
            ("""{"amount":1}""", "/currency"),
            ("""{"amount":1,"currency":"GBP","reference":"a\u0000b"}""", "/reference"),
            ("""{"amount":1,"currency":"GBP","reference":"4242 4242 4242 4242"}""", "/reference"),
            ("""{"amount":1,"currency":"GBP" """, ""),
        ];
        foreach (var (body, pointer) in wrong)
        {
            var reply = await server.SendAsync("POST", "customers/17850/credits", body);
            Assert.Equal((body, 400), (body, reply.Status));
            Assert.Equal((body, pointer), (body, Assert.Single(reply.Errors).Split(' ')[0]));
        }
        Assert.Equal(0, await server.BalanceAsync());
        Assert.Equal(
            400,
            (await server.SendAsync("POST", "customers/17850/credits", """{"amount":1,"currency":"GBP"}""", key: "a b")).Status);
        Assert.Equal(
            400, (await server.SendAsync("POST", $"sandbox/actions/{Guid.CreateVersion7()}", """{"approve":"yes"}""")).Status);
        var large = await server.SendAsync("POST", "webhooks/sandbox", new string(' ', 1_000_001));
        Assert.Equal((413, "body_too_large"), (large.Status, large.Code));
    }
}

public sealed class CustomerApiOnPostgresTests(PostgresEngine engine)
    : CustomerApiSuite(engine), IClassFixture<PostgresEngine>;

public sealed class CustomerApiOnSqliteTests(SqliteEngine engine) : CustomerApiSuite(engine), IClassFixture<SqliteEngine>;
