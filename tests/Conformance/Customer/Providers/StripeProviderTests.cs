using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Orderwright.Conformance.Storage;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Providers;
using Orderwright.CustomerService.Providers.Stripe;
using Orderwright.Runtime;

namespace Orderwright.Conformance.Customer.Providers;

/// <summary>Stripe, simulated by <see cref="StripeMock"/>.</summary>
sealed class StripeFixture : GatewayFixture
{
    public const string WebhookSecret = "whsec_a secret of the endpoint";

    StripeFixture(StripeMock mock, IPaymentProvider provider) => (Mock, Provider) = (mock, provider);

    public StripeMock Mock { get; }

    public override IPaymentProvider Provider { get; }

    public static async Task<StripeFixture> OpenAsync(params (string Name, string Value)[] settings)
    {
        var mock = await StripeMock.StartAsync();
        return new(mock, ProviderOf(
            [.. settings, ("StripeUrl", mock.Url), ("StripeReturnUrl", "https://shop.example.com/paid")]));
    }

    public static StripeProvider ProviderOf(params (string Name, string Value)[] settings) => StripeProvider.Create(
        StripeSettings.Read(new ConfigurationBuilder()
            .AddInMemoryCollection([new("StripeKey", StripeMock.Key), new("StripeWebhookSecret", WebhookSecret)])
            .AddInMemoryCollection(settings.DistinctBy(one => one.Name).ToDictionary(one => one.Name, one => (string?)one.Value))
            .Build())!,
        new GatewayLimits());

    // The first four are Stripe's test cards: https://docs.stripe.com/testing.
    public override string TokenOf(Card card) => card switch
    {
        Card.Good => "pm_card_visa",
        Card.Declined => "pm_card_chargeDeclined",
        Card.InsufficientFunds => "pm_card_chargeDeclinedInsufficientFunds",
        Card.RequiresAction => "pm_card_authenticationRequired",
        Card.FailsOnce => "pm_card_failsOnce",
        Card.LostAfter => "pm_card_lostAfter",
        _ => "pm_card_lostBefore",
    };

    public override Task<IReadOnlyList<Charge>> ChargesAsync(Guid order) => Task.FromResult<IReadOnlyList<Charge>>(
    [
        .. from one in Mock.OfOrder(order)
           let status = (string)one.Intent["status"]!
           where status is "requires_capture" or "succeeded" or "canceled"
           select new Charge(
               (long)one.Intent["amount"]!, (long)one.Intent["amount_received"]!,
               one.Refunds.Sum(refund => (long)refund["amount"]!), status == "canceled"),
    ]);

    public override Task ActAsync(Guid order, bool approve)
    {
        Mock.Act(order, approve);
        return Task.CompletedTask;
    }

    public override Task<Delivery> WebhookAsync(Guid order, DateTimeOffset signedAt)
    {
        var intent = Mock.OfOrder(order).Single().Intent;
        var type = (string)intent["status"]! switch
        {
            "requires_capture" => "payment_intent.amount_capturable_updated",
            "requires_payment_method" => "payment_intent.payment_failed",
            "canceled" => "payment_intent.canceled",
            _ => "payment_intent.succeeded",
        };
        return Task.FromResult(Signed(StripeShapes.EventOf(intent, type), signedAt));
    }

    public static Delivery Signed(string body, DateTimeOffset at) => new(
        StripeProvider.SignatureHeader,
        new Signature(Encoding.UTF8.GetBytes(WebhookSecret)).Sign("", Encoding.UTF8.GetBytes(body), at), body);

    public override ValueTask DisposeAsync() => Mock.DisposeAsync();
}

public sealed class StripeProviderTests(SqliteEngine engine) : ProviderSuite(engine), IClassFixture<SqliteEngine>
{
    protected override async Task<GatewayFixture> OpenAsync(TimeSpan? holds)
    {
        var fixture = await StripeFixture.OpenAsync();
        fixture.Mock.HoldsUntil = SteadyTime.Shared.GetUtcNow() + holds;
        return fixture;
    }
}

/// <summary>Tests of features specific to Stripe.</summary>
public sealed class StripeTests
{
    readonly Guid order = Guid.CreateVersion7();

    [Fact]
    public async Task Automatic_capture_captures_the_money_at_once()
    {
        await using var fixture = await StripeFixture.OpenAsync(("StripeCapture", "automatic"));
        var taken = Assert.IsType<GatewayResult.Succeeded>(await fixture.SendAsync(fixture.RequestFor(order, "authorize")));
        Assert.True(taken.Captured);
        Assert.Equal([new Charge(1_530, 1_530, 0, false)], await fixture.ChargesAsync(order));
    }

