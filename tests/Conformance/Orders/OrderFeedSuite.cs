using System.Text.Json.Nodes;
using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.OrderService;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.Conformance.Orders;

/// <summary>The feed of all events and the live streams: nothing is missed, nothing comes twice.</summary>
public abstract class OrderFeedSuite(StorageEngine engine) : IAsyncLifetime
{
    protected const string Mug = """{"customerId":"17850","currency":"GBP","lines":[{"sku":"85123A","quantity":6,"unitPrice":255}]}""";

    protected OrderHouse House { get; private set; } = null!;

    string address = "";

    public async ValueTask InitializeAsync()
    {
        address = await engine.NewAddressAsync();
        House = await OrderHouse.OpenAsync(engine, address);
    }

    public async ValueTask DisposeAsync()
    {
        await House.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>All that a reader gets who goes on after the last number it has seen.</summary>
    protected async Task<List<JsonNode>> ReadOnAsync(long after)
    {
        var read = new List<JsonNode>();
        var cursor = "";
        while (true)
        {
            var page = await House.GetAsync($"/api/v1/events?limit=7&after={after}{cursor}", "X-Name", "operator");
            Assert.Equal(200, page.Status);
            read.AddRange(page.Json["items"]!.AsArray().Select(item => item!.DeepClone()));
            if (page["nextCursor"] is not { } next) return read;
            cursor = $"&cursor={next}";
        }
    }

    [Fact]
    public async Task A_reader_beside_many_writers_sees_every_event_once_and_in_order()
    {
        await using var other = await OrderHouse.OpenAsync(engine, address);
        var writing = Task.WhenAll(Enumerable.Range(0, 200).Select(async n =>
        {
            var house = n % 2 == 0 ? House : other;
            var placed = await house.PlaceAsync(Mug);
            await house.TellAsync((placed.Id, Told.Authorized));
            await house.TellAsync((placed.Id, Told.Paid));
            await house.UntilAsync(placed.Id, "confirmed", "paid");
        }));
        var seen = new List<JsonNode>();
        while (true)
        {
            var isLast = writing.IsCompleted;
            var read = await ReadOnAsync(seen.Count == 0 ? 0 : (long)seen[^1]["seq"]!);
            seen.AddRange(read);
            if (isLast && read.Count == 0) break;
        }
        await writing;
        Assert.Equal(await House.CountAsync("SELECT count(*) FROM order_events"), seen.Count);
        var numbers = seen.ConvertAll(told => (long)told["seq"]!);
        Assert.Equal(numbers.Order().Distinct(), numbers);
        foreach (var order in seen.GroupBy(told => (string)told["orderId"]!))
            Assert.Equal(Enumerable.Range(1, order.Count()), order.Select(told => (int)told["version"]!));
    }

    [Fact]
    public async Task A_live_stream_begins_where_it_is_told_and_ends_with_the_order()
    {
        var id = (await House.PlaceAsync(Mug)).Id;
        var types = new List<string>();
        await foreach (var told in House.StreamAsync($"/api/v1/orders/{id}/events"))
        {
            types.Add((string)told["type"]!);
            if (types.Count == 1) await House.TellAsync((id, Told.Paid));
            if (types.Count == 2) await House.SendAsync(HttpMethod.Patch, $"/api/v1/orders/{id}", """{"status":"completed"}""", "X-Name", "operator");
        }
        Assert.Equal(["placed", "confirmed", "completed"], types);

        var seqs = (await House.GetAsync($"/api/v1/orders/{id}/events")).Json["items"]!.AsArray().Select(told => (long)told!["seq"]!).ToList();
        var rest = new List<long>();
        await foreach (var told in House.StreamAsync($"/api/v1/orders/{id}/events", ["Last-Event-ID", $"{seqs[0]}"])) rest.Add((long)told["seq"]!);
        Assert.Equal(seqs[1..], rest);
        Assert.Equal(204, (await House.GetAsync(
            $"/api/v1/orders/{id}/events", "Accept", "text/event-stream", "Last-Event-ID", $"{seqs[^1]}")).Status);
        Assert.Equal(404, (await House.GetAsync(
            $"/api/v1/orders/{id}/events", "Accept", "text/event-stream", "X-Merchant", "other")).Status);
    }

    [Fact]
    public async Task The_live_feed_tells_of_orders_of_the_merchant_and_the_operators_of_all()
    {
        var first = (await House.PlaceAsync(Mug)).Id;
        using var end = new CancellationTokenSource();
        var (own, all) = (FollowAsync(["X-Merchant", "other"]), FollowAsync(["X-Name", "operator"]));
        var theirs = (await House.PlaceAsync(Mug, "X-Merchant", "other")).Id;
        await House.TellAsync((first, Told.Rejected), (theirs, Told.Rejected));
        Assert.Equal([theirs, theirs], await own);
        Assert.Equal([first, theirs], (await all).Distinct());

        // Ends with the rejection of their own order, which comes last.
        async Task<List<Guid>> FollowAsync(string[] headers)
        {
            var seen = new List<Guid>();
            await foreach (var told in House.StreamAsync("/api/v1/events?after=0", headers, end.Token))
            {
                seen.Add((Guid)told["orderId"]!);
                if (seen[^1] != first && (string?)told["status"] == "rejected") break;
            }
            return seen;
        }
    }

    [Theory]
    [InlineData("/api/v1/events?after=x")]
    [InlineData("/api/v1/events?limit=0")]
    [InlineData("/api/v1/events?limit=201")]
    [InlineData("/api/v1/events?cursor=AAAA")]
    [InlineData("/api/v1/events?since=1")]
    [InlineData("/api/v1/orders/1/events")]
    [InlineData("/api/v1/orders/0198z000-0000-7000-8000-000000000000/events")]
    public async Task What_cannot_be_read_is_a_400(string path) => Assert.Equal(400, (await House.GetAsync(path)).Status);
}

public sealed class PostgresOrderFeed(PostgresEngine engine) : OrderFeedSuite(engine), IClassFixture<PostgresEngine>
{
    /// <summary>SQLite cannot have this: it has one writer.</summary>
    [Fact]
    public async Task A_number_is_not_passed_by_while_its_transaction_is_open()
    {
        var store = new OrderStore(new SqlCatalog(typeof(OrderModule).Assembly, "postgres"));
        var written = new TaskCompletionSource();
        var commit = new TaskCompletionSource();
        var slow = House.Database.WriteAsync(
            async transaction =>
            {
                var now = House.Time.Now();
                var work = new Work(ServiceNames.Order, transaction, now, new IdSource());
                var order = Order.Place(
                    new OrderRequest("slow", "GBP", [new LineRequest("SLOW", 1, 1)]), work.NewId(), "main", false, now);
                await store.InsertAsync([order], work);
                store.Append([OrderRules.Placed(order, new Moment(now, "ann", null))], work);
                // What is deferred goes along with the next statement.
                Assert.Single(await store.FindIdsAsync([order.Id], work));
                written.SetResult();
                await commit.Task;
                return order.Id;
            },
            default);
        await written.Task;
        var fast = (await House.PlaceAsync(Mug)).Id;
        var visible = await House.CountAsync("SELECT count(*) FROM order_events");
        var early = await ReadOnAsync(0);
        commit.SetResult();
        var slowId = await slow;

        Assert.Equal(1, visible);
        Assert.Empty(early);
        Assert.Equal([slowId, fast], (await ReadOnAsync(0)).Select(told => (Guid)told["orderId"]!));
    }
}

public sealed class SqliteOrderFeed(SqliteEngine engine) : OrderFeedSuite(engine), IClassFixture<SqliteEngine>;
