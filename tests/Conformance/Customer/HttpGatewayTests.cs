using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;
using Orderwright.CustomerService;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Providers.Http;
using Orderwright.CustomerService.Providers.Sandbox;
using Orderwright.Runtime.Database;
using Orderwright.SandboxGateway;

namespace Orderwright.Conformance.Customer;

/// <summary>Both sides of the HTTP contract (docs/reference/http-gateway.md): the sandbox gateway and the provider.</summary>
public sealed class HttpGatewayTests : IAsyncLifetime
{
    readonly string directory = Directory.CreateTempSubdirectory("orderwright-gateway-").FullName;
    HttpGateway gateway = null!;

    string File => Path.Combine(directory, "gateway.db");

    public async ValueTask InitializeAsync() => gateway = await HttpGateway.StartAsync(File);

    public async ValueTask DisposeAsync()
    {
        await gateway.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    [Theory]
    [InlineData("postgres")]
    [InlineData("sqlite")]
    public void The_sandboxs_tables_are_the_same_in_the_service_and_in_the_gateway(string engine) => Assert.EndsWith(
        Assert.Single(new SqlCatalog(typeof(GatewayModule).Assembly, engine).Migrations).Sql,
        new SqlCatalog(typeof(CustomerModule).Assembly, engine).Migrations[0].Sql,
        StringComparison.Ordinal);

    static GatewayRequest Authorize(Guid order, string token, int n = 1) =>
        HttpGateway.RequestFor(order, GatewayOperations.Authorize, token, n: n);

    async Task<string> AuthorizedAsync(Guid order) =>
        Assert.IsType<GatewayResult.Succeeded>(await gateway.SendAsync(Authorize(order, SandboxTokens.Visa))).Reference;

    [Theory]
    [InlineData(SandboxTokens.Visa, null)]
    [InlineData(SandboxTokens.Slow, null)]
    [InlineData(SandboxTokens.Declined, "card_declined")]
    [InlineData(SandboxTokens.InsufficientFunds, "insufficient_funds")]
    public async Task Each_token_has_the_same_result_as_in_process(string token, string? refusal)
    {
        var request = Authorize(Guid.CreateVersion7(), token);
        var result = await gateway.SendAsync(request);
        Assert.Equal(refusal, (result as GatewayResult.Declined)?.Code);
        Assert.Equal(refusal is null, result is GatewayResult.Succeeded);
        Assert.Equal(result, await gateway.FindAsync(request));
        Assert.Equal(result, await gateway.SendAsync(request));
        Assert.Single(await gateway.ListAsync($"reference={request.OrderId}"));
    }

    [Fact]
    public async Task A_charge_whose_response_is_lost_is_found_by_our_key_and_not_repeated()
    {
        var request = Authorize(Guid.CreateVersion7(), SandboxTokens.TimeoutAfterCharge);
        Assert.Null(await gateway.SendAsync(request));
        var found = Assert.IsType<GatewayResult.Succeeded>(await gateway.FindAsync(request));
        Assert.Equal(found, await gateway.SendAsync(request));
        Assert.Single(await gateway.ListAsync($"reference={request.OrderId}"));
    }

    [Fact]
    public async Task A_request_lost_before_the_charge_can_be_retried()
    {
        var request = Authorize(Guid.CreateVersion7(), SandboxTokens.TimeoutBeforeCharge);
        Assert.Null(await gateway.SendAsync(request));
        Assert.Equal(new GatewayResult.NeverHappened(Final: false), await gateway.FindAsync(request));
        Assert.IsType<GatewayResult.Succeeded>(await gateway.SendAsync(request));
    }

    [Fact]
    public async Task An_error_occurs_once_and_has_no_effect()
    {
        var request = Authorize(Guid.CreateVersion7(), SandboxTokens.Error);
        Assert.IsType<GatewayResult.Unavailable>(await gateway.SendAsync(request));
        Assert.Empty(await gateway.ListAsync($"reference={request.OrderId}"));
        Assert.IsType<GatewayResult.Succeeded>(await gateway.SendAsync(request));
    }

    [Fact]
    public async Task Money_is_captured_in_part_and_refunded_once_and_never_exceeded()
    {
        var order = Guid.CreateVersion7();
        var charge = await AuthorizedAsync(order);
        GatewayRequest RequestFor(string operation, long amount, int n = 1) =>
            HttpGateway.RequestFor(order, operation, charge: charge, amount: amount, n: n);

        Assert.IsType<GatewayResult.Declined>(await gateway.SendAsync(RequestFor("capture", 1_531, n: 9)));
        Assert.IsType<GatewayResult.Succeeded>(await gateway.SendAsync(RequestFor("capture", 1_000)));
        Assert.IsType<GatewayResult.Declined>(await gateway.SendAsync(RequestFor("void", 0)));
        Assert.IsType<GatewayResult.Succeeded>(await gateway.SendAsync(RequestFor("refund", 600)));
        Assert.IsType<GatewayResult.Succeeded>(await gateway.SendAsync(RequestFor("refund", 600)));
        Assert.IsType<GatewayResult.Declined>(await gateway.SendAsync(RequestFor("refund", 401, n: 2)));

        var listed = Assert.Single(await gateway.ListAsync($"reference={order}"));
        Assert.Equal((1_530, 1_000, 600), ((long)listed["authorized"]!, (long)listed["captured"]!, (long)listed["refunded"]!));
    }

    [Fact]
    public async Task The_record_survives_a_restart()
    {
        var order = Guid.CreateVersion7();
        var charge = await AuthorizedAsync(order);
        await gateway.DisposeAsync();
        gateway = await HttpGateway.StartAsync(File);
        Assert.Equal(new GatewayResult.Succeeded(charge), await gateway.FindAsync(Authorize(order, SandboxTokens.Visa)));
        Assert.Equal(charge, (string?)Assert.Single(await gateway.ListAsync())["id"]);
    }

    [Fact]
    public async Task The_list_is_read_page_by_page_over_a_time_range()
    {
        foreach (var _ in Enumerable.Range(0, 20)) await AuthorizedAsync(Guid.CreateVersion7());
        var all = await gateway.ListAsync();
        Assert.Equal(20, all.Select(charge => (string)charge["id"]!).Distinct().Count());
        var tenth = (string)all[10]["createdAt"]!;
        var (before, since) = (await gateway.ListAsync($"limit=3&to={tenth}"), await gateway.ListAsync($"limit=3&from={tenth}"));
        Assert.Equal(20, before.Count + since.Count);
        Assert.All(since, charge => Assert.True(string.CompareOrdinal((string)charge["createdAt"]!, tenth) >= 0));
    }

    [Fact]
    public async Task A_caller_with_a_wrong_secret_moves_no_money()
    {
        var intruder = gateway.ProviderWith("guessed, but long enough");
        var request = Authorize(Guid.CreateVersion7(), SandboxTokens.Visa);
        Assert.IsType<GatewayResult.Unavailable>(await intruder.AuthorizeAsync(request, default));
        Assert.IsType<GatewayResult.Unknown>(await intruder.FindAsync(request, default));
        Assert.Empty(await gateway.ListAsync());
    }

    [Fact]
    public async Task The_customers_approval_is_reported_by_a_signed_webhook()
    {
        using var shop = new HttpListener();
        var address = $"http://127.0.0.1:{FreePort()}/hook/";
        shop.Prefixes.Add(address);
        shop.Start();
        await gateway.DisposeAsync();
        gateway = await HttpGateway.StartAsync(File, ("Webhook", address));
        var request = Authorize(Guid.CreateVersion7(), SandboxTokens.RequiresAction);
        var action = Assert.IsType<GatewayResult.ActionRequired>(await gateway.SendAsync(request));

        using var approval = new StringContent("""{"approve":true}""", Encoding.UTF8, "application/json");
        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.PostAsync(action.Url, approval)).StatusCode);

