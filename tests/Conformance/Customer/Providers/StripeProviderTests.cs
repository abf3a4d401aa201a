using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Orderwright.Conformance.Storage;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Providers;
using Orderwright.CustomerService.Providers.Stripe;
using Orderwright.Runtime;

namespace Orderwright.Conformance.Customer.Providers;

/// <summary>Stripe, as <see cref="StripeMock"/> plays it.</summary>
sealed class StripeHouse : GatewayHouse
{
    public const string WebhookSecret = "whsec_a secret of the endpoint";

    StripeHouse(StripeMock mock, IPaymentProvider provider) => (Mock, Provider) = (mock, provider);

    public StripeMock Mock { get; }

    public override IPaymentProvider Provider { get; }

    public static async Task<StripeHouse> OpenAsync(params (string Name, string Value)[] settings)
    {
        var mock = await StripeMock.StartAsync();
        return new(mock, ProviderOf(
            [.. settings, ("StripeUrl", mock.Url), ("StripeReturnUrl", "https://shop.example.com/paid")]));
    }

    public static StripeProvider ProviderOf(params (string Name, string Value)[] settings) => StripeProvider.Over(
        StripeSettings.Read(new ConfigurationBuilder()
            .AddInMemoryCollection([new("StripeKey", StripeMock.Key), new("StripeWebhookSecret", WebhookSecret)])
            .AddInMemoryCollection(settings.DistinctBy(one => one.Name).ToDictionary(one => one.Name, one => (string?)one.Value))
            .Build())!,
        new GatewayLimits());

    // The first four are Stripe's own names of test cards: https://docs.stripe.com/testing.
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

    public override Task<Delivery> TellAsync(Guid order, DateTimeOffset signedAt)
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
        new Signature(Encoding.UTF8.GetBytes(WebhookSecret)).Write("", Encoding.UTF8.GetBytes(body), at), body);

    public override ValueTask DisposeAsync() => Mock.DisposeAsync();
}

public sealed class StripeProviderTests(SqliteEngine engine) : ProviderSuite(engine), IClassFixture<SqliteEngine>
{
    protected override async Task<GatewayHouse> OpenAsync(TimeSpan? holds)
    {
        var house = await StripeHouse.OpenAsync();
        house.Mock.HoldsUntil = TimeProvider.System.GetUtcNow() + holds;
        return house;
    }
}

/// <summary>What only Stripe does.</summary>
public sealed class StripeTests
{
    readonly Guid order = Guid.CreateVersion7();

    [Fact]
    public async Task Automatic_capture_takes_the_money_at_once()
    {
        await using var house = await StripeHouse.OpenAsync(("StripeCapture", "automatic"));
        var taken = Assert.IsType<GatewayResult.Succeeded>(await house.DoAsync(house.Ask(order, "authorize")));
        Assert.True(taken.Captured);
        Assert.Equal([new Charge(1_530, 1_530, 0, false)], await house.ChargesAsync(order));
    }

    [Fact]
    public async Task Without_a_place_to_come_back_to_what_needs_the_customer_is_declined()
    {
        await using var house = await StripeHouse.OpenAsync(("StripeReturnUrl", ""));
        var declined = Assert.IsType<GatewayResult.Declined>(
            await house.DoAsync(house.Ask(order, "authorize", Card.RequiresAction)));
        Assert.Equal("authentication_required", declined.Code);
        Assert.IsType<GatewayResult.Succeeded>(await house.DoAsync(house.Ask(Guid.CreateVersion7(), "authorize")));
    }

