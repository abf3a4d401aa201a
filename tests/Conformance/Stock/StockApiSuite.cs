using Orderwright.Conformance.Storage;
using Orderwright.Contracts;

namespace Orderwright.Conformance.Stock;

/// <summary>HTTP API of stock-service, on every engine.</summary>
public abstract class StockApiSuite(StorageEngine engine)
{
    const string Mug = """{"name":"A mug","unitPrice":255,"currency":"GBP"}""";

    static ReserveStock Want(string sku, int quantity) => new("GBP", [new(1, sku, quantity, null)], false);

    static IEnumerable<string> Skus(Reply page) =>
        page.Body!["items"]!.AsArray().Select(item => (string)item!["sku"]!);

    [Fact]
    public async Task A_product_is_created_changed_read_and_removed()
    {
        await using var stock = await StockServer.StartAsync(engine);
        var created = await stock.SendAsync("PUT", "products/MUG-1", Mug);
        Assert.Equal((201, "\"1\"", "/api/v1/products/MUG-1"), (created.Status, created.ETag, created.Location));
        Assert.Equal(
            ["sku", "name", "unitPrice", "currency", "version", "createdAt", "updatedAt"],
            created.Body!.AsObject().Select(property => property.Key));
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", (string)created.Body["createdAt"]!);

        var raised = Mug.Replace("255", "300", StringComparison.Ordinal);
        var changed = await stock.SendAsync("PUT", "products/MUG-1", raised);
        Assert.Equal((200, "\"2\"", 300L), (changed.Status, changed.ETag, (long)changed.Body!["unitPrice"]!));
        var read = await stock.GetAsync("products/MUG-1");
        Assert.Equal((200, "\"2\"", changed.Text), (read.Status, read.ETag, read.Text));

        var level = await stock.GetAsync("stock/MUG-1");
        Assert.Equal(
            """{"sku":"MUG-1","onHand":0,"allocated":0,"reserved":0,"available":0,"version":1}""", level.Text);
        Assert.Equal(412, (await stock.SendAsync("DELETE", "products/MUG-1", ifMatch: "\"1\"")).Status);
        var removed = await stock.SendAsync("DELETE", "products/MUG-1");
        Assert.Equal((204, ""), (removed.Status, removed.Text));
        foreach (var path in new[] { "products/MUG-1", "stock/MUG-1", "stock/MUG-1/movements" })
            Assert.Equal("not_found", (await stock.GetAsync(path)).Code);
        Assert.Equal(404, (await stock.SendAsync("DELETE", "products/MUG-1")).Status);
        Assert.Equal(404, (await stock.SendAsync("PUT", "stock/MUG-1", """{"onHand":1}""")).Status);
    }

    [Fact]
    public async Task A_count_honours_if_match_and_promised_units()
    {
        await using var stock = await StockServer.StartAsync(engine);
        await stock.SendAsync("PUT", "products/MUG", Mug);
        var counted = await stock.SendAsync("PUT", "stock/MUG", """{"onHand":10}""", ifMatch: "\"1\"");
        Assert.Equal((200, "\"2\"", 10L), (counted.Status, counted.ETag, (long)counted.Body!["available"]!));
        var stale = await stock.SendAsync("PUT", "stock/MUG", """{"onHand":12}""", ifMatch: "\"1\"");
        Assert.Equal((412, "version_mismatch"), (stale.Status, stale.Code));

        await stock.HandleAsync(Guid.CreateVersion7(), Want("MUG", 4));
        var below = await stock.SendAsync("PUT", "stock/MUG", """{"onHand":3}""");
        Assert.Equal((409, "below_promised"), (below.Status, below.Code));
        var inUse = await stock.SendAsync("DELETE", "products/MUG");
        Assert.Equal((409, "product_in_use"), (inUse.Status, inUse.Code));
        Assert.Equal(
            """{"sku":"MUG","onHand":10,"allocated":0,"reserved":4,"available":6,"version":3}""",
            (await stock.GetAsync("stock/MUG")).Text);
    }

