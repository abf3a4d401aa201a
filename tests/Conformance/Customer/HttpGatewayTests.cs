using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Providers.Http;
using Orderwright.CustomerService.Providers.Sandbox;

namespace Orderwright.Conformance.Customer;

/// <summary>
/// The HTTP contract (docs/http-gateway.md) from both ends: the sandbox gateway as a process of its own serves it, the
/// provider speaks it.
/// </summary>
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

    static GatewayRequest Authorize(Guid order, string token, int n = 1) =>
        HttpGateway.Ask(order, GatewayOperations.Authorize, token, n: n);

    async Task<string> AuthorizedAsync(Guid order) =>
        Assert.IsType<GatewayResult.Succeeded>(await gateway.DoAsync(Authorize(order, SandboxTokens.Visa))).Reference;

    [Theory]
    [InlineData(SandboxTokens.Visa, null)]
    [InlineData(SandboxTokens.Slow, null)]
    [InlineData(SandboxTokens.Declined, "card_declined")]
    [InlineData(SandboxTokens.InsufficientFunds, "insufficient_funds")]
    public async Task Each_token_means_there_what_it_means_here(string token, string? refusal)
    {
        var asked = Authorize(Guid.CreateVersion7(), token);
        var result = await gateway.DoAsync(asked);
        Assert.Equal(refusal, (result as GatewayResult.Declined)?.Code);
        Assert.Equal(refusal is null, result is GatewayResult.Succeeded);
        Assert.Equal(result, await gateway.FindAsync(asked));
        Assert.Equal(result, await gateway.DoAsync(asked));
        Assert.Single(await gateway.ListAsync($"reference={asked.OrderId}"));
    }

    [Fact]
    public async Task An_answer_that_is_lost_after_the_charge_is_found_by_our_key_and_not_charged_again()
    {
        var asked = Authorize(Guid.CreateVersion7(), SandboxTokens.TimeoutAfterCharge);
        Assert.Null(await gateway.DoAsync(asked));
        var found = Assert.IsType<GatewayResult.Succeeded>(await gateway.FindAsync(asked));
        Assert.Equal(found, await gateway.DoAsync(asked));
        Assert.Single(await gateway.ListAsync($"reference={asked.OrderId}"));
    }

    [Fact]
    public async Task A_request_that_is_lost_before_the_charge_never_happened_and_may_go_again()
    {
        var asked = Authorize(Guid.CreateVersion7(), SandboxTokens.TimeoutBeforeCharge);
        Assert.Null(await gateway.DoAsync(asked));
        Assert.Equal(new GatewayResult.NeverHappened(Final: false), await gateway.FindAsync(asked));
        Assert.IsType<GatewayResult.Succeeded>(await gateway.DoAsync(asked));
    }

    [Fact]
    public async Task An_error_is_answered_once_and_says_that_nothing_was_done()
    {
        var asked = Authorize(Guid.CreateVersion7(), SandboxTokens.Error);
        Assert.IsType<GatewayResult.Unavailable>(await gateway.DoAsync(asked));
        Assert.Empty(await gateway.ListAsync($"reference={asked.OrderId}"));
        Assert.IsType<GatewayResult.Succeeded>(await gateway.DoAsync(asked));
    }

    [Fact]
    public async Task Money_is_captured_in_part_and_given_back_once_and_never_more_than_was_taken()
    {
        var order = Guid.CreateVersion7();
        var charge = await AuthorizedAsync(order);
        GatewayRequest Ask(string operation, long amount, int n = 1) =>
            HttpGateway.Ask(order, operation, charge: charge, amount: amount, n: n);

        Assert.IsType<GatewayResult.Declined>(await gateway.DoAsync(Ask("capture", 1_531, n: 9)));
        Assert.IsType<GatewayResult.Succeeded>(await gateway.DoAsync(Ask("capture", 1_000)));
        Assert.IsType<GatewayResult.Declined>(await gateway.DoAsync(Ask("void", 0)));
        Assert.IsType<GatewayResult.Succeeded>(await gateway.DoAsync(Ask("refund", 600)));
        Assert.IsType<GatewayResult.Succeeded>(await gateway.DoAsync(Ask("refund", 600)));
        Assert.IsType<GatewayResult.Declined>(await gateway.DoAsync(Ask("refund", 401, n: 2)));

        var listed = Assert.Single(await gateway.ListAsync($"reference={order}"));
        Assert.Equal((1_530, 1_000, 600), ((long)listed["authorized"]!, (long)listed["captured"]!, (long)listed["refunded"]!));
    }

    [Fact]
    public async Task Its_record_outlives_its_process()
    {
        var order = Guid.CreateVersion7();
        var charge = await AuthorizedAsync(order);
        await gateway.DisposeAsync();
        gateway = await HttpGateway.StartAsync(File);
        Assert.Equal(new GatewayResult.Succeeded(charge), await gateway.FindAsync(Authorize(order, SandboxTokens.Visa)));
        Assert.Equal(charge, (string?)Assert.Single(await gateway.ListAsync())["id"]);
    }

    [Fact]
    public async Task Its_list_is_walked_page_by_page_over_a_time_range()
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
    public async Task Who_does_not_know_the_secret_moves_nothing()
    {
        var stranger = gateway.ProviderWith("guessed, but long enough");
        var asked = Authorize(Guid.CreateVersion7(), SandboxTokens.Visa);
        Assert.IsType<GatewayResult.Unavailable>(await stranger.AuthorizeAsync(asked, default));
        Assert.IsType<GatewayResult.Unknown>(await stranger.FindAsync(asked, default));
        Assert.Empty(await gateway.ListAsync());
    }

    [Fact]
    public async Task What_the_customer_approves_is_told_by_a_signed_webhook()
    {
        using var shop = new HttpListener();
        var address = $"http://127.0.0.1:{FreePort()}/hook/";
        shop.Prefixes.Add(address);
        shop.Start();
        await gateway.DisposeAsync();
        gateway = await HttpGateway.StartAsync(File, ("Webhook", address));
        var asked = Authorize(Guid.CreateVersion7(), SandboxTokens.RequiresAction);
        var action = Assert.IsType<GatewayResult.ActionRequired>(await gateway.DoAsync(asked));

        using var approval = new StringContent("""{"approve":true}""", Encoding.UTF8, "application/json");
        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.PostAsync(action.Url, approval)).StatusCode);

        var told = await shop.GetContextAsync().WaitAsync(Waiting.HangLimit);
        var body = new byte[told.Request.ContentLength64];
        await told.Request.InputStream.ReadExactlyAsync(body);
        told.Response.Close();
        var headers = new HeaderDictionary
        {
            [HttpGatewayNames.SignatureHeader] = told.Request.Headers[HttpGatewayNames.SignatureHeader],
        };
        var now = TimeProvider.System.GetUtcNow();
        var happened = Assert.Single(Assert.IsType<WebhookReading.Genuine>(gateway.Provider.ReadWebhook(headers, body, now)).Events);
        Assert.Equal((asked.Key, new GatewayResult.Succeeded(action.Reference)), (happened.Key, happened.Result));
        Assert.IsType<WebhookReading.Forged>(gateway.Provider.ReadWebhook(headers, body, now.AddMinutes(6)));
        body[^3] ^= 1;
        Assert.IsType<WebhookReading.Forged>(gateway.Provider.ReadWebhook(headers, body, now));
    }

    [Fact]
    public async Task Its_bad_days_are_as_bad_as_it_is_told()
    {
        await gateway.BehaveAsync("""{"errors":"100%"}""");
        Assert.IsType<GatewayResult.Unavailable>(await gateway.DoAsync(Authorize(Guid.CreateVersion7(), SandboxTokens.Visa)));
        await gateway.BehaveAsync("""{"declines":"100%"}""");
        Assert.IsType<GatewayResult.Declined>(await gateway.DoAsync(Authorize(Guid.CreateVersion7(), SandboxTokens.Visa)));

        await gateway.BehaveAsync("""{"timeouts":"100%","latency":"5±5"}""");
        var lost = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ =>
            gateway.DoAsync(Authorize(Guid.CreateVersion7(), SandboxTokens.Visa))));
        Assert.All(lost, Assert.Null);
        var charged = (await gateway.ListAsync()).Count(charge => (long)charge["authorized"]! > 0);
        Assert.InRange(charged, 5, 35); // Half of them, by its dice.
    }

    static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
