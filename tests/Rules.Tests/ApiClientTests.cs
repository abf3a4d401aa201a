using System.Net;
using System.Net.Sockets;
using System.Text;
using Orderwright.Cli;
using Orderwright.Client;
using Orderwright.Contracts;

namespace Orderwright.Rules.Tests;

/// <summary>The client of the HTTP API: addresses, requests, failures and pages.</summary>
public class ApiClientTests
{
    static readonly Uri Base = new("http://shop:4000");
    static readonly Dictionary<string, Uri> NoSettings = [];

    [Fact]
    public void Services_of_other_processes_listen_on_the_next_ports()
    {
        var addresses = ServiceAddresses.Of(Base, [ServiceNames.Coordinator], NoSettings);

        Assert.Equal(
            ["http://shop:4000/", "http://shop:4001/", "http://shop:4002/", "http://shop:4003/"],
            ServiceNames.All.Select(service => addresses[service].AbsoluteUri));
        Assert.True(addresses.IsDistributed);
        Assert.Equal(ServiceNames.All, addresses.Processes);
    }

    [Fact]
    public void Embedded_services_share_the_base_address()
    {
        var addresses = ServiceAddresses.Embedded(Base);

        Assert.All(ServiceNames.All, service => Assert.Equal(Base, addresses[service]));
        Assert.Equal([ServiceNames.Coordinator], addresses.Processes);
    }

    [Fact]
    public void A_setting_takes_precedence()
    {
        var settings = ServiceAddresses.ReadSettings(name => name == "STOCK_URL" ? "https://stock.example" : null);

        var addresses = ServiceAddresses.Of(Base, ServiceNames.All, settings);

        Assert.Equal(new Uri("https://stock.example"), addresses[ServiceNames.Stock]);
        Assert.Equal([ServiceNames.Coordinator, ServiceNames.Stock], addresses.Processes);
    }