    [Fact]
    public async Task An_adjustment_returns_a_movement_and_its_key_replays_the_same_bytes()
    {
        await using var stock = await StockServer.StartAsync(engine);
        await stock.SendAsync("PUT", "products/MUG", Mug);
        await stock.SendAsync("PUT", "products/PEN", Mug);
        const string Received = """{"delta":5,"reason":"received","note":"from the <b>harbour</b>"}""";
        var first = await stock.SendAsync("POST", "stock/MUG/adjustments", Received, key: "k-1");
        Assert.Equal((201, null), (first.Status, first.Replayed));
        Assert.Equal(
            ["seq", "sku", "orderId", "kind", "onHandDelta", "allocatedDelta", "at", "note", "actor"],
            first.Body!.AsObject().Select(property => property.Key));
        Assert.Equal(
            ("received", 5L, "local"),
            ((string?)first.Body["kind"], (long)first.Body["onHandDelta"]!, (string?)first.Body["actor"]));

        var again = await stock.SendAsync("POST", "stock/MUG/adjustments", Received, key: "k-1");
        Assert.Equal((201, "true", first.Text), (again.Status, again.Replayed, again.Text));
        var other = await stock.SendAsync("POST", "stock/PEN/adjustments", Received, key: "k-1");
        Assert.Equal((422, "idempotency_key_reused"), (other.Status, other.Code));
        Assert.Equal(5, (long)(await stock.GetAsync("stock/MUG")).Body!["onHand"]!);

        var below = await stock.SendAsync("POST", "stock/MUG/adjustments", """{"delta":-6,"reason":"lost"}""");
        Assert.Equal((409, "below_promised"), (below.Status, below.Code));
        await stock.SendAsync("POST", "stock/MUG/adjustments", """{"delta":-5,"reason":"damaged"}""");
        var page = await stock.GetAsync("stock/MUG/movements?limit=1");
        Assert.Equal("damaged", (string?)Assert.Single(page.Body!["items"]!.AsArray())!["kind"]);
        var next = await stock.GetAsync($"stock/MUG/movements?limit=1&cursor={page.Body["nextCursor"]}");
        Assert.Equal(first.Body.ToJsonString(), Assert.Single(next.Body!["items"]!.AsArray())!.ToJsonString());
        Assert.Null(next.Body["nextCursor"]);
    }

    [Fact]
    public async Task Lists_are_paged_by_sku_and_filtered_by_availability()
    {
        await using var stock = await StockServer.StartAsync(engine);
        foreach (var sku in new[] { "b", "B", "a", "A-1", "A.1", "A" })
            await stock.SendAsync("PUT", $"products/{sku}", Mug);
        await stock.SendAsync("PUT", "stock/A", """{"onHand":5}""");
        await stock.SendAsync("PUT", "stock/B", """{"onHand":4}""");
        var walked = new List<string>();
        for (string? cursor = ""; cursor is not null;)
        {
            var page = await stock.GetAsync($"products?limit=2{(cursor == "" ? "" : $"&cursor={cursor}")}");
            walked.AddRange(Skus(page));
            cursor = (string?)page.Body!["nextCursor"];
        }
        Assert.Equal(["A", "A-1", "A.1", "B", "a", "b"], walked);
        Assert.Equal(["A-1", "A.1", "B", "a", "b"], Skus(await stock.GetAsync("stock?below=5")));
        await stock.HandleAsync(Guid.CreateVersion7(), Want("A", 1));
        Assert.Equal(walked, Skus(await stock.GetAsync("stock?below=5")));
        Assert.Empty(Skus(await stock.GetAsync("stock?below=0")));
    }

