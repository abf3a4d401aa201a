using System.Text.Json.Nodes;
using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.Runtime.Database;

namespace Orderwright.Conformance.Orders;

/// <summary>Outgoing webhooks: every event, in order for each order, whatever the receiver does.</summary>
public abstract class WebhookSuite(StorageEngine engine) : IAsyncLifetime
{
    const string Mug =
        """{"customerId":"17850","currency":"GBP","lines":[{"sku":"85123A","quantity":6,"unitPrice":255}]}""";

    const string Root = "/api/v1/webhook-endpoints";

    string address = "";
    OrderServer server = null!;
    WebhookReceiver receiver = null!;

    public async ValueTask InitializeAsync()
    {
        address = await engine.NewAddressAsync();
        server = await OrderServer.OpenAsync(engine, address);
        receiver = await WebhookReceiver.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        await receiver.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    async Task<Reply> AddAsync(string more = "", params string[] headers)
    {
        var added = await server.SendAsync(HttpMethod.Post, Root, $$"""{"url":"{{receiver.Url}}"{{more}}}""", headers);
        Assert.Equal(201, added.Status);
        return added;
    }

    async Task<Guid> PlaceAndConfirmAsync(OrderServer? at = null, params string[] headers)
    {
        at ??= server;
        var id = (await at.PlaceAsync(Mug, headers)).Id;
        await at.DeliverAsync((id, Outcomes.Paid));
        return id;
    }

    // As an instance does that then dies.
    Task LeaseAsync(Guid endpoint, DateTimeOffset until)
    {
        const string Sql = "UPDATE webhook_endpoints SET lease_owner = @owner, lease_until = @until WHERE id = @id";
        return server.Database.WriteAsync(
            transaction => transaction.ExecuteAsync(
                new SqlQuery("lease", Sql),
                SqlArgs.With("id", endpoint).And("owner", Guid.NewGuid()).And("until", until)),
            default);
    }

    Task<Reply> EndpointAsync(Guid id) => server.GetAsync($"{Root}/{id}");

    Task UntilReceivedAsync(int events) => Waiting.UntilAsync(() => receiver.Received.Count >= events);

    void AssertEachOnceInOrder(int orders)
    {
        var byOrder = receiver.Received.GroupBy(message => message.OrderId).ToList();
        Assert.Equal(orders, byOrder.Count);
        foreach (var order in byOrder) Assert.Equal([1, 2], order.Select(message => message.Version));
        Assert.Equal(2 * orders, receiver.Received.Select(message => message.Id).Distinct().Count());
    }

    [Fact]
    public async Task Every_event_arrives_once_signed_and_in_order()
    {
        var endpoint = await AddAsync();
        await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => PlaceAndConfirmAsync()));
        await UntilReceivedAsync(120);