    [Theory]
    [InlineData("shop")]
    [InlineData("ftp://shop")]
    public void A_malformed_address_is_refused_with_its_setting(string text)
    {
        var error = Assert.Throws<InvalidAddressException>(
            () => ServiceAddresses.ReadSettings(name => name == "ORDER_URL" ? text : null));

        Assert.StartsWith($"ORDERWRIGHT_ORDER_URL is \"{text}\".", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"services":{"saga-coordinator":{},"order-service":{}}}""", 200, 4000, 4003)]
    [InlineData("""{"services":{"saga-coordinator":{},"stock-service":{}}}""", 200, 4001, 4000)]
    [InlineData("{}", 200, 4000, 4000)]
    [InlineData("{}", 404, 4001, 4003)]
    public async Task Readiness_or_an_order_list_reveals_embedded_services(string ready, int orders, int orderPort, int stockPort)
    {
        using var server = new Replies(request => request.RequestUri!.AbsolutePath switch
        {
            "/health/ready" => Replies.Json(200, ready),
            "/api/v1/orders" => Replies.Json(orders, "{}"),
            var path => throw new InvalidOperationException(path),
        });
        using var http = new HttpClient(server);

        var addresses = await ServiceAddresses.DiscoverAsync(
            http, null, new Dictionary<string, Uri> { [ServiceNames.Coordinator] = Base }, CancellationToken.None);

        Assert.Equal(
            (orderPort, stockPort), (addresses[ServiceNames.Order].Port, addresses[ServiceNames.Stock].Port));
    }

    [Fact]
    public async Task A_call_carries_key_idempotency_key_and_patience()
    {
        HttpRequestMessage? sent = null;
        using var server = new Replies(request =>
        {
            sent = request;
            return Replies.Json(201, """{"id":"1"}""");
        });
        var client = Client(server, "ow_secret");

        var reply = await client.SendAsync(
            HttpMethod.Post, ServiceNames.Order, "/orders", CancellationToken.None, new() { ["customerId"] = "ada" }, "once",
            waitSeconds: 10);

        Assert.Equal(("POST /api/v1/orders", 201, "1"), (reply.Call, reply.Status, reply.OrThrow().Body.Text("id")));
        Assert.Equal("Bearer ow_secret", sent!.Headers.Authorization!.ToString());
        Assert.Equal(["once"], sent.Headers.GetValues("Idempotency-Key"));
        Assert.Equal(["wait=10"], sent.Headers.GetValues("Prefer"));
    }

    [Theory]
    [InlineData(409, """{"detail":"Out of stock.","code":"out_of_stock"}""", "Out of stock. (out_of_stock)", Exit.Refused)]
    [InlineData(
        400, """{"detail":"Invalid.","code":"invalid_request","errors":[{"pointer":"/lines/0/sku","detail":"Too long."}]}""",
        "lines/0/sku: Too long. (invalid_request)", Exit.Usage)]
    [InlineData(503, "{}", "order-service replied with status 503.", Exit.Unreachable)]
    [InlineData(404, "{}", "order-service replied with status 404.", Exit.Failed)]
    public async Task A_refusal_is_a_value_or_an_exception(int status, string body, string sentence, int exit)
    {
        using var server = new Replies(_ => Replies.Json(status, body));

        var reply = await Client(server).GetAsync(ServiceNames.Order, "/orders", CancellationToken.None);

        Assert.Equal((ApiFailure.Refused, status, sentence), (reply.Failure, reply.Status, reply.Error));
        Assert.Same(reply, reply.RequireReply());
        Assert.Equal(sentence, Assert.Throws<ApiException>(() => reply.OrThrow()).Message);
        Assert.Equal(exit, Exit.Of(reply));
    }

    [Fact]
    public async Task A_missing_reply_is_a_value_without_status()
    {
        using var server = new Replies(_ => throw new HttpRequestException(
            "refused", new SocketException((int)SocketError.ConnectionRefused)));

        var reply = await Client(server).GetAsync(ServiceNames.Stock, "/stock", CancellationToken.None);

        Assert.Equal((ApiFailure.Unreachable, 0), (reply.Failure, reply.Status));
        Assert.Equal(
            "stock-service does not answer at http://shop:4000 (connection refused). If it runs elsewhere, set "
            + "ORDERWRIGHT_STOCK_URL.", reply.Error);
        Assert.Throws<ApiException>(() => reply.RequireReply());
        Assert.Equal(Exit.Unreachable, Exit.Of(reply));
    }

    [Fact]
    public async Task A_connection_closed_while_it_is_established_is_a_missing_reply()
    {
        using var server = new Replies(_ => throw new SocketException((int)SocketError.NotConnected));

        var reply = await Client(server).GetAsync(ServiceNames.Stock, "/stock", CancellationToken.None);

        Assert.Equal((ApiFailure.Unreachable, 0), (reply.Failure, reply.Status));
    }

    [Fact]
    public async Task A_timeout_and_malformed_json_are_failures_of_their_own()
    {
        using var late = new Replies(_ => throw new TaskCanceledException());
        using var malformed = new Replies(_ => Replies.Json(200, "{"));

        var timeout = await Client(late).GetAsync(ServiceNames.Stock, "/stock", CancellationToken.None);
        var unreadable = await Client(malformed).GetAsync(ServiceNames.Stock, "/stock", CancellationToken.None);

        Assert.Equal((ApiFailure.TimedOut, Exit.TimedOut), (timeout.Failure, Exit.Of(timeout)));
        Assert.Equal((ApiFailure.Unreadable, Exit.Failed), (unreadable.Failure, Exit.Of(unreadable)));
    }

    [Fact]
    public async Task A_page_of_a_proxy_counts_as_an_empty_object()
    {
        using var server = new Replies(_ => new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent("<html>") });

        var reply = await Client(server).GetAsync(ServiceNames.Stock, "/stock", CancellationToken.None);

        Assert.True(reply.IsSuccess);
        Assert.Equal("{}", reply.Body.GetRawText());
    }

    [Fact]
    public async Task A_list_is_read_to_its_last_page()
    {
        using var server = new Replies(request => Replies.Json(200, request.RequestUri!.Query switch
        {
            "?state=failed&limit=200" => """{"items":[{"id":"1"},{"id":"2"}],"nextCursor":"abc"}""",
            "?state=failed&limit=200&cursor=abc" => """{"items":[{"id":"3"}],"nextCursor":null}""",
            var query => throw new InvalidOperationException(query),
        }));

        var items = await Client(server)
            .ListAsync(ServiceNames.Coordinator, "/sagas?state=failed", CancellationToken.None)
            .Select(item => item.Text("id")).ToListAsync();

        Assert.Equal(["1", "2", "3"], items);
    }

    static ApiClient Client(HttpMessageHandler server, string? key = null) =>
        new(new HttpClient(server, disposeHandler: false), ServiceAddresses.Embedded(Base), key);

    sealed class Replies(Func<HttpRequestMessage, HttpResponseMessage> reply) : HttpMessageHandler
    {
        public static HttpResponseMessage Json(int status, string body) => new((HttpStatusCode)status)
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancel) =>
            Task.FromResult(reply(request));
    }
}