    [Fact]
    public async Task Reservations_list_the_holds_or_one_order_in_any_state()
    {
        await using var stock = await StockServer.StartAsync(engine);
        foreach (var sku in new[] { "MUG", "PEN" })
        {
            await stock.SendAsync("PUT", $"products/{sku}", Mug);
            await stock.SendAsync("PUT", $"stock/{sku}", """{"onHand":10}""");
        }
        var orders = Enumerable.Range(0, 4)
            .Select(n => Guid.CreateVersion7(DateTimeOffset.UtcNow.AddSeconds(n))).ToArray();
        await stock.HandleAsync(orders[0], Want("MUG", 1));
        await stock.HandleAsync(orders[1], Want("PEN", 2));
        await stock.HandleAsync(orders[2], Want("MUG", 3));
        await stock.HandleAsync(orders[3], Want("MUG", 11));
        await stock.HandleAsync(orders[0], new CommitStock());

        var page = await stock.GetAsync("reservations?limit=1");
        Assert.Equal([orders[2]], OrderIds(page));
        var next = await stock.GetAsync($"reservations?limit=1&cursor={page.Body!["nextCursor"]}");
        Assert.Equal([orders[1]], OrderIds(next));
        Assert.Equal([orders[1]], OrderIds(await stock.GetAsync("reservations?sku=PEN")));

        var committed = (await stock.GetAsync($"reservations?orderId={orders[0]}")).Body!["items"]![0]!;
        Assert.Equal(
            """{"line":1,"sku":"MUG","quantity":1,"unitPrice":255}""", committed["lines"]![0]!.ToJsonString());
        Assert.Equal(
            ("committed", "GBP", null),
            ((string?)committed["state"], (string?)committed["currency"], (string?)committed["code"]));
        var refused = (await stock.GetAsync($"reservations?orderId={orders[3]}")).Body!["items"]![0]!;
        Assert.Equal(("refused", "out_of_stock"), ((string?)refused["state"], (string?)refused["code"]));
        Assert.Empty(OrderIds(await stock.GetAsync($"reservations?orderId={orders[0]}&sku=PEN")));
        Assert.Empty(OrderIds(await stock.GetAsync($"reservations?orderId={Guid.CreateVersion7()}")));

        static IEnumerable<Guid> OrderIds(Reply page) =>
            page.Body!["items"]!.AsArray().Select(item => Guid.Parse((string)item!["orderId"]!));
    }

    [Fact]
    public async Task Errors_have_pointer_and_code()
    {
        await using var stock = await StockServer.StartAsync(engine);
        await stock.SendAsync("PUT", "products/MUG", Mug);
        await stock.SendAsync("PUT", "stock/MUG", """{"onHand":1}""");
        const string Adjust = "POST stock/MUG/adjustments";
        (string Call, string? Body, string[] Errors)[] wrong =
        [
            ("PUT products/MUG", """{"name":" ","unitPrice":-1,"currency":"XXX"}""",
                ["/name required", "/unitPrice out_of_range", "/currency unknown_currency"]),
            ("PUT products/MUG", """{"name":"a\tb","unitPrice":1000000000001,"currency":"gbp"}""",
                ["/name invalid_text", "/unitPrice out_of_range", "/currency unknown_currency"]),
            ("PUT products/a%20b", Mug, ["sku invalid_id"]),
            ("PUT products/M%C3%BCG", Mug, ["sku invalid_id"]),
            ($"PUT products/{new string('A', 65)}", Mug, ["sku invalid_id"]),
            ("PUT stock/MUG", """{"onHand":-1}""", ["/onHand out_of_range"]),
            ("PUT stock/MUG", """{"onHand":1000000000001}""", ["/onHand out_of_range"]),
            (Adjust, """{"delta":0,"reason":"stolen","note":""}""",
                ["/reason unknown_value", "/note required", "/delta out_of_range"]),
            (Adjust, """{"delta":-1000000000001,"reason":"lost"}""", ["/delta out_of_range"]),
            (Adjust, """{"delta":1000000000000,"reason":"found"}""", ["/delta out_of_range"]),
            ("GET products?below=1", null, ["below unknown_parameter"]),
            ("GET products?limit=201", null, ["limit out_of_range"]),
            ("GET products?cursor=AAAA", null, ["cursor invalid_cursor"]),
            ("GET stock?below=x", null, ["below invalid_number"]),
            ("GET stock/a%2Fb/movements", null, ["sku invalid_id"]),
            ("GET reservations?orderId=1&sku=MUG", null, ["orderId invalid_id"]),
            ("GET reservations?sku=%25", null, ["sku invalid_id"]),
        ];
        foreach (var (call, body, errors) in wrong)
        {
            var reply = await stock.SendAsync(call.Split(' ')[0], call.Split(' ')[1], body);
            Assert.Equal((call, 400, "invalid_request"), (call, reply.Status, reply.Code));
            Assert.Equal(
                errors.Prepend(call),
                reply.Errors.Select(error => $"{error.Pointer} {error.Code}").Prepend(call));
        }
    }