    [Fact]
    public async Task Without_a_return_url_a_payment_that_requires_an_action_is_declined()
    {
        await using var fixture = await StripeFixture.OpenAsync(("StripeReturnUrl", ""));
        var declined = Assert.IsType<GatewayResult.Declined>(
            await fixture.SendAsync(fixture.RequestFor(order, "authorize", Card.RequiresAction)));
        Assert.Equal("authentication_required", declined.Code);
        Assert.IsType<GatewayResult.Succeeded>(await fixture.SendAsync(fixture.RequestFor(Guid.CreateVersion7(), "authorize")));
    }

    [Fact]
    public async Task A_card_token_is_sent_as_card_data_and_requests_carry_our_metadata()
    {
        await using var fixture = await StripeFixture.OpenAsync();
        var request = fixture.RequestFor(order, "authorize") with { Token = "tok_visa" };
        Assert.IsType<GatewayResult.Succeeded>(await fixture.SendAsync(request));
        var form = Assert.Single(fixture.Mock.Posts);
        Assert.Equal(("card", "tok_visa"), (form["payment_method_data[type]"], form["payment_method_data[card][token]"]));
        Assert.Equal((request.Key, $"{order}"), (form["metadata[orderwright_key]"], form["metadata[orderwright_order]"]));
        Assert.Equal(("1530", "gbp", "manual"), (form["amount"], form["currency"], form["capture_method"]));
    }

    [Theory]
    [InlineData("JPY", 1_530, "1530")]
    [InlineData("ISK", 1_530, "153000")]
    [InlineData("UGX", 1_530, "153000")]
    [InlineData("MGA", 153_000, "1530")]
    [InlineData("MGA", 1_530, null)]
    [InlineData("KWD", 1_530, "1530")]
    [InlineData("KWD", 1_531, null)]
    public async Task Amounts_are_converted_to_Stripes_smallest_unit(string currency, long amountMinor, string? sent)
    {
        await using var fixture = await StripeFixture.OpenAsync();
        var request = fixture.RequestFor(order, "authorize", amount: amountMinor) with { Currency = currency };
        var result = await fixture.SendAsync(request);
        Assert.Equal(sent is not null, result is GatewayResult.Succeeded);
        Assert.Equal(sent, fixture.Mock.Posts.SingleOrDefault()?["amount"]);
    }