        AssertEachOnceInOrder(60);
        Assert.All(receiver.Received, message => message.Verify(endpoint["secret"]!));
        var confirmed = receiver.Received.First(message => message.Type == "confirmed");
        Assert.Equal("confirmed", (string?)confirmed.Json["data"]!["status"]);
        Assert.Equal((string?)confirmed.Json["timestamp"], (string?)confirmed.Json["data"]!["at"]);
        await Waiting.UntilAsync(async () => (await EndpointAsync(endpoint.Id))["pendingSince"] is null);
    }

    [Fact]
    public async Task An_endpoint_receives_the_types_it_names_from_its_creation_on()
    {
        await server.UntilAsync(await PlaceAndConfirmAsync(), "confirmed");
        await AddAsync(""","types":["confirmed"]""");
        var id = await PlaceAndConfirmAsync();
        await UntilReceivedAsync(1);
        await PlaceAndConfirmAsync();
        await UntilReceivedAsync(2);

        Assert.All(receiver.Received, message => Assert.Equal("confirmed", message.Type));
        Assert.Equal(id, receiver.Received[0].OrderId);
        Assert.Equal(2, receiver.Received.Count);
    }

    [Fact]
    public async Task A_receiver_that_was_down_gets_everything_in_order_and_leaves_no_rows_meanwhile()
    {
        receiver.Respond = _ => 503;
        var endpoint = (await AddAsync()).Id;
        for (var i = 0; i < 40; i++) await PlaceAndConfirmAsync();
        await Waiting.UntilAsync(async () => (await EndpointAsync(endpoint))["failingSince"] is not null);
        var down = await EndpointAsync(endpoint);
        Assert.Equal("active", down["state"]);
        Assert.NotNull(down["pendingSince"]);
        // The first round attempts what it has read; after that single events probe the receiver.
        var rows = await server.CountAsync("webhook_deliveries");
        for (var i = 0; i < 40; i++) await PlaceAndConfirmAsync();
        Assert.InRange(await server.CountAsync("webhook_deliveries"), rows, rows + 10);

        receiver.Respond = _ => 200;
        await Waiting.UntilAsync(() =>
        {
            server.Time.Advance(TimeSpan.FromSeconds(1));
            return receiver.Received.Count >= 160;
        });
        AssertEachOnceInOrder(80);
        await Waiting.UntilAsync(async () => (await EndpointAsync(endpoint))["failingSince"] is null);
    }

    [Fact]
    public async Task A_refused_event_holds_back_its_own_order_only()
    {
        // The order of the first event.
        Guid? first = null;
        receiver.Respond = message => message.OrderId == (first ??= message.OrderId) && message.Version == 1 ? 400 : 200;
        var endpoint = (await AddAsync()).Id;
        var stubborn = (await server.PlaceAsync(Mug)).Id;
        await Waiting.UntilAsync(async () => await server.CountAsync("webhook_deliveries WHERE state = 'waiting'") > 0);
        await server.DeliverAsync((stubborn, Outcomes.Paid));
        for (var i = 0; i < 5; i++) await PlaceAndConfirmAsync();
        await Waiting.UntilAsync(() =>
        {
            server.Time.Advance(TimeSpan.FromMilliseconds(100));
            return receiver.Received.Count >= 10;
        });
        Assert.DoesNotContain(receiver.Received, message => message.OrderId == stubborn);
        await Waiting.UntilAsync(async () => (await EndpointAsync(endpoint))["waiting"] is "2");

        // After three days of retries the event is given up, and the order goes on. Other orders keep the endpoint alive.
        for (var events = 12; receiver.Received.All(message => message.OrderId != stubborn); events += 2)
        {
            server.Time.Advance(TimeSpan.FromHours(1));
            await PlaceAndConfirmAsync();
            await UntilReceivedAsync(events);
        }
        Assert.Equal(2, Assert.Single(receiver.Received, message => message.OrderId == stubborn).Version);
        var failed = (await server.GetAsync($"{Root}/{endpoint}/deliveries?state=failed")).Json["items"]!.AsArray();
        Assert.Equal(400, (int)Assert.Single(failed)!["lastAttempt"]!["status"]!);
    }

    [Fact]
    public async Task Gone_disables_an_endpoint_and_nothing_is_lost_until_it_is_enabled()
    {
        receiver.Respond = _ => 410;
        var endpoint = (await AddAsync()).Id;
        await PlaceAndConfirmAsync();
        await Waiting.UntilAsync(async () => (await EndpointAsync(endpoint))["state"] == "disabled");
        Assert.Equal("gone", (await EndpointAsync(endpoint))["reason"]);
        await PlaceAndConfirmAsync();

        receiver.Respond = _ => 200;
        var enabled = await server.SendAsync(HttpMethod.Patch, $"{Root}/{endpoint}", """{"state":"active"}""");
        Assert.Equal(("active", null), (enabled["state"], enabled["reason"]));
        await Waiting.UntilAsync(() =>
        {
            server.Time.Advance(TimeSpan.FromSeconds(1));
            return receiver.Received.Count >= 4;
        });
        AssertEachOnceInOrder(2);
    }

    [Fact]
    public async Task A_receiver_that_is_away_for_three_days_is_disabled()
    {
        receiver.Respond = _ => 500;
        var endpoint = (await AddAsync()).Id;
        for (var i = 0; i < 3; i++) await PlaceAndConfirmAsync();
        await Waiting.UntilAsync(async () =>
        {
            server.Time.Advance(TimeSpan.FromHours(1));
            return (await EndpointAsync(endpoint))["state"] == "disabled";
        });
        Assert.Equal("unreachable", (await EndpointAsync(endpoint))["reason"]);
    }

    [Fact]
    public async Task Two_instances_send_each_event_once_and_in_order()
    {
        await using var other = await OrderServer.OpenAsync(engine, address);
        await AddAsync();
        await Task.WhenAll(Enumerable.Range(0, 60).Select(n => PlaceAndConfirmAsync(n % 2 == 0 ? server : other)));
        await UntilReceivedAsync(120);
        AssertEachOnceInOrder(60);
        Assert.Equal(120, receiver.Received.Count);
    }

    [Fact]
    public async Task An_endpoint_of_a_dead_instance_is_taken_over_when_the_lease_ends()
    {
        receiver.Respond = _ => 503;
        var endpoint = (await AddAsync()).Id;
        await PlaceAndConfirmAsync();
        await Waiting.UntilAsync(async () => (await EndpointAsync(endpoint))["failingSince"] is not null);
        var until = server.Time.GetUtcNow().AddSeconds(50);
        await LeaseAsync(endpoint, until);
        receiver.Respond = _ => 200;
        server.Time.Advance(TimeSpan.FromSeconds(30));
        await Task.Delay(TimeSpan.FromSeconds(2));
        Assert.Empty(receiver.Received);

        server.Time.Advance(TimeSpan.FromSeconds(60));
        await UntilReceivedAsync(2);
        AssertEachOnceInOrder(1);
    }

    [Fact]
    public async Task Both_secrets_sign_during_a_rotation()
    {
        var endpoint = await AddAsync();
        var first = endpoint["secret"]!;
        var rotated = await server.SendAsync(
            HttpMethod.Post, $"{Root}/{endpoint.Id}/rotate-secret", """{"overlapHours":1}""");
        var second = rotated["secret"]!;
        await PlaceAndConfirmAsync();
        await UntilReceivedAsync(2);
        Assert.All(receiver.Received, message =>
        {
            // The library reads only the first of several signatures.
            var signatures = message.Signature.Split(' ');
            (message with { Signature = signatures[0] }).Verify(second);
            (message with { Signature = signatures[1] }).Verify(first);
        });

        server.Time.Advance(TimeSpan.FromHours(2));
        await PlaceAndConfirmAsync();
        await UntilReceivedAsync(4);
        // The library allows five minutes between its clock and the timestamp, so only the number is checked here.
        Assert.Single(receiver.Received[^1].Signature.Split(' '));
        Assert.Null((await EndpointAsync(endpoint.Id))["secret"]);
    }

    [Fact]
    public async Task Deliveries_are_listed_shown_and_sent_again()
    {
        var endpoint = (await AddAsync()).Id;
        var order = await PlaceAndConfirmAsync();
        await PlaceAndConfirmAsync();
        await UntilReceivedAsync(4);
        var path = $"{Root}/{endpoint}/deliveries";
        await Waiting.UntilAsync(async () =>
            (await server.GetAsync($"{path}?state=delivered")).Json["items"]!.AsArray().Count == 4);

        var ofOrder = (await server.GetAsync($"{path}?orderId={order}")).Json["items"]!.AsArray();
        Assert.Equal(["confirmed", "placed"], ofOrder.Select(item => (string?)item!["type"]));
        var id = (string?)ofOrder[1]!["id"];
        var detail = await server.GetAsync($"{path}/{id}");
        var sent = receiver.Received.First(message => message.OrderId == order);
        Assert.Equal(sent.Id, detail["webhookId"]);
        Assert.True(JsonNode.DeepEquals(sent.Json, detail.Json["body"]));

        Assert.Equal(202, (await server.SendAsync(HttpMethod.Post, $"{path}/{id}/redeliver", null)).Status);
        await UntilReceivedAsync(5);
        Assert.Equal((sent.Id, sent.Body), (receiver.Received[^1].Id, receiver.Received[^1].Body));

        var all = await server.SendAsync(HttpMethod.Post, $"{Root}/{endpoint}/redeliver", """{"after":0}""");
        Assert.Equal("4", all["deliveries"]);
        await UntilReceivedAsync(9);
    }

    [Fact]
    public async Task A_redelivery_requested_during_an_attempt_is_made()
    {
        var endpoint = (await AddAsync(""","types":["confirmed"]""")).Id;
        await PlaceAndConfirmAsync();
        await UntilReceivedAsync(1);
        var path = $"{Root}/{endpoint}";
        await Waiting.UntilAsync(async () =>
            (await server.GetAsync($"{path}/deliveries?state=delivered")).Json["items"]!.AsArray().Count == 1);

        using var isAttempted = new SemaphoreSlim(0);
        using var mayRespond = new SemaphoreSlim(0);
        receiver.Respond = _ =>
        {
            isAttempted.Release();
            Assert.True(mayRespond.Wait(Waiting.HangLimit));
            return 200;
        };
        await server.SendAsync(HttpMethod.Post, $"{path}/redeliver", """{"after":0}""");
        Assert.True(await isAttempted.WaitAsync(Waiting.HangLimit));
        await server.SendAsync(HttpMethod.Post, $"{path}/redeliver", """{"after":0}""");
        mayRespond.Release(2);
        await UntilReceivedAsync(3);
    }

    [Fact]
    public async Task A_test_message_reports_the_response()
    {
        var endpoint = await AddAsync();
        var good = await server.SendAsync(HttpMethod.Post, $"{Root}/{endpoint.Id}/test", null);
        Assert.Equal("true", good["delivered"]);
        var message = Assert.Single(receiver.Received);
        Assert.Equal("webhook.test", message.Type);
        message.Verify(endpoint["secret"]!);

        // A redirect is not followed.
        receiver.Respond = _ => 302;
        var bad = await server.SendAsync(HttpMethod.Post, $"{Root}/{endpoint.Id}/test", null);
        Assert.Equal(("false", 302), (bad["delivered"], (int)bad.Json["attempt"]!["status"]!));
    }

    [Fact]
    public async Task A_channel_sees_and_receives_its_own_only()
    {
        var endpoint = (await AddAsync("", "X-Channel", "beta")).Id;
        await PlaceAndConfirmAsync();
        var own = await PlaceAndConfirmAsync(null, "X-Channel", "beta");
        await UntilReceivedAsync(2);
        Assert.All(receiver.Received, message => Assert.Equal(own, message.OrderId));

        Assert.Equal(404, (await server.GetAsync($"{Root}/{endpoint}", "X-Channel", "acme")).Status);
        Assert.Empty((await server.GetAsync(Root, "X-Channel", "acme")).Json["items"]!.AsArray());
        Assert.Equal(404, (await server.SendAsync(HttpMethod.Delete, $"{Root}/{endpoint}", null, "X-Channel", "acme")).Status);
        Assert.Equal(200, (await server.GetAsync($"{Root}/{endpoint}", "X-Channel", "*")).Status);
        foreach (var channel in new[] { "*", "beta" })
            Assert.Equal(403, (await server.SendAsync(
                HttpMethod.Post, Root, $$"""{"url":"{{receiver.Url}}","channel":"{{channel}}"}""", "X-Channel", "acme"))
                .Status);
        Assert.Equal(204, (await server.SendAsync(HttpMethod.Delete, $"{Root}/{endpoint}", null, "X-Channel", "beta")).Status);
        Assert.Equal(0, await server.CountAsync("webhook_deliveries"));
    }

    [Theory]
    [InlineData("""{"url":"ftp://example.com/"}""", "/url")]
    [InlineData("""{"url":"https://user@example.com/"}""", "/url")]
    [InlineData("""{"url":"/relative"}""", "/url")]
    [InlineData("""{"url":"https://example.com/","types":[]}""", "/types")]
    [InlineData("""{"url":"https://example.com/","types":["nothing"]}""", "/types")]
    [InlineData("""{"url":"https://example.com/","types":["*","placed"]}""", "/types")]
    [InlineData("""{"url":"https://example.com/","secret":"whsec_c2hvcnQ="}""", "/secret")]
    public async Task An_invalid_endpoint_is_refused(string body, string pointer)
    {
        var refused = await server.SendAsync(HttpMethod.Post, Root, body);
        Assert.Equal(400, refused.Status);
        Assert.Equal(pointer, (string?)Assert.Single(refused.Json["errors"]!.AsArray())!["pointer"]);
    }
}

public sealed class SqliteWebhooks(SqliteEngine engine) : WebhookSuite(engine), IClassFixture<SqliteEngine>;

public sealed class PostgresWebhooks(PostgresEngine engine) : WebhookSuite(engine), IClassFixture<PostgresEngine>;