    [Fact]
    public async Task A_card_token_goes_as_card_data_and_every_request_bears_our_names()
    {
        await using var house = await StripeHouse.OpenAsync();
        var asked = house.Ask(order, "authorize") with { Token = "tok_visa" };
        Assert.IsType<GatewayResult.Succeeded>(await house.DoAsync(asked));
        var form = Assert.Single(house.Mock.Posts);
        Assert.Equal(("card", "tok_visa"), (form["payment_method_data[type]"], form["payment_method_data[card][token]"]));
        Assert.Equal((asked.Key, $"{order}"), (form["metadata[orderwright_key]"], form["metadata[orderwright_order]"]));
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
    public async Task Stripes_smallest_unit_is_not_everybodys(string currency, long amountMinor, string? sent)
    {
        await using var house = await StripeHouse.OpenAsync();
        var asked = house.Ask(order, "authorize", amount: amountMinor) with { Currency = currency };
        var result = await house.DoAsync(asked);
        Assert.Equal(sent is not null, result is GatewayResult.Succeeded);
        Assert.Equal(sent, house.Mock.Posts.SingleOrDefault()?["amount"]);
    }

    [Fact]
    public async Task What_cannot_be_searched_yet_is_not_called_undone()
    {
        await using var house = await StripeHouse.OpenAsync();
        house.Mock.SearchIsBehind = true;
        await house.LoseAsync(house.Ask(order, "authorize", Card.LostAfter));
        Assert.Equal(new GatewayResult.NeverHappened(Final: false), await house.FindAsync(house.Ask(order, "authorize", Card.LostAfter)));
        Assert.True(house.Provider.Capabilities.LookUpLag >= TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_refund_that_is_pending_is_not_settled_until_it_is()
    {
        await using var house = await StripeHouse.OpenAsync();
        var charge = Assert.IsType<GatewayResult.Succeeded>(await house.DoAsync(house.Ask(order, "authorize"))).Reference;
        await house.DoAsync(house.Ask(order, "capture", charge: charge));
        house.Mock.RefundsArePending = true;
        var asked = house.Ask(order, "refund", charge: charge);
        Assert.IsType<GatewayResult.Unknown>(await house.DoAsync(asked));
        Assert.IsType<GatewayResult.Unknown>(await house.FindAsync(asked));
        var refund = Assert.Single(house.Mock.OfOrder(order).Single().Refunds);
        foreach (var (status, settled) in new[] { ("pending", false), ("succeeded", true), ("failed", true) })
        {
            refund["status"] = status;
            var told = StripeHouse.Signed(StripeShapes.EventOf(refund, "refund.updated"), TimeProvider.System.GetUtcNow());
            var read = Assert.IsType<WebhookReading.Genuine>(house.Provider.ReadWebhook(
                told.Headers, Encoding.UTF8.GetBytes(told.Body), TimeProvider.System.GetUtcNow()));
            Assert.Equal((asked.Key, settled), (read.Events[0].Key, read.Events[0].Result is not null));
        }
        Assert.IsType<GatewayResult.Declined>(await house.FindAsync(asked));
    }

    [Theory]
    [InlineData(500, """{"error":{"type":"api_error"}}""", typeof(GatewayResult.Unknown))]
    [InlineData(502, "<html>", typeof(GatewayResult.Unknown))]
    [InlineData(409, """{"error":{"type":"idempotency_error"}}""", typeof(GatewayResult.Unknown))]
    [InlineData(400, """{"error":{"type":"idempotency_error"}}""", typeof(GatewayResult.Unknown))]
    [InlineData(200, "<html>", typeof(GatewayResult.Unknown))]
    [InlineData(200, """{"id":"pi_1","object":"payment_intent","amount":1,"amount_received":0,"currency":"gbp","status":"a_new_one"}""", typeof(GatewayResult.Unknown))]
    [InlineData(200, """{"id":"pi_1","object":"payment_intent","amount":1,"amount_received":0,"currency":"gbp","status":"requires_payment_method"}""", typeof(GatewayResult.Unknown))]
    [InlineData(401, """{"error":{"type":"invalid_request_error"}}""", typeof(GatewayResult.Unavailable))]
    [InlineData(429, """{"error":{"type":"invalid_request_error","code":"rate_limit"}}""", typeof(GatewayResult.Unavailable))]
    [InlineData(400, """{"error":{"type":"invalid_request_error","code":"parameter_unknown","param":"confirmed"}}""", typeof(GatewayResult.Unavailable))]
    [InlineData(400, """{"error":{"type":"invalid_request_error","code":"resource_missing","param":"payment_method"}}""", typeof(GatewayResult.Declined))]
    [InlineData(400, """{"error":{"type":"invalid_request_error","code":"amount_too_small","param":"amount"}}""", typeof(GatewayResult.Declined))]
    [InlineData(402, """{"error":{"type":"card_error","code":"expired_card"}}""", typeof(GatewayResult.Declined))]
    [InlineData(402, "", typeof(GatewayResult.Unavailable))]
    public async Task Only_Stripes_own_words_settle_an_authorization(int status, string body, Type result)
    {
        await using var house = await StripeHouse.OpenAsync();
        house.Mock.Broken = (status, body);
        Assert.IsType(result, await house.DoAsync(house.Ask(order, "authorize")));
        Assert.IsType<GatewayResult.Unknown>(await house.FindAsync(house.Ask(order, "authorize")));
    }

    // The header is what Stripe's own library for Node (stripe 23.1.0, generateTestHeaderString) makes of these.
    [Fact]
    public void A_signature_is_what_Stripes_own_library_makes_it()
    {
        const string Header = "t=1769851800,v1=5755f29d17680a6d577063f52d221ee80f6649d1f51db9c2526c179b2e18746e";
        var body = """{"id":"evt_1","object":"event"}"""u8.ToArray();
        var at = DateTimeOffset.FromUnixTimeSeconds(1_769_851_800);
        var signature = new Signature(Encoding.UTF8.GetBytes(StripeHouse.WebhookSecret));
        Assert.Equal(Header, signature.Write("", body, at));
        Assert.True(signature.Fits(Header, "", body, at.AddMinutes(5)));
        Assert.False(signature.Fits(Header, "", body, at.AddMinutes(5).AddSeconds(1)));
        // While the endpoint's secret is being changed there are two; v0 is a test scheme that does not count.
        var (time, mine) = (Header[..12], Header[12..]);
        var other = $",v1={new string('0', 64)}";
        Assert.True(signature.Fits(time + other + mine, "", body, at));
        Assert.False(signature.Fits(time + other, "", body, at));
        Assert.False(signature.Fits(time + mine.Replace("v1", "v0"), "", body, at));
        Assert.False(signature.Fits(time + string.Concat(Enumerable.Repeat(other, 8)) + mine, "", body, at));
    }

    [Fact]
    public void Without_a_secret_no_webhook_is_believed()
    {
        var provider = StripeHouse.ProviderOf(("StripeWebhookSecret", ""));
        Assert.IsType<WebhookReading.Forged>(provider.ReadWebhook(new HeaderDictionary(), default, default));
    }

    [Theory]
    [InlineData("StripeKey", "pk_test_not_a_secret_key")]
    [InlineData("StripeKey", "sk_test_with\r\nX-Header: 1")]
    [InlineData("StripeUrl", "http://api.example.com")]
    [InlineData("StripeCapture", "later")]
    [InlineData("StripeReturnUrl", "/paid")]
    [InlineData("StripeWebhookSecret", "short")]
    public void A_setting_that_cannot_be_is_refused_and_no_secret_is_told(string name, string value)
    {
        var told = Assert.Throws<InvalidSettingException>(() => StripeHouse.ProviderOf((name, value))).Message;
        if (name is "StripeKey" or "StripeWebhookSecret") Assert.DoesNotContain(value, told);
    }

    [Fact]
    public void Every_status_of_an_intent_and_every_event_is_known_to_be_read_or_left()
    {
        // New ones of a newer API version have to be thought about.
        Assert.Equal(
            ["canceled", "processing", "requires_action", "requires_capture", "requires_confirmation", "requires_payment_method", "succeeded"],
            StripeShapes.Names["intentStatuses"]!.AsArray().Select(name => (string)name!));
        Assert.Equal(11, StripeShapes.Names["eventTypes"]!.AsArray().Count);
    }
}