    [Fact]
    public async Task A_payment_that_is_not_searchable_yet_is_not_reported_as_final()
    {
        await using var fixture = await StripeFixture.OpenAsync();
        fixture.Mock.SearchIsBehind = true;
        await fixture.SendLostAsync(fixture.RequestFor(order, "authorize", Card.LostAfter));
        Assert.Equal(
            new GatewayResult.NeverHappened(Final: false),
            await fixture.FindAsync(fixture.RequestFor(order, "authorize", Card.LostAfter)));
        Assert.True(fixture.Provider.Capabilities.LookUpLag >= TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_pending_refund_is_not_settled()
    {
        await using var fixture = await StripeFixture.OpenAsync();
        var charge = Assert.IsType<GatewayResult.Succeeded>(
            await fixture.SendAsync(fixture.RequestFor(order, "authorize"))).Reference;
        await fixture.SendAsync(fixture.RequestFor(order, "capture", charge: charge));
        fixture.Mock.RefundsArePending = true;
        var request = fixture.RequestFor(order, "refund", charge: charge);
        Assert.IsType<GatewayResult.Unknown>(await fixture.SendAsync(request));
        Assert.IsType<GatewayResult.Unknown>(await fixture.FindAsync(request));
        var refund = Assert.Single(fixture.Mock.OfOrder(order).Single().Refunds);
        foreach (var (status, settled) in new[] { ("pending", false), ("succeeded", true), ("failed", true) })
        {
            refund["status"] = status;
            var webhook = StripeFixture.Signed(StripeShapes.EventOf(refund, "refund.updated"), SteadyTime.Shared.GetUtcNow());
            var read = Assert.IsType<WebhookReading.Genuine>(fixture.Provider.ReadWebhook(
                webhook.Headers, Encoding.UTF8.GetBytes(webhook.Body), SteadyTime.Shared.GetUtcNow()));
            Assert.Equal((request.Key, settled), (read.Events[0].Key, read.Events[0].Result is not null));
        }
        Assert.IsType<GatewayResult.Declined>(await fixture.FindAsync(request));
    }

    [Theory]
    [InlineData(500, """{"error":{"type":"api_error"}}""", typeof(GatewayResult.Unknown))]
    [InlineData(502, "<html>", typeof(GatewayResult.Unknown))]
    [InlineData(409, """{"error":{"type":"idempotency_error"}}""", typeof(GatewayResult.Unknown))]
    [InlineData(400, """{"error":{"type":"idempotency_error"}}""", typeof(GatewayResult.Unknown))]
    [InlineData(200, "<html>", typeof(GatewayResult.Unknown))]
    [InlineData(
        200, """{"id":"pi_1","object":"payment_intent","amount":1,"amount_received":0,"currency":"gbp","status":"a_new_one"}""",
        typeof(GatewayResult.Unknown))]
    [InlineData(
        200, """{"id":"pi_1","object":"payment_intent","amount":1,"amount_received":""" +
        """0,"currency":"gbp","status":"requires_payment_method"}""",
        typeof(GatewayResult.Unknown))]
    [InlineData(401, """{"error":{"type":"invalid_request_error"}}""", typeof(GatewayResult.Unavailable))]
    [InlineData(429, """{"error":{"type":"invalid_request_error","code":"rate_limit"}}""", typeof(GatewayResult.Unavailable))]
    [InlineData(
        400, """{"error":{"type":"invalid_request_error","code":"parameter_unknown","param":"confirmed"}}""",
        typeof(GatewayResult.Unavailable))]
    [InlineData(
        400, """{"error":{"type":"invalid_request_error","code":"resource_missing","param":"payment_method"}}""",
        typeof(GatewayResult.Declined))]
    [InlineData(
        400, """{"error":{"type":"invalid_request_error","code":"amount_too_small","param":"amount"}}""",
        typeof(GatewayResult.Declined))]
    [InlineData(402, """{"error":{"type":"card_error","code":"expired_card"}}""", typeof(GatewayResult.Declined))]
    [InlineData(402, "", typeof(GatewayResult.Unavailable))]
    public async Task Only_documented_responses_settle_an_authorization(int status, string body, Type result)
    {
        await using var fixture = await StripeFixture.OpenAsync();
        fixture.Mock.Broken = (status, body);
        Assert.IsType(result, await fixture.SendAsync(fixture.RequestFor(order, "authorize")));
        Assert.IsType<GatewayResult.Unknown>(await fixture.FindAsync(fixture.RequestFor(order, "authorize")));
    }

    // The header was generated with Stripe's library for Node (stripe 23.1.0, generateTestHeaderString).
    [Fact]
    public void A_signature_equals_that_of_Stripes_own_library()
    {
        const string Header = "t=1769851800,v1=5755f29d17680a6d577063f52d221ee80f6649d1f51db9c2526c179b2e18746e";
        var body = """{"id":"evt_1","object":"event"}"""u8.ToArray();
        var at = DateTimeOffset.FromUnixTimeSeconds(1_769_851_800);
        var signature = new Signature(Encoding.UTF8.GetBytes(StripeFixture.WebhookSecret));
        Assert.Equal(Header, signature.Sign("", body, at));
        Assert.True(signature.IsValid(Header, "", body, at.AddMinutes(5)));
        Assert.False(signature.IsValid(Header, "", body, at.AddMinutes(5).AddSeconds(1)));
        // A change of the endpoint's secret yields two signatures; v0 is a test scheme and ignored.
        var (time, mine) = (Header[..12], Header[12..]);
        var other = $",v1={new string('0', 64)}";
        Assert.True(signature.IsValid(time + other + mine, "", body, at));
        Assert.False(signature.IsValid(time + other, "", body, at));
        Assert.False(signature.IsValid(time + mine.Replace("v1", "v0"), "", body, at));
        Assert.False(signature.IsValid(time + string.Concat(Enumerable.Repeat(other, 8)) + mine, "", body, at));
    }

    [Fact]
    public void Without_a_secret_every_webhook_is_rejected()
    {
        var provider = StripeFixture.ProviderOf(("StripeWebhookSecret", ""));
        Assert.IsType<WebhookReading.Forged>(provider.ReadWebhook(new HeaderDictionary(), default, default));
    }

    [Theory]
    [InlineData("StripeKey", "pk_test_not_a_secret_key")]
    [InlineData("StripeKey", "sk_test_with\r\nX-Header: 1")]
    [InlineData("StripeUrl", "http://api.example.com")]
    [InlineData("StripeCapture", "later")]
    [InlineData("StripeReturnUrl", "/paid")]
    [InlineData("StripeWebhookSecret", "short")]
    public void An_invalid_setting_is_rejected_without_revealing_a_secret(string name, string value)
    {
        var message = Assert.Throws<InvalidSettingException>(() => StripeFixture.ProviderOf((name, value))).Message;
        if (name is "StripeKey" or "StripeWebhookSecret") Assert.DoesNotContain(value, message);
    }

    [Fact]
    public void Intent_statuses_and_event_types_are_those_of_the_pinned_version()
    {
        // A newer API version may add values that need handling.
        Assert.Equal(
            [
                "canceled", "processing", "requires_action", "requires_capture", "requires_confirmation",
                "requires_payment_method", "succeeded",
            ],
            StripeShapes.Names["intentStatuses"]!.AsArray().Select(name => (string)name!));
        Assert.Equal(11, StripeShapes.Names["eventTypes"]!.AsArray().Count);
    }
}
