using System.Text.Json.Nodes;
using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.OrderService;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;

namespace Orderwright.Conformance.Orders;

/// <summary>Feed of all events, and live streams: no event is missed, none is duplicated.</summary>
public abstract class OrderFeedSuite(StorageEngine engine) : IAsyncLifetime
{
    protected const string Mug =
        """{"customerId":"17850","currency":"GBP","lines":[{"sku":"85123A","quantity":6,"unitPrice":255}]}""";

    protected OrderServer Server { get; private set; } = null!;

    string address = "";

    public async ValueTask InitializeAsync()
    {
        address = await engine.NewAddressAsync();
        Server = await OrderServer.OpenAsync(engine, address);
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Reads all pages after a position.</summary>
    protected async Task<List<JsonNode>> ReadAllAsync(long after)
    {
        var read = new List<JsonNode>();
        var cursor = "";
        while (true)
        {
            var page = await Server.GetAsync($"/api/v1/events?limit=7&after={after}{cursor}", "X-Name", "operator");
            Assert.Equal(200, page.Status);
            read.AddRange(page.Json["items"]!.AsArray().Select(item => item!.DeepClone()));
            if (page["nextCursor"] is not { } next) return read;
            cursor = $"&cursor={next}";
        }
    }

    [Fact]
    public async Task A_reader_during_many_writes_sees_every_event_once_and_in_order()
    {
        await using var other = await OrderServer.OpenAsync(engine, address);
        var writing = Task.WhenAll(Enumerable.Range(0, 200).Select(async n =>
        {
            var server = n % 2 == 0 ? Server : other;
            var placed = await server.PlaceAsync(Mug);
            await server.DeliverAsync((placed.Id, Outcomes.Authorized));
            await server.DeliverAsync((placed.Id, Outcomes.Paid));
            await server.UntilAsync(placed.Id, "confirmed", "paid");
        }));
        var seen = new List<JsonNode>();
        while (true)
        {
            var isLast = writing.IsCompleted;
            var read = await ReadAllAsync(seen.Count == 0 ? 0 : (long)seen[^1]["seq"]!);
            seen.AddRange(read);
            if (isLast && read.Count == 0) break;
        }
        await writing;
        Assert.Equal(await Server.CountAsync("order_events"), seen.Count);
        var numbers = seen.ConvertAll(e => (long)e["seq"]!);
        Assert.Equal(numbers.Order().Distinct(), numbers);
        foreach (var order in seen.GroupBy(e => (string)e["orderId"]!))
            Assert.Equal(Enumerable.Range(1, order.Count()), order.Select(e => (int)e["version"]!));
    }

    [Fact]
    public async Task A_live_stream_starts_at_the_given_position_and_ends_with_the_order()
    {
        var id = (await Server.PlaceAsync(Mug)).Id;
        var types = new List<string>();
        await foreach (var e in Server.StreamAsync($"/api/v1/orders/{id}/events"))
        {
            types.Add((string)e["type"]!);
            if (types.Count == 1) await Server.DeliverAsync((id, Outcomes.Paid));
            if (types.Count == 2)
                await Server.SendAsync(
                    HttpMethod.Patch, $"/api/v1/orders/{id}", """{"status":"completed"}""", "X-Name", "operator");
        }
        Assert.Equal(["placed", "confirmed", "completed"], types);

        var timeline = (await Server.GetAsync($"/api/v1/orders/{id}/events")).Json["items"]!.AsArray();
        var seqs = timeline.Select(e => (long)e!["seq"]!).ToList();
        var rest = new List<long>();
        await foreach (var e in Server.StreamAsync($"/api/v1/orders/{id}/events", ["Last-Event-ID", $"{seqs[0]}"]))
            rest.Add((long)e["seq"]!);
        Assert.Equal(seqs[1..], rest);
        Assert.Equal(204, (await Server.GetAsync(
            $"/api/v1/orders/{id}/events", "Accept", "text/event-stream", "Last-Event-ID", $"{seqs[^1]}")).Status);
        Assert.Equal(404, (await Server.GetAsync(
            $"/api/v1/orders/{id}/events", "Accept", "text/event-stream", "X-Channel", "other")).Status);
    }

    [Fact]
    public async Task A_callers_streams_are_limited_and_leave_room_for_others()
    {
        await using var server = await OrderServer.OpenAsync(
            engine, options: new RuntimeOptions { MaxStreams = 3, MaxStreamsPerCaller = 2 });
        var id = (await server.PlaceAsync(Mug)).Id;
        using var end = new CancellationTokenSource();
        var ann = new[] { Follow(["X-Name", "ann"]), Follow(["X-Name", "ann"]) };
        foreach (var one in ann) Assert.True(await one.MoveNextAsync());
        var refused = await server.GetAsync($"/api/v1/orders/{id}/events", "Accept", "text/event-stream", "X-Name", "ann");
        Assert.Equal((429, "too_many_streams"), (refused.Status, refused["code"]));

        await using var bob = Follow(["X-Name", "bob"]);
        Assert.True(await bob.MoveNextAsync());
        var full = await server.GetAsync("/api/v1/events", "Accept", "text/event-stream", "X-Name", "carol");
        Assert.Equal((503, "overloaded"), (full.Status, full["code"]));

        // A closed stream makes room.
        await ann[0].DisposeAsync();
        await Waiting.UntilAsync(async () =>
        {
            await using var again = Follow(["X-Name", "ann"]);
            try
            {
                return await again.MoveNextAsync();
            }
            catch (Xunit.Sdk.EqualException)
            {
                return false;
            }
        });
        await ann[1].DisposeAsync();

        IAsyncEnumerator<System.Text.Json.Nodes.JsonNode> Follow(string[] headers) =>
            server.StreamAsync($"/api/v1/orders/{id}/events", headers, end.Token).GetAsyncEnumerator(end.Token);
    }

    [Fact]
    public async Task The_live_feed_has_the_orders_of_the_callers_channels()
    {
        var first = (await Server.PlaceAsync(Mug)).Id;
        using var end = new CancellationTokenSource();
        var (own, all) = (FollowAsync(["X-Channel", "other"]), FollowAsync(["X-Channel", "*"]));
        var theirs = (await Server.PlaceAsync(Mug, "X-Channel", "other")).Id;
        await Server.DeliverAsync((first, Outcomes.Rejected), (theirs, Outcomes.Rejected));
        Assert.Equal([theirs, theirs], await own);
        Assert.Equal([first, theirs], (await all).Distinct());

        // Ends with the rejection of the other channel's order, the last event.
        async Task<List<Guid>> FollowAsync(string[] headers)
        {
            var seen = new List<Guid>();
            await foreach (var e in Server.StreamAsync("/api/v1/events?after=0", headers, end.Token))
            {
                seen.Add((Guid)e["orderId"]!);
                if (seen[^1] != first && (string?)e["status"] == "rejected") break;
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
    public async Task An_invalid_parameter_is_a_400(string path) => Assert.Equal(400, (await Server.GetAsync(path)).Status);
}

public sealed class PostgresOrderFeed(PostgresEngine engine) : OrderFeedSuite(engine), IClassFixture<PostgresEngine>
{
    /// <summary>Not applicable to SQLite, with one writer at a time.</summary>
    [Fact]
    public async Task The_feed_does_not_pass_the_number_of_an_open_transaction()
    {
        var store = new OrderStore(new SqlCatalog(typeof(OrderModule).Assembly, "postgres"));
        var written = new TaskCompletionSource();
        var commit = new TaskCompletionSource();
        var slow = Server.Database.WriteAsync(
            async transaction =>
            {
                var now = Server.Time.Now();
                var work = new Work(ServiceNames.Order, transaction, now, new IdSource());
                var order = Order.Place(
                    new OrderRequest("slow", "GBP", [new LineRequest("SLOW", 1, 1)]), work.NewId(), "main", false, now);
                await store.InsertAsync(work, [order]);
                store.Append(work, [OrderRules.Placed(order, new Moment(now, "ann", null))]);
                // The deferred insert is sent with the next statement.
                Assert.Single(await store.FindExistingAsync(work, [order.Id]));
                written.SetResult();
                await commit.Task;
                return order.Id;
            },
            default);
        await written.Task;
        var fast = (await Server.PlaceAsync(Mug)).Id;
        var visible = await Server.CountAsync("order_events");
        var early = await ReadAllAsync(0);
        commit.SetResult();
        var slowId = await slow;

        Assert.Equal(1, visible);
        Assert.Empty(early);
        Assert.Equal([slowId, fast], (await ReadAllAsync(0)).Select(e => (Guid)e["orderId"]!));
    }
}

public sealed class SqliteOrderFeed(SqliteEngine engine) : OrderFeedSuite(engine), IClassFixture<SqliteEngine>;
