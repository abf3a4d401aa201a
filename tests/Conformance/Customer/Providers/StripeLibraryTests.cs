using System.Text;
using Stripe;
using Orderwright.CustomerService.Payments;

namespace Orderwright.Conformance.Customer.Providers;

/// <summary>
/// Compares our client with Stripe's own library for .NET, which Stripe generates from its OpenAPI document: both send the
/// same requests, and the library can read the responses of <see cref="StripeMock"/>.
/// </summary>
public sealed class StripeLibraryTests : IAsyncLifetime
{
    const string ReturnUrl = "https://shop.example.com/paid";

    readonly Guid order = Guid.CreateVersion7();
    StripeFixture fixture = null!;
    StripeMock mock = null!;
    Stripe.StripeClient library = null!;

    public async ValueTask InitializeAsync()
    {
        fixture = await StripeFixture.OpenAsync();
        mock = await StripeMock.StartAsync();
        library = new(apiKey: StripeMock.Key, apiBase: mock.Url);
    }

    public async ValueTask DisposeAsync()
    {
        await mock.DisposeAsync();
        await fixture.DisposeAsync();
    }

    [Fact]
    public void The_library_uses_the_pinned_API_version() =>
        Assert.Equal(StripeConfiguration.ApiVersion, (string?)StripeShapes.Names["version"]);

    [Fact]
    public async Task Our_requests_equal_those_of_the_library()
    {
        var intents = library.V1.PaymentIntents;
        var authorize = fixture.RequestFor(order, "authorize");
        var capture = fixture.RequestFor(order, "capture", charge: "pi_1");
        var refund = fixture.RequestFor(order, "refund", charge: "pi_1");
        var ours = Assert.IsType<GatewayResult.Succeeded>(await fixture.SendAsync(authorize));
        var theirs = await intents.CreateAsync(Create(authorize), Under(authorize));
        Assert.Equal((ours.Reference, "requires_capture", 1_530), (theirs.Id, theirs.Status, theirs.AmountCapturable));

        await fixture.FindAsync(authorize);
        var found = await intents.SearchAsync(new()
        {
            Query = $"metadata['orderwright_key']:'{authorize.Key}'", Limit = 2, Expand = ["data.latest_charge"],
        });
        Assert.Equal("pi_1", Assert.Single(found.Data).Id);
        await fixture.FindAsync(authorize with { Reference = "pi_1" });
        theirs = await intents.GetAsync("pi_1", new() { Expand = ["latest_charge"] });
        Assert.Equal(authorize.Key, theirs.Metadata["orderwright_key"]);

        Assert.IsType<GatewayResult.Succeeded>(await fixture.SendAsync(capture));
        theirs = await intents.CaptureAsync("pi_1", new() { AmountToCapture = 1_530 }, Under(capture));
        Assert.Equal(1_530, theirs.AmountReceived);
        Assert.IsType<GatewayResult.Succeeded>(await fixture.SendAsync(refund));
        var returned = await library.V1.Refunds.CreateAsync(
            new() { PaymentIntent = "pi_1", Amount = 1_530, Metadata = Names(refund) }, Under(refund));
        Assert.Equal(("succeeded", 1_530), (returned.Status, returned.Amount));
        await fixture.FindAsync(refund);
        var refunds = await library.V1.Refunds.ListAsync(new() { PaymentIntent = "pi_1", Limit = 100 });
        Assert.Equal(returned.Id, Assert.Single(refunds).Id);

        var second = fixture.RequestFor(Guid.CreateVersion7(), "authorize");
        await fixture.SendAsync(second);
        await intents.CreateAsync(Create(second), Under(second));
        var release = fixture.RequestFor(second.OrderId, "void", charge: "pi_3");
        Assert.IsType<GatewayResult.Succeeded>(await fixture.SendAsync(release));
        Assert.Equal("canceled", (await intents.CancelAsync("pi_3", null, Under(release))).Status);

        var (from, to) = (DateTimeOffset.UnixEpoch, new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero));
        Assert.Single((await fixture.Provider.Charges!.ListAsync(from, to, "pi_3", default)).Charges);
        var listed = await intents.ListAsync(new()
        {
            Created = new DateRangeOptions { GreaterThanOrEqual = from.UtcDateTime, LessThan = to.UtcDateTime },
            Limit = 100, Expand = ["data.latest_charge"], StartingAfter = "pi_3",
        });
        Assert.Equal(1_530, Assert.Single(listed).LatestCharge.AmountRefunded);