    [Fact]
    public async Task A_body_with_unknown_duplicate_missing_or_mistyped_properties_is_refused()
    {
        await using var stock = await StockServer.StartAsync(engine);
        (string Body, string Pointer)[] wrong =
        [
            ("""{"name":"A mug","unitPrice":255,"currency":"GBP","colour":"red"}""", "/colour"),
            ("""{"name":"A mug","unitPrice":255,"unitPrice":256,"currency":"GBP"}""", "/unitPrice"),
            ("""{"name":"A mug","unitPrice":"255","currency":"GBP"}""", "/unitPrice"),
            ("""{"name":"A mug","unitPrice":2.5,"currency":"GBP"}""", "/unitPrice"),
            ("""{"name":"A mug","unitPrice":9223372036854775808,"currency":"GBP"}""", "/unitPrice"),
            ("""{"name":null,"unitPrice":255,"currency":"GBP"}""", "/name"),
            ("""{"name":"A mug","currency":"GBP"}""", "/unitPrice"),
            ("""{"name":"A\u0000mug","unitPrice":255,"currency":"GBP"}""", "/name"),
            ("""{"name":"4111 1111 1111 1111","unitPrice":255,"currency":"GBP"}""", "/name"),
        ];
        foreach (var (body, pointer) in wrong)
        {
            var reply = await stock.SendAsync("PUT", "products/STRICT", body);
            Assert.Equal((body, 400), (body, reply.Status));
            Assert.Equal([body, pointer], reply.Errors.Select(error => error.Pointer).Prepend(body));
        }
        Assert.Equal(404, (await stock.GetAsync("products/STRICT")).Status);
    }

    [Fact]
    public async Task A_cursor_of_another_list_is_refused()
    {
        await using var stock = await StockServer.StartAsync(engine);
        await stock.SendAsync("PUT", "products/A", Mug);
        await stock.SendAsync("PUT", "products/B", Mug);
        var cursor = (string?)(await stock.GetAsync("products?limit=1")).Body!["nextCursor"];
        foreach (var path in new[] { "stock/A/movements", "reservations" })
            Assert.Equal([("cursor", "invalid_cursor")], (await stock.GetAsync($"{path}?cursor={cursor}")).Errors);
    }

    [Fact]
    public async Task Four_hundred_concurrent_products_and_counts_are_all_stored()
    {
        await using var stock = await StockServer.StartAsync(engine);
        var statuses = await Task.WhenAll(Enumerable.Range(0, 400).Select(async n =>
        {
            var put = await stock.SendAsync("PUT", $"products/P-{n}", Mug);
            var counted = await stock.SendAsync("PUT", $"stock/P-{n}", $$"""{"onHand":{{n}}}""");
            return (put.Status, counted.Status);
        }));
        Assert.All(statuses, status => Assert.Equal((201, 200), status));
        Assert.Equal(399, (long)(await stock.GetAsync("stock/P-399")).Body!["onHand"]!);
    }
}

public sealed class StockApiOnPostgresTests(PostgresEngine engine)
    : StockApiSuite(engine), IClassFixture<PostgresEngine>;

public sealed class StockApiOnSqliteTests(SqliteEngine engine) : StockApiSuite(engine), IClassFixture<SqliteEngine>;
