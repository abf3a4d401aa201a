using Orderwright.Conformance.Storage;

namespace Orderwright.Conformance.Orders;

/// <summary>Lists of orders: filtered, newest first, in pages, and limited to the caller's channel.</summary>
public abstract class OrderListSuite(StorageEngine engine) : IAsyncLifetime
{
    OrderServer server = null!;

    public async ValueTask InitializeAsync() => server = await OrderServer.OpenAsync(engine);

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    async Task<Guid> PlacedAsync(string customer, string? reference = null, string channel = "main")
    {
        server.Time.Advance(TimeSpan.FromMinutes(1));
        var named = reference is null ? "null" : $"\"{reference}\"";
        var placed = await server.PlaceAsync(
            $$"""
            {"customerId":"{{customer}}","currency":"GBP","reference":{{named}},
            "lines":[{"sku":"85123A","quantity":6,"unitPrice":255}]}
            """,
            "X-Channel", channel);
        return placed.Id;
    }

    async Task<List<Guid>> ListAsync(string query, int limit = 200)
    {
        var found = new List<Guid>();
        var cursor = "";
        do
        {
            var page = await server.GetAsync($"/api/v1/orders?limit={limit}{query}{cursor}");
            Assert.Equal(200, page.Status);
            Assert.True(page.Json["items"]!.AsArray().Count <= limit);
            found.AddRange(page.Json["items"]!.AsArray().Select(item => item!["id"]!.GetValue<Guid>()));
            cursor = page["nextCursor"] is { } next ? $"&cursor={next}" : "";
        }
        while (cursor != "");
        return found;
    }

    [Fact]
    public async Task Lists_are_filtered_newest_first_and_paged_without_loss()
    {
        var placed = new List<Guid>();
        for (var n = 0; n < 11; n++) placed.Add(await PlacedAsync(n % 2 == 0 ? "even" : "odd", $"R-{n}"));
        await PlacedAsync("even", "R-0", "other");
        await server.DeliverAsync([.. placed.Take(4).Select(id => (id, (Orderwright.Contracts.IMessageBody)Outcomes.Rejected))]);
        await server.UntilAsync(placed[3], "rejected");

        var all = placed.AsEnumerable().Reverse().ToList();
        Assert.Equal(all, await ListAsync(""));
        Assert.Equal(all, await ListAsync("", limit: 2));
        Assert.Equal(placed.Where((_, n) => n % 2 == 1).Reverse(), await ListAsync("&customerId=odd", limit: 2));
        Assert.Equal(placed.Take(4).Reverse(), await ListAsync("&status=rejected", limit: 1));
        Assert.Equal(placed.Skip(4).Reverse(), await ListAsync("&status=pending", limit: 3));
        Assert.Equal(placed.Take(4).Where((_, n) => n % 2 == 0).Reverse(), await ListAsync("&status=rejected&customerId=even"));
        Assert.Equal([placed[7]], await ListAsync("&reference=R-7"));
        Assert.Empty(await ListAsync("&reference=R-7&customerId=even"));
        Assert.Empty(await ListAsync("&status=completed"));

        var seventh = (await server.GetAsync($"/api/v1/orders/{placed[7]}"))["createdAt"];
        Assert.Equal(placed.Skip(7).Reverse(), await ListAsync($"&createdAfter={seventh}"));
        Assert.Equal(placed.Take(7).Reverse(), await ListAsync($"&createdBefore={seventh}", limit: 3));
        Assert.Equal([placed[0]], await ListAsync($"&createdBefore={seventh}&reference=R-0"));
    }

    [Fact]
    public async Task Another_channels_order_is_not_found()
    {
        var id = await PlacedAsync("c", channel: "other");
        Assert.Equal(200, (await server.GetAsync($"/api/v1/orders/{id}", "X-Channel", "other")).Status);
        foreach (var path in new[] { $"/api/v1/orders/{id}", $"/api/v1/orders/{id}/events" })
            Assert.Equal((404, "not_found"), ((await server.GetAsync(path)).Status, (await server.GetAsync(path))["code"]));
    }

    [Theory]
    [InlineData("?status=open", "status")]
    [InlineData("?limit=201", "limit")]
    [InlineData("?limit=ten", "limit")]
    [InlineData("?createdAfter=yesterday", "createdAfter")]
    [InlineData("?cursor=bm9uc2Vuc2U", "cursor")]
    [InlineData("?customer=17850", "customer")]
    [InlineData("/not-a-uuid", "id")]
    [InlineData("/01980000000070008000000000000001", "id")]
    public async Task An_invalid_parameter_is_a_400_with_its_name(string path, string pointer)
    {
        var refused = await server.GetAsync($"/api/v1/orders{path}");
        Assert.Equal((400, pointer), (refused.Status, (string?)refused.Json["errors"]![0]!["parameter"]));
    }

    [Fact]
    public async Task A_cursor_of_another_list_is_a_400()
    {
        await PlacedAsync("a");
        await PlacedAsync("a");
        var feed = await server.GetAsync("/api/v1/events?limit=1", "X-Name", "operator");
        var refused = await server.GetAsync($"/api/v1/orders?cursor={feed["nextCursor"]}");
        Assert.Equal((400, "cursor"), (refused.Status, (string?)refused.Json["errors"]![0]!["parameter"]));
    }
}

public sealed class PostgresOrderLists(PostgresEngine engine) : OrderListSuite(engine), IClassFixture<PostgresEngine>;

public sealed class SqliteOrderLists(SqliteEngine engine) : OrderListSuite(engine), IClassFixture<SqliteEngine>;