        var webhook = await shop.GetContextAsync().WaitAsync(Waiting.HangLimit);
        var body = new byte[webhook.Request.ContentLength64];
        await webhook.Request.InputStream.ReadExactlyAsync(body);
        webhook.Response.Close();
        var headers = new HeaderDictionary
        {
            [HttpGatewayNames.SignatureHeader] = webhook.Request.Headers[HttpGatewayNames.SignatureHeader],
        };
        var now = SteadyTime.Shared.GetUtcNow();
        var received = Assert.Single(
            Assert.IsType<WebhookReading.Genuine>(gateway.Provider.ReadWebhook(headers, body, now)).Events);
        Assert.Equal((request.Key, new GatewayResult.Succeeded(action.Reference)), (received.Key, received.Result));
        Assert.IsType<WebhookReading.Forged>(gateway.Provider.ReadWebhook(headers, body, now.AddMinutes(6)));
        body[^3] ^= 1;
        Assert.IsType<WebhookReading.Forged>(gateway.Provider.ReadWebhook(headers, body, now));
    }

    [Fact]
    public async Task Injected_faults_follow_the_configured_behaviour()
    {
        await gateway.SetBehaviourAsync("""{"errors":"100%"}""");
        Assert.IsType<GatewayResult.Unavailable>(await gateway.SendAsync(Authorize(Guid.CreateVersion7(), SandboxTokens.Visa)));
        await gateway.SetBehaviourAsync("""{"declines":"100%"}""");
        Assert.IsType<GatewayResult.Declined>(await gateway.SendAsync(Authorize(Guid.CreateVersion7(), SandboxTokens.Visa)));

        await gateway.SetBehaviourAsync("""{"timeouts":"100%","latency":"5±5"}""");
        var lost = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ =>
            gateway.SendAsync(Authorize(Guid.CreateVersion7(), SandboxTokens.Visa))));
        Assert.All(lost, Assert.Null);
        var charged = (await gateway.ListAsync()).Count(charge => (long)charge["authorized"]! > 0);
        Assert.InRange(charged, 5, 35); // Half of the lost requests on average.
    }

    static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
