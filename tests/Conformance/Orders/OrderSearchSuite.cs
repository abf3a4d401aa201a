using System.Text.Json.Nodes;
using Orderwright.Conformance.Storage;
using Orderwright.Http;
using Orderwright.OrderService;
using Orderwright.Runtime.Database;

namespace Orderwright.Conformance.Orders;

/// <summary>Search for orders by what a person has copied: an id, the beginning or end of an id, or a reference.</summary>
public abstract class OrderSearchSuite(StorageEngine engine) : IAsyncLifetime
{
    const string Digits = "abcdef01";

    OrderServer server = null!;

    public async ValueTask InitializeAsync() => server = await OrderServer.OpenAsync(engine);

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task An_order_is_found_by_its_id_by_a_part_of_the_id_and_by_its_reference()
    {
        var first = await PlacedAsync("R-1");
        var second = await PlacedAsync("R-2");
        await PlacedAsync("R-3", channel: "other");
        var digits = first.ToString("N");
        foreach (var text in new[]
        {
            $"{first}", digits, $"{first}".ToUpperInvariant(), digits[^8..], digits[^12..], $"…{digits[^12..]}", digits[^20..],
            $"{first}"[^17..], digits[..12], digits[..20], $"{first}"[..18], "R-1",
        })
            Assert.Equal([first], await SearchAsync(text));

        foreach (var text in new[] { digits[^7..], digits[..7], $"{digits}0", "R-", "R-3", "" })
            Assert.Empty(await SearchAsync(text));
        Assert.Equal([second], await SearchAsync($"{second}"[^8..]));
    }

    [Fact]
    public async Task A_search_is_narrowed_by_the_other_filters()
    {
        var id = await PlacedAsync("R-1", customer: "ada");
        foreach (var text in new[] { $"{id}", $"{id}"[..13], $"{id}"[^8..], "R-1" })
        {
            Assert.Equal([id], await SearchAsync(text, "&customerId=ada&status=pending&reference=R-1&channel=main"));
            foreach (var other in new[]
            {
                "customerId=grace", "status=confirmed", "reference=R-2", "channel=other", "createdBefore=2020-01-01T00:00:00Z",
                "createdAfter=2100-01-01T00:00:00Z",
            })
                Assert.Empty(await SearchAsync(text, $"&{other}"));
        }
    }

    [Fact]
    public async Task A_reference_precedes_a_part_of_an_id_and_a_complete_id_precedes_a_reference()
    {
        var order = await PlacedAsync(null);
        var named = await PlacedAsync($"{order}"[^12..]);
        Assert.Equal([named], await SearchAsync($"{order}"[^12..]));
        await PlacedAsync($"{order}");
        Assert.Equal([order], await SearchAsync($"{order}"));

        // Without an order of the id, the text is a reference.
        var free = $"{Guid.CreateVersion7()}";
        var other = await PlacedAsync(free);
        Assert.Equal([other], await SearchAsync(free));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(200)]
    public async Task Ids_that_begin_with_the_digits_precede_those_that_end_so_and_each_is_listed_once(int limit)
    {
        var expected = await PlaceOrdersWithDigitsAsync();
        Assert.Equal(expected, await SearchAsync(Digits, "", limit));
    }

    [Fact]
    public async Task A_page_reads_a_bounded_number_of_ids_and_the_next_continues()
    {
        var expected = await PlaceOrdersWithDigitsAsync();
        for (var n = 0; n < 7; n++) await PlacedAsync(null);
        var find = new FindOrders(
            server.Database, SqlCatalog.Of(typeof(OrderModule).Assembly, server.Database.Engine), [2, 1]);
        var filter = new OrderFilter(ChannelSet.All, null, null, null, Guid.Empty, Guid.AllBitsSet);
        var found = new List<Guid>();
        var pages = 0;
        OrderPosition? position = null;
        do
        {
            var page = await find.SearchAsync(Digits, filter, position, 200, default);
            found.AddRange(page.Items.Select(order => order.Id));
            position = page.NextCursor is { } next ? OrderPosition.Read(Cursor.Read(next)!) : null;
            pages++;
        }
        while (position is not null);
        Assert.Equal(expected, found);
        // 14 orders, 3 to a page.
        Assert.Equal(5, pages);
    }

    // Three ids begin with the digits and three end with them, one of them both; another has neither.
    async Task<List<Guid>> PlaceOrdersWithDigitsAsync()
    {
        List<Guid> ids =
        [
            Guid.Parse($"{Digits}-0000-7000-8000-000000000003"), Guid.Parse($"{Digits}-0000-7000-8000-000000000002"),
            Guid.Parse($"{Digits}-0000-7000-8000-0000{Digits}"), Guid.Parse($"0198ffff-0000-7000-8000-0000{Digits}"),
            Guid.Parse($"01980000-0000-7000-8000-0000{Digits}"), Guid.Parse($"01970000-0000-7000-8000-0001{Digits}"),
        ];
        ids = [.. ids.Take(3).Order().Reverse(), .. ids.Skip(3)];
        await PlacedAsync(null);
        foreach (var id in ids) await RenameAsync(await PlacedAsync(null), id);
        return ids;
    }

    // Ids are drawn by the server, so the ones of a test are set afterwards.
    Task RenameAsync(Guid from, Guid to) => server.Database.WriteAsync(
        transaction => transaction.ExecuteAsync(
            new SqlQuery("rename", "UPDATE orders SET id = @to WHERE id = @from"),
            SqlArgs.With("from", from).And("to", to)),
        default);

    async Task<Guid> PlacedAsync(string? reference, string customer = "c", string channel = "main")
    {
        // Ids of one millisecond would share their first twelve digits.
        server.Time.Advance(TimeSpan.FromSeconds(1));
        var body = new JsonObject
        {
            ["customerId"] = customer, ["currency"] = "GBP", ["reference"] = reference,
            ["lines"] = new JsonArray(new JsonObject { ["sku"] = "85123A", ["quantity"] = 6, ["unitPrice"] = 255 }),
        };
        return (await server.PlaceAsync(body.ToJsonString(), "X-Channel", channel)).Id;
    }

    async Task<List<Guid>> SearchAsync(string text, string filter = "", int limit = 200)
    {
        var found = new List<Guid>();
        var cursor = "";
        do
        {
            var page = await server.GetAsync(
                $"/api/v1/orders?search={Uri.EscapeDataString(text)}{filter}&limit={limit}{cursor}", "X-Channel", "main");
            Assert.Equal(200, page.Status);
            Assert.True(page.Json["items"]!.AsArray().Count <= limit);
            found.AddRange(page.Json["items"]!.AsArray().Select(item => item!["id"]!.GetValue<Guid>()));
            cursor = page["nextCursor"] is { } next ? $"&cursor={next}" : "";
        }
        while (cursor != "");
        return found;
    }
}

public sealed class PostgresOrderSearch(PostgresEngine engine) : OrderSearchSuite(engine), IClassFixture<PostgresEngine>;

public sealed class SqliteOrderSearch(SqliteEngine engine) : OrderSearchSuite(engine), IClassFixture<SqliteEngine>;