        Assert.Equal(mock.Requests, fixture.Mock.Requests);
        Assert.Equal(9, mock.Requests.Count);
    }

    [Fact]
    public async Task Declines_and_required_actions_are_read_alike()
    {
        var declined = fixture.RequestFor(order, "authorize", Card.InsufficientFunds);
        var error = (await Assert.ThrowsAsync<StripeException>(
            () => library.V1.PaymentIntents.CreateAsync(Create(declined), Under(declined)))).StripeError;
        Assert.Equal(
            ("card_error", "card_declined", "insufficient_funds", "requires_payment_method"),
            (error.Type, error.Code, error.DeclineCode, error.PaymentIntent.Status));
        Assert.Equal(
            new GatewayResult.Declined(error.DeclineCode, error.Message), await fixture.SendAsync(declined));

        var request = fixture.RequestFor(order, "authorize", Card.RequiresAction, n: 2);
        var action = Assert.IsType<GatewayResult.ActionRequired>(await fixture.SendAsync(request));
        var theirs = await library.V1.PaymentIntents.CreateAsync(Create(request), Under(request));
        Assert.Equal((action.Url, action.Reference), (theirs.NextAction.RedirectToUrl.Url, theirs.Id));

        mock.HoldsUntil = fixture.Mock.HoldsUntil = DateTimeOffset.FromUnixTimeSeconds(1_900_000_000);
        var held = Assert.IsType<GatewayResult.Succeeded>(await fixture.SendAsync(fixture.RequestFor(order, "authorize", n: 3)));
        theirs = await library.V1.PaymentIntents.CreateAsync(Create(fixture.RequestFor(order, "authorize", n: 3)));
        Assert.Equal(held.HoldsUntil!.Value.UtcDateTime, theirs.LatestCharge.PaymentMethodDetails.Card.CaptureBefore);
    }

    [Fact]
    public async Task Webhooks_are_accepted_and_rejected_alike()
    {
        await fixture.SendAsync(fixture.RequestFor(order, "authorize"));
        var now = TimeProvider.System.GetUtcNow();
        var webhook = await fixture.WebhookAsync(order, now);
        var theirs = EventUtility.ConstructEvent(webhook.Body, webhook.Signature, StripeFixture.WebhookSecret);
        Assert.Equal(
            ("payment_intent.amount_capturable_updated", "requires_capture"),
            (theirs.Type, Assert.IsType<PaymentIntent>(theirs.Data.Object).Status));
        var (altered, old) = (webhook with { Body = webhook.Body + " " }, await fixture.WebhookAsync(order, now.AddMinutes(-6)));
        foreach (var bad in new[] { altered, old })
        {
            Assert.Throws<StripeException>(
                () => EventUtility.ConstructEvent(bad.Body, bad.Signature, StripeFixture.WebhookSecret));
            Assert.IsType<WebhookReading.Forged>(
                fixture.Provider.ReadWebhook(bad.Headers, Encoding.UTF8.GetBytes(bad.Body), now));
        }
    }

    static PaymentIntentCreateOptions Create(GatewayRequest request) => new()
    {
        Amount = request.AmountMinor,
        Currency = "gbp",
        Confirm = true,
        CaptureMethod = "manual",
        AutomaticPaymentMethods = new() { Enabled = true },
        Expand = ["latest_charge"],
        Metadata = Names(request),
        PaymentMethod = request.Token,
        ReturnUrl = ReturnUrl,
    };

    static Dictionary<string, string> Names(GatewayRequest request) => new()
    {
        ["orderwright_key"] = request.Key, ["orderwright_order"] = $"{request.OrderId}",
    };

    static RequestOptions Under(GatewayRequest request) => new() { IdempotencyKey = request.Key };
}
